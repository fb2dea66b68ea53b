//! Whether a signature counts for DMARC: its domain is the author's, or with relaxed
//! alignment one of the same organizational domain (RFC 9989 section 4.10.2).

use super::Check;
use crate::doctor::unanswered::Unanswered;
use crate::doctor::{Code, Section};

pub(super) fn check(
    check: &Check<'_>,
    strict: bool,
    name: &str,
    unanswered: &mut Vec<Unanswered>,
    section: &mut Section,
) {
    let domain = check.domain;
    let signers: Vec<&str> = check.signers.iter().map(|signer| signer.as_str()).collect();
    if signers.is_empty() || signers.contains(&domain) {
        return;
    }
    let why = if strict {
        " since adkim=s".to_owned()
    } else {
        let mut open = Vec::new();
        let author = check.walk(domain, &mut open);
        let author = author.map(|walk| walk.organization());
        let of_signers = signers.iter().map(|signer| {
            let walk = check.walk(signer, &mut open);
            walk.map(|walk| walk.organization())
        });
        let of_signers: Vec<Option<&str>> = of_signers.collect();
        let aligned = |signer: &Option<&str>| signer.is_some() && *signer == author;
        if of_signers.iter().any(aligned) {
            return;
        }
        let known: Option<Vec<&str>> = of_signers.into_iter().collect();
        let (Some(author), Some(known)) = (author, known) else {
            unanswered.append(&mut open);
            return;
        };
        format!(
            ": it belongs to {}, and {domain} to {author}",
            known.join(", ")
        )
    };
    let what = format!(
        "mail of {domain} is signed by {}, which does not count as {domain}{why}",
        signers.join(", ")
    );
    let mend = vec![
        format!("sign with a key of {domain} itself:"),
        format!("signet keygen {domain}"),
    ];
    section.add(Code::DmarcAlignment, name, what, mend);
}
