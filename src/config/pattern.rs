//! Patterns of addresses: which authors a rule is for, which recipients are excluded.

use std::fmt;
use std::str::FromStr;

use crate::names::{Address, DomainName, NameError};

/// What an address is compared with. No pattern minds case, and U-labels equal their
/// A-labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// `user@example.com`: that address. The local part is in lower case.
    Address(Address),
    /// `example.com`: that domain, not its subdomains.
    Domain(DomainName),
    /// `.example.com`: its subdomains at any depth, not itself.
    Below(DomainName),
    /// Anything with a `*`, which stands for any text, over the whole address.
    Glob(Glob),
}

/// Lower-case text with at least one `*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Glob(Box<str>);

/// Why a text is no pattern, or can never match.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error(
        "the pattern is empty; write a domain, an address, .DOMAIN for its subdomains, or * for everything"
    )]
    Empty,
    #[error("\"@{0}\" has nothing before the \"@\"; write {0} for every address of the domain")]
    NoLocalPart(String),
    #[error("\"{0}\" can never match: {1}")]
    Never(String, &'static str),
    #[error("{0}")]
    Name(#[from] NameError),
}

impl Pattern {
    /// # Errors
    /// What is wrong, or why the pattern can never match.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.contains('*') {
            return Glob::parse(text).map(Self::Glob);
        }
        if let Some(domain) = text.strip_prefix('@') {
            return Err(PatternError::NoLocalPart(domain.to_owned()));
        }
        if text.contains('@') {
            let address = Address::parse(text)?;
            return Ok(Self::Address(Address {
                local: address.local.to_lowercase().into(),
                ..address
            }));
        }
        match text.strip_prefix('.') {
            Some(parent) => Ok(Self::Below(DomainName::parse(parent)?)),
            None => Ok(Self::Domain(DomainName::parse(text)?)),
        }
    }

    /// Whether the pattern is for exactly one domain, and which.
    pub fn domain(&self) -> Option<&DomainName> {
        match self {
            Self::Address(address) => Some(&address.domain),
            Self::Domain(domain) => Some(domain),
            Self::Below(_) | Self::Glob(_) => None,
        }
    }
}

impl Glob {
    fn parse(text: &str) -> Result<Self, PatternError> {
        let never = |why| Err(PatternError::Never(text.to_owned(), why));
        if text.chars().any(|c| c.is_control() || c == ' ') {
            return never("an address has no such character");
        }
        let (local, domain) = text.rsplit_once('@').unwrap_or(("*", text));
        if local.is_empty() {
            return never("there is nothing before the \"@\"");
        }
        if domain.is_empty() || domain.contains("..") || domain.ends_with('.') {
            return never("a domain has no empty label and no dot at its end");
        }
        if !domain.is_ascii() {
            return never("domains are compared as A-labels; write xn--… in a pattern with \"*\"");
        }
        let known = |b: u8| b.is_ascii_alphanumeric() || b"-_.*".contains(&b);
        if text.contains('@') && !domain.bytes().all(known) {
            return never("a domain has no such character");
        }
        Ok(Self(text.to_lowercase().into()))
    }

    /// Whether the glob matches `text`, which is in lower case.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut at, mut seen) = (0, 0);
        // Where to go on when what follows the last star does not match.
        let mut star: Option<(usize, usize)> = None;
        while let Some(byte) = text.get(seen) {
            match pattern.get(at) {
                Some(b'*') => {
                    star = Some((at + 1, seen));
                    at += 1;
                }
                Some(wanted) if wanted == byte => {
                    at += 1;
                    seen += 1;
                }
                _ => match &mut star {
                    Some((after, from)) => {
                        *from += 1;
                        (at, seen) = (*after, *from);
                    }
                    None => return false,
                },
            }
        }
        pattern.iter().skip(at).all(|byte| *byte == b'*')
    }

    /// Whether it matches every address.
    pub fn is_everything(&self) -> bool {
        matches!(&*self.0, "*" | "*@*")
    }
}

impl FromStr for Pattern {
    type Err = PatternError;
    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::parse(text)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Domain(domain) => domain.fmt(f),
            Self::Below(parent) => write!(f, ".{parent}"),
            Self::Glob(glob) => f.write_str(&glob.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_displays_as_it_is_read_without_case() {
        for (written, displayed) in [
            ("User@Example.COM", "user@example.com"),
            ("Example.COM", "example.com"),
            (".Example.COM", ".example.com"),
            ("*@*.Example.com", "*@*.example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("*", "*"),
        ] {
            let pattern = Pattern::parse(written).unwrap();
            assert_eq!(pattern.to_string(), displayed);
            assert_eq!(Pattern::parse(displayed).unwrap(), pattern);
        }
    }

    #[test]
    fn what_can_never_match_says_why() {
        let message = |text: &str| Pattern::parse(text).unwrap_err().to_string();
        assert!(message("").contains("empty"));
        assert!(
            message("@example.com").ends_with("write example.com for every address of the domain")
        );
        assert!(message("user@").contains("empty"));
        assert!(message("..example.com").contains("empty label"));
        assert!(message("*@").contains("never match"));
        assert!(message("*@a..b").contains("never match"));
        assert!(message("@*.example.com").contains("never match"));
        assert!(message("*@bücher.example").contains("A-labels"));
        assert!(message("a b").contains("character"));
        assert!(message("*@a b").contains("never match"));
        assert!(message("[192.0.2.1]").contains("literal"));
    }

    #[test]
    fn a_star_stands_for_any_text() {
        let matches = |glob: &str, text: &str| match Pattern::parse(glob).unwrap() {
            Pattern::Glob(glob) => glob.matches(text),
            other => panic!("{other}"),
        };
        assert!(matches("*", "a@b"));
        assert!(matches("*@*.example.com", "a@b.c.example.com"));
        assert!(!matches("*@*.example.com", "a@example.com"));
        assert!(matches("news-*@example.com", "news-7@example.com"));
        assert!(matches("news-*@example.com", "news-@example.com"));
        assert!(!matches("news-*@example.com", "news@example.com"));
        assert!(matches("*a*b*c", "xxabxbbc"));
        assert!(!matches("*a*b*c", "xxabxbbcx"));
        assert!(matches("a*", "a"));
        assert!(!matches("*a", "b"));
    }

    #[test]
    fn a_hostile_address_costs_no_more_than_its_length_times_the_pattern_s() {
        let glob = Glob("*a*a*a*a*a*a*a*a*b".into());
        assert!(!glob.matches(&"a".repeat(8192)));
    }
}
