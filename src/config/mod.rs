//! What the operator wrote, as typed and valid values.
//!
//! `raw` knows TOML and lines, `read` turns a tree into a [`Config`], `print` writes
//! one back. Every key has a default; `docs/configuration.md` lists them. Nothing
//! here opens a socket, reads a key or looks up a name.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::dkim::{Canonicalization, HeaderSet};
use crate::names::FieldName;

mod client_list;
mod error;
mod identity;
mod key_file;
mod listen;
pub mod login_table;
mod metrics;
mod network;
mod pattern;
mod print;
mod raw;
mod read;
mod rule;
pub mod rule_table;
mod send_as;
mod span;
mod table;
#[cfg(test)]
mod tests;
mod trusted_macro;
mod word;

pub use client_list::{ClientError, ClientList, ClientPattern};
pub use error::{ConfigError, ConfigErrors, Place};
pub use identity::{Identity, IdentityError};
pub use key_file::KeyFile;
pub use listen::{ListenAddress, ListenError, Listener};
pub use metrics::Metrics;
pub use network::{Network, NetworkError};
pub use pattern::{Glob, Pattern, PatternError};
pub use raw::quoted;
pub use rule::Rule;
pub use send_as::{LoginPattern, SendAs};
pub use trusted_macro::{MacroError, TrustedMacro};
pub use word::UnknownWord;

/// The key directory when neither a flag nor the config names one.
pub const DEFAULT_KEYS: &str = "/var/lib/signet/keys";

/// Where systemd-journald listens.
const JOURNAL: &str = "/run/systemd/journal/socket";

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where the milter listens; never empty.
    pub listen: Vec<Listener>,
    /// The key directory, `DOMAIN/SELECTOR.pem`.
    pub keys: PathBuf,
    /// Whether a key file that others than its user can read or change is refused.
    pub require_safe_keys: bool,
    /// Keys that lie elsewhere; they come before those of the key directory.
    pub key_files: Vec<KeyFile>,
    /// The fields that may name the author; the first one that is there decides.
    pub author_headers: Vec<FieldName>,
    pub trust: Trust,
    pub exclude: Exclude,
    /// None means that a trusted client may use any author.
    pub send_as: Option<SendAs>,
    pub signing: Arc<Signing>,
    pub batch: Batch,
    /// In the order of the file. Without any, in tables too, the key directory is the
    /// rule table.
    pub rules: Vec<Rule>,
    /// Files of more rules, one a line.
    pub rule_tables: Vec<PathBuf>,
    pub limits: Limits,
    /// The user that a daemon started as root becomes, by name or number.
    pub user: Option<String>,
    /// Its group; none means the user's own.
    pub group: Option<String>,
    /// Whether the daemon puts files that it does not need out of its own reach.
    pub confine: bool,
    pub log: Log,
    pub metrics: Metrics,
}

/// Whose mail may be signed at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    pub networks: ClientList,
    /// Whether a client that authenticated is trusted.
    pub authenticated: bool,
    /// Values of `{daemon_name}` that are trusted.
    pub daemon_names: Vec<String>,
    /// Macros, any of which makes a client trusted.
    pub macros: Vec<TrustedMacro>,
    /// Clients whose mail is not signed although they are trusted.
    pub except: ClientList,
}

/// Mail that is not signed although its client is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exclude {
    /// A message to any of these.
    pub recipients: Vec<Pattern>,
    /// A message whose author's domain is one of these.
    pub domains: Vec<Pattern>,
}

/// How a message is signed, unless its rule says otherwise.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Signing {
    pub canonicalization: Canonicalization,
    /// Which header fields are signed.
    pub header_set: Arc<HeaderSet>,
    /// How long a signature is valid (`x=`); none means for ever.
    pub expiry: Option<Duration>,
    /// Whether receivers are asked to report failures (`r=y`, RFC 6651).
    pub request_reports: bool,
    pub on_failure: OnFailure,
}

/// Whether and with what RSA signatures are made in batches. Belongs to the whole
/// daemon, although it is written in `[signing]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    pub mode: BatchMode,
    /// The crypto_mb library; none means the one that the system's loader finds.
    pub library: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BatchMode {
    /// When the library is there and the processor is fit for it.
    #[default]
    Auto,
    Off,
}

/// What becomes of a message that should be signed and cannot be; the mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum OnFailure {
    /// The message goes on without a signature.
    Unsigned,
    /// The client is told to try again later: nothing is lost, nothing leaves unsigned.
    #[default]
    Tempfail,
    /// The message is refused for good.
    Reject,
}

