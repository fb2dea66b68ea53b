//! The third question: may this login use this author?
//!
//! Asked of clients that authenticated; a client that is trusted for its network has
//! no login to ask about.

use std::collections::HashMap;

use crate::config::login_table::LoginEntry;
use crate::config::{LoginPattern, SendAs};
use crate::names::{Address, DomainName};

/// Who may use which author.
#[derive(Debug, Default)]
pub struct Owners {
    /// From the config: everything that a login may use. Logins are in lower case.
    logins: HashMap<String, Vec<LoginPattern>>,
    /// From the tables: who may use an address or a domain. The first entry for one
    /// decides, as in Postfix.
    tables: HashMap<LoginPattern, Vec<String>>,
    delimiters: String,
}

impl Owners {
    /// `entries` are those of all tables, in order.
    pub fn new(config: &SendAs, entries: impl IntoIterator<Item = LoginEntry>) -> Self {
        let mut owners = Self {
            delimiters: config.recipient_delimiter.clone(),
            ..Self::default()
        };
        for (login, patterns) in &config.logins {
            let all = owners.logins.entry(login.to_lowercase()).or_default();
            all.extend_from_slice(patterns);
        }
        for entry in entries {
            owners.tables.entry(entry.pattern).or_insert(entry.logins);
        }
        owners
    }

    /// Whether the login may use the author. Case does not matter.
    pub fn allow(&self, login: &[u8], author: &Address) -> bool {
        let Ok(login) = std::str::from_utf8(login) else {
            return false;
        };
        let login = login.to_lowercase();
        let local = author.local.to_lowercase();
        let base = local
            .find(|c| self.delimiters.contains(c))
            .filter(|at| *at > 0);
        let base = base.and_then(|at| local.get(..at));
        let forms = Forms {
            full: &local,
            base,
            domain: &author.domain,
        };
        let listed = self
            .logins
            .get(&login)
            .is_some_and(|all| forms.patterns().any(|form| all.contains(&form)));
        // As Postfix does, the first form that is in a table decides.
        listed
            || forms
                .patterns()
                .find_map(|form| self.tables.get(&form))
                .is_some_and(|logins| logins.contains(&login))
    }
}

/// The forms in which an author may stand in a table, the most specific first.
struct Forms<'a> {
    full: &'a str,
    /// The local part without its extension, if it has one.
    base: Option<&'a str>,
    domain: &'a DomainName,
}

impl Forms<'_> {
    fn patterns(&self) -> impl Iterator<Item = LoginPattern> {
        let address = |local: &str| {
            LoginPattern::Address(Address {
                local: local.into(),
                domain: self.domain.clone(),
            })
        };
        [Some(address(self.full)), self.base.map(address)]
            .into_iter()
            .flatten()
            .chain([LoginPattern::Domain(self.domain.clone())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, login_table};

    fn owners(config: &str, table: &str) -> Owners {
        let config = Config::from_toml(config, "t").unwrap();
        let entries = login_table::parse(table.as_bytes(), "logins").unwrap();
        Owners::new(&config.send_as.unwrap(), entries)
    }

    fn allow(owners: &Owners, login: &str, author: &str) -> bool {
        owners.allow(login.as_bytes(), &Address::parse(author).unwrap())
    }

    #[test]
    fn a_login_may_use_its_addresses_and_domains() {
        let owners = owners(
            "[send_as.logins]\nalice = [\"Alice@example.com\", \"example.org\"]\nBob = \"@example.net\"\n",
            "",
        );
        assert!(allow(&owners, "alice", "ALICE@example.com"));
        assert!(allow(&owners, "Alice", "anything@example.org"));
        assert!(allow(&owners, "bob", "bob@example.net"));
        assert!(!allow(&owners, "alice", "bob@example.com"));
        assert!(!allow(&owners, "alice", "a@sub.example.org"));
        assert!(!allow(&owners, "bob", "alice@example.com"));
        assert!(!allow(&owners, "mallory", "alice@example.com"));
        assert!(!allow(&owners, "", "alice@example.com"));
        assert!(!owners.allow(b"\xff", &Address::parse("alice@example.com").unwrap()));
    }

    #[test]
    fn a_table_is_read_as_postfix_reads_smtpd_sender_login_maps() {
        let owners = owners(
            "[send_as]\n",
            "ceo@example.com boss\n@example.com alice,bob\n",
        );
        assert!(allow(&owners, "boss", "ceo@example.com"));
        assert!(allow(&owners, "alice", "anything@example.com"));
        // The address's own entry decides alone.
        assert!(!allow(&owners, "alice", "ceo@example.com"));
        assert!(!allow(&owners, "boss", "alice@example.com"));
    }

    #[test]
    fn an_extension_is_left_out_only_when_the_config_knows_the_delimiter() {
        let table = "alice@example.com alice\nalice+x@example.com bob\n";
        let with = owners("[send_as]\nrecipient_delimiter = \"+-\"\n", table);
        assert!(allow(&with, "alice", "alice+news@example.com"));
        assert!(allow(&with, "alice", "alice-news@example.com"));
        assert!(!allow(&with, "alice", "alice+x@example.com"));
        assert!(!allow(&with, "alice", "+alice@example.com"));
        let without = owners("[send_as]\n", table);
        assert!(!allow(&without, "alice", "alice+news@example.com"));
    }

    #[test]
    fn without_any_entry_nobody_may_use_anything() {
        assert!(!allow(
            &owners("[send_as]\n", ""),
            "alice",
            "alice@example.com"
        ));
    }
}
