//! What receivers ask of a sender beside the signature: SPF, DMARC, the name and the
//! address of the host. Asked by receivers' own means, in DNS.

use std::net::IpAddr;

use super::answers::Known;
use super::{Answers, Section, dmarc, host, spf};
use crate::dns::lookup::Kind;
use crate::names::DomainName;

/// This host and its domains, as others see them.
#[derive(Debug, Default)]
pub struct PolicyFacts {
    /// Each domain of authors, with the domains that sign for it.
    pub domains: Vec<(DomainName, Vec<DomainName>)>,
    /// The name that Postfix greets others with.
    pub host: Option<String>,
    /// The addresses that mail leaves from, as far as they were told.
    pub given: Vec<IpAddr>,
    pub answers: Answers,
}

impl PolicyFacts {
    /// The addresses that mail leaves from: those that were told, or those that the
    /// name of the host has, without those that nobody outside sees.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        if !self.given.is_empty() {
            return self.given.clone();
        }
        let Some(host) = &self.host else {
            return Vec::new();
        };
        // That one is not known is told where the host is looked at.
        let of = |kind| match self.answers.addresses(host, kind) {
            Known::Records(addresses) => addresses,
            Known::Open | Known::Unanswered(_) => Vec::new(),
        };
        let mut addresses = of(Kind::A);
        addresses.extend(of(Kind::Aaaa));
        addresses.retain(|address| match address {
            IpAddr::V4(address) => {
                !(address.is_private() || address.is_loopback() || address.is_link_local())
            }
            IpAddr::V6(address) => {
                !(address.is_loopback()
                    || address.is_unique_local()
                    || address.is_unicast_link_local())
            }
        });
        addresses
    }
}

/// Judges, as far as the answers go; the questions that are open are in
/// [`PolicyFacts::answers`].
pub fn check(facts: &PolicyFacts) -> Vec<Section> {
    let mut spf = Section::new("SPF");
    let mut dmarc = Section::new("DMARC");
    for (domain, signers) in &facts.domains {
        spf::check(facts, domain.as_str(), &mut spf);
        dmarc::check(facts, domain, signers, &mut dmarc);
    }
    let mut host = Section::new("The host");
    host::check(facts, &mut host);
    vec![spf, dmarc, host]
}