/// What one peer, or all of them, may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one milter packet.
    pub packet_bytes: usize,
    /// Bytes of one message's header section.
    pub header_bytes: usize,
    /// Fields of one message's header section.
    pub header_fields: usize,
    /// Recipients of one message, where there are `exclude.recipients`.
    pub recipients: usize,
    /// Connections at the same time, over all listeners.
    pub connections: usize,
    /// Those of them from one address; none means as many as there may be at all.
    pub connections_per_peer: Option<usize>,
    /// Messages that may wait for their signatures at the same time.
    pub signing_queue: usize,
    /// How long a connection may say nothing; a part of a packet says nothing.
    pub idle: Duration,
    /// How long one message may take, from its envelope to its end.
    pub message: Duration,
    /// How long a peer may leave an answer unread.
    pub write: Duration,
    /// How long open connections may go on once the daemon is told to stop.
    pub grace: Duration,
}

/// What is logged, and in which form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    pub level: LogLevel,
    pub format: LogFormat,
    /// Where the journal listens.
    pub journal_socket: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LogLevel {
    Error,
    Warn,
    /// One line a message.
    #[default]
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    #[default]
    Text,
    /// One JSON object a line.
    Json,
    /// Entries of systemd's journal, with fields.
    Journald,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![
                ListenAddress::Inet {
                    host: "127.0.0.1".to_owned(),
                    port: 8891,
                }
                .into(),
            ],
            keys: DEFAULT_KEYS.into(),
            require_safe_keys: true,
            key_files: Vec::new(),
            author_headers: FieldName::parse("from").into_iter().collect(),
            trust: Trust::default(),
            exclude: Exclude::default(),
            send_as: None,
            signing: Arc::default(),
            batch: Batch::default(),
            rules: Vec::new(),
            rule_tables: Vec::new(),
            limits: Limits::default(),
            user: None,
            group: None,
            confine: true,
            log: Log::default(),
            metrics: Metrics::default(),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: LogLevel::default(),
            format: LogFormat::default(),
            journal_socket: JOURNAL.into(),
        }
    }
}

impl Default for Trust {
    /// This machine and whoever logged in.
    fn default() -> Self {
        Self {
            networks: ClientList::new(
                ["127.0.0.0/8", "::1/128"]
                    .iter()
                    .filter_map(|text| text.parse().ok())
                    .collect(),
            ),
            authenticated: true,
            daemon_names: Vec::new(),
            macros: Vec::new(),
            except: ClientList::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Postfix sends at most 65540 bytes, Sendmail up to 1 MiB when asked to;
            // one more is the command byte.
            packet_bytes: (1 << 20) + 1,
            header_bytes: 1 << 20,
            // Postfix passes on any number; mail of people has a hundred.
            header_fields: 10_000,
            // Ten times Postfix's own smtpd_recipient_limit.
            recipients: 10_000,
            connections: 1000,
            // There is one peer as a rule, Postfix, and it may have them all.
            connections_per_peer: None,
            // Ten seconds of work for one processor with 2048-bit keys; Postfix waits for
            // five minutes.
            signing_queue: 10_000,
            // libmilter's own: no MTA waits longer for its client, and Postfix takes a
            // connection closed between two messages as a failure of the milter.
            idle: Duration::from_secs(7210),
            // Postfix waits 5 minutes for each read from its client and sets no end.
            message: Duration::from_secs(3 * 3600),
            // An MTA that waits for an answer reads it at once.
            write: Duration::from_secs(60),
            // Most SMTP sessions end sooner. Connections that come meanwhile wait in systemd's
            // socket, and Postfix gives up on them after 30 s (milter_connect_timeout).
            grace: Duration::from_secs(20),
        }
    }
}

impl Config {
    /// Reads a config file's text. Relative paths in it are taken from the directory
    /// of `file`, which is also the name that the errors show.
    ///
    /// # Errors
    /// Every mistake in the text.
    pub fn from_toml(text: &str, file: &str) -> Result<Self, ConfigErrors> {
        read::config(text, file)
    }

    /// Where a config file's text sets a key, `trust.networks`. None when it does not.
    pub fn place_of(text: &str, file: &str, key: &str) -> Option<Place> {
        raw::place_of(text, file, key)
    }

    /// The full name of every key there is (`trust.networks`, `rule.pattern`).
    pub fn keys() -> BTreeSet<String> {
        read::keys()
    }

    /// Every key with its value, as a config file that reads back to the same.
    pub fn to_toml(&self) -> String {
        print::config(self)
    }
}
