//! The message the load is made of: what a mail program and one relay before us
//! really write, so that header selection, unfolding and body canonicalization have
//! real work. Larger sizes carry an attachment in base64.

use crate::milter::mta::Message;

const TEXT: &str = "Dear colleagues,\r\n\
    \r\n\
    the figures for the third quarter are in the attached sheet. Please read \r\n\
    them before Thursday;  the auditors ask for the signed copy by the end of \r\n\
    the month, and the two open items on page 4 still want a decision.\r\n\
    \r\n\
    > Can somebody confirm the totals of the Hamburg branch?\r\n\
    Confirmed, see the second tab.  Nothing has changed since the draft.\t\r\n\
    \r\n";

/// Lines of base64 are 76 characters and CRLF (RFC 2045 §6.8).
const BASE64_LINE: usize = 76;

/// The header section, of a message that a relay of the author's has handled.
const TEMPLATE: &str = include_str!("message.eml");
const AUTHOR: &str = "ada@bench.example";
const DOMAIN: &str = "bench.example";

/// A message whose header section and body together are `size` bytes long on the
/// wire, or a little more when `size` is less than the header section and one line.
pub fn realistic(from: &str, size: usize) -> Message {
    let domain = from.rsplit_once('@').map_or(from, |(_, domain)| domain);
    let text = TEMPLATE.replace(AUTHOR, from).replace(DOMAIN, domain);
    let mut message = Message::parse(text.as_bytes());
    message.body = body(size.saturating_sub(message.to_bytes().len()));
    message
}

/// Text, then base64 up to exactly `size` bytes; never less than one line.
fn body(size: usize) -> Vec<u8> {
    let size = size.max("x\r\n".len());
    let mut body = Vec::with_capacity(size + TEXT.len());
    while body.len() < size.min(2048) {
        body.extend_from_slice(TEXT.as_bytes());
    }
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    while body.len() < size {
        for _ in 0..BASE64_LINE {
            body.push(base64_character(&mut state));
        }
        body.extend_from_slice(b"\r\n");
    }
    body.truncate(size - 2);
    // A line end cut in half would be a bare CR, which Postfix never sends.
    if body.last() == Some(&b'\r') {
        body.pop();
        body.push(b'x');
    }
    body.extend_from_slice(b"\r\n");
    body
}

/// xorshift64: only the look of base64 matters here.
fn base64_character(state: &mut u64) -> u8 {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    let index = usize::from((*state >> 32) as u8 & 63);
    ALPHABET.get(index).copied().unwrap_or(b'A')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_size_asked_for() {
        for size in (2400..2600).chain([4096, 51_200, 1 << 20]) {
            assert_eq!(realistic("ada@bench.example", size).to_bytes().len(), size);
        }
    }

    #[test]
    fn the_author_is_the_one_asked_for_and_nobody_else_is_left() {
        let message = realistic("root@signed.test", 4096);
        let text = String::from_utf8(message.to_bytes()).unwrap();
        assert!(text.contains("\r\nFrom: Ada Lovelace <root@signed.test>\r\n"));
        assert!(!text.contains("bench.example"));
        assert!(message.fields.len() > 20);
    }

    #[test]
    fn a_body_has_no_bare_cr_or_lf_and_no_over_long_line() {
        for size in 3..400 {
            let body = body(size);
            assert_eq!(body.len(), size);
            let text = String::from_utf8(body).unwrap();
            for line in text.strip_suffix("\r\n").unwrap().split("\r\n") {
                assert!(!line.contains(['\r', '\n']), "size {size}: {line:?}");
                assert!(line.len() <= 80, "size {size}: {line:?}");
            }
        }
    }
}
