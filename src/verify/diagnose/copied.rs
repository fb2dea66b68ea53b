//! The header section as the `z=` of a signature has it (RFC 6376 section 3.5): what the
//! signer saw, if the signature proves it.

use crate::verify::change::Mismatch;
use crate::verify::message::{Field, Message};

/// How much of what a field was is told.
const SHOWN: usize = 100;

/// The message with the fields that differ put back as `copies` has them, and the first
/// of these; none when all are the same.
pub(super) fn restored(message: &Message, copies: &str) -> Option<(Message, Mismatch)> {
    let mut message = message.header_only();
    let mut changed = None;
    for copy in copies.split('|') {
        let Some((name, value)) = copy.split_once(':') else {
            continue;
        };
        let (name, value) = (decoded(name), decoded(value));
        let name = String::from_utf8_lossy(&name).into_owned();
        let mut fields = message.fields.iter_mut();
        let Some(field) = fields.rfind(|field| field.is(&name)) else {
            continue;
        };
        if squeezed(&field.value) != squeezed(&value) {
            put_back(field, &value);
            let was = String::from_utf8_lossy(value.trim_ascii());
            let was: String = was.chars().take(SHOWN).collect();
            changed.get_or_insert(Mismatch::FieldWas(name, was));
        }
    }
    Some((message, changed?))
}

fn put_back(field: &mut Field, value: &[u8]) {
    let value = value.trim_ascii_end();
    let space: &[u8] = if value.starts_with(b" ") { b"" } else { b" " };
    field.value = [space, value, b"\r\n"].concat();
}

fn squeezed(value: &[u8]) -> Vec<u8> {
    let bytes = value.iter().copied();
    bytes.filter(|byte| !byte.is_ascii_whitespace()).collect()
}

/// DKIM-Quoted-Printable (section 2.11).
fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let pair = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = pair.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let (byte, next) = match byte.filter(|_| *first == b'=') {
            Some(byte) => (byte, tail.get(2..).unwrap_or_default()),
            None => (*first, tail),
        };
        out.push(byte);
        rest = next;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_put_back_3_5() {
        let message = Message::read(b"From: a@b.c\r\nSubject: [x] one\r\n\r\n");
        let (restored, change) =
            restored(&message, "From:=20a@b.c|Subject:=20one=20=7C=20two|To:x").unwrap();
        assert_eq!(
            change,
            Mismatch::FieldWas("Subject".into(), "one | two".into())
        );
        assert_eq!(restored.fields[0].value, b" a@b.c\r\n");
        assert_eq!(restored.fields[1].value, b" one | two\r\n");
        assert_eq!(super::restored(&message, "From:a@b.c|nonsense"), None);
    }
}
