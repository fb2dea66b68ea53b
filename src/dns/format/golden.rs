//! What the golden files hold: an Ed25519 record (RFC 8463 appendix A) and a
//! 2048-bit RSA record, which needs two strings.

use super::{DEFAULT_TTL, Format, Publication};
use crate::dns::KeyRecord;
use crate::names::{DomainName, Selector};

const ED25519: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const RSA: &str = include_str!("golden/plain-rsa.txt");

pub(super) fn check(format: &Format, golden: &str) {
    let text = format.render(&publications());
    assert_eq!(text, golden, "\n--- {} now says:\n{text}", format.name);
}

fn publications() -> Vec<Publication> {
    [("brisbane", ED25519), ("s1", RSA)]
        .into_iter()
        .map(|(selector, record)| Publication {
            domain: DomainName::parse("example.com").unwrap(),
            selector: Selector::parse(selector).unwrap(),
            record: KeyRecord::parse(record).unwrap(),
            ttl: DEFAULT_TTL,
        })
        .collect()
}
