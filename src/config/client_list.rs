//! Lists of clients: by address, network, name, or the parent of a name, with
//! exceptions.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{Network, NetworkError};
use crate::names::{DomainName, NameError};

/// Clients. A client is in the list when its name is, or its address.
///
/// Of several entries that match a name, or an address, the most specific counts: the
/// name before its nearest parent, an address before its networks, a narrow network
/// before a wide one; and of two that are alike, the one with `!`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientList(Vec<ClientPattern>);

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientPattern {
    /// Whether it takes clients out of the list (`!`).
    negated: bool,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// `192.0.2.7`, `192.0.2.0/24`
    Network(Network),
    /// `mail.example.com`
    Name(DomainName),
    /// `.example.com`: every name below it.
    Below(DomainName),
}

/// Why a text is no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(transparent)]
    Name(#[from] NameError),
}

impl ClientList {
    pub fn new(patterns: Vec<ClientPattern>) -> Self {
        Self(patterns)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn patterns(&self) -> &[ClientPattern] {
        &self.0
    }

    /// Whether any entry asks for the name of a client.
    pub fn asks_for_names(&self) -> bool {
        let network = |pattern: &ClientPattern| matches!(pattern.kind, Kind::Network(_));
        !self.0.iter().all(network)
    }

    /// Whether the client is in the list. `name` is what the MTA found by looking the
    /// address up.
    pub fn contains(&self, address: Option<IpAddr>, name: Option<&[u8]>) -> bool {
        self.has_name(name) || self.has_address(address)
    }

    fn has_address(&self, address: Option<IpAddr>) -> bool {
        let Some(address) = address else {
            return false;
        };
        self.most_specific(|kind| match kind {
            Kind::Network(network) if network.contains(address) => Some(network.bits().into()),
            _ => None,
        })
    }

    fn has_name(&self, name: Option<&[u8]>) -> bool {
        if !self.asks_for_names() {
            return false;
        }
        let text = name.and_then(|name| std::str::from_utf8(name).ok());
        let Some(Ok(name)) = text.map(DomainName::parse) else {
            return false;
        };
        self.most_specific(|kind| match kind {
            Kind::Name(known) if *known == name => Some(usize::MAX),
            Kind::Below(parent) if *parent != name && name.is_at_or_below(parent) => {
                Some(parent.as_str().len())
            }
            _ => None,
        })
    }

    /// What the entry that matches most closely says.
    fn most_specific(&self, closeness: impl Fn(&Kind) -> Option<usize>) -> bool {
        let matching = self
            .0
            .iter()
            .filter_map(|pattern| Some((closeness(&pattern.kind)?, pattern.negated)));
        matching.max().is_some_and(|(_, negated)| !negated)
    }
}

impl FromStr for ClientPattern {
    type Err = ClientError;

    fn from_str(text: &str) -> Result<Self, ClientError> {
        let (negated, rest) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let kind = if let Some(parent) = rest.strip_prefix('.') {
            Kind::Below(DomainName::parse(parent)?)
        } else {
            match Network::parse(rest) {
                Ok(network) => Kind::Network(network),
                Err(_) if is_name(rest) => Kind::Name(DomainName::parse(rest)?),
                Err(error) => return Err(error.into()),
            }
        };
        Ok(Self { negated, kind })
    }
}

/// Whether a text that is no network was meant for a name.
fn is_name(text: &str) -> bool {
    !text.contains([':', '/']) && text.contains(|c: char| c.is_alphabetic())
}

impl fmt::Display for ClientPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("!")?;
        }
        match &self.kind {
            Kind::Network(network) => network.fmt(f),
            Kind::Name(name) => name.fmt(f),
            Kind::Below(parent) => write!(f, ".{parent}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> ClientList {
        ClientList::new(entries.iter().map(|e| e.parse().unwrap()).collect())
    }

    #[test]
    fn the_closest_entry_counts() {
        let list = list(&[
            "10.0.0.0/8",
            "!10.1.0.0/16",
            "10.1.2.3",
            "!10.9.9.9",
            "10.9.9.9",
        ]);
        let has = |address: &str| list.contains(address.parse().ok(), None);
        assert!(has("10.2.0.1"));
        assert!(!has("10.1.0.1"));
        assert!(has("10.1.2.3"));
        assert!(
            !has("10.9.9.9"),
            "of two that are alike the negation counts"
        );
        assert!(!has("192.0.2.1"));
        assert!(has("::ffff:10.2.0.1"));
    }

    #[test]
    fn a_name_is_matched_with_its_parents() {
        let list = list(&[".Example.com", "!dial.example.com", "mx.example.org"]);
        let has = |name: &str| list.contains(None, Some(name.as_bytes()));
        assert!(has("a.example.com"));
        assert!(has("MX.example.org"));
        assert!(has("x.dial.example.com"));
        assert!(!has("dial.example.com"));
        assert!(!has("example.com"));
        assert!(!has("badexample.com"));
        assert!(!has("[192.0.2.1]"));
        assert!(!list.contains(None, None));
    }

    #[test]
    fn a_client_is_in_by_its_name_or_by_its_address() {
        let list = list(&["!mx.example.org", "192.0.2.0/24"]);
        assert!(list.contains("192.0.2.1".parse().ok(), Some(b"mx.example.org")));
        assert!(!list.contains("192.0.3.1".parse().ok(), Some(b"mx.example.org")));
    }

    #[test]
    fn entries_display_as_they_are_read() {
        for text in ["10.0.0.0/8", "!::1", "cafe.de", "!.example.com"] {
            assert_eq!(text.parse::<ClientPattern>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_client_says_why() {
        let message = |text: &str| text.parse::<ClientPattern>().unwrap_err().to_string();
        assert!(message("10.0.0.1/8").contains("write 10.0.0.0/8"));
        assert!(message("10.0.0/8").contains("ADDRESS/BITS"));
        assert!(message("192.0.2").contains("ADDRESS/BITS"));
        assert!(message("a b").contains("character"));
        assert!(message("!").contains("ADDRESS/BITS"));
        assert!(message(".").contains("empty"));
    }
}
