//! The host as receivers see it: the name it greets with, and the name of its address.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::unanswered::tell;
use super::{Code, PolicyFacts, Section};
use crate::dns::lookup::Kind;

pub(super) fn check(facts: &PolicyFacts, section: &mut Section) {
    let before = section.findings.len();
    if let Some(host) = &facts.host {
        greeting(facts, host, section);
    }
    let addresses = facts.addresses();
    for address in &addresses {
        one(facts, address, section);
    }
    if section.findings.len() == before && !addresses.is_empty() {
        let listed: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let good = format!("{} has a name that leads back to it", listed.join(", "));
        section.good.push(good);
    }
}

fn greeting(facts: &PolicyFacts, host: &str, section: &mut Section) {
    if !host.contains('.') || host.ends_with(".localdomain") || host.ends_with(".local") {
        let what = "it greets other servers with this name, which is not one of DNS";
        let mend = vec![
            "postconf -e myhostname=mail.example.com".to_owned(),
            "postfix reload".to_owned(),
        ];
        section.add(Code::HelloName, host, what, mend);
        return;
    }
    let mut unanswered = Vec::new();
    let addresses = [Kind::A, Kind::Aaaa].map(|kind| {
        let known = facts.answers.addresses(host, kind);
        known.or_note(&mut unanswered)
    });
    tell(Code::HelloUnknown, host, &unanswered, section);
    if addresses
        .iter()
        .all(|known| known.as_ref().is_some_and(Vec::is_empty))
    {
        let what = "it greets other servers with this name, which has no address";
        let mend = vec![
            format!("publish the address of this host as {host}, or use a name that has it:"),
            "postconf -e myhostname=mail.example.com".to_owned(),
        ];
        section.add(Code::HelloAddress, host, what, mend);
    }
}

fn one(facts: &PolicyFacts, address: &IpAddr, section: &mut Section) {
    let subject = address.to_string();
    let mut unanswered = Vec::new();
    let known = facts.answers.names(&reversed(address), Kind::Ptr);
    let Some(names) = known.or_note(&mut unanswered) else {
        tell(Code::PtrUnknown, subject, &unanswered, section);
        return;
    };
    let host = facts.host.as_deref().unwrap_or("the name of this host");
    let mend = vec![
        format!("have whoever gave you the address set its reverse name (PTR) to {host}; compare:"),
        format!("dig -x {address}"),
    ];
    if names.is_empty() {
        let what = "the address has no name (PTR)";
        section.add(Code::PtrMissing, subject, what, mend);
        return;
    }
    let confirmed = names.iter().any(|name| {
        let known = facts.answers.addresses_like(address, name);
        let addresses = known.or_note(&mut unanswered);
        addresses.is_some_and(|addresses| addresses.contains(address))
    });
    if confirmed {
        return;
    }
    // One that could not be looked up may be the one that leads back.
    if !unanswered.is_empty() {
        tell(Code::PtrUnknown, subject, &unanswered, section);
    } else {
        let what = format!("its name {} does not lead back to it", names.join(", "));
        section.add(Code::PtrUnconfirmed, subject, what, mend);
    }
}

/// The name that the PTR record of an address has (RFC 1035 section 3.5, RFC 3596).
fn reversed(address: &IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let mut name = String::new();
            for byte in address.octets().iter().rev() {
                let _ = write!(name, "{:x}.{:x}.", byte & 15, byte >> 4);
            }
            name + "ip6.arpa"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_reversed_as_dns_wants_them() {
        let name = |text: &str| reversed(&text.parse().unwrap());
        assert_eq!(name("192.0.2.1"), "1.2.0.192.in-addr.arpa");
        assert_eq!(
            name("2001:db8::1"),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
    }
}
