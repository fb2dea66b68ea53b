//! DMARC: the policy that counts for a domain (RFC 9989), and whether what signet signs
//! is aligned with it.

use super::unanswered::{Unanswered, tell};
use super::{Code, PolicyFacts, Section};
use crate::names::DomainName;

mod alignment;
mod record;
mod reports;
mod walk;

use record::{Author, Policy, Record, Suffix, Wish};
use walk::{Found, Place, Walk};

pub(super) fn check(
    facts: &PolicyFacts,
    domain: &DomainName,
    signers: &[DomainName],
    section: &mut Section,
) {
    let mut unanswered = Vec::new();
    let check = Check {
        facts,
        domain: domain.as_str(),
        signers,
    };
    check.run(&mut unanswered, section);
    let subject = format!("_dmarc.{domain}");
    tell(Code::DmarcUnknown, subject, &unanswered, section);
}

struct Check<'f> {
    facts: &'f PolicyFacts,
    domain: &'f str,
    signers: &'f [DomainName],
}

/// The record that applies to a domain.
struct Applying<'r> {
    /// The domain that it lies at.
    at: &'r str,
    record: &'r Record,
    place: Place,
}

impl Check<'_> {
    fn run(&self, unanswered: &mut Vec<Unanswered>, section: &mut Section) {
        let before = section.findings.len();
        let own = self.facts.answers.texts(&format!("_dmarc.{}", self.domain));
        let Some(texts) = own.or_note(unanswered) else {
            return;
        };
        // The domain's own record comes before all others, whatever these are.
        if let Found::One(record) = Found::of(&texts) {
            let applying = Applying {
                at: self.domain,
                record: &record,
                place: Place::Own,
            };
            self.judge(&applying, unanswered, section);
        } else {
            let Some(walk) = self.walk(self.domain, unanswered) else {
                return;
            };
            spoiled(&walk, section);
            match walk.applies() {
                None if section.findings.len() == before => {
                    let what = "there is no DMARC record, here or above";
                    let name = format!("_dmarc.{}", self.domain);
                    section.add(Code::DmarcMissing, name, what, publish(self.domain));
                }
                None => {}
                Some((at, record, place)) => {
                    let applying = Applying { at, record, place };
                    if place == Place::Suffix {
                        of_suffix(walk.organization(), &applying, section);
                    }
                    self.judge(&applying, unanswered, section);
                }
            }
        }
        if section.findings.len() == before && unanswered.is_empty() {
            section.good.push(format!(
                "{} has a DMARC policy, and signatures are aligned with it",
                self.domain
            ));
        }
    }

    fn walk<'d>(&self, domain: &'d str, unanswered: &mut Vec<Unanswered>) -> Option<Walk<'d>> {
        Walk::from(domain, |name| self.facts.answers.texts(name), unanswered)
    }

    fn judge(
        &self,
        applying: &Applying<'_>,
        unanswered: &mut Vec<Unanswered>,
        section: &mut Section,
    ) {
        let name = format!("_dmarc.{}", applying.at);
        self.policy(applying, &name, unanswered, section);
        alignment::check(
            self,
            applying.record.is_strict(),
            &name,
            unanswered,
            section,
        );
        // A registry's record is not the reader's to mend.
        if applying.place == Place::Suffix {
            return;
        }
        wording(applying, &name, section);
        self.without_effect(applying, &name, section);
        reports::check(self, applying, &name, section);
    }

    /// What receivers are asked to do with mail of the domain.
    fn policy(
        &self,
        applying: &Applying<'_>,
        name: &str,
        unanswered: &mut Vec<Unanswered>,
        section: &mut Section,
    ) {
        let Some(author) = self.author(applying, unanswered) else {
            return;
        };
        let wish = match applying.record.wish(author) {
            Ok(wish) => wish,
            Err(flaw) => {
                section.add(Code::DmarcSyntax, name, flaw, publish(applying.at));
                return;
            }
        };
        if author == Author::Missing {
            let what = format!(
                "{} does not exist in DNS, so that {} counts for its mail",
                self.domain,
                said(applying.record, wish)
            );
            let mend = vec![
                "publish an MX or address record of it, if mail is to come from there; see:"
                    .to_owned(),
                format!("dig {} MX", self.domain),
            ];
            section.add(Code::DmarcNoDomain, name, what, mend);
        }
        if applying.place == Place::Suffix {
            return;
        }
        match wish.policy {
            Policy::None => {
                let what = format!(
                    "{}: receivers report and do nothing",
                    said(applying.record, wish)
                );
                let mend = vec![
                    "once the reports show no good mail that fails:".to_owned(),
                    quoted(&applying.record.with(wish.tag, "quarantine")),
                ];
                section.add(Code::DmarcNone, name, what, mend);
            }
            policy if applying.record.is_tried_out() => {
                let what = format!(
                    "t=y: receivers treat {} as {}",
                    said(applying.record, wish),
                    policy.milder().name()
                );
                let mend = vec![
                    "once the reports show no good mail that fails:".to_owned(),
                    quoted(&applying.record.without(&["t"])),
                ];
                section.add(Code::DmarcTesting, name, what, mend);
            }
            Policy::Quarantine | Policy::Reject => {}
        }
    }

    /// What the domain is to the one that the record lies at. None when it is not known
    /// whether the domain exists, and that makes a difference.
    fn author(&self, applying: &Applying<'_>, unanswered: &mut Vec<Unanswered>) -> Option<Author> {
        if applying.place == Place::Own {
            return Some(Author::Same);
        }
        let record = applying.record;
        let known = &mut Vec::new();
        match self.facts.answers.exists(self.domain, known) {
            Some(true) => Some(Author::Below),
            Some(false) => Some(Author::Missing),
            None if record.wish(Author::Below) == record.wish(Author::Missing) => {
                Some(Author::Below)
            }
            None => {
                unanswered.append(known);
                None
            }
        }
    }

    /// `sp` and `np` count at an organizational domain only (section 4.7), and a domain
    /// that mail comes from is hardly a public suffix.
    fn without_effect(&self, applying: &Applying<'_>, name: &str, section: &mut Section) {
        let record = applying.record;
        if applying.place == Place::Own && record.suffix() == Suffix::Yes {
            let what = format!(
                "psd=y says that {} is a public suffix as com is: names below it do not belong to it",
                self.domain
            );
            let right = quoted(&record.without(&["psd"]));
            let mend = vec!["unless it is one, replace the record by:".to_owned(), right];
            section.add(Code::DmarcPsd, name, what, mend);
        }
        let below = ["sp", "np"];
        let below = below.iter().filter(|tag| record.value(tag).is_some());
        let below: Vec<&str> = below.copied().collect();
        if below.is_empty() || applying.place != Place::Own {
            return;
        }
        // That it is not known is told where it matters.
        let Some(walk) = self.walk(self.domain, &mut Vec::new()) else {
            return;
        };
        let organization = walk.organization();
        if organization != self.domain {
            let what = format!(
                "{} counts in the record of the organizational domain only, which is {organization}",
                below.join(", ")
            );
            let mend = vec![
                "replace the record by:".to_owned(),
                quoted(&record.without(&below)),
            ];
            section.add(Code::DmarcIgnored, name, what, mend);
        }
    }
}

