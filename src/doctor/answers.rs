//! What DNS said so far. A check that needs an answer nobody has fetched yet gets none
//! and goes on; the question is kept, is asked, and the check runs again. So the checks
//! stay functions, and nothing is asked that none of them needs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::dns::lookup::{Code, Kind, Question};

use super::ServerAnswer;

/// Answers by name and type.
#[derive(Debug, Default)]
pub struct Answers {
    known: BTreeMap<(String, Kind), ServerAnswer>,
    wanted: RefCell<BTreeSet<(String, Kind)>>,
}

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<T> {
    /// Not asked yet, or there was no answer to be had.
    Nothing,
    /// The records, of which there may be none.
    Records(Vec<T>),
}

impl<T> Known<T> {
    /// The records; none when nothing is known.
    pub fn records(self) -> Vec<T> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Records(records) => records,
        }
    }
}

impl Answers {
    pub fn insert(&mut self, question: Question, answer: ServerAnswer) {
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

    /// The addresses of a host, IPv4 and IPv6.
    pub fn addresses(&self, host: &str) -> Known<IpAddr> {
        let of = |kind| self.look(host, kind, |response| response.addresses().collect());
        match (of(Kind::A), of(Kind::Aaaa)) {
            (Known::Records(mut four), Known::Records(six)) => {
                four.extend(six);
                Known::Records(four)
            }
            (Known::Nothing, Known::Nothing) => Known::Nothing,
            (Known::Records(one), Known::Nothing) | (Known::Nothing, Known::Records(one)) => {
                Known::Records(one)
            }
        }
    }

    /// The names that a name leads to, by MX or PTR.
    pub fn names(&self, name: &str, kind: Kind) -> Known<String> {
        self.look(name, kind, |response| {
            response.names().map(str::to_owned).collect()
        })
    }

    fn look<T>(
        &self,
        name: &str,
        kind: Kind,
        read: impl Fn(&crate::dns::lookup::Response) -> Vec<T>,
    ) -> Known<T> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let place = (name, kind);
        match self.known.get(&place) {
            Some(Ok(response)) if matches!(response.code, Code::Success | Code::NoSuchName) => {
                Known::Records(read(response))
            }
            Some(_) => Known::Nothing,
            None => {
                self.wanted.borrow_mut().insert(place);
                Known::Nothing
            }
        }
    }
}
