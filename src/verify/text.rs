//! A verification in words, for a terminal.

use std::fmt::Write;

use super::{HeaderState, Message, SignatureReport, Verdict};
use crate::paint::{Ink, Style};

/// How much of each signature is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The verdict, and what it rests on.
    Brief,
    /// Also each tag in words, and all fields that are not signed.
    Full,
}

/// Longer values of tags are cut.
const WIDEST: usize = 32;

/// Every signature with its verdict and reason, what it covers, and what was odd.
pub fn to_text(
    message: &Message,
    reports: &[SignatureReport],
    detail: Detail,
    style: Style,
) -> String {
    let mut page = Page {
        text: String::new(),
        style,
    };
    for note in message.notes() {
        page.line(&format!("{} {note}", style.paint(Ink::Note, "note:")));
    }
    if reports.is_empty() {
        page.line(&format!(
            "{} the message has no DKIM-Signature field",
            style.paint(Ink::Bad, "no signature:")
        ));
    }
    for (at, report) in reports.iter().enumerate() {
        if at > 0 && detail == Detail::Full {
            page.line("");
        }
        page.signature(at + 1, report, detail);
    }
    page.text
}

struct Page {
    text: String,
    style: Style,
}

impl Page {
    fn signature(&mut self, number: usize, report: &SignatureReport, detail: Detail) {
        let (ink, word, why) = match &report.verdict {
            Verdict::Pass => (Ink::Good, "pass", String::new()),
            Verdict::Fail(why) => (Ink::Bad, "FAIL:", format!(" {why}")),
            Verdict::Unknown(why) => (Ink::Warning, "UNKNOWN:", format!(" {why}")),
        };
        let head = self
            .style
            .paint(Ink::Heading, &format!("signature {number}:"));
        let verdict = self.style.paint(ink, word);
        self.line(&format!("{head} {verdict}{why}"));
        match detail {
            Detail::Full => self.tags(report),
            Detail::Brief => self.summary(report),
        }
        if let Some(key) = &report.key {
            let facts = format!("{}, {} bits, at {}", key.key_type, key.bits, key.name);
            self.labelled("key", &facts);
        }
        if let Some(words) = header(report) {
            self.labelled("header", &words);
        }
        let coverage = &report.coverage;
        self.names("signed", &coverage.signed, "");
        self.names(
            "not signed",
            &coverage.unsigned,
            "whoever passes the message on can change these unnoticed",
        );
        if detail == Detail::Full {
            self.names(
                "can be added",
                &coverage.addable,
                "a second one put above would go unnoticed",
            );
            self.names(
                "outside",
                &coverage.outside,
                "not signed, which is usual for these",
            );
        }
        for warning in &report.warnings {
            let label = self.style.paint(Ink::Warning, "warning:");
            self.line(&format!("  {label} {warning}"));
        }
    }

    /// The tags that name a signature, on one line.
    fn summary(&mut self, report: &SignatureReport) {
        let tags = [
            ("d", report.domain.as_str()),
            ("s", &report.selector),
            ("a", &report.algorithm),
            ("c", &report.canonicalization),
            ("i", report.identity.as_deref().unwrap_or_default()),
        ];
        let tags = tags.iter().filter(|(_, value)| !value.is_empty());
        let tags: Vec<String> = tags
            .map(|(name, value)| format!("{name}={}", value.escape_debug()))
            .collect();
        if !tags.is_empty() {
            self.line(&format!("  {}", tags.join(" ")));
        }
    }

    fn tags(&mut self, report: &SignatureReport) {
        let shown = report.tags.iter().map(|tag| {
            let mut value: String = tag.value.escape_debug().collect();
            if value.chars().count() > WIDEST {
                value = value.chars().take(WIDEST - 1).chain(['…']).collect();
            }
            format!("{}={value}", tag.name.escape_debug())
        });
        let shown: Vec<String> = shown.collect();
        let width = shown.iter().map(|tag| tag.chars().count()).max();
        for (tag, report) in shown.iter().zip(&report.tags) {
            let gap = " ".repeat(width.unwrap_or_default() - tag.chars().count());
            let words: String = report.words.escape_debug().collect();
            let words = self.style.paint(Ink::Aside, &words);
            self.line(&format!("  {tag}{gap}  {words}"));
        }
    }

    /// Names and, on a line of its own, what they are told for.
    fn names(&mut self, label: &str, names: &[String], why: &str) {
        if names.is_empty() {
            return;
        }
        let names = names.join(", ");
        self.labelled(label, &names.escape_debug().to_string());
        if !why.is_empty() {
            let why = self.style.paint(Ink::Aside, &format!("({why})"));
            self.line(&format!("    {why}"));
        }
    }

    fn labelled(&mut self, label: &str, text: &str) {
        self.line(&format!("  {label}: {text}"));
    }

    fn line(&mut self, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{text}");
    }
}

/// What is to be said of the header section apart from the verdict.
fn header(report: &SignatureReport) -> Option<String> {
    match (&report.verdict, report.header.as_ref()?) {
        (Verdict::Fail(super::Failure::SignatureMismatch { .. }) | Verdict::Pass, _) => None,
        (_, HeaderState::Intact) => {
            Some("as it was signed, by the key in DNS; only the body was changed".to_owned())
        }
        (_, HeaderState::Changed(cause)) => Some(format!("does not fit either: {cause}")),
    }
}
