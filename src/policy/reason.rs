//! Why a message was not signed: one closed list, for the log, the metrics and the
//! documentation (`docs/reasons.md`).

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)+) => {
        /// The one reason why a message was not signed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[$doc])* $name,)+
        }

        impl Reason {
            /// Every reason there is, in the order in which the questions are asked.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)+];

            /// The name in the log and the label of the metric.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Reason::$name => $text,)+
                }
            }
        }
    };
}

reasons! {
    /// The client is in no trusted network, did not authenticate, and came through no
    /// trusted service.
    UntrustedClient => "untrusted-client",
    /// The client is trusted, and its network is in `trust.except`.
    ExcludedNetwork => "excluded-network",
    /// A recipient is in `exclude.recipients`.
    ExcludedRecipient => "excluded-recipient",
    /// There is no From field.
    FromMissing => "from-missing",
    /// The From field does not hold one address that every reader would agree on.
    FromUnparsable => "from-unparsable",
    /// There is more than one From field.
    FromRepeated => "from-repeated",
    /// The From field holds several addresses, and no single valid Sender decides.
    FromMultiple => "from-multiple",
    /// The author's domain is in `exclude.domains`.
    ExcludedDomain => "excluded-domain",
    /// The login may not use the author's address.
    SendAsDenied => "send-as-denied",
    /// No rule, or no key directory, is for the author.
    NoRule => "no-rule",
    /// The rule's keys cannot be used.
    KeyUnusable => "key-unusable",
    /// The message carries a valid signature that signet would make again.
    AlreadySigned => "already-signed",
    /// The message is larger than a limit of signet's, or too many others wait.
    LimitExceeded => "limit-exceeded",
    /// The signature could not be made.
    SignFailed => "sign-failed",
    /// The message ended before its end: the client or Postfix gave it up.
    Aborted => "aborted",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|r| r.as_str()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
    }
}
