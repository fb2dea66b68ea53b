//! What the daemon is doing, for people and for their programs: gathered once, shown
//! as a page, as JSON, as metrics, and by `signet status`.
//!
//! It reads what others have counted and changes nothing. No message, address or key
//! material is in it.

mod http;
mod page;
mod process;
mod textfile;
pub mod words;

pub use http::{HttpError, StatusListener};
pub use page::algorithm;
pub use textfile::Textfile;

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::Shared;
use super::shared::seconds;
use crate::policy::Reason;
use crate::snapshot::{KeyReport, KeyState};
use crate::telemetry::{Fate, Gauges};

/// So many keys are listed, in the order of their domains; the rest is counted.
const LISTED: usize = 1000;

/// Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    pub version: String,
    pub now: u64,
    pub started: u64,
    /// Whether everything that is to be signed can be.
    pub ready: bool,
    pub stopping: bool,
    /// Why not, in words that name the file and the remedy.
    pub troubles: Vec<String>,
    pub messages: Messages,
    pub connections: Connections,
    pub reload: Reload,
    pub domains: u64,
    pub keys: Keys,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Messages {
    /// Every message, by what became of it.
    pub results: Vec<Count>,
    /// Those that were not signed, by reason; reasons that never occurred are left out.
    pub not_signed: Vec<Count>,
    pub last: Option<u64>,
    /// Half of the signed messages were answered in less; none before the first, or
    /// when it lies beyond what is measured (50 ms).
    pub p50_seconds: Option<f64>,
    pub p99_seconds: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub name: String,
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    pub open: u64,
    pub limit: u64,
    pub accepted: u64,
    pub broken: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reload {
    /// When the configuration in force was loaded.
    pub loaded: u64,
    pub failures: u64,
    /// The last reload, if it failed.
    pub failed: Option<Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub at: u64,
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    pub usable: u64,
    pub unusable: u64,
    /// Read when their first message comes.
    pub unread: u64,
    /// The first thousand, by domain and selector.
    pub listed: Vec<Key>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// `*` is for every domain.
    pub domain: String,
    pub selector: String,
    /// `rsa` or `ed25519`, once it is known.
    pub algorithm: Option<String>,
    pub bits: Option<u32>,
    pub fingerprint: Option<String>,
    /// When the file was written.
    pub written: Option<u64>,
    pub last_used: Option<u64>,
    /// Signatures since the daemon began; none where they are not counted by key.
    pub signed: Option<u64>,
    /// Why it cannot be used.
    pub trouble: Option<String>,
}

impl Status {
    /// Looks at everything. Touches the file system; not for a task of tokio's.
    pub fn gather(shared: &Shared) -> Self {
        let snapshot = shared.snapshot();
        let metrics = shared.metrics();
        let troubles = snapshot.troubles();
        let latency = metrics.sign_micros.read();
        let quantile = |share| {
            let micros = latency.quantile(share)?;
            micros.is_finite().then_some(micros / 1e6)
        };
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now: seconds(),
            started: shared.started(),
            ready: troubles.is_empty() && !shared.is_stopping(),
            stopping: shared.is_stopping(),
            troubles,
            messages: Messages {
                results: Fate::ALL
                    .map(|fate| count(fate.as_str(), metrics.messages(fate)))
                    .into(),
                not_signed: Reason::ALL
                    .iter()
                    .map(|reason| count(reason.as_str(), metrics.not_signed(*reason)))
                    .filter(|found| found.count > 0)
                    .collect(),
                last: metrics.last_message(),
                p50_seconds: quantile(0.5),
                p99_seconds: quantile(0.99),
            },
            connections: Connections {
                open: metrics.connections.open(),
                limit: snapshot.config().limits.connections as u64,
                accepted: metrics.connections.accepted.get(),
                broken: metrics.connections.broken(),
            },
            reload: Reload {
                loaded: shared.loaded(),
                failures: shared.reload_failures(),
                failed: shared.reload_failure().map(|failure| Failure {
                    at: failure.at,
                    why: failure.why,
                }),
            },
            domains: snapshot.domain_count() as u64,
            keys: keys(shared, snapshot.key_reports()),
        }
    }

    /// What the metrics take from here.
    pub fn gauges(&self) -> Gauges {
        Gauges {
            keys_usable: self.keys.usable,
            keys_unusable: self.keys.unusable,
            keys_unread: self.keys.unread,
            domains: self.domains,
            oldest_key: self.keys.listed.iter().filter_map(|key| key.written).min(),
            connection_limit: self.connections.limit,
            reload_success: self.reload.loaded,
            reload_failures: self.reload.failures,
            reload_ok: self.reload.failed.is_none(),
            ready: self.ready,
            process: process::read(self.started),
        }
    }

    /// How many messages became `name`, one of the names of `messages.results`.
    pub fn result(&self, name: &str) -> u64 {
        let results = self.messages.results.iter();
        results
            .filter(|found| found.name == name)
            .map(|found| found.count)
            .sum()
    }
}

fn count(name: &str, count: u64) -> Count {
    Count {
        name: name.to_owned(),
        count,
    }
}

fn keys(shared: &Shared, mut reports: Vec<KeyReport>) -> Keys {
    let of = |state: fn(&KeyState) -> bool| {
        reports.iter().filter(|report| state(&report.state)).count() as u64
    };
    let usable = of(|state| matches!(state, KeyState::Usable(_)));
    let unusable = of(|state| matches!(state, KeyState::Unusable(_)));
    let unread = of(|state| matches!(state, KeyState::Unread));
    reports.sort_by(|a, b| (&a.domain, &a.selector).cmp(&(&b.domain, &b.selector)));
    reports.truncate(LISTED);
    Keys {
        usable,
        unusable,
        unread,
        listed: reports.iter().map(|report| key(shared, report)).collect(),
    }
}

fn key(shared: &Shared, report: &KeyReport) -> Key {
    let (public, bits, trouble) = match &report.state {
        KeyState::Usable(key) => (Some(key.public_key()), Some(key.bits()), None),
        KeyState::Unusable(words) => (None, None, Some(words.to_string())),
        KeyState::Unread => (None, None, None),
    };
    let domain = report.domain.as_ref();
    let used = domain.map(|domain| shared.metrics().keys.of(domain, &report.selector));
    let modified = std::fs::metadata(&report.path).and_then(|found| found.modified());
    let written = modified.ok().and_then(|time| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        since.ok().map(|since| since.as_secs())
    });
    Key {
        domain: domain.map_or("*".to_owned(), ToString::to_string),
        selector: report.selector.to_string(),
        algorithm: public
            .as_ref()
            .map(|public| public.key_type.as_str().to_owned()),
        bits,
        fingerprint: public.map(|public| public.fingerprint()),
        written,
        last_used: used.and_then(|used| used.last),
        signed: used.map(|used| used.signed),
        trouble,
    }
}
