//! Header canonicalization against the rule written down in the plainest way.

use signet::dkim::CanonicalizationAlgorithm::{Relaxed, Simple};
use signet::dkim::{Field, canonicalize_field};

/// A name and a value, with the first colon between them.
pub fn run(data: &[u8]) {
    let mut parts = data.splitn(2, |&byte| byte == b':');
    let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
        return;
    };
    let field = Field { name, value };

    // RFC 6376 §3.4.1, over the bytes of the wire.
    let wire = replace(&replace(value, b"\r\n", b"\n"), b"\n", b"\r\n");
    assert_eq!(
        canonicalize_field(Simple, field),
        [name, b":", &wire, b"\r\n"].concat()
    );

    // RFC 6376 §3.4.2.
    let unfolded = replace(&replace(value, b"\r\n", b""), b"\n", b"");
    let mut spaced = replace(&unfolded, b"\t", b" ");
    spaced.dedup_by(|a, b| (*a, *b) == (b' ', b' '));
    let spaced = spaced.strip_prefix(b" ").unwrap_or(&spaced);
    let spaced = spaced.strip_suffix(b" ").unwrap_or(spaced);
    let mut name = name.to_ascii_lowercase();
    while name.ends_with(b" ") || name.ends_with(b"\t") {
        name.pop();
    }
    let relaxed = canonicalize_field(Relaxed, field);
    assert_eq!(relaxed, [&name, &b":"[..], spaced, b"\r\n"].concat());
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((byte, more)) = rest.split_first() {
        if let Some(more) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = more;
        } else {
            out.push(*byte);
            rest = more;
        }
    }
    out
}
