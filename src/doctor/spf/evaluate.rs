//! What an SPF record says of an address, and what it costs to find out (RFC 7208
//! section 4.6.4: ten questions to DNS and no more).

use std::net::IpAddr;

use ipnet::IpNet;

use super::terms::{Qualifier, Term, is_spf, terms};
use crate::dns::lookup::Kind;
use crate::doctor::answers::{Answers, Known};

/// So deep may records include each other; a loop ends here.
const DEEPEST: usize = 11;

/// What was found on the way through a record and those that it includes.
#[derive(Debug, Default)]
pub struct Walk {
    /// Questions that a receiver may have to ask.
    pub lookups: usize,
    /// Words that are no terms, with the name of their record.
    pub bad: Vec<(String, String)>,
    /// Records that are included and are not there, or not once.
    pub broken: Vec<String>,
    /// `ptr` is in use.
    pub ptr: bool,
}

/// The qualifier of the first mechanism that fits; none when nothing does. Every term
/// is walked through, since the cost is counted for the clients that none fits.
pub fn evaluate(
    domain: &str,
    record: &str,
    client: Option<IpAddr>,
    answers: &Answers,
    walk: &mut Walk,
) -> Option<Qualifier> {
    through(domain, record, client, answers, walk, 0)
}

fn through(
    domain: &str,
    record: &str,
    client: Option<IpAddr>,
    answers: &Answers,
    walk: &mut Walk,
    depth: usize,
) -> Option<Qualifier> {
    let mut verdict = None;
    let terms = terms(record);
    let has_all = terms.iter().any(|term| matches!(term, Term::All(_)));
    for term in &terms {
        let found = match term {
            Term::All(qualifier) => Some(*qualifier),
            Term::Network(qualifier, network) => client
                .filter(|client| network.contains(client))
                .map(|_| *qualifier),
            Term::Include(qualifier, name) => {
                walk.lookups += 1;
                let inner = included(name, client, answers, walk, depth);
                (inner == Some(Qualifier::Pass)).then_some(*qualifier)
            }
            // Without effect beside "all" (section 6.1).
            Term::Redirect(_) if has_all => None,
            Term::Redirect(name) => {
                walk.lookups += 1;
                included(name, client, answers, walk, depth)
            }
            Term::A(qualifier, host, four, six) => {
                walk.lookups += 1;
                let addresses = answers.addresses(host.as_deref().unwrap_or(domain));
                fits(addresses, client, *four, *six).then_some(*qualifier)
            }
            Term::Mx(qualifier, host, four, six) => {
                walk.lookups += 1;
                let hosts = answers.names(host.as_deref().unwrap_or(domain), Kind::Mx);
                let mut hosts = hosts.records().into_iter().take(10);
                let any = hosts.any(|host| fits(answers.addresses(&host), client, *four, *six));
                any.then_some(*qualifier)
            }
            Term::Ptr => {
                walk.lookups += 1;
                walk.ptr = true;
                None
            }
            Term::Exists => {
                walk.lookups += 1;
                None
            }
            Term::Modifier => None,
            Term::Bad(word) => {
                walk.bad.push((domain.to_owned(), word.clone()));
                None
            }
        };
        if verdict.is_none() {
            verdict = found;
        }
    }
    verdict
}

fn included(
    name: &str,
    client: Option<IpAddr>,
    answers: &Answers,
    walk: &mut Walk,
    depth: usize,
) -> Option<Qualifier> {
    // A macro stands for something in the message, which nobody has here.
    if depth >= DEEPEST || name.contains('%') {
        return None;
    }
    let Known::Records(texts) = answers.texts(name) else {
        return None;
    };
    let mut records = texts.iter().filter(|text| is_spf(text));
    match (records.next(), records.next()) {
        (Some(record), None) => through(name, record, client, answers, walk, depth + 1),
        _ => {
            walk.broken.push(name.to_owned());
            None
        }
    }
}

fn fits(addresses: Known<IpAddr>, client: Option<IpAddr>, four: u8, six: u8) -> bool {
    let Some(client) = client else { return false };
    addresses.records().into_iter().any(|address| {
        let length = if address.is_ipv4() { four } else { six };
        IpNet::new(address, length).is_ok_and(|network| network.contains(&client))
    })
}
