//! An SPF record as its terms (RFC 7208 section 4.6.1).

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What a mechanism that fits says of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

/// One word behind `v=spf1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    All(Qualifier),
    Network(Qualifier, IpNet),
    /// `include:`, `redirect=` without the qualifier: another record.
    Include(Qualifier, String),
    Redirect(String),
    /// The addresses of a host, or of its mail servers; none is the domain itself.
    A(Qualifier, Option<String>, u8, u8),
    Mx(Qualifier, Option<String>, u8, u8),
    Ptr,
    Exists,
    /// `exp=` and whatever else has a name and a value: to be passed over.
    Modifier,
    /// Not a term, so that the whole record counts for nothing.
    Bad(String),
}

/// Whether a text is an SPF record.
pub fn is_spf(text: &str) -> bool {
    let start = text
        .get(..6)
        .is_some_and(|s| s.eq_ignore_ascii_case("v=spf1"));
    start
        && text
            .get(6..)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// The terms of a record.
pub fn terms(record: &str) -> Vec<Term> {
    record.split_whitespace().skip(1).map(term).collect()
}

fn term(word: &str) -> Term {
    let lower = word.to_ascii_lowercase();
    // A modifier has a name and "=", and no qualifier.
    if let Some((name, value)) = lower.split_once('=')
        && !name.contains([':', '/'])
    {
        return match name {
            "redirect" => Term::Redirect(value.to_owned()),
            "exp" => Term::Modifier,
            // "include=" and "ip4=" are slips, not modifiers.
            _ if KNOWN.contains(&name.trim_start_matches(['+', '-', '~', '?'])) => {
                Term::Bad(word.to_owned())
            }
            _ => Term::Modifier,
        };
    }
    let (qualifier, rest) = match lower.as_bytes().first() {
        Some(b'+') => (Qualifier::Pass, lower.get(1..)),
        Some(b'-') => (Qualifier::Fail, lower.get(1..)),
        Some(b'~') => (Qualifier::SoftFail, lower.get(1..)),
        Some(b'?') => (Qualifier::Neutral, lower.get(1..)),
        _ => (Qualifier::Pass, Some(lower.as_str())),
    };
    mechanism(qualifier, rest.unwrap_or_default()).unwrap_or_else(|| Term::Bad(word.to_owned()))
}

const KNOWN: [&str; 8] = ["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"];

fn mechanism(qualifier: Qualifier, text: &str) -> Option<Term> {
    let (name, value) = match text.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    match (name, value) {
        ("all", None) => Some(Term::All(qualifier)),
        ("include", Some(domain)) if !domain.is_empty() => {
            Some(Term::Include(qualifier, domain.to_owned()))
        }
        ("ip4", Some(value)) => Some(Term::Network(qualifier, four(value)?.into())),
        ("ip6", Some(value)) => Some(Term::Network(qualifier, six(value)?.into())),
        ("exists", Some(_)) => Some(Term::Exists),
        ("ptr", _) => Some(Term::Ptr),
        _ => {
            let (head, four, six) = prefixes(text)?;
            let (name, host) = match head.split_once(':') {
                Some((name, host)) if !host.is_empty() => (name, Some(host.to_owned())),
                Some(_) => return None,
                None => (head, None),
            };
            match name {
                "a" => Some(Term::A(qualifier, host, four, six)),
                "mx" => Some(Term::Mx(qualifier, host, four, six)),
                _ => None,
            }
        }
    }
}

/// `a:host/24//64`: what stands before, and both lengths.
fn prefixes(text: &str) -> Option<(&str, u8, u8)> {
    let (text, six) = match text.split_once("//") {
        Some((text, six)) => (text, six.parse().ok().filter(|six| *six <= 128)?),
        None => (text, 128),
    };
    match text.split_once('/') {
        Some((text, four)) => Some((text, four.parse().ok().filter(|four| *four <= 32)?, six)),
        None => Some((text, 32, six)),
    }
}

fn four(value: &str) -> Option<Ipv4Net> {
    match value.contains('/') {
        true => value.parse().ok(),
        false => value.parse::<Ipv4Addr>().ok().map(Ipv4Net::from),
    }
}

fn six(value: &str) -> Option<Ipv6Net> {
    match value.contains('/') {
        true => value.parse().ok(),
        false => value.parse::<Ipv6Addr>().ok().map(Ipv6Net::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_and_slips_are_told() {
        let bad = |word: &str| term(word) == Term::Bad(word.to_owned());
        assert!(bad("ip4=192.0.2.1") && bad("ipv4:192.0.2.1") && bad("ip4:192.0.2.999"));
        assert!(bad("include:") && bad("192.0.2.1") && bad("a/33"));
        assert_eq!(term("-all"), Term::All(Qualifier::Fail));
        assert_eq!(term("all"), Term::All(Qualifier::Pass));
        assert_eq!(
            term("~MX:Example.org/24//64"),
            Term::Mx(Qualifier::SoftFail, Some("example.org".to_owned()), 24, 64)
        );
        assert_eq!(term("exp=why.example.org"), Term::Modifier);
        assert!(is_spf("v=spf1") && is_spf("V=SPF1 -all") && !is_spf("v=spf10 -all"));
    }
}
