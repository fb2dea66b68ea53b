//! Signals: SIGTERM and SIGINT stop, SIGHUP reloads.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals of the daemon, caught from the moment this exists. Made before
/// anything else, so that a SIGHUP during the start does not end the daemon.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the system does not let the program catch signals.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Completes when the daemon is told to stop; calls `reload` at every SIGHUP until
    /// then.
    pub async fn until_stop(mut self, mut reload: impl FnMut()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => reload(),
            }
        }
    }
}
