//! The daemon: accepts connections, reads and writes them, and drains at the end.
//!
//! The only tokio of the daemon lives here, and nearly nothing else does: what
//! bytes mean is the milter session's business, what becomes of a message the
//! filter's. A connection that misbehaves is closed with one warning; nothing a
//! peer does ends the daemon.

mod accounts;
mod backlog;
mod confinement;
mod connection;
pub mod descriptors;
mod inherit;
mod listener;
pub mod notify;
mod places;
pub mod privileges;
mod shared;
mod signals;
mod signing;
pub mod status;
mod strangers;

pub use confinement::{Confinement, OutOfReach};
pub use inherit::{InheritError, Inherited};
pub use listener::{BindError, Bound, bind};
pub use shared::{ReloadFailure, Shared};
pub use signals::Signals;
pub use signing::{NoBatches, Signing, accelerator};

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{info, warn};

use self::listener::Listening;
use self::places::{PeerPlace, Place, Places};
use crate::telemetry::{Breach, Limit};

/// How long the log says nothing more of connections that wait.
const TOLD_AGAIN: Duration = Duration::from_secs(60);

/// The listeners of a running daemon.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    listeners: Vec<Listening>,
}

impl Server {
    /// A server over sockets that are bound already; peers can connect from now on. Must
    /// be called inside a tokio runtime.
    ///
    /// # Errors
    /// When a socket cannot listen.
    pub fn new(shared: Arc<Shared>, listeners: Vec<Bound>) -> Result<Self, BindError> {
        let listeners = listeners.into_iter().map(Bound::listen);
        let listeners = listeners.collect::<Result<_, _>>()?;
        Ok(Self { shared, listeners })
    }

    /// Serves until `stop` completes, then drains: no new connection is accepted,
    /// and those that are open may finish their SMTP session until the grace ends.
    ///
    /// Cutting a connection between two messages of one session would make Postfix
    /// apply its default action to all that follow, hence the grace.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let limits = self.shared.snapshot().config().limits.clone();
        let places = Places::new(limits.connections);
        let mut accepting = tokio::task::JoinSet::new();
        for listener in self.listeners {
            accepting.spawn(accept(listener, self.shared.clone(), places.clone()));
        }
        stop.await;
        self.shared.stop();
        info!("stopping: no new connections; open ones may finish");
        // Dropping a listener closes its socket and removes its file.
        accepting.shutdown().await;
        match places.empty(limits.grace).await {
            true => info!("stopped: every connection had ended"),
            false => warn!(
                grace = limits.grace.as_secs(),
                "stopped: connections were still open"
            ),
        }
    }
}

/// Accepts connections from one listener for ever.
async fn accept(listener: Listening, shared: Arc<Shared>, places: Places) {
    let mut pause = Duration::ZERO;
    let mut told = None;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                pause = Duration::ZERO;
                let Ok(peer_place) = peer_place(peer, &shared, &places) else {
                    continue;
                };
                // At the limit a peer waits, this one here and the next ones in the
                // kernel's queue, as they would for a busy daemon; none is refused.
                let place = match places.take_now() {
                    Some(place) => Some(place),
                    None => {
                        all_taken(&shared, &mut told);
                        places.take().await
                    }
                };
                let Some(place) = place else {
                    return;
                };
                let held = Held {
                    open: Open::new(shared.clone()),
                    _place: place,
                    _peer: peer_place,
                };
                tokio::spawn(held.during(async move |shared| {
                    connection::serve(stream, peer, shared).await;
                }));
            }
            Err(error) => {
                // Most often all file descriptors are in use: wait for one, never exit.
                shared.metrics().connections.accept_errors.add_one();
                pause = (pause * 2).clamp(Duration::from_millis(10), Duration::from_secs(1));
                warn!(listener = %listener, %error, "cannot accept a connection; trying again");
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// Counts that a peer has to wait, and says so, but not for every one of a crowd.
fn all_taken(shared: &Shared, told: &mut Option<Instant>) {
    shared.metrics().limits.count(Limit::Connections);
    if told.is_none_or(|told| told.elapsed() > TOLD_AGAIN) {
        warn!(
            open = shared.metrics().connections.open(),
            "as many milter connections are open as limits.connections allows; more wait"
        );
        *told = Some(Instant::now());
    }
}

/// A place for a connection from this address, where addresses have a limit.
fn peer_place(
    peer: Option<IpAddr>,
    shared: &Shared,
    places: &Places,
) -> Result<Option<PeerPlace>, ()> {
    let limit = shared.snapshot().config().limits.connections_per_peer;
    let (Some(peer), Some(limit)) = (peer, limit) else {
        return Ok(None);
    };
    let place = places.take_for(peer, limit);
    if place.is_none() {
        let metrics = shared.metrics();
        metrics.connections.count_breach(Breach::PerPeer);
        metrics.limits.count(Limit::ConnectionsPerPeer);
        warn!(
            %peer,
            "milter connection refused: the address has {limit} already (limits.connections_per_peer)"
        );
    }
    place.map(Some).ok_or(())
}

/// What a connection holds until it ends, by a panic too.
#[derive(Debug)]
struct Held {
    open: Open,
    _place: Place,
    _peer: Option<PeerPlace>,
}

impl Held {
    async fn during(self, work: impl AsyncFnOnce(&Shared)) {
        work(&self.open.shared).await;
    }
}

/// One open connection, counted until it is dropped, by a panic too.
#[derive(Debug)]
struct Open {
    shared: Arc<Shared>,
}

impl Open {
    fn new(shared: Arc<Shared>) -> Self {
        shared.metrics().connections.accepted.add_one();
        Self { shared }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let connections = &self.shared.metrics().connections;
        if std::thread::panicking() {
            connections.count_breach(Breach::Panic);
        }
        connections.ended.add_one();
    }
}

#[cfg(test)]
mod tests;
