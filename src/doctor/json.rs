//! The report for programs, one line of JSON.

use serde::Serialize;

use super::{Section, Severity, count, page};

#[derive(Serialize)]
struct Report<'r> {
    /// There is no fault.
    healthy: bool,
    faults: usize,
    warnings: usize,
    sections: Vec<Part<'r>>,
}

#[derive(Serialize)]
struct Part<'r> {
    title: &'r str,
    ok: &'r [String],
    findings: Vec<Entry<'r>>,
}

#[derive(Serialize)]
struct Entry<'r> {
    code: &'static str,
    severity: &'static str,
    subject: &'r str,
    what: &'r str,
    why: String,
    mend: &'r [String],
}

pub fn to_json(sections: &[Section]) -> String {
    let faults = count(sections, Severity::Fault);
    let report = Report {
        healthy: faults == 0,
        faults,
        warnings: count(sections, Severity::Warning),
        sections: sections.iter().map(part).collect(),
    };
    // Structs of strings and numbers always have a JSON form.
    serde_json::to_string(&report).unwrap_or_default() + "\n"
}

fn part(section: &Section) -> Part<'_> {
    let findings = section.findings.iter().map(|finding| Entry {
        code: finding.code.name(),
        severity: finding.code.severity().name(),
        subject: &finding.subject,
        what: &finding.what,
        why: page::why(finding.code),
        mend: &finding.mend,
    });
    Part {
        title: section.title,
        ok: &section.good,
        findings: findings.collect(),
    }
}
