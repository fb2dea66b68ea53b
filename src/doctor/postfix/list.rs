//! What is wrong inside a list of milters that has signet in it: addresses that Postfix
//! cannot read, the wrong order, the same twice, two signers. What each milter does is
//! judged in `beside`.

use super::beside::{Beside, Signs};
use super::known::{Dialect, Habit, Known};
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
    /// Everywhere that it is set alike.
    pub places: Vec<Place>,
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
            section.add(Code::PostfixListedTwice, self.subject(), what, mend);
        }
        self.order(&entries, section);
        for entry in entries.iter().filter(|entry| !self.is_ours(entry)) {
            self.signer(entry, &entries, section);
        }
    }

    /// Whether what comes after signet changes what was signed.
    fn order(&self, entries: &[MilterEntry], section: &mut Section) {
        let first = entries.iter().position(|entry| self.is_ours(entry));
        let behind = entries.iter().enumerate().skip(first.unwrap_or(0));
        let mut breaking = Vec::new();
        let mut last = 0;
        for (place, entry) in behind {
            let Some(beside) = self.beside(entry) else {
                continue;
            };
            match beside.breaks() {
                Some(how) => {
                    breaking.push(format!("{} comes after signet and {how}", beside.name()));
                    last = place;
                }
                None => good(
                    section,
                    format!(
                        "{} comes after signet and breaks no signature",
                        beside.name()
                    ),
                ),
            }
        }
        if !breaking.is_empty() {
            let mend = self.set(&self.with_signet_behind(entries, last));
            section.add(
                Code::PostfixOrder,
                self.subject(),
                breaking.join("; "),
                mend,
            );
        }
    }

    /// Whether a milter signs as well.
    fn signer(&self, entry: &MilterEntry, entries: &[MilterEntry], section: &mut Section) {
        let Some(beside) = self.beside(entry) else {
            return;
        };
        let name = beside.name();
        match beside.signs() {
            Signs::No(None) => {}
            Signs::No(Some(why)) => good(section, format!("{name} does not sign: {why}")),
            Signs::Unknown(why) => {
                let what = format!("whether {name} signs too is not known: {why}");
                let mend = vec![
                    "nothing, if it only verifies; else see:".to_owned(),
                    format!("signet doctor --explain {}", Code::PostfixTwoSigners),
                ];
                section.add(Code::PostfixSignerUnknown, &entry.address, what, mend);
            }
            Signs::Yes(why) => {
                let kept = entries.iter().filter(|other| *other != entry);
                let mend = match beside.verifies_by() {
                    Some((known, file)) => verifying(known, file),
                    None => self.set(&joined(kept)),
                };
                let what = format!("{name} signs too, so mail gets the signatures of both: {why}");
                section.add(Code::PostfixTwoSigners, self.subject(), what, mend);
            }
        }
    }

    fn beside(&self, entry: &MilterEntry) -> Option<&Beside> {
        let mut all = self.facts.beside.iter();
        all.find(|beside| beside.address == entry.address)
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

    /// The names of the settings.
    fn subject(&self) -> String {
        let names = self.places.iter().map(|place| match place {
            Place::Main(name) => (*name).to_owned(),
            Place::Service(id) => format!("{id}/smtpd_milters"),
        });
        names.collect::<Vec<_>>().join(", ")
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

    /// The list with signet once, behind the milter at `place`; the others stay in
    /// their order.
    fn with_signet_behind(&self, entries: &[MilterEntry], place: usize) -> String {
        let ours = entries.iter().rfind(|entry| self.is_ours(entry));
        let (before, behind) = entries.split_at((place + 1).min(entries.len()));
        let others = |entries: &'_ [MilterEntry]| -> Vec<MilterEntry> {
            let others = entries.iter().filter(|entry| !self.is_ours(entry));
            others.cloned().collect()
        };
        let list = [
            others(before),
            ours.cloned().into_iter().collect(),
            others(behind),
        ]
        .concat();
        joined(list.iter())
    }

    fn set(&self, list: &str) -> Vec<String> {
        let edits = self.places.iter().map(|place| match place {
            Place::Main(name) => self.facts.edit(name, list),
            Place::Service(id) => self.facts.edit_of(id, "smtpd_milters", list),
        });
        let reload = self.facts.command("postfix", "reload");
        edits.chain([reload]).collect()
    }
}

/// What has a milter go on without signing.
fn verifying(known: &Known, file: &str) -> Vec<String> {
    let service = known.name.to_lowercase();
    let (import, line, file, action) = match known.habit {
        Habit::Signs(Dialect::Rspamd) => (
            "signet import rspamd",
            "enabled = false;",
            "/etc/rspamd/override.d/dkim_signing.conf",
            "reload",
        ),
        _ => ("signet import opendkim", "Mode v", file, "restart"),
    };
    vec![
        format!(
            "see that signet has the keys of all its domains (\"{import}\" takes them over), then let it go on without signing:"
        ),
        format!(
            "echo {} >> {}",
            crate::setup::quoted(line),
            crate::setup::quoted(file)
        ),
        format!("systemctl {action} {service}"),
    ]
}

/// Said once, in however many lists it is so.
fn good(section: &mut Section, line: String) {
    if !section.good.contains(&line) {
        section.good.push(line);
    }
}

fn joined<'e>(entries: impl Iterator<Item = &'e MilterEntry>) -> String {
    let entries: Vec<String> = entries.map(ToString::to_string).collect();
    entries.join(", ")
}
