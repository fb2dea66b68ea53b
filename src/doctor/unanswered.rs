//! Questions that no resolver answered. What they were about is not known, and that is
//! told: a check that could not be made is not one that found nothing.

use std::net::SocketAddr;

use super::{Code, Section, ServerAnswer};
use crate::dns::lookup::{Code as Outcome, Kind, Question};

/// So many of them are told of one subject; a resolver that is down answers none.
const MOST_TOLD: usize = 4;

/// A question without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    name: String,
    kind: Kind,
    /// Whom it was asked last.
    resolver: Option<SocketAddr>,
    cause: Cause,
    /// What came back from each resolver, in words.
    came_back: String,
}

/// What stands in the way, as far as it makes a difference to what should be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// It was never asked.
    NotAsked,
    /// Nobody was heard.
    Silence,
    /// The resolver does not want to.
    Refusal,
    /// The resolver tried and could not.
    Failure,
}

impl Unanswered {
    pub fn new(question: &Question, came_back: &[(SocketAddr, ServerAnswer)]) -> Self {
        let words = came_back
            .iter()
            .map(|(resolver, answer)| format!("asked {resolver}: {}", words(answer)));
        let cause = match came_back.last() {
            None => Cause::NotAsked,
            Some((_, Err(_))) => Cause::Silence,
            Some((_, Ok(response))) if response.code == Outcome::Refused => Cause::Refusal,
            Some((_, Ok(_))) => Cause::Failure,
        };
        Self {
            name: question.name.clone(),
            kind: question.kind,
            resolver: came_back.last().map(|(resolver, _)| *resolver),
            cause,
            came_back: match came_back {
                [] => "not asked: there are too many questions, or there is no resolver".to_owned(),
                _ => words.collect::<Vec<_>>().join("; "),
            },
        }
    }

    fn dig(&self) -> String {
        let whom = self
            .resolver
            .map(|resolver| match resolver.port() {
                53 => format!(" @{}", resolver.ip()),
                port => format!(" @{} -p {port}", resolver.ip()),
            })
            .unwrap_or_default();
        format!("dig{whom} {} {}", self.name, type_of(self.kind))
    }

    /// What to do about it.
    fn mend(&self) -> Vec<String> {
        let first = match self.cause {
            Cause::NotAsked => "ask for it by hand:",
            Cause::Silence => {
                "have the resolver (/etc/resolv.conf) run and be reached from here, or name another \
                 with --resolver; compare:"
            }
            Cause::Refusal => {
                "have the resolver (/etc/resolv.conf) serve this machine, or name another with \
                 --resolver; compare:"
            }
            Cause::Failure => {
                "have the name servers of the zone, or its DNSSEC signatures, looked at; compare with \
                 and without DNSSEC:"
            }
        };
        let mut lines = vec![first.to_owned(), self.dig()];
        if self.cause == Cause::Failure {
            lines.push(format!("{} +cd", self.dig()));
        }
        lines
    }
}

/// Adds the finding that these could not be looked at; none when there are none.
pub(super) fn tell(
    code: Code,
    subject: impl Into<String>,
    unanswered: &[Unanswered],
    section: &mut Section,
) {
    let Some(first) = unanswered.first() else {
        return;
    };
    let mut told: Vec<String> = unanswered
        .iter()
        .take(MOST_TOLD)
        .map(|each| {
            let kind = type_of(each.kind);
            format!("{kind} of {} ({})", each.name, each.came_back)
        })
        .collect();
    let more = unanswered.len().saturating_sub(MOST_TOLD);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    let what = format!("could not be looked at: {}", told.join(", "));
    section.add(code, subject, what, first.mend());
}

fn words(answer: &ServerAnswer) -> String {
    match answer {
        Err(error) => error.to_string(),
        Ok(response) => match response.code {
            Outcome::Success | Outcome::NoSuchName => "it answered".to_owned(),
            Outcome::Failed => "it answered SERVFAIL".to_owned(),
            Outcome::Refused => "it answered REFUSED".to_owned(),
            Outcome::Other(code) => format!("it answered with the error code {code}"),
        },
    }
}

fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::A => "A",
        Kind::Aaaa => "AAAA",
        Kind::Cname => "CNAME",
        Kind::Mx => "MX",
        Kind::Ns => "NS",
        Kind::Ptr => "PTR",
        Kind::Txt => "TXT",
    }
}
