//! Mail that is not signed although its client is trusted.

use super::index::Index;
use crate::config::Exclude;
use crate::names::{Address, DomainName};

/// The exclusions by recipient and by author's domain.
#[derive(Debug, Default)]
pub struct Exclusions {
    recipients: Index,
    any_recipient: bool,
    domains: Index,
    any_domain: bool,
}

impl Exclusions {
    pub fn new(config: &Exclude) -> Self {
        let mut exclusions = Self {
            any_recipient: !config.recipients.is_empty(),
            any_domain: !config.domains.is_empty(),
            ..Self::default()
        };
        for pattern in &config.recipients {
            exclusions.recipients.push(pattern);
        }
        for pattern in &config.domains {
            exclusions.domains.push(pattern);
        }
        exclusions
    }

    /// Whether anything of a message could exclude it.
    pub fn any(&self) -> bool {
        self.any_recipient || self.any_domain
    }

    /// Whether any recipient could be excluded, so that recipients must be known.
    pub fn by_recipient(&self) -> bool {
        self.any_recipient
    }

    /// Whether mail to this recipient, given as in RCPT without angle brackets, is
    /// excluded. A recipient that is no address is not.
    pub fn recipient(&self, recipient: &[u8]) -> bool {
        if !self.any_recipient {
            return false;
        }
        // A source route (RFC 5321 §4.1.2: ignored) stands before the address.
        let route = recipient.starts_with(b"@");
        let end = recipient.iter().position(|byte| *byte == b':');
        let bare = match end.filter(|_| route) {
            Some(at) => recipient.get(at + 1..).unwrap_or_default(),
            None => recipient,
        };
        std::str::from_utf8(bare)
            .ok()
            .and_then(|text| Address::parse(&unquoted(text)).ok())
            .is_some_and(|address| !self.recipients.find(&address).is_empty())
    }

    /// Whether mail of authors of this domain is excluded.
    pub fn domain(&self, domain: &DomainName) -> bool {
        let anyone = || Address {
            local: "*".into(),
            domain: domain.clone(),
        };
        self.any_domain && !self.domains.find(&anyone()).is_empty()
    }
}

/// `"a b"@example.com` is `a b@example.com`.
fn unquoted(text: &str) -> String {
    let quoted = text
        .strip_prefix('"')
        .and_then(|rest| rest.rsplit_once("\"@"));
    match quoted {
        Some((local, domain)) => format!("{}@{domain}", local.replace('\\', "")),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn exclusions(text: &str) -> Exclusions {
        Exclusions::new(&Config::from_toml(text, "t").unwrap().exclude)
    }

    #[test]
    fn a_recipient_is_excluded_by_address_domain_parent_or_glob() {
        let exclusions = exclusions(
            "[exclude]\nrecipients = [\"a@example.com\", \"example.org\", \".example.net\", \"*-bounces@*\", \"a b@example.com\"]\n",
        );
        for excluded in [
            "a@example.com",
            "A@EXAMPLE.com",
            "\"a\"@example.com",
            "\"a b\"@example.com",
            "x@example.org",
            "x@y.example.net",
            "list-bounces@example.com",
            "@relay.example,@b.example:a@example.com",
        ] {
            assert!(exclusions.recipient(excluded.as_bytes()), "{excluded}");
        }
        for other in [
            "b@example.com",
            "x@sub.example.org",
            "x@example.net",
            "",
            "postmaster",
            "\"",
            "@:",
        ] {
            assert!(!exclusions.recipient(other.as_bytes()), "{other}");
        }
        assert!(!exclusions.recipient(b"\xff@example.org"));
    }

    #[test]
    fn an_author_s_domain_is_excluded() {
        let exclusions = exclusions("[exclude]\ndomains = [\"example.com\", \".example.org\"]\n");
        let excluded = |name| exclusions.domain(&DomainName::parse(name).unwrap());
        assert!(excluded("example.com") && excluded("a.example.org"));
        assert!(!excluded("a.example.com") && !excluded("example.org"));
        assert!(!exclusions.by_recipient());
    }
}
