//! The log: one line a message, at info, always.
//!
//! A line names the input that decided, never header text and never a full
//! address.

use std::fmt;
use std::time::Duration;

use tracing::{error, info, warn};
use tracing_subscriber::filter::LevelFilter;

use super::{Action, Outcome, SignedBy, Verdict};
use crate::config::{Log, LogFormat, LogLevel};

/// Sends the program's log to standard error, as the config wishes it.
///
/// Called once; a second call changes nothing.
pub fn init(config: &Log) {
    let builder = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .with_max_level(match config.level {
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        });
    // The journal stamps every line itself.
    let under_journal = std::env::var_os("JOURNAL_STREAM").is_some();
    // `try_init` fails only when there is a subscriber already.
    let _ = match (config.format, under_journal) {
        (LogFormat::Json, _) => builder.json().flatten_event(true).try_init(),
        (LogFormat::Text, true) => builder.without_time().try_init(),
        (LogFormat::Text, false) => builder.try_init(),
    };
}

/// Has a fault of the program's own logged with its place. What it says is shown only
/// when it is a constant: other text may hold parts of a message.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = Shown(panic.location());
        let what = Shown(panic.payload().downcast_ref::<&'static str>());
        error!(%place, %what, "a fault in signet ended one connection; please report it");
    }));
}

/// Logs what became of one message. `elapsed` is the time from the end of the
/// message to its answer.
pub fn record(outcome: &Outcome, elapsed: Duration) {
    let queue_id = Shown(outcome.queue_id.as_deref());
    let author_domain = Shown(outcome.author_domain.as_ref());
    let client = Shown(outcome.client.as_ref());
    let login = Shown(outcome.login.as_deref().map(Login));
    let rule = Shown(outcome.rule.as_deref());
    let bytes = outcome.bytes;
    match &outcome.verdict {
        Verdict::Signed(by) => {
            let micros = elapsed.as_micros();
            let d = Each(by, |signed| signed.domain.as_str());
            let s = Each(by, |signed| signed.selector.as_str());
            let a = Each(by, |signed| signed.algorithm);
            info!(
                %queue_id, %d, %s, %a, %author_domain, %client, %login, %rule, bytes, micros,
                "signed"
            );
        }
        Verdict::NotSigned {
            reason,
            detail,
            action: Action::Passed,
        } => {
            let reason = reason.as_str();
            info!(
                %queue_id, %reason, detail, %author_domain, %client, %login, %rule, bytes,
                "not signed"
            );
        }
        Verdict::NotSigned {
            reason,
            detail,
            action,
        } => {
            let (reason, action) = (reason.as_str(), action.as_str());
            warn!(
                %queue_id, %reason, detail, %action, %author_domain, %client, %login, %rule, bytes,
                "not signed"
            );
        }
    }
}

/// One tag of every signature, parted by commas, in the order of the signatures.
struct Each<'a>(&'a [SignedBy], fn(&SignedBy) -> &str);

impl fmt::Display for Each<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, signed) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            f.write_str((self.1)(signed))?;
        }
        Ok(())
    }
}

/// A login; when it is an address only its domain is shown.
struct Login<'a>(&'a str);

impl fmt::Display for Login<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.rsplit_once('@') {
            Some((_, domain)) => write!(f, "…@{domain}"),
            None => f.write_str(self.0),
        }
    }
}

/// A value, or `-` where there is none.
struct Shown<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for Shown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}
