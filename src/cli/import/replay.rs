//! The proof: one message for each rule, signed by both, and what they say compared.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use super::judge::OpenDkim;
use super::sample::{self, Said};
use crate::dkim::Signer;
use crate::import::settings::Rule;
use crate::milter::mta::Message;
use crate::policy::{Decision, Origin};
use crate::snapshot::Snapshot;

/// So many rules are signed for; with more, every so-and-so-manieth.
const MOST: usize = 500;

/// What the replay has to say.
pub struct Replay {
    pub text: String,
    /// Whether no signature differs in d=, s= and i=.
    pub alike: bool,
}

/// With whom signet is compared.
pub enum Judge {
    OpenDkim(Box<OpenDkim>),
    /// It is there and does not work; why.
    Failed(String),
    /// With nobody; why.
    Nobody(&'static str),
}

/// Signs for each rule, and compares with the other program if there is one.
pub fn run(rules: &[Rule], snapshot: &Snapshot, judge: Judge) -> Replay {
    let mut replay = Replay {
        text: "\nreplay: one message for each rule\n".to_owned(),
        alike: true,
    };
    let step = rules.len().div_ceil(MOST).max(1);
    if step > 1 {
        replay.line(format!("  {} rules: every {step}th is tried", rules.len()));
    }
    let mut judge = match judge {
        Judge::Nobody(why) => {
            replay.line(format!("  {why}"));
            None
        }
        Judge::Failed(why) => {
            replay.line(format!("  not compared: OpenDKIM {why}"));
            None
        }
        Judge::OpenDkim(judge) => {
            replay.line(format!(
                "  signed by signet and by {}, and compared",
                judge.name
            ));
            Some(judge)
        }
    };
    let mut different = 0;
    let mut tried = 0;
    for rule in rules.iter().step_by(step) {
        let message = sample::message(&rule.sample);
        let ours = ours(snapshot, &message);
        tried += 1;
        let Some(judge) = &mut judge else {
            replay.told("signet", &rule.sample, &ours);
            continue;
        };
        let theirs = judge.sign(&rule.sample, &message);
        different += usize::from(!replay.compared(&rule.sample, &ours, &theirs));
    }
    if judge.is_some() {
        replay.line(format!(
            "  {} of {tried} are signed alike",
            tried - different
        ));
    }
    replay.alike = different == 0;
    replay
}

type Signed = Result<Vec<Said>, String>;

fn ours(snapshot: &Snapshot, message: &Message) -> Signed {
    let section = sample::section(message);
    let origin = Origin {
        client: Some(std::net::Ipv4Addr::LOCALHOST.into()),
        login: Some(b"replay"),
        auth_type: Some(b"PLAIN"),
        ..Origin::default()
    };
    let requests = match snapshot.decide(&origin, &[b"grace@recipient.example"], &section) {
        Decision::Sign { requests, .. } => requests,
        Decision::Pass { reason, detail, .. } => return Err(words("unsigned", reason, &detail)),
        Decision::Fail {
            reason,
            detail,
            on_failure,
            ..
        } => {
            return Err(words(on_failure.as_str(), reason, &detail));
        }
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let mut signer = Signer::new(section, requests, true);
    signer.body(&message.body);
    let signatures = signer.finish(now.as_secs()).run();
    let signatures = signatures.map_err(|error| super::super::with_causes(&error))?;
    Ok(signatures
        .iter()
        .map(|signature| Said::read(&signature.value))
        .collect())
}

fn words(fate: &str, reason: crate::policy::Reason, detail: &str) -> String {
    match detail {
        "" => format!("{fate}: {reason}"),
        detail => format!("{fate}: {reason}, {detail}"),
    }
}

impl Replay {
    fn line(&mut self, line: String) {
        let _ = writeln!(self.text, "{line}");
    }

    fn told(&mut self, who: &str, author: &str, signed: &Signed) {
        let said = match signed {
            Ok(signatures) if signatures.is_empty() => vec!["unsigned".to_owned()],
            Ok(signatures) => signatures.iter().map(ToString::to_string).collect(),
            Err(why) => vec![why.clone()],
        };
        for said in said {
            self.line(format!("  {who:<9}  {author}  {said}"));
        }
    }

    /// Tells what both did; whether it is the same.
    fn compared(&mut self, author: &str, ours: &Signed, theirs: &Signed) -> bool {
        let (mine, their) = match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => (sorted(ours), sorted(theirs)),
            // Neither signs: the mail waits, or goes unsigned, in both.
            (Err(ours), Err(_)) if !ours.starts_with("unsigned") => {
                self.line(format!("  same       {author}  temporary error ({ours})"));
                return true;
            }
            (Err(ours), Ok(theirs)) if theirs.is_empty() && ours.starts_with("unsigned") => {
                self.line(format!("  same       {author}  {ours}"));
                return true;
            }
            _ => (Vec::new(), Vec::new()),
        };
        let same = !mine.is_empty()
            && mine.len() == their.len()
            && mine.iter().zip(&their).all(|(a, b)| a.same_signer(b));
        if !same {
            self.line(format!("  DIFFERENT  {author}"));
            self.told("  signet", author, ours);
            self.told("  opendkim", author, theirs);
            return false;
        }
        self.told("same", author, ours);
        for (mine, their) in mine.iter().zip(&their) {
            let more = mine.fields_beyond(their);
            let less = their.fields_beyond(mine);
            for (who, names, why) in [
                (
                    "signet",
                    more,
                    "it covers more, which every verifier accepts",
                ),
                (
                    "OpenDKIM",
                    less,
                    "signet never signs these: they change on the way",
                ),
            ] {
                if !names.is_empty() {
                    let names = names.join(":");
                    self.line(format!("             h= of {who} alone: {names} ({why})"));
                }
            }
        }
        true
    }
}

/// Signatures in an order that does not depend on who made them.
fn sorted(signatures: &[Said]) -> Vec<Said> {
    let mut signatures = signatures.to_vec();
    signatures.sort();
    signatures
}
