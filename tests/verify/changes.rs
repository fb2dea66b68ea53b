//! What was done to a message after it was signed, found by undoing it.

use aws_lc_rs::digest::{SHA256, digest};
use base64ct::{Base64, Encoding};

use crate::run::with_records;
use crate::signed::*;

/// The words for a message that does not verify.
#[track_caller]
fn reason(message: &str) -> String {
    let said = with_records(message.as_bytes(), &records(), &[]);
    assert_eq!(said.code, 1, "{said:?}");
    said.verdict().to_owned()
}

/// A body that was signed, and what it has become.
#[track_caller]
fn body(form: &str, signed: &str, now: &str) -> String {
    let message = sign(FIELDS, signed, vec![request(&RSA, form)]);
    let head = message.strip_suffix(signed).unwrap();
    let reason = reason(&format!("{head}{now}"));
    let words = "FAIL: the body was changed after signing: ";
    reason.strip_prefix(words).unwrap_or(&reason).to_owned()
}

#[test]
fn lines_that_were_put_in_anywhere() {
    let form = "relaxed/relaxed";
    assert_eq!(
        body(form, "one\r\ntwo\r\n", "CAUTION\r\n\r\none\r\ntwo\r\n"),
        "2 lines were put before it"
    );
    assert_eq!(
        body(
            form,
            "--x\r\n\r\nHello\r\n--x--\r\n",
            "--x\r\n\r\nHello\r\n_____\r\nlist@example.org\r\n--x--\r\n"
        ),
        "2 lines were put behind its line 3"
    );
    // A body too large to try every place of: the start and the end alone.
    let large = "A line of forty bytes, to fill the body.\r\n".repeat(20_000);
    assert_eq!(
        body(form, &large, &format!("Banner\r\n{large}")),
        "one line was put before it"
    );
    assert_eq!(
        body(form, &large, &format!("{large}Footer\r\n")),
        "one line was added at its end"
    );
}

#[test]
fn text_that_was_encoded_anew() {
    let text = "Grüße, 你好.\r\n".repeat(9);
    let base64 = Base64::encode_string(text.as_bytes());
    let lines = base64.as_bytes().chunks(76);
    let lines: String = lines
        .map(|line| format!("{}\r\n", std::str::from_utf8(line).unwrap()))
        .collect();
    for form in ["relaxed/relaxed", "simple/simple"] {
        assert_eq!(
            body(form, &text, &lines),
            "the text was made base64; sign after that"
        );
        assert_eq!(
            body(form, &lines, &text),
            "base64 was made text; sign after that"
        );
    }
    assert_eq!(
        body(
            "relaxed/relaxed",
            "Grüße\r\n",
            "Gr=C3=BC=C3=9Fe\r\n-- \r\nAd\r\n"
        ),
        "2 lines were added at its end, and 8-bit text was made quoted-printable; sign after that, \
         or have the message quoted-printable before it is signed"
    );
}

/// What relaxed canonicalization would have forgiven.
#[test]
fn white_space_under_simple_3_4_3() {
    assert_eq!(
        body(
            "simple/simple",
            "Hello\r\n-- \r\nAnn\r\n",
            "Hello\r\n--\r\nAnn\r\n"
        ),
        "the space of the line \"-- \" was taken away; relaxed body canonicalization would forgive \
         that"
    );
    assert_eq!(
        body("simple/simple", "one\r\ntwo\r\n", "one \r\ntwo\t\r\n"),
        "white space was put at the ends of lines; relaxed body canonicalization would forgive that"
    );
}

/// A message with this `bh=`, and `more` tags, signed relaxed.
fn signed_by_hand(fields: &str, more: &str, hashed: &[u8]) -> String {
    let hash = Base64::encode_string(digest(&SHA256, hashed).as_ref());
    let field =
        format!("v=1; a=rsa-sha256; d=example.com; s=s1; h=from:subject; {more} bh={hash}; b=");
    let lines = fields.to_lowercase().replace(": ", ":");
    let bytes = format!("{lines}dkim-signature:{field}");
    let signature = Base64::encode_string(&RSA.sign(bytes.as_bytes()).unwrap());
    format!("DKIM-Signature: {field}{signature}\r\n{fields}")
}

const TWO: &str = "From: a@example.com\r\nSubject: one\r\n";

#[test]
fn signers_that_hash_what_they_do_not_say() {
    let said = |form: &str, more: &str, hashed: &str, body: &str| {
        let tags = format!("c=relaxed/{form};{more}");
        let message = signed_by_hand(TWO, &tags, hashed.as_bytes()) + "\r\n" + body;
        reason(&message)
    };
    let mend = "it is the signer that is to be mended";
    assert_eq!(
        said("simple", "", "a b\r\n", "a  b\r\n"),
        format!("FAIL: the signer hashed the body in the relaxed form, but c= says simple; {mend}")
    );
    assert_eq!(
        said("relaxed", "", "a  b\r\n", "a  b\r\n"),
        format!("FAIL: the signer hashed the body in the simple form, but c= says relaxed; {mend}")
    );
    assert_eq!(
        said("simple", " l=2;", "abcd\r\n", "abcd\r\n"),
        format!("FAIL: the signer hashed the whole body, but l= says that it signed less; {mend}")
    );
    assert_eq!(
        said("simple", "", "a\r\nb", "a\r\nb\r\n"),
        "FAIL: the signer hashed the body without its last line end; give the signer all of it"
    );
    assert_eq!(
        said("simple", "", "a\r\r\nb\r\r\n", "a\r\nb\r\n"),
        "FAIL: the signer hashed the body with lines that end in CR CR LF; give the signer CRLF"
    );
}

/// `l=` leaves the end open, and what is before it is searched all the same.
#[test]
fn a_body_that_is_signed_in_part_3_5() {
    let tags = "c=relaxed/simple; l=10;";
    let message = signed_by_hand(TWO, tags, b"From Rome,") + "\r\n";
    let good = with_records(
        format!("{message}From Rome, all\r\n").as_bytes(),
        &records(),
        &[],
    );
    assert_eq!(good.verdict(), "pass");
    assert_eq!(
        reason(&format!("{message}>From Rome, all\r\n")),
        "FAIL: the body was changed after signing: \">\" was put before lines that begin with \
         \"From \""
    );
}

#[test]
fn copies_of_fields_tell_what_was_changed_3_5() {
    let tags = "c=relaxed/simple; z=From:a@example.com|Subject:one;";
    let message = signed_by_hand(TWO, tags, b"hi\r\n") + "\r\nhi\r\n";
    let good = with_records(message.as_bytes(), &records(), &[]);
    assert_eq!(good.verdict(), "pass", "{good:?}");
    assert!(
        good.out
            .contains("copies of 2 header fields as they were when it was signed")
    );
    assert_eq!(
        reason(&message.replace("Subject: one", "Subject: two")),
        "FAIL: the field Subject was changed after signing; it was \"one\" (with that the \
         signature is good)"
    );
}

#[test]
fn an_encoding_that_was_declared_anew() {
    let fields = format!("{FIELDS}MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n");
    let message = sign(&fields, "hi\r\n", vec![request(&RSA, "relaxed/relaxed")]);
    assert_eq!(
        reason(&message.replace("Encoding: 8bit", "Encoding: 7bit")),
        "FAIL: the field Content-Transfer-Encoding was changed after signing; it was \"8bit\" (with \
         that the signature is good)"
    );
}
