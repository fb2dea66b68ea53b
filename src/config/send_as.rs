//! Which author a login may use.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::OnFailure;
use crate::names::{Address, DomainName, NameError};

/// Logins and what they may use as author; in force by being there.
#[derive(Debug, Clone, PartialEq)]
pub struct SendAs {
    pub logins: Vec<(String, Vec<LoginPattern>)>,
    /// Files in the form of Postfix's `smtpd_sender_login_maps`.
    pub tables: Vec<PathBuf>,
    /// What becomes of a message whose author is not its login's.
    pub on_mismatch: OnFailure,
    /// Postfix's `recipient_delimiter`: what follows one in a local part is not
    /// compared when the whole address is in no table.
    pub recipient_delimiter: String,
}

impl Default for SendAs {
    fn default() -> Self {
        Self {
            logins: Vec::new(),
            tables: Vec::new(),
            on_mismatch: OnFailure::Unsigned,
            recipient_delimiter: String::new(),
        }
    }
}

/// An address, or every address of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LoginPattern {
    /// `user@example.com`; the local part is in lower case.
    Address(Address),
    /// `example.com` or `@example.com`.
    Domain(DomainName),
}

impl FromStr for LoginPattern {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        if let Some(domain) = text.strip_prefix('@') {
            return Ok(Self::Domain(DomainName::parse(domain)?));
        }
        if !text.contains('@') {
            return Ok(Self::Domain(DomainName::parse(text)?));
        }
        let address = Address::parse(text)?;
        Ok(Self::Address(Address {
            local: address.local.to_lowercase().into(),
            ..address
        }))
    }
}

impl fmt::Display for LoginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}
