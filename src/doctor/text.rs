//! The report for a person: what is right in a line each, then what is not, why that
//! matters, and what mends it.

use super::{Finding, Section, Severity, count, page};
use crate::paint::{Ink, Style, wrapped};

pub fn to_text(sections: &[Section], style: Style) -> String {
    let mut text = String::new();
    for section in sections {
        text += &format!("{}\n", style.paint(Ink::Heading, section.title));
        for good in &section.good {
            entry(&mut text, &style.paint(Ink::Good, "ok"), 2, good);
        }
        for finding in &section.findings {
            show(&mut text, finding, style);
        }
        text.push('\n');
    }
    text += &conclusion(sections, style);
    text
}

fn show(text: &mut String, finding: &Finding, style: Style) {
    let severity = finding.code.severity();
    let (word, colour) = match severity {
        Severity::Fault => ("FAULT", Ink::Bad),
        Severity::Warning => ("warning", Ink::Warning),
        Severity::Note => ("note", Ink::Note),
    };
    let what = format!("{}: {}", finding.subject, finding.what);
    entry(text, &style.paint(colour, word), word.len(), &what);
    entry(text, "  why", 5, &page::why(finding.code));
    for (place, line) in finding.mend.iter().enumerate() {
        let label = if place == 0 { "  mend" } else { "" };
        // What ends in a colon is words; a command is never broken.
        match line.ends_with(':') {
            true => entry(text, label, label.len(), line),
            false => *text += &format!("  {label:<9}{line}\n"),
        }
    }
    entry(
        text,
        "  more",
        6,
        &format!("signet doctor --explain {}", finding.code),
    );
}

/// A label and words behind it, wrapped; `shown` is the label's width on the screen.
fn entry(text: &mut String, label: &str, shown: usize, words: &str) {
    const INDENT: usize = 11;
    let gap = " ".repeat(INDENT.saturating_sub(2 + shown));
    *text += &format!("  {label}{gap}{}\n", wrapped(words, INDENT, INDENT));
}

fn conclusion(sections: &[Section], style: Style) -> String {
    let many = |severity: Severity| match count(sections, severity) {
        1 => format!("1 {}", severity.name()),
        count => format!("{count} {}s", severity.name()),
    };
    let line = format!("{}, {}", many(Severity::Fault), many(Severity::Warning));
    let colour = match (
        count(sections, Severity::Fault),
        count(sections, Severity::Warning),
    ) {
        (0, 0) => Ink::Good,
        (0, _) => Ink::Warning,
        _ => Ink::Bad,
    };
    format!("{}\n", style.paint(colour, &line))
}
