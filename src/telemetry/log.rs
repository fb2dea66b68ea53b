//! The log: one line a message, at info, always.
//!
//! A line names the input that decided, never header text and never a full
//! address.

use std::fmt::{Display, Formatter, Result as FormatResult};
use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use tracing::{error, info, warn};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use super::journal::Journal;
use super::{Action, Outcome, SignedBy, Verdict};
use crate::config::{Log, LogFormat, LogLevel};

/// What changes the level of a log that runs.
static LEVEL: OnceLock<reload::Handle<LevelFilter, Registry>> = OnceLock::new();

/// Sends the program's log to standard error or the journal, as the config wishes it.
///
/// Called once; a second call changes nothing.
pub fn init(config: &Log) {
    let (level, handle) = reload::Layer::new(filter(config.level));
    let (output, failure) = output(config);
    // It fails only when there is a subscriber already.
    if Registry::default()
        .with(level)
        .with(output)
        .try_init()
        .is_ok()
    {
        let _ = LEVEL.set(handle);
    }
    if let Some(error) = failure {
        let path = config.journal_socket.display();
        warn!(%path, %error, "the journal cannot be reached; the log goes to standard error (log.format)");
    }
}

/// Changes the level of the log from now on.
pub fn set_level(level: LogLevel) {
    if let Some(handle) = LEVEL.get() {
        // It fails only when there is no subscriber any more.
        let _ = handle.reload(filter(level));
    }
}

type Output = Box<dyn Layer<Layered<reload::Layer<LevelFilter, Registry>, Registry>> + Send + Sync>;

/// Where the lines go; standard error in the place of a journal that cannot be had.
fn output(config: &Log) -> (Output, Option<io::Error>) {
    let mut failure = None;
    if config.format == LogFormat::Journald {
        match Journal::open(&config.journal_socket) {
            Ok(journal) => return (journal.boxed(), None),
            Err(error) => failure = Some(error),
        }
    }
    let text = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_target(false);
    // The journal stamps every line itself.
    let under_journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let output = match (config.format, under_journal) {
        (LogFormat::Json, _) => text.json().flatten_event(true).boxed(),
        (_, true) => text.without_time().boxed(),
        (_, false) => text.boxed(),
    };
    (output, failure)
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
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
            // Of a width that JSON has as a number.
            let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
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

impl Display for Each<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> FormatResult {
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

impl Display for Login<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> FormatResult {
        match self.0.rsplit_once('@') {
            Some((_, domain)) => write!(f, "…@{domain}"),
            None => f.write_str(self.0),
        }
    }
}

/// A value, or `-` where there is none.
struct Shown<T>(Option<T>);

impl<T: Display> Display for Shown<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> FormatResult {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}
