//! The identity (`i=`) that a rule asks for.

use std::fmt;
use std::str::FromStr;

use crate::names::{DomainName, NameError};

/// `[LOCAL]@DOMAIN`, where `%d` stands for the author's domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity(Box<str>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    #[error("\"{0}\" has no \"@\"; write @DOMAIN or USER@DOMAIN, %d for the author's domain")]
    NoAt(String),
    #[error("\"{0}\" has a character that an identity cannot have here")]
    BadCharacter(String),
    #[error("{0}")]
    Name(#[from] NameError),
}

impl FromStr for Identity {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        let Some((local, domain)) = text.rsplit_once('@') else {
            return Err(IdentityError::NoAt(text.to_owned()));
        };
        // A dot-atom: what would need quotes (RFC 6376 §3.5, i=) is refused.
        let known = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
        if !local.bytes().all(known) || local.replace("%d", "").contains('%') {
            return Err(IdentityError::BadCharacter(text.to_owned()));
        }
        // Any name will do in the place of the author's domain.
        DomainName::parse(&domain.replace("%d", "x"))?;
        Ok(Self(text.into()))
    }
}

impl Identity {
    /// The identity for an author of this domain; none when it does not lie at or below
    /// the signing domain, as RFC 6376 §3.5 requires.
    pub fn of(&self, author: &DomainName, signing: &DomainName) -> Option<String> {
        let text = self.0.replace("%d", author.as_str());
        let (local, domain) = text.rsplit_once('@')?;
        let domain = DomainName::parse(domain).ok()?;
        domain
            .is_at_or_below(signing)
            .then(|| format!("{local}@{domain}"))
    }

    /// Whether no author at all could have this identity under the signing domain.
    pub fn never_under(&self, signing: &DomainName) -> bool {
        !self.0.contains("%d") && self.of(signing, signing).is_none()
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(identity: &str, author: &str, signing: &str) -> Option<String> {
        let name = |text| DomainName::parse(text).unwrap();
        let identity: Identity = identity.parse().unwrap();
        identity.of(&name(author), &name(signing))
    }

    #[test]
    fn it_holds_the_author_s_domain_where_asked() {
        let found = of("@%d", "sub.example.com", "example.com");
        assert_eq!(found.as_deref(), Some("@sub.example.com"));
        let found = of("signer@foo.%d", "example.com", "example.com");
        assert_eq!(found.as_deref(), Some("signer@foo.example.com"));
        let found = of("signer@Example.com", "other.example", "example.com");
        assert_eq!(found.as_deref(), Some("signer@example.com"));
    }

    #[test]
    fn it_is_left_out_when_it_is_not_under_the_signing_domain_3_5() {
        assert_eq!(of("@%d", "other.example", "example.com"), None);
        assert_eq!(of("@example.com", "example.com", "sub.example.com"), None);
        let identity: Identity = "@other.example".parse().unwrap();
        assert!(identity.never_under(&DomainName::parse("example.com").unwrap()));
    }

    #[test]
    fn what_is_no_identity_is_refused() {
        for wrong in [
            "example.com",
            "a b@example.com",
            "@",
            "a;@example.com",
            "50%@example.com",
            "@a b",
        ] {
            assert!(wrong.parse::<Identity>().is_err(), "{wrong}");
        }
    }
}
