//! Canonicalization (RFC 6376 §3.4) and the signed bytes (§3.7), written as the RFC
//! says it, slowly and over whole messages. It serves where mail-auth departs from
//! the RFC (see `judge`), and to find out why a signature fails. It shares no code
//! with the signer.

use super::message::{Field, Message};
use super::signature::{Form, Signature};

/// §3.4.3 and §3.4.4: the whole body, canonicalized.
pub(super) fn body(body: &[u8], form: Form) -> Vec<u8> {
    match form {
        Form::Simple => simple_body(body),
        Form::Relaxed => relaxed_body(body),
    }
}

fn simple_body(body: &[u8]) -> Vec<u8> {
    let mut end = body;
    while let Some(shorter) = end.strip_suffix(b"\r\n") {
        end = shorter;
    }
    // An empty body is one CRLF (§3.4.3).
    [end, b"\r\n"].concat()
}

fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(body.len());
    let mut empty_lines = 0;
    for line in lines(body) {
        let line = squeezed(line);
        let line = line.strip_suffix(b" ").unwrap_or(&line);
        if line.is_empty() {
            empty_lines += 1;
            continue;
        }
        out.extend(b"\r\n".repeat(empty_lines));
        empty_lines = 0;
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// The lines without their CRLF. A CR or LF alone ends no line.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut ends = memchr::memmem::find_iter(text, b"\r\n");
        let (line, tail) = match ends.next() {
            Some(at) => (text.get(..at)?, text.get(at + 2..)),
            None => (text, None),
        };
        rest = tail;
        Some(line)
    })
}

/// Every run of spaces and tabs becomes one space.
fn squeezed(text: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            b' ' | b'\t' if out.last() == Some(&b' ') => {}
            b' ' | b'\t' => out.push(b' '),
            other => out.push(other),
        }
    }
    out
}

/// §3.4.1 and §3.4.2: one field, canonicalized, its CRLF included.
pub(super) fn field(name: &[u8], value: &[u8], form: Form) -> Vec<u8> {
    if form == Form::Simple {
        return [name, b":", value].concat();
    }
    let unfolded: Vec<u8> = lines(value).flatten().copied().collect();
    let value = squeezed(&unfolded);
    let value = value.strip_prefix(b" ").unwrap_or(&value);
    let value = value.strip_suffix(b" ").unwrap_or(value);
    let name = name.trim_ascii_end().to_ascii_lowercase();
    [&name, b":".as_slice(), value, b"\r\n"].concat()
}

/// §5.4.2: the fields that `h=` names, each name from the bottom up, without the
/// signature itself; a name too many stands for nothing.
pub(super) fn signed_fields<'m>(
    message: &'m Message,
    signature: &Signature,
    own: usize,
) -> Vec<&'m Field> {
    let mut taken = vec![false; message.fields.len()];
    let mut found = Vec::new();
    for name in &signature.signed {
        let mut from_below = message.fields.iter().enumerate().zip(&mut taken).rev();
        let next = from_below.find(|((at, field), taken)| *at != own && !**taken && field.is(name));
        if let Some(((_, field), taken)) = next {
            *taken = true;
            found.push(field);
        }
    }
    found
}

/// §3.7: what the signature signs.
pub(super) fn signed_bytes(message: &Message, signature: &Signature, own: usize) -> Vec<u8> {
    let form = signature.header_form;
    let fields = signed_fields(message, signature, own);
    let mut out: Vec<u8> = fields
        .iter()
        .flat_map(|signed| field(&signed.name, &signed.value, form))
        .collect();
    if let Some(own) = message.fields.get(own) {
        let last = field(&own.name, &without_signature(&own.value), form);
        out.extend_from_slice(last.strip_suffix(b"\r\n").unwrap_or(&last));
    }
    out
}

/// The field's value with the value of `b=` taken out, white space around it too.
fn without_signature(value: &[u8]) -> Vec<u8> {
    let content = value.strip_suffix(b"\r\n").unwrap_or(value);
    let tags = content.split(|&byte| byte == b';').map(|tag| {
        let equals = tag.iter().position(|&byte| byte == b'=');
        match equals.and_then(|at| tag.split_at_checked(at)) {
            Some((name, _)) if name.trim_ascii() == b"b" => [name, b"="].concat(),
            _ => tag.to_vec(),
        }
    });
    let tags: Vec<Vec<u8>> = tags.collect();
    [&tags.join(&b';'), b"\r\n".as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6376 §3.4.5.
    const BODY: &[u8] = b" C \r\nD \t E\r\n\r\n\r\n";

    #[test]
    fn the_example_of_the_rfc_3_4_5() {
        assert_eq!(field(b"A", b" X\r\n", Form::Relaxed), b"a:X\r\n");
        assert_eq!(
            field(b"B ", b" Y\t\r\n\tZ  \r\n", Form::Relaxed),
            b"b:Y Z\r\n"
        );
        assert_eq!(
            field(b"B ", b" Y\t\r\n\tZ  \r\n", Form::Simple),
            b"B : Y\t\r\n\tZ  \r\n"
        );
        assert_eq!(body(BODY, Form::Relaxed), b" C\r\nD E\r\n");
        assert_eq!(body(BODY, Form::Simple), b" C \r\nD \t E\r\n");
    }

    #[test]
    fn empty_bodies_3_4_3_and_3_4_4() {
        for empty in [&b""[..], b"\r\n", b"\r\n\r\n"] {
            assert_eq!(body(empty, Form::Simple), b"\r\n");
            assert_eq!(body(empty, Form::Relaxed), b"");
        }
        assert_eq!(body(b" \r\n\t\r\n", Form::Relaxed), b"");
        assert_eq!(body(b"a", Form::Relaxed), b"a\r\n");
        assert_eq!(body(b"a", Form::Simple), b"a\r\n");
    }

    #[test]
    fn the_signature_is_taken_out_of_its_field_3_7() {
        assert_eq!(
            without_signature(b" v=1; b = ab\r\n c= ; bh=x\r\n"),
            b" v=1; b =; bh=x\r\n"
        );
        assert_eq!(without_signature(b" bh=x; b=abc \r\n"), b" bh=x; b=\r\n");
    }
}
