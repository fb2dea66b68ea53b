//! File descriptors: as many as there may be connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// What the daemon has open beside its connections: listeners, the status page, key
/// files while they are read.
const OTHERS: u64 = 64;

/// Raises the soft limit to what `connections` need, as far as the hard limit allows,
/// and warns where that is not enough.
pub fn allow(connections: usize) {
    let needed = OTHERS.saturating_add(connections as u64);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return;
    }
    let allowed = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised = Rlimit {
        current: Some(allowed),
        ..limit
    };
    let set = setrlimit(Resource::Nofile, raised);
    if allowed < needed || set.is_err() {
        warn!(
            "limits.connections = {connections} needs {needed} open files, and the system allows \
             {allowed}; connections beyond that wait (raise LimitNOFILE= in the systemd unit, or `ulimit -Hn`)"
        );
    }
}
