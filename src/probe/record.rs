//! Asks the resolver and every server of the zone for the key records, and what it
//! takes to tell why one is not as it should be.

use std::net::SocketAddr;

use crate::dns::Publication;
use crate::dns::lookup::{AskError, Code, Kind, Lookup, Question, ask_all};
use crate::doctor::{RecordFacts, Server, ServerAnswer, ZoneFacts, settles};
use crate::names::DomainName;

use super::zone;

/// A name that nobody publishes a key under.
const STRANGER: &str = "signet-asks-for-a-wildcard";

/// So many aliases are followed.
const MOST_ALIASES: usize = 8;

/// Whom to ask.
#[derive(Debug)]
pub struct Servers<'s> {
    /// The resolvers.
    pub lookup: &'s Lookup,
    /// Asked in place of the servers that the zone names.
    pub authoritative: &'s [SocketAddr],
}

impl Servers<'_> {
    /// Many questions at the same time, to the first resolver; those that it does not
    /// answer, or with an error, to the next, as the system's own resolver does. What
    /// came back for each, from whom.
    pub(super) async fn resolve_all(
        &self,
        questions: &[Question],
    ) -> Vec<Vec<(SocketAddr, ServerAnswer)>> {
        let mut came_back: Vec<Vec<_>> = questions.iter().map(|_| Vec::new()).collect();
        for resolver in self.lookup.servers() {
            let (places, open): (Vec<usize>, Vec<_>) = questions
                .iter()
                .enumerate()
                .zip(&came_back)
                .filter(|(_, so_far)| so_far.last().is_none_or(|(_, last)| !settles(last)))
                .map(|((place, question), _)| (place, (*resolver, question.clone())))
                .unzip();
            for (place, answer) in places.into_iter().zip(ask_all(open).await) {
                if let Some(so_far) = came_back.get_mut(place) {
                    so_far.push((*resolver, answer));
                }
            }
        }
        came_back
    }

    /// The first resolver that answers at all.
    async fn resolve(&self, question: Question) -> ServerAnswer {
        let mut last = Err(AskError::Silent);
        for resolver in self.lookup.servers() {
            last = one(*resolver, question.clone()).await;
            if last.is_ok() {
                break;
            }
        }
        last
    }
}

async fn one(server: SocketAddr, question: Question) -> ServerAnswer {
    let answers = ask_all(vec![(server, question)]).await;
    answers.into_iter().next().unwrap_or(Err(AskError::Silent))
}

/// Everything about the key records of one domain.
pub async fn read(servers: &Servers<'_>, domain: &DomainName, keys: &[&Publication]) -> ZoneFacts {
    // The keys may lie in a zone of their own.
    let above = DomainName::parse(&format!("_domainkey.{domain}"));
    let zone = zone::find(servers.lookup, above.as_ref().unwrap_or(domain)).await;
    let of_zone = match servers.authoritative {
        [] => addresses(servers, &zone.name_servers).await,
        given => given
            .iter()
            .map(|address| Server {
                name: "name server".to_owned(),
                address: *address,
            })
            .collect(),
    };
    let mut records = Vec::new();
    for key in keys {
        records.push(record(servers, &of_zone, key).await);
    }
    ZoneFacts {
        domain: domain.clone(),
        zone,
        records,
    }
}

/// Where the zone's servers are, by IPv4 where they have it: a machine without IPv6 is
/// no fault of theirs.
async fn addresses(servers: &Servers<'_>, names: &[String]) -> Vec<Server> {
    let mut found = Vec::new();
    for name in names {
        for kind in [Kind::A, Kind::Aaaa] {
            let answer = servers.resolve(Question::new(name, kind)).await;
            let before = found.len();
            found.extend(answer.iter().flat_map(|response| {
                response.addresses().map(|address| Server {
                    name: name.clone(),
                    address: SocketAddr::new(address, 53),
                })
            }));
            if found.len() > before {
                break;
            }
        }
    }
    found
}

async fn record(servers: &Servers<'_>, of_zone: &[Server], key: &Publication) -> RecordFacts {
    let name = key.name();
    let text = |name: &str| Question::new(name, Kind::Txt);
    let questions = of_zone
        .iter()
        .map(|server| (server.address, text(&name)))
        .collect();
    let answers = ask_all(questions).await;
    let resolver = servers.resolve(text(&name)).await;
    let mut facts = RecordFacts {
        servers: of_zone.iter().cloned().zip(answers).collect(),
        unchecked: None,
        aliases: Vec::new(),
        doubled: servers
            .resolve(text(&format!("{name}.{}", key.domain)))
            .await,
        stranger: servers
            .resolve(text(&format!("{STRANGER}._domainkey.{}", key.domain)))
            .await,
        resolver,
        name,
    };
    let failed = matches!(&facts.resolver, Ok(response) if response.code == Code::Failed);
    if failed {
        let mut question = text(&facts.name);
        question.unchecked = true;
        facts.unchecked = Some(servers.resolve(question).await);
        facts.aliases = aliases(servers, &facts.name).await;
    }
    facts
}

async fn aliases(servers: &Servers<'_>, name: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut name = name.to_owned();
    for _ in 0..MOST_ALIASES {
        let answer = servers.resolve(Question::new(&name, Kind::Cname)).await;
        let target = answer
            .ok()
            .and_then(|response| response.names().next().map(str::to_owned));
        let Some(target) = target else { break };
        let seen = found.iter().any(|(from, _)| *from == target) || target == name;
        found.push((name, target.clone()));
        if seen {
            break;
        }
        name = target;
    }
    found
}
