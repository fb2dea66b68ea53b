//! Undoing what servers and programs do to a body on its way. Guesses only: whether one
//! is right, the signed hash has to say.

use base64ct::{Base64, Encoding};

use crate::verify::change::Rewriting;

/// What base64 is cut into lines of (RFC 2045 section 6.8).
const LINE: usize = 76;

/// The body as it may have been before, once for each way to change it that there are
/// traces of.
pub(super) fn undone(body: &[u8]) -> impl Iterator<Item = (Rewriting, Vec<u8>)> {
    let guesses: [(Rewriting, Guess); 8] = [
        (Rewriting::FromLinesQuoted, |body| {
            at_line_starts(body, b"\r\n>From ", b"\r\nFrom ")
        }),
        (Rewriting::DotsDoubled, |body| {
            at_line_starts(body, b"\r\n..", b"\r\n.")
        }),
        (Rewriting::QuotedPrintable, from_quoted_printable),
        (Rewriting::LongLinesBroken, with_long_lines),
        (Rewriting::Base64, from_base64),
        (Rewriting::Base64Undone, to_base64),
        (Rewriting::DelimiterTrimmed, |body| {
            at_line_starts(body, b"\r\n--\r\n", b"\r\n-- \r\n")
        }),
        (Rewriting::SpaceAtLineEnds, without_space_at_line_ends),
    ];
    guesses
        .into_iter()
        .filter_map(|(how, undo)| Some((how, undo(body)?)))
}

type Guess = fn(&[u8]) -> Option<Vec<u8>>;

/// `text` with every `find` replaced; `None` when there is none.
pub(super) fn replaced(text: &[u8], find: &[u8], put: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut from = 0;
    for at in memchr::memmem::find_iter(text, find) {
        out.extend_from_slice(text.get(from..at)?);
        out.extend_from_slice(put);
        from = at + find.len();
    }
    out.extend_from_slice(text.get(from..)?);
    (from > 0).then_some(out)
}

/// The same, also at the start of the text, as if a line end stood before it.
fn at_line_starts(text: &[u8], find: &[u8], put: &[u8]) -> Option<Vec<u8>> {
    let whole = [b"\r\n", text].concat();
    let out = replaced(&whole, find, put)?;
    Some(out.get(2..).unwrap_or_default().to_vec())
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

/// The text of a body that is base64 as a whole.
fn from_base64(body: &[u8]) -> Option<Vec<u8>> {
    let packed: Vec<u8> = body
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    Base64::decode_vec(std::str::from_utf8(&packed).ok()?).ok()
}

/// The base64 that the body was, if it was cut as all programs cut it.
fn to_base64(body: &[u8]) -> Option<Vec<u8>> {
    let text = Base64::encode_string(body);
    let lines = text.as_bytes().chunks(LINE);
    Some(lines.flat_map(|line| [line, b"\r\n"].concat()).collect())
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

fn without_space_at_line_ends(body: &[u8]) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(text) => {
                out.extend_from_slice(text.trim_ascii_end());
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    (out != body).then_some(out)
}
