//! What an SPF record says of an address, and what it costs to find out (RFC 7208
//! section 4.6.4: ten questions to DNS and no more).

use std::net::IpAddr;

use ipnet::IpNet;

use super::terms::{Qualifier, Term, is_spf, terms};
use crate::dns::lookup::Kind;
use crate::doctor::answers::Answers;
use crate::doctor::unanswered::Unanswered;

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
    /// What could not be found out on the way.
    pub unanswered: Vec<Unanswered>,
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
                let host = host.as_deref().unwrap_or(domain);
                let wide = (*four, *six);
                fits(host, client, wide, answers, walk).then_some(*qualifier)
            }
            Term::Mx(qualifier, host, four, six) => {
                walk.lookups += 1;
                let hosts = answers.names(host.as_deref().unwrap_or(domain), Kind::Mx);
                let hosts = hosts.or_note(&mut walk.unanswered).unwrap_or_default();
                let wide = (*four, *six);
                let mut hosts = hosts.into_iter().take(10);
                let any = hosts.any(|host| fits(&host, client, wide, answers, walk));
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
    let texts = answers.texts(name).or_note(&mut walk.unanswered)?;
    let mut records = texts.iter().filter(|text| is_spf(text));
    match (records.next(), records.next()) {
        (Some(record), None) => through(name, record, client, answers, walk, depth + 1),
        _ => {
            walk.broken.push(name.to_owned());
            None
        }
    }
}

/// Whether one of the host's addresses, or its network so wide, has the client in it.
/// Only the addresses of the client's own family are asked for (RFC 7208 section 5.3).
fn fits(
    host: &str,
    client: Option<IpAddr>,
    (four, six): (u8, u8),
    answers: &Answers,
    walk: &mut Walk,
) -> bool {
    let Some(client) = client else { return false };
    let known = answers.addresses_like(&client, host);
    let addresses = known.or_note(&mut walk.unanswered).unwrap_or_default();
    addresses.into_iter().any(|address| {
        let length = if address.is_ipv4() { four } else { six };
        IpNet::new(address, length).is_ok_and(|network| network.contains(&client))
    })
}
