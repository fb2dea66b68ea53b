//! Mail that comes back, from a content filter for instance, and carries a signature
//! that would be made again.
//!
//! This only finds the candidates: whether one is valid takes the body, and whoever has
//! that asks a verifier. A signature that does not verify is no reason not to sign.

use crate::dkim::{HeaderSection, SignRequest};

/// The requests for which the header section already claims a signature, by their
/// numbers: a DKIM-Signature field with the same `d=` and `s=`.
pub fn claimed(section: &HeaderSection, requests: &[SignRequest]) -> Vec<usize> {
    let mut claimed = Vec::new();
    for field in section.fields().filter(|field| field.is("dkim-signature")) {
        let domain = tag(field.value, b"d");
        let selector = tag(field.value, b"s");
        let same = |request: &SignRequest| {
            is(&domain, request.domain.as_str()) && is(&selector, request.selector.as_str())
        };
        if let Some(number) = requests.iter().position(same)
            && !claimed.contains(&number)
        {
            claimed.push(number);
        }
    }
    claimed
}

fn is(value: &Option<Vec<u8>>, name: &str) -> bool {
    let value = value.as_deref().unwrap_or_default();
    value.eq_ignore_ascii_case(name.as_bytes())
}

/// The value of a tag (RFC 6376 §3.2) without any white space. A tag that is there
/// twice is no tag.
fn tag(field: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let mut values = field.split(|byte| *byte == b';').filter_map(|tag| {
        let at = tag.iter().position(|byte| *byte == b'=')?;
        let (own, value) = tag.split_at_checked(at)?;
        (own.trim_ascii() == name).then(|| value.get(1..).unwrap_or_default())
    });
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    Some(
        value
            .iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dkim::{Canonicalization, HeaderSet, SigningKey};
    use crate::keys::{Algorithm, generate};
    use crate::names::{DomainName, Selector};

    fn found(field: &str) -> Vec<usize> {
        let pem = generate(Algorithm::Ed25519).unwrap();
        let key = Arc::new(SigningKey::from_pem(pem.as_bytes()).unwrap());
        let request = |domain, selector| SignRequest {
            key: key.clone(),
            domain: DomainName::parse(domain).unwrap(),
            selector: Selector::parse(selector).unwrap(),
            identity: None,
            canonicalization: Canonicalization::default(),
            header_set: Arc::new(HeaderSet::default()),
            expiry: None,
        };
        let mut section = HeaderSection::new();
        section.push(b"DKIM-Signature", field.as_bytes());
        claimed(
            &section,
            &[request("example.com", "s1"), request("example.com", "s2")],
        )
    }

    #[test]
    fn the_same_domain_and_selector_is_a_candidate() {
        assert_eq!(
            found(" v=1; a=x; d=Example.com; s=S2; b=d=other.example"),
            [1]
        );
        assert_eq!(found("d = exam\n ple.com;\n\ts=s1"), [0]);
    }

    #[test]
    fn anything_else_is_none() {
        for field in [
            "",
            ";;=;",
            "d=example.com",
            "d=example.com; s=s3",
            "d=a.example.com; s=s1",
            "d=example.com; s=s1; d=x",
        ] {
            assert!(found(field).is_empty(), "{field}");
        }
    }
}
