//! The names of the field: domains, selectors, header field names, addresses.
//!
//! Each is parsed once and is valid from then on. They compare without case and
//! display as A-labels, because that is what goes into `d=`, `s=`, `i=` and DNS.
//! This module refuses to guess: what is not a name by the rules is an error that
//! says which rule.

mod address;
mod domain;
mod field;

pub use address::Address;
pub use domain::{DomainName, Selector};
pub use field::FieldName;

/// Why a text is not a name. `text` is what was given, made printable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("a name is empty")]
    Empty,
    #[error("\"{text}\" is longer than {limit} bytes")]
    TooLong { text: String, limit: usize },
    #[error("\"{text}\" has an empty label (two dots in a row, or one at an end)")]
    EmptyLabel { text: String },
    #[error("\"{text}\" has a label of more than 63 bytes")]
    LabelTooLong { text: String },
    #[error("\"{text}\" has a character that a domain name cannot have")]
    BadCharacter { text: String },
    #[error("\"{text}\" is an address; its domain is what stands behind the \"@\"")]
    IsAddress { text: String },
    #[error("\"{text}\" is an address literal, not a domain name")]
    Literal { text: String },
    #[error("\"{text}\" has no \"@\"")]
    NoAt { text: String },
    #[error("\"{text}\" has nothing before the \"@\"")]
    NoLocalPart { text: String },
    #[error("\"{text}\" is not a header field name")]
    BadField { text: String },
}

/// At most 80 characters of `text`, control characters escaped, for a message.
fn printable(text: &str) -> String {
    let mut out: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() {
        out.push('…');
    }
    out
}
