//! Header field names.

use std::borrow::Borrow;
use std::fmt;

use super::{NameError, printable};

/// The name of a header field (RFC 5322 §3.6.8: printable US-ASCII without a
/// colon), in lower case, the only form signet writes into `h=`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldName(Box<str>);

impl FieldName {
    /// # Errors
    /// When the text is empty or has a byte that a field name cannot have.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() || !text.bytes().all(|b| (33..=126).contains(&b) && b != b':') {
            return Err(NameError::BadField {
                text: printable(text),
            });
        }
        Ok(Self(text.to_ascii_lowercase().into_boxed_str()))
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for FieldName {
    fn borrow(&self) -> &str {
        &self.0
    }
}
