//! A verification in words, for a terminal.

use std::fmt::Write;

use super::{Message, SignatureReport, Verdict};

/// Every signature with its verdict and reason, what it covers, and what was odd.
pub fn to_text(message: &Message, reports: &[SignatureReport]) -> String {
    let mut out = String::new();
    for note in message.notes() {
        line(&mut out, format_args!("note: {note}"));
    }
    if reports.is_empty() {
        line(
            &mut out,
            format_args!("no signature: the message has no DKIM-Signature field"),
        );
    }
    for (at, report) in reports.iter().enumerate() {
        signature(&mut out, at + 1, report);
    }
    out
}

fn signature(out: &mut String, number: usize, report: &SignatureReport) {
    let verdict = match &report.verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Fail(why) => format!("FAIL: {why}"),
        Verdict::Unknown(why) => format!("UNKNOWN: {why}"),
    };
    line(out, format_args!("signature {number}: {verdict}"));
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
        line(out, format_args!("  {}", tags.join(" ")));
    }
    if let Some(key) = &report.key {
        line(
            out,
            format_args!(
                "  key: {}, {} bits, at {}",
                key.key_type, key.bits, key.name
            ),
        );
    }
    names(out, "signed", &report.coverage.signed);
    names(out, "not signed", &report.coverage.unsigned);
    for warning in &report.warnings {
        line(out, format_args!("  warning: {warning}"));
    }
}

fn names(out: &mut String, label: &str, names: &[String]) {
    if !names.is_empty() {
        let names = names.join(", ");
        line(out, format_args!("  {label}: {}", names.escape_debug()));
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}
