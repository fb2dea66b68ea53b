//! What became of one message.

use std::net::IpAddr;

use super::Limit;
use crate::names::{DomainName, Selector};
use crate::policy::Reason;

/// What became of one message, with the input that decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The MTA's queue id, when it gave one.
    pub queue_id: Option<Box<str>>,
    pub client: Option<IpAddr>,
    /// The login of an authenticated client, as the MTA gave it.
    pub login: Option<Box<str>>,
    /// The domain of the author, as far as one was found.
    pub author_domain: Option<DomainName>,
    /// The name of the rule that decided, when one did.
    pub rule: Option<Box<str>>,
    /// Bytes of header section and body that were seen.
    pub bytes: u64,
    /// The limit that it reached, if it reached one.
    pub limit: Option<Limit>,
    pub verdict: Verdict,
}

/// Signed, or the one reason why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// One entry a signature, in the order in which they stand in the message.
    Signed(Vec<SignedBy>),
    NotSigned {
        reason: Reason,
        /// What in particular, in words; empty when the reason says it all.
        detail: String,
        action: Action,
    },
}

/// The tags by which a signature is told from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBy {
    pub domain: DomainName,
    pub selector: Selector,
    /// `rsa-sha256` or `ed25519-sha256`.
    pub algorithm: &'static str,
}

/// What happened to a message that was not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It goes its way, byte for byte as it came.
    Passed,
    /// The client was told to come again (4xx): the mail waits at the sender.
    Tempfailed,
    /// The client was refused (5xx).
    Rejected,
}

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Passed => "passed",
            Action::Tempfailed => "tempfail",
            Action::Rejected => "reject",
        }
    }
}
