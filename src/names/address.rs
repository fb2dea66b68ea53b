//! Mailbox addresses, `local@domain`.

use std::fmt;

use super::{DomainName, NameError, printable};

/// A mailbox address. The local part is kept as given, without the quotes a
/// header field may put around it; the domain is canonical.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    pub local: Box<str>,
    pub domain: DomainName,
}

impl Address {
    /// Splits at the last `@`, so that a local part may hold one.
    ///
    /// # Errors
    /// When there is no `@`, nothing before it, or no domain name behind it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let Some((local, domain)) = text.rsplit_once('@') else {
            return Err(NameError::NoAt {
                text: printable(text),
            });
        };
        if local.is_empty() {
            return Err(NameError::NoLocalPart {
                text: printable(text),
            });
        }
        Ok(Self {
            local: local.into(),
            domain: DomainName::parse(domain)?,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// Debug output may reach a log; a full address must not, so it shows
/// the domain alone.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…@{}", self.domain)
    }
}
