//! The `DKIM-Signature` field (RFC 6376 §3.5), held against what a verifier has to
//! check before any mathematics (§6.1.1). mail-auth does not check all of it: it takes
//! a field without `v=` or `a=`, with a tag twice, or with no From in `h=`.

use std::fmt;

use mail_auth::dkim as mail_auth_dkim;

use super::reason::Failure;
use super::tags::TagList;
use crate::names::{DomainName, Selector};

/// How header fields or the body are canonicalized (RFC 6376 §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Simple,
    Relaxed,
}

impl Form {
    pub fn mail_auth(self) -> mail_auth_dkim::Canonicalization {
        match self {
            Form::Simple => mail_auth_dkim::Canonicalization::Simple,
            Form::Relaxed => mail_auth_dkim::Canonicalization::Relaxed,
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Form::Simple => "simple",
            Form::Relaxed => "relaxed",
        })
    }
}

/// What the tags of a field say, as far as they can be read; for the report, which
/// should name a signature even when it is malformed.
#[derive(Debug, Default)]
pub(super) struct Claims {
    pub domain: String,
    pub selector: String,
    pub algorithm: String,
    pub canonicalization: String,
    pub identity: Option<String>,
}

impl Claims {
    pub fn read(value: &[u8]) -> Self {
        let Ok(tags) = TagList::parse(value) else {
            return Self::default();
        };
        let text = |name| tags.text(name).unwrap_or_default();
        Self {
            domain: text("d").to_ascii_lowercase(),
            selector: text("s").to_ascii_lowercase(),
            algorithm: text("a"),
            canonicalization: match text("c") {
                c if c.is_empty() => "simple/simple".to_owned(),
                c if c.contains('/') => c,
                c => format!("{c}/simple"),
            },
            identity: tags.text("i"),
        }
    }
}

/// A field that keeps the rules.
#[derive(Debug)]
pub(super) struct Signature {
    pub domain: DomainName,
    pub selector: Selector,
    pub identity: Option<String>,
    pub algorithm: mail_auth::common::crypto::Algorithm,
    pub header_form: Form,
    pub body_form: Form,
    /// `h=`, without the white space, in its order and case.
    pub signed: Vec<String>,
    /// `l=`
    pub length: Option<u64>,
    /// `t=`, seconds since 1970.
    pub time: Option<u64>,
    /// `x=`, seconds since 1970.
    pub expiry: Option<u64>,
    /// `z=`, without the white space.
    pub copies: Option<String>,
    pub body_hash: Vec<u8>,
    pub signature: Vec<u8>,
    /// mail-auth's own reading of the same tags.
    pub mail_auth: mail_auth_dkim::Signature,
    /// Some tag name has an upper-case letter.
    pub odd_tag_names: bool,
}

impl Signature {
    /// Reads what follows `DKIM-Signature:`.
    ///
    /// # Errors
    /// The rule that the field breaks.
    pub fn parse(value: &[u8]) -> Result<Self, Failure> {
        let tags = TagList::parse(value).map_err(Failure::NotATagList)?;
        let required = |tag: &'static str| match tags.text(tag) {
            Some(text) if !text.is_empty() => Ok(text),
            Some(_) => Err(bad(tag, "", "a value")),
            None => Err(Failure::TagMissing(tag)),
        };
        match required("v")? {
            one if one == "1" => {}
            other => return Err(bad("v", &other, "a version that exists (1)")),
        }
        let algorithm = match required("a")?.to_ascii_lowercase().as_str() {
            "rsa-sha256" => mail_auth::common::crypto::Algorithm::RsaSha256,
            "ed25519-sha256" => mail_auth::common::crypto::Algorithm::Ed25519Sha256,
            "rsa-sha1" => return Err(Failure::Sha1),
            other => return Err(Failure::Algorithm(shortened(other))),
        };
        let domain = required("d")?;
        let domain = DomainName::parse(&domain).map_err(|_| bad("d", &domain, "a domain name"))?;
        let selector = required("s")?;
        let selector = Selector::parse(&selector).map_err(|_| bad("s", &selector, "a selector"))?;
        let (header_form, body_form) = forms(tags.text("c"))?;
        let signed = required("h")?;
        let names = signed.split(':').filter(|name| !name.is_empty());
        let signed: Vec<String> = names.map(str::to_owned).collect();
        if !signed.iter().any(|name| name.eq_ignore_ascii_case("from")) {
            return Err(Failure::FromNotSigned);
        }
        if let Some(methods) = tags.text("q")
            && !methods
                .split(':')
                .any(|method| method.eq_ignore_ascii_case("dns/txt"))
        {
            return Err(bad("q", &methods, "a way to find the key (dns/txt)"));
        }
        let identity = tags.text("i");
        if let Some(identity) = &identity {
            check_identity(identity, &domain)?;
        }
        let time = number(&tags, "t")?;
        let expiry = number(&tags, "x")?;
        if let (Some(time), Some(expiry)) = (time, expiry)
            && expiry <= time
        {
            return Err(Failure::ExpiryBeforeTime { expiry, time });
        }
        let (b, bh) = (required("b")?, required("bh")?);
        let mail_auth = read_by_mail_auth(&tags, &b, &bh)?;
        Ok(Self {
            domain,
            selector,
            identity,
            algorithm,
            header_form,
            body_form,
            length: number(&tags, "l")?,
            time,
            expiry,
            copies: tags.text("z"),
            body_hash: mail_auth.bh.clone(),
            signature: mail_auth.b.clone(),
            odd_tag_names: tags
                .names()
                .any(|name| name.bytes().any(|b| b.is_ascii_uppercase())),
            signed,
            mail_auth,
        })
    }

    /// Where the key is: `SELECTOR._domainkey.DOMAIN`.
    pub fn key_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }

    /// `i=`'s domain, in lower case.
    pub fn identity_domain(&self) -> Option<String> {
        let (_, domain) = self.identity.as_deref()?.rsplit_once('@')?;
        Some(domain.to_ascii_lowercase())
    }
}

