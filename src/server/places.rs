//! How many connections there may be: in all, and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Hands out places to connections. Clones hand out the same places.
#[derive(Debug, Clone)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    count: u32,
    peers: Arc<Peers>,
}

/// How many connections each address has; those without any are left out.
#[derive(Debug, Default)]
struct Peers(Mutex<HashMap<IpAddr, usize>>);

/// A place in all; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
}

/// A place among those of an address; given back when it is dropped.
#[derive(Debug)]
pub(super) struct PeerPlace {
    peers: Arc<Peers>,
    peer: IpAddr,
}

impl Places {
    pub(super) fn new(count: usize) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        // More than the semaphore can count is more than there can be sockets.
        let permits = usize::try_from(count).unwrap_or(usize::MAX);
        Self {
            all: Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS))),
            count,
            peers: Arc::default(),
        }
    }

    /// A place, if there is one now.
    pub(super) fn take_now(&self) -> Option<Place> {
        let permit = self.all.clone().try_acquire_owned().ok()?;
        Some(Place { _permit: permit })
    }

    /// A place, once there is one. None when there will not be any.
    pub(super) async fn take(&self) -> Option<Place> {
        let permit = self.all.clone().acquire_owned().await.ok()?;
        Some(Place { _permit: permit })
    }

    /// A place among at most `limit` of this address; none when they are taken.
    pub(super) fn take_for(&self, peer: IpAddr, limit: usize) -> Option<PeerPlace> {
        let mut peers = self.peers.lock();
        let count = peers.entry(peer).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(PeerPlace {
            peers: self.peers.clone(),
            peer,
        })
    }

    /// Waits until all places are given back; whether that happened within `grace`.
    pub(super) async fn empty(&self, grace: Duration) -> bool {
        let all = self.all.acquire_many(self.count);
        tokio::time::timeout(grace, all).await.is_ok()
    }
}

impl Peers {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PeerPlace {
    fn drop(&mut self) {
        let mut peers = self.peers.lock();
        if let Some(count) = peers.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                peers.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_places_and_gives_them_back() {
        let places = Places::new(10);
        let [one, other] = [[192, 0, 2, 1], [192, 0, 2, 2]].map(IpAddr::from);
        let first = places.take_for(one, 2).unwrap();
        let second = places.take_for(one, 2).unwrap();
        assert!(places.take_for(one, 2).is_none());
        let third = places.take_for(other, 2).unwrap();
        drop(first);
        assert!(places.take_for(one, 2).is_some());
        drop((second, third));
        // Nothing is kept of those who have gone.
        assert!(places.peers.lock().is_empty());
    }
}
