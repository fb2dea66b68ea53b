//! The key records as DNS gives them out: on every server of the zone and on the
//! resolver, each against the private key.

use std::net::SocketAddr;

use super::keys::KeyFacts;
use super::{Code, Section, keys_option};
use crate::dns::Publication;
use crate::dns::lookup::{AskError, Code as Answer, Response};
use crate::names::DomainName;
use crate::setup::{Provider, Zone};

mod diagnose;

use diagnose::{Diagnosis, diagnose, loops};

/// A name server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub name: String,
    pub address: SocketAddr,
}

/// What a name server said, or why it said nothing.
pub type ServerAnswer = Result<Response, AskError>;

/// Whether it says what there is at a name, or that there is nothing.
pub fn settles(answer: &ServerAnswer) -> bool {
    let code = answer.as_ref().ok().map(|response| response.code);
    matches!(code, Some(Answer::Success | Answer::NoSuchName))
}

/// The zone that a domain's key records lie in, and what is there.
#[derive(Debug)]
pub struct ZoneFacts {
    pub domain: DomainName,
    pub zone: Zone,
    /// In the order of [`KeyFacts::usable`] for this domain.
    pub records: Vec<RecordFacts>,
}

/// Everything that was asked about one key record.
#[derive(Debug)]
pub struct RecordFacts {
    /// The full name of the record.
    pub name: String,
    pub resolver: ServerAnswer,
    /// The same without DNSSEC, when the resolver failed.
    pub unchecked: Option<ServerAnswer>,
    /// The aliases from the name on, when the resolver gave no record.
    pub aliases: Vec<(String, String)>,
    /// Every server of the zone.
    pub servers: Vec<(Server, ServerAnswer)>,
    /// The name with the domain put on once more.
    pub doubled: ServerAnswer,
    /// A name beside it that nobody publishes.
    pub stranger: ServerAnswer,
}

pub(super) fn check(keys: &KeyFacts, zones: &[ZoneFacts]) -> Section {
    let mut section = Section::new("DNS: the key records");
    for zone in zones {
        let of_domain: Vec<&Publication> = keys
            .usable()
            .filter(|(key, _)| key.domain == zone.domain)
            .map(|(_, record)| record)
            .collect();
        for record in &zone.records {
            let Some(key) = of_domain.iter().find(|key| key.name() == record.name) else {
                continue;
            };
            let others: Vec<&Publication> = of_domain
                .iter()
                .filter(|other| other.selector != key.selector)
                .copied()
                .collect();
            let judge = Judge {
                keys,
                zone,
                key,
                others: &others,
                record,
            };
            judge.run(&mut section);
        }
    }
    section
}

struct Judge<'f> {
    keys: &'f KeyFacts,
    zone: &'f ZoneFacts,
    key: &'f Publication,
    others: &'f [&'f Publication],
    record: &'f RecordFacts,
}

