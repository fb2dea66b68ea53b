//! Lists of hosts: InternalHosts, PeerList, ExternalIgnoreList.
//!
//! OpenDKIM looks for the client's name, then for each `.parent` of it, then for its
//! address, then for its networks from the narrowest; `!entry` before `entry`. signet
//! does the same, so entries are only checked here, not put into another order.

use std::net::IpAddr;

use super::conf::printable;
use super::dataset::{DataSet, Matching};
use crate::config::{ClientPattern, Place};
use crate::import::report::{Outcome, Report};
use crate::names::DomainName;

/// The entries of a list as signet writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    /// Addresses, networks, names, `.parents`; each may have a `!` before it.
    pub entries: Vec<String>,
    /// Whether any entry is a name, which stands and falls with the client's
    /// reverse DNS.
    pub names: bool,
}

impl Hosts {
    /// Whether the list names this address, by itself or by a network.
    pub fn has(&self, address: &str) -> bool {
        let Ok(address) = address.parse::<IpAddr>() else {
            return false;
        };
        self.entries.iter().any(|entry| {
            entry.parse::<IpAddr>() == Ok(address)
                || entry
                    .parse::<ipnet::IpNet>()
                    .is_ok_and(|net| net.contains(&address))
        })
    }
}

/// What one entry is.
enum Kind {
    Address(String),
    Name(String),
    /// It matches nothing: the reason, and whether that can be what was meant.
    Nothing(String, Outcome),
}

/// Reads a list; what is odd about an entry goes into the report.
pub fn read(option: &str, set: &DataSet, report: &mut Report) -> Hosts {
    let mut hosts = Hosts::default();
    for entry in &set.entries {
        let (negation, text) = match entry.key.strip_prefix('!') {
            Some(text) => ("!", text),
            None => ("", entry.key.as_str()),
        };
        let add = |report: &mut Report, outcome, why: String| {
            let option = format!("{option} {}", printable(&entry.key));
            report.add(outcome, &entry.place, option, why);
        };
        let kind = match kind(text, set.matching) {
            Kind::Address(text) | Kind::Name(text) if text.parse::<ClientPattern>().is_err() => {
                let why = "is neither an address nor a host name; OpenDKIM never matches it";
                Kind::Nothing(why.to_owned(), Outcome::NeedsYou)
            }
            kind => kind,
        };
        match kind {
            Kind::Address(text) => hosts.entries.push(format!("{negation}{text}")),
            Kind::Name(text) => {
                hosts.names = true;
                hosts.entries.push(format!("{negation}{text}"));
            }
            Kind::Nothing(why, outcome) => add(report, outcome, why),
        }
    }
    hosts
}

fn kind(text: &str, matching: Matching) -> Kind {
    // What is customary for an empty list.
    if ["-", ".", ""].contains(&text) {
        return Kind::Nothing("matches no host".to_owned(), Outcome::Same);
    }
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(address);
    if let Ok(address) = address.parse::<IpAddr>() {
        return match bits {
            None => Kind::Address(address.to_string()),
            Some(bits) => network(address, bits),
        };
    }
    if bits.is_some() {
        let why = "is not a network: write all four numbers of the address, as in 192.0.2.0/24";
        return Kind::Nothing(
            format!("{why}. OpenDKIM never matches it"),
            Outcome::NeedsYou,
        );
    }
    let (dot, name) = match text.strip_prefix('.') {
        Some(name) => (".", name),
        None => ("", text),
    };
    if matching == Matching::Pattern
        && let Some(name) = text.strip_prefix("*.")
        && let Ok(name) = DomainName::parse(name)
    {
        return Kind::Name(format!(".{name}"));
    }
    match DomainName::parse(name) {
        Ok(name) => Kind::Name(format!("{dot}{name}")),
        Err(_) if text.contains('*') && matching == Matching::Exact => {
            let name = text.trim_start_matches(['*', '.']);
            let why = format!(
                "never matches: * stands for itself in this type of list. Write .{name} for the \
                 hosts below {name}"
            );
            Kind::Nothing(why, Outcome::NeedsYou)
        }
        Err(_) if text.contains('*') => Kind::Nothing(
            "is a pattern that signet does not have; write networks, names or .parents".to_owned(),
            Outcome::NeedsYou,
        ),
        Err(error) => Kind::Nothing(
            format!("is neither an address nor a host name ({error}); OpenDKIM never matches it"),
            Outcome::NeedsYou,
        ),
    }
}

