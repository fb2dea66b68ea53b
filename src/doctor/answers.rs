//! What DNS said so far. A check that needs an answer nobody has fetched yet gets none
//! and goes on; the question is kept, is asked, and the check runs again. So the checks
//! stay functions, and nothing is asked that none of them needs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use super::unanswered::Unanswered;
use super::{ServerAnswer, settles};
use crate::dns::lookup::{Code, Kind, Question, Response};

/// Answers by name and type.
#[derive(Debug, Default)]
pub struct Answers {
    known: BTreeMap<(String, Kind), Result<Response, Unanswered>>,
    wanted: RefCell<BTreeSet<(String, Kind)>>,
}

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<T> {
    /// Not asked yet.
    Open,
    /// Asked, and there was no answer to be had.
    Unanswered(Unanswered),
    /// The records, of which there may be none.
    Records(Vec<T>),
}

impl<T> Known<T> {
    /// The records. A question that nobody answered goes to the others of its kind, so
    /// that it can be told.
    pub fn or_note(self, unanswered: &mut Vec<Unanswered>) -> Option<Vec<T>> {
        match self {
            Self::Open => None,
            Self::Unanswered(question) => {
                if !unanswered.contains(&question) {
                    unanswered.push(question);
                }
                None
            }
            Self::Records(records) => Some(records),
        }
    }
}

impl Answers {
    /// Keeps what came back, from each resolver in the order in which they were asked:
    /// the first answer that says something, or why there is none.
    pub fn insert(&mut self, question: Question, came_back: Vec<(SocketAddr, ServerAnswer)>) {
        let answer = match came_back.iter().find(|(_, answer)| settles(answer)) {
            Some((_, Ok(response))) => Ok(response.clone()),
            _ => Err(Unanswered::new(&question, &came_back)),
        };
        self.known.insert((question.name, question.kind), answer);
    }

    /// The questions that have come up since this was last asked.
    pub fn take_wanted(&self) -> Vec<Question> {
        let wanted = self.wanted.take();
        let questions = wanted.into_iter();
        questions
            .map(|(name, kind)| Question::new(name, kind))
            .collect()
    }

    /// The TXT records of a name, each with its strings joined.
    pub fn texts(&self, name: &str) -> Known<String> {
        self.look(name, Kind::Txt, |response| {
            let texts = response.texts();
            texts
                .map(|strings| String::from_utf8_lossy(&strings.concat()).into_owned())
                .collect()
        })
    }

    /// The addresses of a host of the family that this one is of.
    pub fn addresses_like(&self, address: &IpAddr, host: &str) -> Known<IpAddr> {
        let kind = if address.is_ipv4() {
            Kind::A
        } else {
            Kind::Aaaa
        };
        self.addresses(host, kind)
    }

    /// The addresses of a host, of one type of record.
    pub fn addresses(&self, host: &str, kind: Kind) -> Known<IpAddr> {
        self.look(host, kind, |response| response.addresses().collect())
    }

    /// The names that a name leads to, by MX or PTR.
    pub fn names(&self, name: &str, kind: Kind) -> Known<String> {
        self.look(name, kind, |response| {
            response.names().map(str::to_owned).collect()
        })
    }

    /// Whether a name is known to DNS at all, by RFC 8020: one that is has records of
    /// some type, or names below it.
    pub fn exists(&self, name: &str, unanswered: &mut Vec<Unanswered>) -> Option<bool> {
        let known = self.look(name, Kind::Txt, |response| {
            vec![response.code != Code::NoSuchName || !response.aliases.is_empty()]
        });
        known.or_note(unanswered)?.first().copied()
    }

    fn look<T>(&self, name: &str, kind: Kind, read: impl Fn(&Response) -> Vec<T>) -> Known<T> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let place = (name, kind);
        match self.known.get(&place) {
            Some(Ok(response)) => Known::Records(read(response)),
            Some(Err(unanswered)) => Known::Unanswered(unanswered.clone()),
            None => {
                self.wanted.borrow_mut().insert(place);
                Known::Open
            }
        }
    }
}
