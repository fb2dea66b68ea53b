//! Domain names and selectors: lower-case A-labels without a dot at the end.

use std::borrow::Borrow;
use std::fmt;

use super::{NameError, printable};

/// A domain name: lower-case A-labels, no dot at the end, at most 253 bytes
/// (RFC 1035 §2.3.4), labels of 1 to 63 letters, digits, `-` or `_`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DomainName(Box<str>);

impl DomainName {
    /// Reads a name in A-labels or U-labels (`bücher.example`), in any case, with
    /// or without one dot at the end.
    ///
    /// # Errors
    /// The rule that the text breaks; an address literal (`[192.0.2.1]`) is none.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        canonical(text).map(Self)
    }

    /// The name as it is written into `d=` and into DNS.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name one label up, `example.com` of `mail.example.com`.
    pub fn parent(&self) -> Option<&str> {
        self.0.split_once('.').map(|(_, parent)| parent)
    }

    /// Whether this name is `other` or lies below it.
    pub fn is_at_or_below(&self, other: &DomainName) -> bool {
        match self.0.strip_suffix(&*other.0) {
            Some(rest) => rest.is_empty() || rest.ends_with('.'),
            None => false,
        }
    }
}

/// A selector: one or more labels (RFC 6376 §3.1), lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selector(Box<str>);

impl Selector {
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        canonical(text).map(Self)
    }

    /// The selector as it is written into `s=` and into DNS.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn canonical(text: &str) -> Result<Box<str>, NameError> {
    let trimmed = text.strip_suffix('.').unwrap_or(text);
    if trimmed.is_empty() {
        return Err(NameError::Empty);
    }
    if trimmed.starts_with('[') {
        return Err(NameError::Literal {
            text: printable(text),
        });
    }
    if trimmed.contains('@') {
        return Err(NameError::IsAddress {
            text: printable(text),
        });
    }
    // A name of more than 253 characters cannot become one of fewer bytes, and the
    // conversion below is not linear in hostile input.
    if trimmed.len() > 1024 {
        return Err(NameError::TooLong {
            text: printable(text),
            limit: 253,
        });
    }
    let name = if trimmed.is_ascii() {
        trimmed.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii(trimmed).map_err(|_| NameError::BadCharacter {
            text: printable(text),
        })?
    };
    if name.len() > 253 {
        return Err(NameError::TooLong {
            text: printable(text),
            limit: 253,
        });
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Err(NameError::EmptyLabel {
                text: printable(text),
            });
        }
        if label.len() > 63 {
            return Err(NameError::LabelTooLong {
                text: printable(text),
            });
        }
        if !label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        {
            return Err(NameError::BadCharacter {
                text: printable(text),
            });
        }
    }
    Ok(name.into_boxed_str())
}

macro_rules! textual {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }
    };
}

textual!(DomainName);
textual!(Selector);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_lower_case_a_labels_without_the_last_dot() {
        assert_eq!(
            DomainName::parse("Example.COM.").unwrap().as_str(),
            "example.com"
        );
        assert_eq!(
            DomainName::parse("Bücher.example").unwrap().as_str(),
            "xn--bcher-kva.example"
        );
    }

    #[test]
    fn what_is_not_a_name_says_why() {
        assert_eq!(DomainName::parse(""), Err(NameError::Empty));
        assert!(matches!(
            DomainName::parse("a..b"),
            Err(NameError::EmptyLabel { .. })
        ));
        assert!(matches!(
            DomainName::parse("a b"),
            Err(NameError::BadCharacter { .. })
        ));
        assert!(matches!(
            DomainName::parse("[192.0.2.1]"),
            Err(NameError::Literal { .. })
        ));
        assert!(matches!(
            DomainName::parse("a@example.com"),
            Err(NameError::IsAddress { .. })
        ));
        let label = "a".repeat(64);
        assert!(matches!(
            DomainName::parse(&label),
            Err(NameError::LabelTooLong { .. })
        ));
    }

    #[test]
    fn below_is_by_label_not_by_suffix() {
        let parent = DomainName::parse("example.com").unwrap();
        let below = |name: &str| DomainName::parse(name).unwrap().is_at_or_below(&parent);
        assert!(below("example.com"));
        assert!(below("a.b.example.com"));
        assert!(!below("badexample.com"));
    }
}
