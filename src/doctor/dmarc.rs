//! DMARC: the domain's policy (RFC 9989), and whether what signet signs is aligned
//! with it.

use super::unanswered::tell;
use super::{Code, PolicyFacts, Section};
use crate::names::DomainName;

/// RFC 9989 asks for no more than eight names.
const HIGHEST: usize = 8;

/// Tags of RFC 7489 that RFC 9989 took out.
const OBSOLETE: [&str; 3] = ["pct", "rf", "ri"];

pub(super) fn check(
    facts: &PolicyFacts,
    domain: &DomainName,
    signers: &[DomainName],
    section: &mut Section,
) {
    let own = format!("_dmarc.{domain}");
    let mut name = Some(domain.as_str());
    for _ in 0..HIGHEST {
        let Some(at) = name else { break };
        let mut unanswered = Vec::new();
        let known = facts.answers.texts(&format!("_dmarc.{at}"));
        let Some(texts) = known.or_note(&mut unanswered) else {
            tell(Code::DmarcUnknown, own, &unanswered, section);
            return;
        };
        let records: Vec<&String> = texts.iter().filter(|text| is_dmarc(text)).collect();
        match records.as_slice() {
            [] => {
                if let Some(text) = texts
                    .iter()
                    .find(|text| text.to_lowercase().contains("dmarc"))
                {
                    let what = format!("\"{text}\" does not begin with v=DMARC1");
                    section.add(
                        Code::DmarcSyntax,
                        format!("_dmarc.{at}"),
                        what,
                        publish(domain),
                    );
                    return;
                }
            }
            [record] => {
                policy(facts, domain, at, record, signers, section);
                return;
            }
            several => {
                let what = format!("there are {} DMARC records", several.len());
                let mend = publish(domain);
                section.add(Code::DmarcTwoRecords, format!("_dmarc.{at}"), what, mend);
                return;
            }
        }
        name = at
            .split_once('.')
            .map(|(_, above)| above)
            .filter(|above| above.contains('.'));
    }
    section.add(
        Code::DmarcMissing,
        own,
        "there is no DMARC record",
        publish(domain),
    );
}

fn is_dmarc(text: &str) -> bool {
    let version = text.split(';').next().unwrap_or_default();
    version
        .split_once('=')
        .is_some_and(|(name, value)| name.trim() == "v" && value.trim() == "DMARC1")
}

fn publish(domain: &DomainName) -> Vec<String> {
    vec![
        format!("have one TXT record at _dmarc.{domain}, to begin with:"),
        format!("\"v=DMARC1; p=none; rua=mailto:postmaster@{domain}\""),
    ]
}

fn policy(
    facts: &PolicyFacts,
    domain: &DomainName,
    at: &str,
    record: &str,
    signers: &[DomainName],
    section: &mut Section,
) {
    let before = section.findings.len();
    let name = format!("_dmarc.{at}");
    let tags: Vec<(String, &str)> = record
        .split(';')
        .filter_map(|tag| tag.split_once('='))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim()))
        .collect();
    let value = |wanted: &str| {
        let tag = tags.iter().find(|(name, _)| name == wanted);
        tag.map(|(_, value)| value.to_lowercase())
    };
    match value("p").as_deref() {
        Some("reject" | "quarantine") => {}
        Some("none") => {
            let what = "p=none: receivers report and do nothing";
            let mend = vec![
                "once the reports show no good mail that fails:".to_owned(),
                format!("\"{}\"", record.replace("p=none", "p=quarantine")),
            ];
            section.add(Code::DmarcNone, &name, what, mend);
        }
        Some(other) => {
            let what = format!("p={other} is no policy; none, quarantine and reject are");
            section.add(Code::DmarcSyntax, &name, what, publish(domain));
        }
        None => {
            let what = "there is no policy (p=)";
            section.add(Code::DmarcSyntax, &name, what, publish(domain));
        }
    }
    let obsolete: Vec<&str> = OBSOLETE
        .into_iter()
        .filter(|tag| value(tag).is_some())
        .collect();
    if !obsolete.is_empty() {
        let kept = record.split(';').filter(|tag| {
            let name = tag
                .split('=')
                .next()
                .unwrap_or_default()
                .trim()
                .to_lowercase();
            !OBSOLETE.contains(&name.as_str())
        });
        let kept: Vec<&str> = kept.map(str::trim).filter(|tag| !tag.is_empty()).collect();
        let what = format!("{} is no longer in use (RFC 9989)", obsolete.join(", "));
        let mend = vec![
            "replace the record by:".to_owned(),
            format!("\"{}\"", kept.join("; ")),
        ];
        section.add(Code::DmarcObsolete, &name, what, mend);
    }
    alignment(
        domain,
        value("adkim").as_deref() == Some("s"),
        signers,
        &name,
        section,
    );
    reports(
        facts,
        domain,
        value("rua").unwrap_or_default().as_str(),
        &name,
        section,
    );
    if section.findings.len() == before {
        section.good.push(format!(
            "{domain} has a DMARC policy, and signatures are aligned with it"
        ));
    }
}

/// A signature counts for DMARC when its domain is the author's, or with relaxed
/// alignment one above or below it.
fn alignment(
    domain: &DomainName,
    strict: bool,
    signers: &[DomainName],
    name: &str,
    section: &mut Section,
) {
    let aligned = |signer: &DomainName| match strict {
        true => signer == domain,
        false => signer.is_at_or_below(domain) || domain.is_at_or_below(signer),
    };
    if !signers.is_empty() && !signers.iter().any(aligned) {
        let listed: Vec<String> = signers.iter().map(ToString::to_string).collect();
        let what = format!(
            "mail of {domain} is signed by {}, which does not count as {domain}{}",
            listed.join(", "),
            if strict { " since adkim=s" } else { "" }
        );
        let mend = vec![
            format!("sign with a key of {domain} itself:"),
            format!("signet keygen {domain}"),
        ];
        section.add(Code::DmarcAlignment, name, what, mend);
    }
}

/// Reports to another domain need its consent.
fn reports(facts: &PolicyFacts, domain: &DomainName, rua: &str, name: &str, section: &mut Section) {
    for address in rua
        .split(',')
        .filter_map(|uri| uri.trim().strip_prefix("mailto:"))
    {
        let Some((_, to)) = address.split_once('@') else {
            continue;
        };
        let to = to.split('!').next().unwrap_or(to);
        let Ok(to) = DomainName::parse(to) else {
            continue;
        };
        if to.is_at_or_below(domain) || domain.is_at_or_below(&to) {
            continue;
        }
        let consent = format!("{domain}._report._dmarc.{to}");
        let mut unanswered = Vec::new();
        let known = facts.answers.texts(&consent);
        let Some(texts) = known.or_note(&mut unanswered) else {
            tell(Code::DmarcReportsUnknown, name, &unanswered, section);
            continue;
        };
        if !texts.iter().any(|text| is_dmarc(text)) {
            let what = format!("reports should go to {to}, which has not agreed to take them");
            let mend = vec![
                format!("have {to} publish a TXT record at {consent}:"),
                "\"v=DMARC1\"".to_owned(),
            ];
            section.add(Code::DmarcReports, name, what, mend);
        }
    }
}
