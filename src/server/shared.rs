//! What all connections share: the snapshot in force.

use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;

use crate::filter::World;
use crate::snapshot::Snapshot;

/// The snapshot in force, replaced whole on reload.
#[derive(Debug)]
pub struct Shared {
    snapshot: ArcSwap<Snapshot>,
}

impl Shared {
    pub fn new(snapshot: Snapshot) -> Self {
        Self {
            snapshot: ArcSwap::from_pointee(snapshot),
        }
    }

    /// The snapshot in force now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Puts a new snapshot in force. Messages under way keep the one they began
    /// with.
    pub fn replace(&self, snapshot: Snapshot) {
        self.snapshot.store(Arc::new(snapshot));
    }
}

impl World for Shared {
    fn snapshot(&self) -> Arc<Snapshot> {
        Shared::snapshot(self)
    }

    fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    }
}
