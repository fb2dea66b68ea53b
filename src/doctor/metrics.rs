//! The report as metrics, for node_exporter's textfile collector: whether receivers can
//! verify what is signed here, which the daemon, who asks nobody, cannot know.

use std::collections::BTreeMap;

use super::{Facts, Section, Severity, count};
use crate::dkim::KeyType;
use crate::telemetry::Page;

/// Prometheus's text format. `now`: seconds since 1970.
pub fn to_metrics(facts: &Facts, sections: &[Section], now: u64) -> String {
    let mut page = Page::default();
    let [ok, wrong] = key_records(facts, sections);
    for (name, help, counts) in [
        (
            "signet_key_dns_ok",
            "Keys whose record in DNS is right.",
            ok,
        ),
        (
            "signet_key_dns_wrong",
            "Keys whose record in DNS has a fault.",
            wrong,
        ),
    ] {
        page.family(name, "gauge", help);
        for (algorithm, count) in counts {
            page.sample(name, Some(("algorithm", algorithm)), count);
        }
    }
    page.family(
        "signet_doctor_findings",
        "gauge",
        "What signet doctor has found.",
    );
    for severity in [Severity::Fault, Severity::Warning] {
        let label = Some(("severity", severity.name()));
        page.sample("signet_doctor_findings", label, count(sections, severity));
    }
    page.gauge(
        "signet_doctor_last_run_timestamp_seconds",
        "When signet doctor last looked.",
        now,
    );
    page.into_text()
}

/// By algorithm, of how many keys the record has no fault, and of how many it has one.
fn key_records(facts: &Facts, sections: &[Section]) -> [BTreeMap<&'static str, u64>; 2] {
    let faults = sections.iter().flat_map(|section| &section.findings);
    let faults: Vec<&str> = faults
        .filter(|finding| finding.code.severity() == Severity::Fault)
        .map(|finding| finding.subject.as_str())
        .collect();
    let types = [KeyType::Rsa, KeyType::Ed25519];
    let none = || BTreeMap::from(types.map(|key_type| (key_type.algorithm(), 0)));
    let [mut ok, mut wrong] = [none(), none()];
    let keys = facts.keys.iter().flat_map(|keys| keys.usable());
    for (_, publication) in keys {
        let name = publication.name();
        let mut records = facts.zones.iter().flat_map(|zone| &zone.records);
        if !records.any(|record| record.name == name) {
            // Not asked about.
            continue;
        }
        let algorithm = publication.record.key_type.algorithm();
        let counts = match faults.contains(&name.as_str()) {
            true => &mut wrong,
            false => &mut ok,
        };
        *counts.entry(algorithm).or_default() += 1;
    }
    [ok, wrong]
}
