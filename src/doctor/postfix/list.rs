//! What is wrong inside a list of milters that has signet in it: addresses that Postfix
//! cannot read, the wrong order, the same twice, two signers.

use super::{Code, PostfixFacts, Section};
use crate::postfix::{Endpoint, EndpointError, MilterEntry, milters};

/// Where a list is set.
pub(super) enum Place {
    /// In main.cf, under this name.
    Main(&'static str),
    /// In master.cf, for this service.
    Service(String),
}

pub(super) struct List<'f> {
    pub facts: &'f PostfixFacts,
    pub place: Place,
    pub text: &'f str,
}

impl List<'_> {
    pub fn check(&self, section: &mut Section) {
        let entries = milters(self.text);
        let ours: Vec<&MilterEntry> = entries.iter().filter(|entry| self.is_ours(entry)).collect();
        if ours.is_empty() {
            return;
        }
        for entry in &ours {
            self.entry(entry, &entries, section);
        }
        if ours.len() > 1 {
            let mend = self.set(&self.with_signet_last(&entries));
            let what = format!("signet is in the list {} times", ours.len());
            section.add(Code::PostfixListedTwice, self.text, what, mend);
        }
        let from = entries.iter().position(|entry| self.is_ours(entry));
        let behind: Vec<&str> = entries
            .iter()
            .skip(from.unwrap_or(0))
            .filter(|entry| !self.is_ours(entry))
            .map(|entry| entry.address.as_str())
            .collect();
        if !behind.is_empty() {
            let mend = self.set(&self.with_signet_last(&entries));
            let behind = behind.join(", ");
            let what = format!("{behind} comes after signet and may change what was signed");
            section.add(Code::PostfixOrder, self.text, what, mend);
        }
        if let Some(other) = entries.iter().find(|entry| signs(entry)) {
            let kept = entries.iter().filter(|entry| *entry != other);
            let mend = self.set(&joined(kept));
            let what = format!(
                "{} signs too, so mail gets the signatures of both",
                other.address
            );
            section.add(Code::PostfixTwoSigners, self.text, what, mend);
        }
    }

    fn entry(&self, entry: &MilterEntry, entries: &[MilterEntry], section: &mut Section) {
        let with = |right: &MilterEntry| {
            let list = entries.iter().map(|each| match each == entry {
                true => right,
                false => each,
            });
            self.set(&joined(list))
        };
        if let Err(error) = Endpoint::parse(&entry.address) {
            let code = match error {
                EndpointError::NoTransport | EndpointError::NoPort => Code::PostfixAddress,
                EndpointError::UnknownTransport(_) => Code::PostfixTransport,
                EndpointError::Sendmail => Code::PostfixSendmailAddress,
                EndpointError::PathTooLong(_) => Code::PostfixPathLong,
            };
            let mut right = entry.clone();
            right.address = self.facts.right_address();
            section.add(code, &entry.address, error.to_string(), with(&right));
        }
        let action = entry.settings.get("default_action");
        if action.is_some_and(|action| action == "accept") {
            let mut right = entry.clone();
            right.settings.remove("default_action");
            let what = "its default_action is \"accept\": when signet does not answer, mail leaves unsigned";
            let code = Code::PostfixDefaultAction;
            section.add(code, &entry.address, what, with(&right));
        }
    }

    fn is_ours(&self, entry: &MilterEntry) -> bool {
        self.facts.is_ours(&entry.address)
    }

    /// The list with signet once, at its end.
    fn with_signet_last(&self, entries: &[MilterEntry]) -> String {
        let others = entries.iter().filter(|entry| !self.is_ours(entry));
        let ours = entries.iter().rfind(|entry| self.is_ours(entry));
        joined(others.chain(ours))
    }

    fn set(&self, list: &str) -> Vec<String> {
        match &self.place {
            Place::Main(name) => self.facts.set(name, list),
            Place::Service(id) => self.facts.set_of(id, "smtpd_milters", list),
        }
    }
}

/// Whether a milter is known to sign, by its name.
fn signs(entry: &MilterEntry) -> bool {
    let address = entry.address.to_lowercase();
    let signers = ["opendkim", "dkim-milter", "dkimpy"];
    signers.iter().any(|name| address.contains(name))
}

fn joined<'e>(entries: impl Iterator<Item = &'e MilterEntry>) -> String {
    let entries: Vec<String> = entries.map(ToString::to_string).collect();
    entries.join(", ")
}
