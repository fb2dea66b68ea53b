//! Canonicalization against the rule written down in the plainest way: the oracles of
//! the fuzz targets, over bodies and fields in which everything that matters is
//! frequent.

use proptest::collection::vec;
use proptest::prelude::*;

#[path = "../fuzz/entry/body_canonicalization.rs"]
mod body;
#[path = "../fuzz/entry/header_canonicalization.rs"]
mod header;

/// Short pieces of every kind, several times over, and long ones that fill whole
/// blocks of the scanner.
fn dense() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(" ".to_owned()),
        2 => Just("\t".to_owned()),
        4 => Just("\r\n".to_owned()),
        1 => Just("\r".to_owned()),
        1 => Just("\n".to_owned()),
        6 => Just("word".to_owned()),
        1 => Just("\x0b".to_owned()),
        1 => Just("\u{e9}".to_owned()),
        1 => Just("quiet words ".repeat(6)),
        1 => Just(" ".repeat(70)),
        1 => Just("\r\n".repeat(40)),
    ];
    let repeated = (piece, 1..4usize).prop_map(|(piece, times)| piece.repeat(times));
    vec(repeated, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

/// Text as people write it: little to change, far apart.
fn sparse() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => Just("and some more words"),
        2 => Just("\r\n"),
        1 => Just(" \r\n"),
        1 => Just("  "),
        1 => Just("\t"),
        1 => Just("\n"),
    ];
    vec(piece, 0..80).prop_map(|pieces| pieces.concat().into_bytes())
}

/// The bytes that matter and one that does not, in patterns long enough for whole
/// blocks of any of them.
fn patterns() -> impl Strategy<Value = Vec<u8>> {
    let pattern = vec(prop::sample::select(b" \t\r\na".as_slice()), 1..5);
    let line = prop_oneof![pattern, Just(b" \r\n".to_vec()), Just(b"a\r\n".to_vec())];
    let repeated = (line, 1..80usize).prop_map(|(line, times)| line.repeat(times));
    vec(repeated, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn a_body_in_any_chunks_is_the_obvious_one(
        text in prop_oneof![dense(), sparse(), patterns()],
        length in prop_oneof![Just(1), 2..=255u8],
    ) {
        body::run(&[&[length], text.as_slice()].concat());
    }

    #[test]
    fn a_field_is_the_obvious_one(text in dense()) {
        header::run(&[b"Name : ", text.as_slice()].concat());
    }
}

/// The scanner looks at 64 bytes at once; what matters may lie across its borders.
#[test]
fn whatever_changes_changes_at_every_offset() {
    let patterns = [
        " \rb",
        "\t\r\r\n",
        " \n",
        "\n",
        "\r",
        " \r\n",
        "  ",
        "\t",
        " \t\rb",
        "a \x0b",
        " \n\n\t\nb",
        "a  b  c  d  e  f\tg",
        "\r\n\r\n \r\n",
    ];
    for pattern in patterns {
        for offset in 1..140 {
            let text = "x".repeat(offset) + pattern + &"y".repeat(70);
            body::run(&[&[255], text.as_bytes()].concat());
        }
    }
}
