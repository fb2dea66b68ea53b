//! What was done to a body whose hash is not the signed one.

use aws_lc_rs::digest::{Context, SHA256, digest};

use crate::verify::plain;
use crate::verify::reason::BodyChange;
use crate::verify::signature::Signature;

/// What happened to a body whose hash is not the signed one.
pub(in crate::verify) fn body(body: &[u8], signature: &Signature) -> BodyChange {
    let form = signature.body_form;
    let signed = signature.body_hash.as_slice();
    let hash_is = |text: &[u8]| digest(&SHA256, text).as_ref() == signed;
    let now = plain::body(body, form);
    let empty = plain::body(b"", form);
    if now == empty {
        return BodyChange::Emptied;
    }
    if hash_is(&empty) {
        return BodyChange::AddedToNothing;
    }
    if signature.length.is_some() {
        return BodyChange::Somehow;
    }
    if let Some(lines) = lines_added(&now, signed) {
        return BodyChange::LinesAdded(lines);
    }
    let without_cr = plain::body(body, form);
    let without_cr: Vec<u8> = without_cr.into_iter().filter(|b| *b != b'\r').collect();
    if hash_is(&without_cr) {
        return BodyChange::HashedWithLf;
    }
    let undone = [
        (
            BodyChange::FromLinesQuoted,
            replaced(body, b"\r\n>From ", b"\r\nFrom "),
        ),
        (BodyChange::DotsDoubled, replaced(body, b"\r\n..", b"\r\n.")),
        (BodyChange::QuotedPrintable, from_quoted_printable(body)),
        (BodyChange::LongLinesBroken, with_long_lines(body)),
    ];
    for (change, undone) in undone {
        if undone.is_some_and(|body| hash_is(&plain::body(&body, form))) {
            return change;
        }
    }
    BodyChange::Somehow
}

/// After how many lines fewer the canonical body has the signed hash. One pass: the
/// hash so far is looked at wherever a line that is not empty ends.
fn lines_added(canonical: &[u8], signed: &[u8]) -> Option<usize> {
    let mut hash = Context::new(&SHA256);
    let mut found = None;
    let mut since = 0;
    for line in canonical.split_inclusive(|&byte| byte == b'\n') {
        hash.update(line);
        since += 1;
        if line != b"\r\n" && hash.clone().finish().as_ref() == signed {
            found = Some(());
            since = 0;
        }
    }
    found.map(|()| since)
}

/// `text` with every `find` replaced, also at its start as if a line end stood
/// before it; `None` when there is none.
fn replaced(text: &[u8], find: &[u8], put: &[u8]) -> Option<Vec<u8>> {
    let whole = [b"\r\n", text].concat();
    let mut out = Vec::with_capacity(whole.len());
    let mut from = 0;
    for at in memchr::memmem::find_iter(&whole, find) {
        out.extend_from_slice(whole.get(from..at)?);
        out.extend_from_slice(put);
        from = at + find.len();
    }
    out.extend_from_slice(whole.get(from..)?);
    (from > 0).then(|| out.get(2..).unwrap_or_default().to_vec())
}

/// The body with all its quoted-printable (RFC 2045 §6.7) undone, as before a server
/// that may not pass 8-bit text on; `None` when there is none. What is not
/// quoted-printable stays, so that a message of several parts is tried as well.
fn from_quoted_printable(body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    let mut any = false;
    while let Some(at) = memchr::memchr(b'=', rest) {
        let (before, after) = rest.split_at_checked(at)?;
        out.extend_from_slice(before);
        let (byte, tail) = match after {
            [_, b'\r', b'\n', tail @ ..] => (None, tail),
            [_, high, low, tail @ ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (Some(high * 16 + low), tail),
                _ => (Some(b'='), after.get(1..)?),
            },
            _ => (Some(b'='), after.get(1..)?),
        };
        any |= tail.len() + 1 < after.len();
        out.extend(byte);
        rest = tail;
    }
    out.extend_from_slice(rest);
    any.then_some(out)
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

/// The body with the lines put together again that a server broke because they were
/// longer than SMTP allows: Postfix, as it sends, puts CRLF and a space after 998 bytes
/// (smtp_line_length_limit).
fn with_long_lines(body: &[u8]) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::with_capacity(body.len());
    let mut begin = 0;
    let mut since = 0;
    for at in memchr::memmem::find_iter(body, b"\r\n") {
        let line = at - begin;
        if line >= 900 && body.get(at + 2) == Some(&b' ') {
            out.extend_from_slice(body.get(since..at)?);
            since = at + 3;
        }
        begin = at + 2;
    }
    out.extend_from_slice(body.get(since..)?);
    (since > 0).then_some(out)
}