fn network(address: IpAddr, bits: &str) -> Kind {
    let Ok(network) = format!("{address}/{bits}").parse::<ipnet::IpNet>() else {
        let why = "is not a network: write the number of bits behind the slash, as in 192.0.2.0/24";
        return Kind::Nothing(
            format!("{why}. OpenDKIM never matches it"),
            Outcome::NeedsYou,
        );
    };
    if network.trunc() != network {
        let why = format!(
            "has bits set behind its prefix, and OpenDKIM never matches it; if the network is \
             meant write {}",
            network.trunc()
        );
        return Kind::Nothing(why, Outcome::NeedsYou);
    }
    Kind::Address(network.to_string())
}

/// Says what trusting by name, and a list without this machine, mean.
pub fn remarks(option: &str, place: &Place, hosts: &Hosts, report: &mut Report) {
    if hosts.names {
        report.add(
            Outcome::NeedsYou,
            place,
            format!("{option}: host names"),
            "a name is trusted as far as Postfix's lookup of the client's address can be; an \
             address says the same without DNS",
        );
    }
    let local = ["127.0.0.1", "::1"];
    let missing: Vec<_> = local.into_iter().filter(|a| !hosts.has(a)).collect();
    if missing.len() == local.len() {
        report.add(
            Outcome::NeedsYou,
            place,
            format!("{option} without 127.0.0.1 and ::1"),
            "a list replaces OpenDKIM's default, and signet's: mail of this machine itself (cron, \
             web applications, the sendmail command) is not signed. Add the two if it should be",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::dataset::Entry;
    use super::*;

    fn list(matching: Matching, entries: &[&str]) -> (Hosts, Vec<String>) {
        let entry = |key: &&str| Entry {
            key: (*key).to_owned(),
            value: String::new(),
            place: Place::default(),
        };
        let entries = entries.iter().map(entry).collect();
        let mut report = Report::default();
        let hosts = read("InternalHosts", &DataSet { matching, entries }, &mut report);
        let whys = report.entries.into_iter().map(|entry| entry.why).collect();
        (hosts, whys)
    }

    #[test]
    fn addresses_networks_names_and_negations_are_taken_over() {
        let entries = [
            "127.0.0.1",
            "!10.1.0.0/16",
            "10.0.0.0/8",
            "[::1]",
            "Mail.Example.com",
            "!.example.com",
        ];
        let (hosts, whys) = list(Matching::Exact, &entries);
        assert_eq!(
            hosts.entries,
            [
                "127.0.0.1",
                "!10.1.0.0/16",
                "10.0.0.0/8",
                "::1",
                "mail.example.com",
                "!.example.com"
            ]
        );
        assert!(hosts.names);
        assert!(whys.is_empty());
        assert!(hosts.has("127.0.0.1"));
        assert!(hosts.has("10.0.0.5"));
        assert!(!hosts.has("192.0.2.1"));
    }

    #[test]
    fn what_never_matches_says_so() {
        let entries = [
            "10.0.0.1/8",
            "192.0.2/24",
            "*.example.com",
            "a b",
            "-",
            "10.0.0.0/255.0.0.0",
        ];
        let (hosts, whys) = list(Matching::Exact, &entries);
        assert!(hosts.entries.is_empty());
        assert!(whys[0].ends_with("write 10.0.0.0/8"));
        assert!(whys[1].contains("all four numbers"));
        assert!(whys[2].contains("Write .example.com"));
        assert!(whys[3].contains("neither an address nor a host name"));
        assert_eq!(whys[4], "matches no host");
        assert!(whys[5].contains("number of bits"));
        let (hosts, _) = list(Matching::Pattern, &["*.example.com"]);
        assert_eq!(hosts.entries, [".example.com"]);
    }
}
