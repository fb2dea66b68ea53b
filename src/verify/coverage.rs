//! What of the header section a signature covers, and what it leaves to anybody.

use super::message::Message;
use super::plain;
use super::reason::Warning;
use super::signature::Signature;

/// Fields that a reader or a mail program acts on, which a signature should cover
/// (RFC 6376 §5.4.1, and what DKIM2 drafts and large receivers ask for).
const WORTH_SIGNING: [&str; 16] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];

/// Field names, as the report gives them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// What `h=` names, each name once, in its order.
    pub signed: Vec<String>,
    /// Of these, the names that cannot be added once more unnoticed (`h=` names them
    /// more often than the message has them).
    pub oversigned: Vec<String>,
    /// Important fields of the message of which none is signed.
    pub unsigned: Vec<String>,
    /// Important fields that are signed, but of which a second one can be added
    /// unnoticed.
    pub addable: Vec<String>,
    /// Other fields of the message that are not signed, each name once.
    pub outside: Vec<String>,
}

fn listed(names: &[String], name: &str) -> bool {
    names.iter().any(|other| other.eq_ignore_ascii_case(name))
}

pub(super) fn of(
    message: &Message,
    signature: &Signature,
    own: usize,
    warnings: &mut Vec<Warning>,
) -> Coverage {
    let present = |name: &str| message.fields.iter().filter(|f| f.is(name)).count();
    let covered = plain::signed_fields(message, signature, own);
    let mut coverage = Coverage::default();
    for name in &signature.signed {
        if listed(&coverage.signed, name) {
            continue;
        }
        coverage.signed.push(name.clone());
        let times = signature.signed.iter();
        let times = times.filter(|n| n.eq_ignore_ascii_case(name)).count();
        if times > present(name) {
            coverage.oversigned.push(name.clone());
        }
    }
    for name in WORTH_SIGNING {
        let there = present(name);
        let signed = covered.iter().filter(|field| field.is(name)).count();
        if there > 0 && signed == 0 {
            coverage.unsigned.push(name.to_owned());
        } else if signed < there {
            warnings.push(Warning::PartlySigned(name.to_owned()));
        } else if there > 0 && !listed(&coverage.oversigned, name) {
            coverage.addable.push(name.to_owned());
        }
    }
    for (at, field) in message.fields.iter().enumerate() {
        let name = String::from_utf8_lossy(field.bare_name()).into_owned();
        let known = [&coverage.signed, &coverage.unsigned, &coverage.outside];
        if at != own && !known.iter().any(|names| listed(names, &name)) {
            coverage.outside.push(name);
        }
    }
    coverage
}