impl Judge<'_> {
    fn run(&self, section: &mut Section) {
        let servers = self.of_servers(section);
        let agreed = match servers.as_slice() {
            [] => None,
            [(_, first), rest @ ..] => {
                let codes = |found: &[Diagnosis]| -> Vec<Code> {
                    found.iter().map(|each| each.code).collect()
                };
                if rest.iter().any(|(_, found)| codes(found) != codes(first)) {
                    self.disagree(section, &servers);
                    return;
                }
                Some(first.clone())
            }
        };
        let by_resolver = self.of_resolver();
        let found = match (agreed, by_resolver) {
            // The zone itself is right, and the resolver still says otherwise.
            (Some(agreed), Ok(found)) if agreed.is_empty() && !found.is_empty() => {
                found.into_iter().map(|each| self.later(each)).collect()
            }
            (Some(agreed), _) if !agreed.is_empty() => agreed,
            (_, Ok(found)) => found,
            (_, Err(found)) => vec![found],
        };
        if found.is_empty() {
            let count = match servers.len() {
                0 => String::new(),
                1 => " and one name server".to_owned(),
                count => format!(" and {count} name servers"),
            };
            let name = &self.record.name;
            section.good.push(format!(
                "{name} is the record of the key, on the resolver{count}"
            ));
        }
        for each in found {
            let each = self.named_by_its_cause(each);
            let mend = self.mend(each.code);
            section.add(each.code, &self.record.name, each.what, mend);
        }
    }

    /// What the servers of the zone say; those that say nothing about the record are
    /// told of and left out.
    fn of_servers(&self, section: &mut Section) -> Vec<(&Server, Vec<Diagnosis>)> {
        let mut answers = Vec::new();
        let mut silent = Vec::new();
        for (server, answer) in &self.record.servers {
            match answer {
                // It leads to another zone, whose servers the resolver asks.
                Ok(response)
                    if response.records.is_empty()
                        && (!response.authoritative && response.code == Answer::Success
                            || !response.aliases.is_empty() && !loops(&response.aliases)) => {}
                Ok(response) if response.code == Answer::Refused => {
                    let what = format!("{} ({}) refuses to answer", server.name, server.address);
                    let mend = self.mend(Code::DnsServerRefuses);
                    section.add(Code::DnsServerRefuses, &self.record.name, what, mend);
                }
                Ok(response) => {
                    answers.push((server, self.diagnose(response)));
                }
                Err(error) => silent.push(format!("{} ({}): {error}", server.name, server.address)),
            }
        }
        if !silent.is_empty() {
            let mend = self.mend(Code::DnsServerSilent);
            let what = silent.join("; ");
            section.add(Code::DnsServerSilent, &self.record.name, what, mend);
        }
        answers
    }

    /// `Err` when the resolver said nothing that can be judged.
    fn of_resolver(&self) -> Result<Vec<Diagnosis>, Diagnosis> {
        let response = match &self.record.resolver {
            Ok(response) => response,
            Err(error) => {
                return Err(Diagnosis {
                    code: Code::DnsUnreachable,
                    what: format!("the resolver gives no answer: {error}"),
                });
            }
        };
        if response.code == Answer::Refused {
            return Err(Diagnosis {
                code: Code::DnsUnreachable,
                what: "the resolver refuses to answer".to_owned(),
            });
        }
        let failed = response.code == Answer::Failed;
        let answers_unchecked = self.record.unchecked.as_ref().is_some_and(|answer| {
            answer
                .as_ref()
                .is_ok_and(|response| response.code != Answer::Failed)
        });
        if failed && answers_unchecked && !loops(&self.record.aliases) {
            return Err(Diagnosis {
                code: Code::DnsDnssec,
                what: "the resolver answers SERVFAIL, and answers without DNSSEC".to_owned(),
            });
        }
        Ok(self.diagnose(response))
    }

    /// A server that follows aliases in vain answers SERVFAIL; then it is the aliases.
    fn diagnose(&self, response: &Response) -> Vec<Diagnosis> {
        let aliases = &self.record.aliases;
        if response.code == Answer::Failed && loops(aliases) {
            let response = Response {
                code: Answer::Success,
                aliases: aliases.clone(),
                ..response.clone()
            };
            return diagnose(self.key, self.others, &response);
        }
        diagnose(self.key, self.others, response)
    }

    fn disagree(&self, section: &mut Section, servers: &[(&Server, Vec<Diagnosis>)]) {
        let each = servers.iter().map(|(server, found)| {
            let found = match found.first() {
                None => "the right record",
                Some(first) => first.what.as_str(),
            };
            format!("{} ({}): {found}", server.name, server.address)
        });
        let what = format!(
            "the name servers do not say the same; {}",
            each.collect::<Vec<_>>().join("; ")
        );
        let mend = self.mend(Code::DnsDisagree);
        section.add(Code::DnsDisagree, &self.record.name, what, mend);
    }

    /// The same finding, which will pass by itself.
    fn later(&self, found: Diagnosis) -> Diagnosis {
        match found.code {
            Code::DnsServerFailure => found,
            _ => Diagnosis {
                code: Code::DnsCached,
                what: format!("the zone is right, the resolver still has: {}", found.what),
            },
        }
    }

    /// A record that is not there may be somewhere else; one that is wrong may be for
    /// every name.
    fn named_by_its_cause(&self, found: Diagnosis) -> Diagnosis {
        let texts = |answer: &ServerAnswer| -> Vec<Vec<u8>> {
            let response = answer.as_ref().ok();
            let texts = response.into_iter().flat_map(Response::texts);
            texts.map(|strings| strings.concat()).collect()
        };
        let doubled = format!("{}.{}", self.record.name, self.key.domain);
        if found.code == Code::DnsMissing && !texts(&self.record.doubled).is_empty() {
            return Diagnosis {
                code: Code::DnsDoubledDomain,
                what: format!("there is no TXT record here, and there is one at {doubled}"),
            };
        }
        let stranger = texts(&self.record.stranger);
        if !stranger.is_empty() && stranger == texts(&self.record.resolver) {
            return Diagnosis {
                code: Code::DnsWildcard,
                what: "a wildcard record answers for every name, this one included".to_owned(),
            };
        }
        found
    }

    fn mend(&self, code: Code) -> Vec<String> {
        let name = &self.record.name;
        let provider = Provider::of(&self.zone.zone.name_servers, self.zone.zone.here);
        let record = format!(
            "signet dns {} --selector {} --format {}{}",
            self.key.domain,
            self.key.selector,
            provider.format,
            keys_option(&self.keys.directory)
        );
        let publish = |first: &str| {
            let how = match provider.name {
                Some(at) => format!("{first} (the zone is at {at}: {})", provider.how),
                None => format!("{first} ({})", provider.how),
            };
            vec![format!("{how}:"), record.clone()]
        };
        match code {
            Code::DnsUnreachable => vec!["cat /etc/resolv.conf".to_owned()],
            Code::DnsServerFailure | Code::DnsServerRefuses | Code::DnsServerSilent => vec![
                "have the provider, or the log of the name server, say why; compare:".to_owned(),
                format!("dig {name} TXT +trace"),
            ],
            Code::DnsDnssec => vec![
                "sign the zone anew, or have the DS record at the registrar mended:".to_owned(),
                format!("delv {name} TXT"),
            ],
            Code::DnsDisagree => vec![
                "raise the serial of the zone and let every server load it; compare:".to_owned(),
                format!("dig {} SOA +nssearch", self.key.domain),
            ],
            Code::DnsCached => vec![
                "wait until the old answer has expired, at most as long as dig shows:".to_owned(),
                format!("dig {name} TXT"),
            ],
            Code::DnsMissing => publish("publish it"),
            Code::DnsDoubledDomain => publish(&format!(
                "the console adds the domain by itself: call the record {}",
                self.key.relative_name()
            )),
            Code::DnsTwoRecords | Code::DnsSplitRecord => {
                publish("remove them all and publish one")
            }
            Code::DnsCnameLoop | Code::DnsCnameDangling => {
                publish("remove the CNAME and publish the record in its place")
            }
            Code::DnsWildcard => publish("publish it, which takes this name from the wildcard"),
            Code::DnsRevoked => publish("if it is not to be revoked, publish it"),
            Code::DnsOldKey | Code::DnsOtherSelector => publish("replace it"),
            Code::DnsUnquotedSemicolon => publish("put the value in quotation marks"),
            _ => publish("replace it"),
        }
    }
}
