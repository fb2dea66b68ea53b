//! Signals: SIGTERM and SIGINT stop, SIGHUP reloads.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Completes when the daemon is told to stop; calls `reload` at every SIGHUP until
/// then.
///
/// # Errors
/// When the system does not let the program wait for signals.
pub async fn run_until_signalled(mut reload: impl FnMut()) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hang_up.recv() => reload(),
        }
    }
}
