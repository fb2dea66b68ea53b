//! The answer to all questions about one message.

use super::Reason;
use crate::config::OnFailure;
use crate::dkim::SignRequest;
use crate::names::{Address, DomainName};

/// What is to be done with one message. `detail` explains the reason in words and
/// never holds text of the message or a full address.
#[derive(Debug)]
pub enum Decision {
    /// Sign it.
    Sign {
        /// Never empty; the signature of the first one stands on top.
        requests: Vec<SignRequest>,
        /// What becomes of the message when signing fails.
        on_failure: OnFailure,
        author: Address,
        /// The pattern of the rule that decided; none without rules.
        rule: Option<Box<str>>,
    },
    /// Let it go unsigned: nothing is wrong, it is not ours to sign.
    Pass {
        reason: Reason,
        detail: String,
        author_domain: Option<DomainName>,
        rule: Option<Box<str>>,
    },
    /// It should be signed and cannot be: `on_failure` says what becomes of it.
    Fail {
        reason: Reason,
        detail: String,
        on_failure: OnFailure,
        author_domain: Option<DomainName>,
        rule: Option<Box<str>>,
    },
}
