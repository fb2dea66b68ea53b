//! A finished signature, or why there is none.

use std::fmt;

use super::header_section::Field;
use super::{CanonicalizationAlgorithm, canonical_header, field};
use crate::names::{DomainName, Selector};

/// A finished DKIM-Signature field.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    /// What follows `DKIM-Signature:`, with lines that break as LF + SP. It begins
    /// with a space if the signer was told that values do.
    pub value: Vec<u8>,
    pub domain: DomainName,
    pub selector: Selector,
    /// `a=`
    pub algorithm: &'static str,
}

impl Signature {
    /// The field as it stands in a message file or on the wire: name, colon, value,
    /// CRLF at the end of every line.
    pub fn to_field(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(field::NAME.len() + self.value.len() + 32);
        let value = Field {
            name: field::NAME.as_bytes(),
            value: &self.value,
        };
        let gap = !self.value.starts_with(b" ");
        canonical_header::write(CanonicalizationAlgorithm::Simple, value, gap, &mut out);
        out
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DKIM-Signature:{}", self.value.escape_ascii())
    }
}

/// A signature that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no signature for d={domain} s={selector}")]
pub struct SignError {
    pub domain: DomainName,
    pub selector: Selector,
    #[source]
    pub cause: SignErrorCause,
}

/// Why a signature could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignErrorCause {
    #[error("the identity (i=) is not of the form [local-part]@domain")]
    IdentityForm,
    #[error("the identity (i=) is neither at nor below the signing domain")]
    IdentityOutside,
    #[error("the field would be {bytes} bytes long, and Postfix cuts a field at 60000")]
    TooLong { bytes: usize },
    #[error("the body was not hashed for this signature")]
    NoBodyHash,
    #[error("the cryptographic library refused: {0}")]
    Library(String),
}
