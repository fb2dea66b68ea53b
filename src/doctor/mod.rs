//! What is wrong between this machine and a verified signature: facts in, findings out.
//!
//! Every check is a function over facts that [`crate::probe`] collected, in the order
//! in which mail meets them. A finding has a name that stays ([`Code`]), says what is
//! wrong here, and how to mend it; why it matters is in `docs/doctor.md`. Nothing here
//! runs a program, reads a file or asks DNS, and nothing is mended by itself.

use std::path::Path;

use crate::names::DomainName;

mod aliases;
mod answers;
mod code;
mod dmarc;
mod host;
pub mod journey;
mod json;
mod keys;
mod log;
mod metrics;
pub mod page;
mod postfix;
mod record;
mod sender;
mod spf;
mod text;
mod unanswered;

pub use answers::Answers;
pub use code::{Code, Severity, UnknownCode};
pub use json::to_json;
pub use keys::{ConfigFacts, KeyFact, KeyFacts};
pub use log::LogFacts;
pub use metrics::to_metrics;
pub use postfix::{
    Beside, Dialect, Habit, Known, PostfixFacts, Settings, SocketFact, Unreached, tables,
};
pub use record::{RecordFacts, Server, ServerAnswer, ZoneFacts, settles};
pub use sender::{PolicyFacts, check as check_sender};
pub use text::to_text;

/// Everything that was found out.
#[derive(Debug)]
pub struct Facts {
    pub domain: Option<DomainName>,
    pub config: ConfigFacts,
    /// None when the configuration cannot be used.
    pub keys: Option<KeyFacts>,
    pub zones: Vec<ZoneFacts>,
    /// None when there is no Postfix, or it is not to be looked at; an error when it
    /// does not know its own settings.
    pub postfix: Option<Result<PostfixFacts, String>>,
    /// None when it is not to be looked at.
    pub log: Option<LogFacts>,
    pub policy: PolicyFacts,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub code: Code,
    /// What it is about: a record's name, a file, a setting.
    pub subject: String,
    /// What is wrong with it.
    pub what: String,
    /// What to do, a line each; a command stands alone on its line.
    pub mend: Vec<String>,
}

/// What was looked at under one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub title: &'static str,
    /// What was found to be right, a line each.
    pub good: Vec<String>,
    pub findings: Vec<Finding>,
}

impl Section {
    fn new(title: &'static str) -> Self {
        Self {
            title,
            good: Vec::new(),
            findings: Vec::new(),
        }
    }

    fn add(
        &mut self,
        code: Code,
        subject: impl Into<String>,
        what: impl Into<String>,
        mend: Vec<String>,
    ) {
        self.findings.push(Finding {
            code,
            subject: subject.into(),
            what: what.into(),
            mend,
        });
    }
}

/// Judges everything.
pub fn examine(facts: &Facts) -> Vec<Section> {
    let mut sections = vec![keys::check(facts)];
    sections.push(postfix::check(facts.postfix.as_ref()));
    sections.push(log::check(facts.log.as_ref()));
    if let Some(keys) = &facts.keys {
        sections.push(record::check(keys, &facts.zones));
    }
    sections.extend(sender::check(&facts.policy));
    sections.retain(|section| !section.good.is_empty() || !section.findings.is_empty());
    sections
}

/// How many findings there are of a severity.
pub fn count(sections: &[Section], severity: Severity) -> usize {
    let findings = sections.iter().flat_map(|section| &section.findings);
    findings
        .filter(|finding| finding.code.severity() == severity)
        .count()
}

/// A path as one word of a shell.
fn word(path: &Path) -> String {
    crate::setup::quoted(&path.display().to_string())
}

/// `--keys DIR` for a command, when it is not the usual directory.
fn keys_option(directory: &Path) -> String {
    if directory == Path::new(crate::config::DEFAULT_KEYS) {
        String::new()
    } else {
        format!(" --keys {}", word(directory))
    }
}
