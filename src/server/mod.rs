//! The daemon: accepts connections, reads and writes them, and drains at the end.
//!
//! The only tokio of the daemon lives here, and nearly nothing else does: what
//! bytes mean is the milter session's business, what becomes of a message the
//! filter's. A connection that misbehaves is closed with one warning; nothing a
//! peer does ends the daemon.

mod connection;
mod inherit;
mod listener;
pub mod notify;
mod shared;
mod signals;
mod signing;
pub mod status;

pub use inherit::{InheritError, Inherited};
pub use listener::{BindError, Bound, bind};
pub use shared::{ReloadFailure, Shared};
pub use signals::Signals;
pub use signing::{NoBatches, Signing, accelerator};

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tracing::{info, warn};

/// The listeners of a running daemon.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    listeners: Vec<Bound>,
}

impl Server {
    /// A server over sockets that are bound already.
    pub fn new(shared: Arc<Shared>, listeners: Vec<Bound>) -> Self {
        Self { shared, listeners }
    }

    /// Serves until `stop` completes, then drains: no new connection is accepted,
    /// and those that are open may finish their SMTP session until the grace ends.
    ///
    /// Cutting a connection between two messages of one session would make Postfix
    /// apply its default action to all that follow, hence the grace.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let limits = self.shared.snapshot().config().limits.clone();
        let places = Arc::new(Semaphore::new(limits.connections));
        let mut accepting = tokio::task::JoinSet::new();
        for listener in self.listeners {
            accepting.spawn(accept(listener, self.shared.clone(), places.clone()));
        }
        stop.await;
        self.shared.stop();
        info!("stopping: no new connections; open ones may finish");
        // Dropping a listener closes its socket and removes its file.
        accepting.shutdown().await;
        let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
        let grace = limits.grace;
        match tokio::time::timeout(grace, places.acquire_many(all)).await {
            Ok(_) => info!("stopped: every connection had ended"),
            Err(_) => warn!(
                grace = grace.as_secs(),
                "stopped: connections were still open"
            ),
        }
    }
}

/// Accepts connections from one listener for ever.
async fn accept(listener: Bound, shared: Arc<Shared>, places: Arc<Semaphore>) {
    let mut pause = Duration::ZERO;
    loop {
        // At the limit a peer waits in the kernel's queue, as it would for a busy
        // daemon; nothing is refused.
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok(stream) => {
                pause = Duration::ZERO;
                let open = Open::new(shared.clone());
                tokio::spawn(async move {
                    connection::serve(stream, &open.shared).await;
                    drop(open);
                    drop(place);
                });
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
        self.shared.metrics().connections.ended.add_one();
    }
}
