//! The text of a DKIM-Signature field (RFC 6376 §3.5).
//!
//! The tags stand in one order, `v a c d s i t x r h bh b`; the lines stay below 78
//! columns wherever a name allows it, and break with LF + SP, which is what a milter
//! gives to an MTA. `h=` and `bh=` begin lines of their own, so that both can be found
//! as plain text. Nothing that a configuration can say may end a tag or a line here.

use std::fmt::Write;

use base64ct::{Base64, Encoding};

use super::Canonicalization;
use crate::names::{DomainName, Selector};

/// The name of the field.
pub(super) const NAME: &str = "DKIM-Signature";

/// A line has fewer columns than this (RFC 5322 §2.1.1), its end not counted.
const COLUMNS: usize = 78;

/// `t=` and `x=` have twelve digits at most (RFC 6376 §3.5).
const LAST_SECOND: u64 = 999_999_999_999;

/// What the field says.
pub(super) struct Tags<'t> {
    pub algorithm: &'static str,
    pub canonicalization: Canonicalization,
    pub domain: &'t DomainName,
    pub selector: &'t Selector,
    pub identity: Option<&'t str>,
    pub time: u64,
    pub expiry: Option<u64>,
    pub request_reports: bool,
    pub names: &'t [&'t str],
    pub body_hash: &'t [u8],
}

/// The value of a field under construction.
pub(super) struct FieldValue {
    text: String,
    column: usize,
}

impl FieldValue {
    /// The field up to and with `b=`: what is hashed (RFC 6376 §3.7).
    pub(super) fn unsigned(tags: &Tags<'_>, leading_space: bool) -> Self {
        let mut field = Self {
            text: String::with_capacity(1024),
            // The space behind the colon is written by us or by the MTA.
            column: NAME.len() + ": ".len(),
        };
        if leading_space {
            field.text.push(' ');
        }
        field.put("v=1;");
        field.tag(format_args!("a={};", tags.algorithm));
        field.tag(format_args!("c={};", tags.canonicalization));
        field.tag(format_args!("d={};", tags.domain));
        field.tag(format_args!("s={};", tags.selector));
        if let Some(identity) = tags.identity {
            field.tag(format_args!("i={};", quoted_printable(identity)));
        }
        let time = tags.time.min(LAST_SECOND);
        field.tag(format_args!("t={time};"));
        if let Some(expiry) = tags.expiry {
            field.tag(format_args!("x={};", expiry.min(LAST_SECOND)));
        }
        if tags.request_reports {
            field.tag(format_args!("r=y;"));
        }
        field.fold();
        field.put("h=");
        let last = tags.names.len().saturating_sub(1);
        for (index, name) in tags.names.iter().enumerate() {
            if field.column + name.len() + 1 >= COLUMNS {
                field.fold();
            }
            field.put(name);
            field.put(if index == last { ";" } else { ":" });
        }
        field.fold();
        field.put("bh=");
        field.put(&Base64::encode_string(tags.body_hash));
        field.put(";");
        field.fold();
        field.put("b=");
        field
    }

    /// The value so far.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The whole value, with the signature in place.
    pub(super) fn sign(mut self, signature: &[u8]) -> Vec<u8> {
        let text = Base64::encode_string(signature);
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let room = (COLUMNS - 1).saturating_sub(self.column).max(1);
            let (line, more) = rest.split_at_checked(room).unwrap_or((rest, ""));
            self.put(line);
            rest = more;
            if !rest.is_empty() {
                self.fold();
            }
        }
        self.text.into_bytes()
    }

    /// A tag on this line if there is room, else on the next.
    fn tag(&mut self, tag: std::fmt::Arguments<'_>) {
        let start = self.text.len();
        self.text.push(' ');
        // Writing into a String does not fail.
        let _ = self.text.write_fmt(tag);
        let length = self.text.len() - start;
        if self.column + length >= COLUMNS {
            self.text.insert(start, '\n');
            self.column = length;
        } else {
            self.column += length;
        }
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.len();
    }

    fn fold(&mut self) {
        self.text.push_str("\n ");
        self.column = 1;
    }
}