/// What was meant to be a record on the way, and is none. The top-level domain's is not
/// the reader's to mend.
fn spoiled(walk: &Walk<'_>, section: &mut Section) {
    for (at, found) in walk.steps.iter().filter(|(at, _)| at.contains('.')) {
        let name = format!("_dmarc.{at}");
        match found {
            Found::NoRecord(text) => {
                let what = format!("\"{text}\" does not begin with v=DMARC1");
                section.add(Code::DmarcSyntax, name, what, publish(at));
            }
            Found::Several(count) => {
                let what = format!("there are {count} DMARC records");
                section.add(Code::DmarcTwoRecords, name, what, publish(at));
            }
            Found::Nothing | Found::One(_) => {}
        }
    }
}

/// Nothing applies but what the registry says.
fn of_suffix(organization: &str, applying: &Applying<'_>, section: &mut Section) {
    let what = format!(
        "there is no DMARC record; receivers go by that of the public suffix {}, \"{}\"",
        applying.at, applying.record
    );
    let name = format!("_dmarc.{organization}");
    section.add(Code::DmarcMissing, name, what, publish(organization));
}

/// Tags that are no longer in use, and what never was a tag.
fn wording(applying: &Applying<'_>, name: &str, section: &mut Section) {
    let record = applying.record;
    let obsolete = record.obsolete();
    if !obsolete.is_empty() {
        let what = format!("{} is no longer in use (RFC 9989)", obsolete.join(", "));
        let renewed = record.renewed();
        let mut mend = vec!["replace the record by:".to_owned(), quoted(&renewed)];
        if record.is_partial() {
            mend.push("or, while the policy is only tried out, by:".to_owned());
            mend.push(quoted(&renewed.with("t", "y")));
        }
        section.add(Code::DmarcObsolete, name, what, mend);
    }
    let passed_over = record.passed_over();
    if !passed_over.is_empty() {
        let mend = vec!["correct the record, which is:".to_owned(), quoted(record)];
        section.add(Code::DmarcIgnored, name, passed_over.join("; "), mend);
    }
}

/// The policy as the record has it.
fn said(record: &Record, wish: Wish) -> String {
    let Wish { tag, policy } = wish;
    match record.value(tag) {
        Some(_) => format!("{tag}={}", policy.name()),
        None => "a missing p=, which is p=none,".to_owned(),
    }
}

fn publish(domain: &str) -> Vec<String> {
    vec![
        format!("have one TXT record at _dmarc.{domain}, to begin with:"),
        format!("\"v=DMARC1; p=none; rua=mailto:postmaster@{domain}\""),
    ]
}

fn quoted(record: &Record) -> String {
    format!("\"{record}\"")
}