/// mail-auth gets the tags it is to know, each once, so that nothing that it reads
/// differently (`B=`, unknown tags) can change what it verifies.
fn read_by_mail_auth(
    tags: &TagList<'_>,
    b: &str,
    bh: &str,
) -> Result<mail_auth_dkim::Signature, Failure> {
    let mut text = String::new();
    for name in ["v", "a", "c", "d", "s", "h", "bh", "b"] {
        if let Some(value) = tags.text(name) {
            text.push_str(&format!("{name}={value}; "));
        }
    }
    let read = mail_auth_dkim::Signature::parse(text.as_bytes());
    let read = read.map_err(|_| bad("b", b, "base64"))?;
    if read.bh.len() != 32 {
        return Err(bad("bh", bh, "the base64 of a SHA-256 hash"));
    }
    Ok(read)
}

fn forms(value: Option<String>) -> Result<(Form, Form), Failure> {
    let Some(value) = value else {
        return Ok((Form::Simple, Form::Simple));
    };
    let form = |word: &str| {
        if word.eq_ignore_ascii_case("simple") {
            Ok(Form::Simple)
        } else if word.eq_ignore_ascii_case("relaxed") {
            Ok(Form::Relaxed)
        } else {
            Err(bad("c", &value, "a canonicalization (simple, relaxed)"))
        }
    };
    match value.split_once('/') {
        Some((header, body)) => Ok((form(header)?, form(body)?)),
        // RFC 6376 §3.5: one word is the header's, and the body is "simple".
        None => Ok((form(&value)?, Form::Simple)),
    }
}

fn check_identity(identity: &str, domain: &DomainName) -> Result<(), Failure> {
    let inside = identity
        .rsplit_once('@')
        .and_then(|(_, name)| DomainName::parse(name).ok())
        .is_some_and(|name| name.is_at_or_below(domain));
    if inside {
        return Ok(());
    }
    Err(Failure::IdentityOutside {
        identity: shortened(identity),
        domain: domain.to_string(),
    })
}

fn number(tags: &TagList<'_>, tag: &'static str) -> Result<Option<u64>, Failure> {
    let Some(text) = tags.text(tag) else {
        return Ok(None);
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return Err(bad(tag, &text, "a number"));
    }
    // RFC 6376 §3.5 allows 76 digits in l=; more than u64 holds is "very many".
    Ok(Some(text.parse().unwrap_or(u64::MAX)))
}

fn bad(tag: &'static str, value: &str, expected: &'static str) -> Failure {
    Failure::BadTag {
        tag,
        value: shortened(value),
        expected,
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "v=1; a=rsa-sha256; d=example.com; s=s1; h=From : To; \
        bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA";

    fn words(from: &str, to: &str) -> String {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD);
        Signature::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_field_by_the_rules_is_read_3_5() {
        let read = Signature::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(read.signed, ["From", "To"]);
        assert_eq!(read.key_name(), "s1._domainkey.example.com");
        assert_eq!(
            (read.header_form, read.body_form),
            (Form::Simple, Form::Simple)
        );
    }

    #[test]
    fn what_a_verifier_must_refuse_6_1_1() {
        let unread = "the DKIM-Signature field cannot be read: ";
        assert_eq!(words("v=1; ", ""), format!("{unread}the tag v= is missing"));
        assert_eq!(
            words("a=rsa-sha256; ", ""),
            format!("{unread}the tag a= is missing")
        );
        assert_eq!(
            words("v=1;", "v=1; v=1;"),
            format!("{unread}the tag \"v\" is there twice")
        );
        assert_eq!(
            words("v=1", "v=2"),
            format!("{unread}v=2 is not a version that exists (1)")
        );
        assert_eq!(words("b=AAAA", "b=*"), format!("{unread}b=* is not base64"));
        assert_eq!(
            words("From : To", "To"),
            "h= does not name From, so anybody could change it (RFC 6376 section 5.4)"
        );
        assert_eq!(
            words("s=s1;", "s=s1; i=@example.org;"),
            "i=@example.org is not in the signing domain d=example.com"
        );
        assert_eq!(
            words("s=s1;", "s=s1; t=100; x=100;"),
            "x= (1970-01-01 00:01:40 UTC) is not after t= (1970-01-01 00:01:40 UTC)"
        );
        assert_eq!(
            words("s=s1;", "s=s1; q=dns/other;"),
            format!("{unread}q=dns/other is not a way to find the key (dns/txt)")
        );
        assert_eq!(
            words("s=s1;", "s=s1; c=relaxed/strict;"),
            format!("{unread}c=relaxed/strict is not a canonicalization (simple, relaxed)")
        );
    }
}