/// `text` as dkim-quoted-printable (RFC 6376 §2.11).
fn quoted_printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'!'..=b':' | b'<' | b'>'..=b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "={byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tags<'t>(names: &'t [&'t str], identity: Option<&'t str>) -> Written<'t> {
        Written {
            domain: "example.com".parse().unwrap(),
            selector: "s1".parse().unwrap(),
            identity,
            names,
            expiry: None,
            request_reports: false,
        }
    }

    /// What a test varies.
    struct Written<'t> {
        domain: DomainName,
        selector: Selector,
        identity: Option<&'t str>,
        names: &'t [&'t str],
        expiry: Option<u64>,
        request_reports: bool,
    }

    impl Written<'_> {
        fn value(&self, signature: &[u8]) -> String {
            let tags = Tags {
                algorithm: "rsa-sha256",
                canonicalization: Canonicalization::default(),
                domain: &self.domain,
                selector: &self.selector,
                identity: self.identity,
                time: 1_790_000_000,
                expiry: self.expiry,
                request_reports: self.request_reports,
                names: self.names,
                body_hash: &[0xff; 32],
            };
            let field = FieldValue::unsigned(&tags, true);
            String::from_utf8(field.sign(signature)).unwrap()
        }
    }

    /// The tags of a field as a verifier reads them: white space ignored.
    fn parse(value: &str) -> Vec<(String, String)> {
        let unfolded: String = value.split_ascii_whitespace().collect();
        let tags = unfolded.split(';').map(|tag| tag.split_once('=').unwrap());
        tags.map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    fn lines(value: &str) -> impl Iterator<Item = String> {
        let field = format!("{NAME}:{value}");
        let lines: Vec<_> = field.split('\n').map(str::to_owned).collect();
        lines.into_iter()
    }

    #[test]
    fn the_field_is_folded_where_a_reader_expects_it() {
        let names = ["from", "date", "subject", "from"];
        assert_eq!(
            tags(&names, None).value(&[0xff; 64]),
            " v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1;\n \
             t=1790000000;\n \
             h=from:date:subject:from;\n \
             bh=//////////////////////////////////////////8=;\n \
             b=//////////////////////////////////////////////////////////////////////////\n \
             ///////////w=="
        );
    }

    #[test]
    fn a_request_for_reports_is_a_tag_of_its_own_rfc_6651_3_1() {
        let mut written = tags(&["from"], None);
        assert!(!written.value(b"x").contains("r="));
        written.request_reports = true;
        let value = written.value(b"x");
        assert!(
            parse(&value).contains(&("r".to_owned(), "y".to_owned())),
            "{value}"
        );
    }

    #[test]
    fn an_expiry_follows_the_time_3_5() {
        let mut written = tags(&["from"], None);
        written.expiry = Some(1_790_086_400);
        let value = written.value(b"x");
        assert!(value.contains(" t=1790000000; x=1790086400;"), "{value}");
        written.expiry = Some(u64::MAX);
        assert!(written.value(b"x").contains(" x=999999999999;"));
    }

    #[test]
    fn an_identity_cannot_end_its_tag_2_11() {
        let value = tags(&["from"], Some("a;b=c d\r\n\u{fc}@example.com")).value(b"x");
        assert!(
            value.contains(" i=a=3Bb=3Dc=20d=0D=0A=C3=BC@example.com;"),
            "{value}"
        );
    }

    #[test]
    fn names_of_h_are_never_broken_inside() {
        let names: Vec<_> = (0..40).map(|n| format!("x-name-number-{n}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let value = tags(&names, None).value(b"x");
        for line in lines(&value) {
            assert!(line.len() < COLUMNS, "{line}");
        }
        for name in names {
            assert!(value.contains(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_formatted_field_parses_back(
            names in proptest::collection::vec("[a-z-]{1,60}", 1..40),
            identity in proptest::option::of(".{0,40}@example.com"),
            selector in "[a-z0-9]{1,63}(\\.[a-z0-9]{1,63}){0,2}",
            signature in proptest::collection::vec(any::<u8>(), 64..513),
        ) {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let mut written = tags(&names, identity.as_deref());
            written.selector = selector.parse().unwrap();
            let value = written.value(&signature);
            let read = parse(&value);

            let order: Vec<_> = read.iter().map(|(name, _)| name.as_str()).collect();
            let with: &[_] = &["v", "a", "c", "d", "s", "i", "t", "h", "bh", "b"];
            let without: &[_] = &["v", "a", "c", "d", "s", "t", "h", "bh", "b"];
            prop_assert_eq!(&order, if identity.is_some() { with } else { without });

            let tag = |name| &read.iter().find(|(other, _)| other == name).unwrap().1;
            prop_assert_eq!(tag("h"), &names.join(":"));
            prop_assert_eq!(tag("s"), &selector);
            prop_assert_eq!(&Base64::decode_vec(tag("b")).unwrap(), &signature);
            prop_assert!(value.is_ascii());
            for (number, line) in lines(&value).enumerate() {
                prop_assert!(number == 0 || line.starts_with(' '));
                prop_assert!(!line.trim().is_empty());
                // Only a tag that is too long for any line may pass the limit.
                prop_assert!(line.len() < COLUMNS || !line.trim().contains(' '), "{}", line);
            }
        }
    }
}
