//! The forms in which people have key records, read as they have them.

use super::*;

fn one(text: &str) -> (String, String) {
    let mut found = read(text).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    let (name, text) = found.remove(0);
    (name, String::from_utf8(text).unwrap())
}

fn error(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

const NAME: &str = "s1._domainkey.example.com";
const TEXT: &str = "v=DKIM1; k=rsa; p=ABCD";

#[test]
fn the_forms_of_a_record() {
    for form in [
        "s1._domainkey.example.com. 300 IN TXT ( \"v=DKIM1; k=rsa; \"\n    \"p=ABCD\" )\n",
        "s1._domainkey.example.com.\tIN 1h TXT \"v=DKIM1; k=rsa; p=\" \"ABCD\" ; comment\n",
        "s1._domainkey.example.com txt \"v=DKIM1\\; k=rsa\\; p=\\065BCD\"",
        "s1._domainkey.example.com \"v=DKIM1; k=rsa; p=ABCD\"\n",
        "# comment\ns1._domainkey.example.com\tv=DKIM1; k=rsa; p=ABCD\n",
        "s1._domainkey.example.com  v=DKIM1; k=rsa; p=ABCD\r\n",
        "$TTL 300\n$ORIGIN example.com.\ns1._domainkey TXT \"v=DKIM1; k=rsa; p=ABCD\"\n",
    ] {
        let (name, text) = one(form);
        assert_eq!(name.trim_end_matches('.'), NAME, "{form}");
        assert_eq!(text, TEXT, "{form}");
    }
}

#[test]
fn a_whole_zone_gives_its_text_records() {
    let zone = "$TTL 1h\n@ IN SOA ns.example.com. root.example.com. (\n 1 ; serial\n 2 3 4 5 )\n\
        \tIN NS ns.example.com.\nns IN A 192.0.2.1\n@ TXT \"v=spf1 -all\"\n\
        s1._domainkey.example.com. TXT \"v=DKIM1; p=\"\n  TXT \"second\"\n";
    let found = read(zone).unwrap();
    assert_eq!(
        found,
        [
            (format!("{NAME}."), b"v=DKIM1; p=".to_vec()),
            (format!("{NAME}."), b"second".to_vec()),
        ]
    );
}

#[test]
fn what_keygen_says_to_a_person_is_read() {
    let story = "Signing domain:  example.com\nPublish one TXT record.\n\
        Name:            s1._domainkey.example.com\nValue:\n\n\
        \"v=DKIM1; k=rsa; p=\" \"ABCD\"\n\nAmazon Route53: paste ...\n";
    assert_eq!(one(story), (NAME.to_owned(), TEXT.to_owned()));
}

/// What a name server makes of it, too.
#[test]
fn without_quotation_marks_a_zone_file_ends_at_the_semicolon() {
    assert_eq!(
        one("s1._domainkey.example.com. TXT v=DKIM1;k=rsa;p=ABCD").1,
        "v=DKIM1"
    );
}

#[test]
fn what_is_no_record_says_where_and_why() {
    assert_eq!(
        error("\ns1._domainkey IN TXT \"v=DKIM1\"\n"),
        "line 2: \"s1._domainkey\" is not the full name; write it with the domain, \
         s1._domainkey.example.com."
    );
    assert_eq!(
        error("\"v=DKIM1; p=\" \"AB\"\n"),
        "line 1: the text \"v=DKIM1; p=\" has no name before it"
    );
    assert_eq!(
        error("some words here\n"),
        "line 1: \"words\" is not a record type; expected NAME [TTL] [IN] TXT \"text\""
    );
    assert_eq!(
        error("a.b. TXT (\n\"x\"\n"),
        "line 1: the \"(\" of this record is never closed"
    );
    assert_eq!(
        error("a.b. TXT \"x\n"),
        "line 1: a quotation mark is never closed"
    );
    assert_eq!(error("a.b.\n"), "line 1: there is a name and nothing more");
}
