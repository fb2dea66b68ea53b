//! The departures that `judge` works around: each test fails without its workaround.

use super::*;

fn signature(tags: &str) -> Signature {
    let text = format!(
        "v=1; a=rsa-sha256; d=example.com; s=s1; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; \
         b=AAAA; {tags}"
    );
    Signature::parse(text.as_bytes()).unwrap()
}

fn hash(body: &[u8], tags: &str) -> Option<Vec<u8>> {
    body_hash(body, &signature(tags))
}

fn sha256(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(digest(&SHA256, bytes).as_ref().to_vec())
}

const RELAXED: &str = "h=from; c=relaxed/relaxed";
const SIMPLE: &str = "h=from; c=simple/simple";

/// stalwartlabs/mail-auth issue 62.
#[test]
fn white_space_lines_at_the_end_are_dropped_3_4_4() {
    assert_eq!(hash(b"Hello\r\n \r\n", RELAXED), sha256(b"Hello\r\n"));
    assert_eq!(
        hash(b"Hello\r\n\r\n\t \r\n\r\n", RELAXED),
        sha256(b"Hello\r\n")
    );
    assert_eq!(hash(b" \r\n", RELAXED), sha256(b""));
    assert_eq!(hash(b"\t", RELAXED), sha256(b""));
    assert_eq!(
        hash(b" \r\nHello \t\r\n", RELAXED),
        sha256(b"\r\nHello\r\n")
    );
    assert_eq!(hash(b"Hello\r\n \r\n", SIMPLE), sha256(b"Hello\r\n \r\n"));
}

#[test]
fn a_bare_cr_is_part_of_the_body_3_4_3() {
    assert_eq!(hash(b"a\rb\r\n", SIMPLE), sha256(b"a\rb\r\n"));
    assert_eq!(hash(b"a \rb\r\n", RELAXED), sha256(b"a \rb\r\n"));
}

#[test]
fn l_counts_canonicalized_bytes_3_5() {
    let tags = |l: u64| format!("{RELAXED}; l={l}");
    assert_eq!(hash(b"a \t b\r\nc", &tags(5)), sha256(b"a b\r\n"));
    assert_eq!(hash(b"a \t b\r\nc", &tags(0)), sha256(b""));
    assert_eq!(hash(b"a \t b\r\nc", &tags(8)), sha256(b"a b\r\nc\r\n"));
    assert_eq!(hash(b"a \t b\r\nc", &tags(9)), None);
}

fn bytes(message: &[u8], tags: &str) -> String {
    let field = format!("DKIM-Signature: v=1; {tags}; b=AAAA\r\n");
    let message = Message::read(&[field.as_bytes(), message].concat());
    let signed = signed_bytes(&message, &signature(tags), 0);
    let signed = String::from_utf8(signed).unwrap();
    let (fields, own) = signed.rsplit_once("\r\n").unwrap();
    assert!(own.ends_with("; b="), "{own}");
    format!("{fields}\r\n")
}

#[test]
fn form_feeds_and_bare_crs_are_part_of_a_field_3_4_2() {
    let message = b"From: a \x0cb\rc\r\n d\r\n\r\n";
    assert_eq!(bytes(message, RELAXED), "from:a \x0cb\rc d\r\n");
}

#[test]
fn a_field_is_found_with_white_space_before_its_colon_3_4_1() {
    let message = b"From : a\r\n\r\n";
    assert_eq!(bytes(message, SIMPLE), "From : a\r\n");
    assert_eq!(bytes(message, RELAXED), "from:a\r\n");
}

#[test]
fn a_signature_does_not_sign_itself_3_5() {
    let tags = "h=from:dkim-signature; c=relaxed/relaxed";
    let message = b"From: a\r\nDKIM-Signature: x=1\r\n\r\n";
    assert_eq!(bytes(message, tags), "from:a\r\ndkim-signature:x=1\r\n");
}

#[test]
fn names_in_h_are_taken_from_the_bottom_up_5_4_2() {
    let message = b"To: 1\r\nFrom: a\r\nTo: 2\r\n\r\n";
    let tags = |h: &str| format!("c=relaxed/relaxed; h=from:{h}");
    assert_eq!(bytes(message, &tags("to")), "from:a\r\nto:2\r\n");
    assert_eq!(
        bytes(message, &tags("to:to:to")),
        "from:a\r\nto:2\r\nto:1\r\n"
    );
}

/// Where no departure is known, mail-auth and the plain reading of the RFC must put
/// the same bytes together.
#[test]
fn mail_auth_and_the_plain_reading_agree() {
    use proptest::prelude::*;
    let piece = prop::sample::select(vec![
        " ", "\t", "  ", "\r\n", "\r\n ", "a", "b c", "\u{e9}", ".", "x: y", "\r\n\t",
    ]);
    let text = prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
    let fold = |text: &str| text.replace("\r\n", "\r\n\t");
    proptest!(|(value in text.clone(), body in text, relaxed in any::<bool>())| {
        let tags = if relaxed { RELAXED } else { SIMPLE };
        let signature = signature(tags);
        prop_assert_eq!(
            body_hash(body.as_bytes(), &signature),
            sha256(&plain::body(body.as_bytes(), signature.body_form))
        );
        let message = format!(
            "DKIM-Signature: v=1; {tags};\r\n\tb=AAAA\r\n BB; t=1\r\nFrom:{}\r\n\r\n",
            fold(&value)
        );
        let message = Message::read(message.as_bytes());
        prop_assert!(!departs(&message, &signature, 0));
        prop_assert_eq!(
            signed_bytes(&message, &signature, 0),
            plain::signed_bytes(&message, &signature, 0)
        );
    });
}
