//! The text of a DKIM-Signature field (RFC 6376 §3.5).
//!
//! The tags stand in one order, `v a c d s i t x h bh b`; the lines stay below 78
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
