//! Where the reports go: to a domain of somebody else's only when that agrees (RFC 9990,
//! "Verifying External Destinations").

use super::record::Record;
use super::{Applying, Check};
use crate::doctor::answers::Known;
use crate::doctor::unanswered::tell;
use crate::doctor::{Code, Section};
use crate::names::DomainName;

pub(super) fn check(check: &Check<'_>, applying: &Applying<'_>, name: &str, section: &mut Section) {
    let mut domains: Vec<_> = applying
        .record
        .report_domains()
        .into_iter()
        .filter_map(|domain| DomainName::parse(domain).ok())
        .filter(|domain| domain.as_str() != applying.at)
        .collect();
    domains.sort();
    domains.dedup();
    for to in &domains {
        one(check, applying.at, to, name, section);
    }
}

fn one(check: &Check<'_>, at: &str, to: &DomainName, name: &str, section: &mut Section) {
    let consent = format!("{at}._report._dmarc.{to}");
    let known = check.facts.answers.texts(&consent);
    let agrees = |texts: &[String]| texts.iter().any(|text| Record::read(text).is_some());
    match &known {
        Known::Open => return,
        Known::Records(texts) if agrees(texts) => return,
        Known::Records(_) | Known::Unanswered(_) => {}
    }
    let mut unanswered = Vec::new();
    let known = known.or_note(&mut unanswered).is_some();
    // Within an organization there is nothing to agree to.
    let ours = check.walk(at, &mut unanswered);
    let theirs = check.walk(to.as_str(), &mut unanswered);
    match (ours, theirs) {
        (Some(ours), Some(theirs)) if ours.organization() == theirs.organization() => {}
        (Some(_), Some(_)) if known => {
            let what = format!("reports should go to {to}, which has not agreed to take them");
            let mend = vec![
                format!("have {to} publish a TXT record at {consent}:"),
                "\"v=DMARC1\"".to_owned(),
            ];
            section.add(Code::DmarcReports, name, what, mend);
        }
        _ => tell(Code::DmarcReportsUnknown, name, &unanswered, section),
    }
}
