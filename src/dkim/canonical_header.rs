//! Header fields made ready for hashing (RFC 6376 §3.4.1, §3.4.2).
//!
//! White space is SP and TAB alone; other control characters are bytes like any
//! other. Each function appends to a buffer that the whole message shares.

use super::CanonicalizationAlgorithm;
use super::header_section::{Field, trim_end};

/// `field`, canonical, with its CRLF at the end.
pub fn canonicalize_field(algorithm: CanonicalizationAlgorithm, field: Field<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.name.len() + field.value.len() + 3);
    write(algorithm, field, false, &mut out);
    out
}

/// Appends `field` with its CRLF at the end.
///
/// `gap` puts a space behind the colon, for a field whose value came without the one
/// that the MTA has eaten.
pub(super) fn write(
    algorithm: CanonicalizationAlgorithm,
    field: Field<'_>,
    gap: bool,
    out: &mut Vec<u8>,
) {
    write_open(algorithm, field, gap, out);
    out.extend_from_slice(b"\r\n");
}

/// Appends `field` without a CRLF at the end, as the signature's own field is hashed
/// (RFC 6376 §3.7).
pub(super) fn write_open(
    algorithm: CanonicalizationAlgorithm,
    field: Field<'_>,
    gap: bool,
    out: &mut Vec<u8>,
) {
    match algorithm {
        CanonicalizationAlgorithm::Simple => simple(field, gap, out),
        CanonicalizationAlgorithm::Relaxed => relaxed(field, out),
    }
}

/// RFC 6376 §3.4.1: nothing changes, once the line ends are those of the wire.
fn simple(field: Field<'_>, gap: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(field.name);
    out.push(b':');
    if gap {
        out.push(b' ');
    }
    let mut lines = field.value.split(|&byte| byte == b'\n');
    out.extend_from_slice(lines.next().unwrap_or_default());
    for line in lines {
        if !out.ends_with(b"\r") {
            out.push(b'\r');
        }
        out.push(b'\n');
        out.extend_from_slice(line);
    }
}

/// RFC 6376 §3.4.2.
fn relaxed(field: Field<'_>, out: &mut Vec<u8>) {
    let name = trim_end(field.name);
    out.extend(name.iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    let start = out.len();
    let mut gap = false;
    let mut rest = field.value;
    // Word by word, or many words at once; a bare CR is a word like any other.
    while let [first, after @ ..] = rest {
        match (first, after) {
            (b' ' | b'\t', _) => {
                gap = true;
                rest = after;
            }
            (b'\n', _) | (b'\r', [b'\n', ..]) => rest = after,
            _ => {
                let end = match still(rest) {
                    0 => after
                        .iter()
                        .position(|&byte| ends_word(byte))
                        .map(|end| end + 1),
                    still => Some(still),
                };
                let (word, more) = match end.and_then(|end| rest.split_at_checked(end)) {
                    Some(parts) => parts,
                    None => (rest, &[][..]),
                };
                if std::mem::take(&mut gap) && out.len() > start {
                    out.push(b' ');
                }
                out.extend_from_slice(word);
                rest = more;
            }
        }
    }
}

const BLOCK: usize = 16;

/// How many bytes of `text` stay as they are, in whole blocks, which the compiler looks
/// at by the block: no control character, and no SP before another or at the end.
fn still(text: &[u8]) -> usize {
    let further = text.get(1..).unwrap_or_default();
    let blocks = text.as_chunks::<BLOCK>().0.iter();
    let is_still = |(block, next): &(&[u8; BLOCK], &[u8; BLOCK])| {
        let pairs = block.iter().zip(*next);
        let suspect = |&byte: &u8, &next: &u8| (byte < b' ') | ((byte == b' ') & (next <= b' '));
        !pairs.fold(false, |any, (byte, next)| any | suspect(byte, next))
    };
    BLOCK
        * blocks
            .zip(further.as_chunks().0)
            .take_while(is_still)
            .count()
}

fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(algorithm: CanonicalizationAlgorithm, name: &str, value: &[u8]) -> String {
        let mut out = Vec::new();
        let name = name.as_bytes();
        write(algorithm, Field { name, value }, false, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn relaxed(name: &str, value: &str) -> String {
        canonical(CanonicalizationAlgorithm::Relaxed, name, value.as_bytes())
    }

    fn simple(name: &str, value: &str) -> String {
        canonical(CanonicalizationAlgorithm::Simple, name, value.as_bytes())
    }

    #[test]
    fn relaxed_header_3_4_5() {
        assert_eq!(relaxed("A", " X"), "a:X\r\n");
        assert_eq!(relaxed("B ", " Y\t\n\tZ  "), "b:Y Z\r\n");
        assert_eq!(relaxed("B ", " Y\t\r\n\tZ  "), "b:Y Z\r\n");
    }

    #[test]
    fn simple_header_3_4_5() {
        assert_eq!(simple("A", " X"), "A: X\r\n");
        assert_eq!(simple("B ", " Y\t\n\tZ  "), "B : Y\t\r\n\tZ  \r\n");
        assert_eq!(simple("B ", " Y\t\r\n\tZ  "), "B : Y\t\r\n\tZ  \r\n");
    }

    #[test]
    fn a_value_of_white_space_alone_is_an_empty_one_3_4_2() {
        for value in ["", " ", "\t \n \n\t"] {
            assert_eq!(relaxed("Subject", value), "subject:\r\n");
        }
    }

    #[test]
    fn white_space_is_sp_and_tab_alone_2_8() {
        assert_eq!(relaxed("X", " a\x0b\x0c b\x0c"), "x:a\x0b\x0c b\x0c\r\n");
        assert_eq!(relaxed("X", " a\r b\r"), "x:a\r b\r\r\n");
    }

    #[test]
    fn the_space_that_the_mta_ate_comes_back() {
        let mut out = Vec::new();
        let field = Field {
            name: b"A",
            value: b"X",
        };
        write(CanonicalizationAlgorithm::Simple, field, true, &mut out);
        assert_eq!(out, b"A: X\r\n");
    }
}
