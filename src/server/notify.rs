//! What the service manager is told, sd_notify(3): started, reloading, stopping, alive,
//! and one line for `systemctl status`. Without a service manager nothing happens.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tracing::debug;

use super::Shared;
use super::shared::seconds;
use super::status::words::{ago, many};

/// How often the line is written anew.
const EVERY: Duration = Duration::from_secs(10);

/// The daemon serves.
pub fn ready(shared: &Shared) {
    tell(&[NotifyState::Ready, NotifyState::Status(&line(shared))]);
}

/// A reload begins; [`ready`] ends it, whether it was taken over or not.
pub fn reloading() {
    // Type=notify-reload takes the one without the other for a failure.
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, now]);
    }
}

/// No more connections are accepted.
pub fn stopping() {
    let line = "stopping; open connections may finish";
    tell(&[NotifyState::Stopping, NotifyState::Status(line)]);
}

/// Says again and again that the daemon lives, more often than the watchdog wants.
pub async fn keep_telling(shared: Arc<Shared>) {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
    let watchdog = sd_notify::watchdog_enabled();
    let every = watchdog.map_or(EVERY, |limit| EVERY.min(limit / 3));
    let mut clock = tokio::time::interval(every.max(Duration::from_millis(10)));
    loop {
        clock.tick().await;
        if shared.is_stopping() {
            tell(&[NotifyState::Watchdog]);
        } else {
            let line = line(&shared);
            tell(&[NotifyState::Watchdog, NotifyState::Status(&line)]);
        }
    }
}

fn line(shared: &Shared) -> String {
    let snapshot = shared.snapshot();
    let last = match shared.metrics().last_message() {
        Some(at) => format!("last message {}", ago(seconds(), at)),
        None => "no message yet".to_owned(),
    };
    let mut line = format!(
        "signing for {}, {}; {last}",
        many(snapshot.domain_count() as u64, "domain"),
        many(snapshot.key_count() as u64, "key"),
    );
    if shared.reload_failure().is_some() {
        line.push_str("; the last reload failed, the old configuration is in force");
    }
    if let Some(trouble) = snapshot
        .problems()
        .iter()
        .find(|problem| problem.is_error())
    {
        line.push_str(&format!("; {trouble}"));
    }
    line
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        debug!(%error, "the service manager could not be told");
    }
}
