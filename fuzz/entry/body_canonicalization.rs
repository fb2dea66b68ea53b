//! The streaming body canonicalizer against the rule written down in the plainest way,
//! over the whole body at once, and at any split.

use signet::dkim::CanonicalizationAlgorithm::{self, Relaxed, Simple};
use signet::dkim::{BodyCanonicalizer, canonicalize_body};

/// The first byte is the length of the chunks, the rest the body.
pub fn run(data: &[u8]) {
    let Some((length, body)) = data.split_first() else {
        return;
    };
    for algorithm in [Simple, Relaxed] {
        let expected = obvious(algorithm, body);
        assert_eq!(canonicalize_body(algorithm, body), expected);
        assert_eq!(in_chunks(algorithm, body, *length), expected);
        assert_eq!(canonicalize_body(algorithm, &expected), expected);
    }
}

fn in_chunks(algorithm: CanonicalizationAlgorithm, body: &[u8], length: u8) -> Vec<u8> {
    let mut canonical = Vec::new();
    let mut out = |piece: &[u8]| canonical.extend_from_slice(piece);
    let mut canonicalizer = BodyCanonicalizer::new(algorithm);
    for chunk in body.chunks(usize::from(length).max(1)) {
        canonicalizer.update(chunk, &mut out);
    }
    canonicalizer.finish(&mut out);
    canonical
}

/// RFC 6376 §3.4.3 and §3.4.4; a bare LF is a line end, a bare CR is not.
fn obvious(algorithm: CanonicalizationAlgorithm, body: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = body.split(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
    let unended = lines.pop();
    for line in &mut lines {
        if line.ends_with(b"\r") {
            line.pop();
        }
    }
    lines.extend(unended);
    if algorithm == Relaxed {
        for line in &mut lines {
            for byte in line.iter_mut().filter(|byte| **byte == b'\t') {
                *byte = b' ';
            }
            line.dedup_by(|a, b| (*a, *b) == (b' ', b' '));
            if line.ends_with(b" ") {
                line.pop();
            }
        }
    }
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    if lines.is_empty() && algorithm == Simple {
        lines.push(Vec::new());
    }
    lines
        .iter()
        .flat_map(|line| [line, &b"\r\n"[..]].concat())
        .collect()
}
