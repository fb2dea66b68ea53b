//! Records of DMARC and what receivers make of them, by RFC 9989.

use super::*;

fn record(text: &str) -> Record {
    Record::read(text).unwrap()
}

fn wish(text: &str, author: Author) -> Option<(&'static str, &'static str)> {
    let wish = record(text).wish(author).ok()?;
    Some((wish.tag, wish.policy.name()))
}

#[test]
fn the_version_comes_first_and_in_capitals_4_7() {
    assert!(Record::read("v=DMARC1; p=none").is_some());
    assert!(Record::read(" V = DMARC1 ;p=none").is_some());
    for text in [
        "v=dmarc1; p=none",
        "p=none; v=DMARC1",
        "; v=DMARC1",
        "v=DMARC2",
        "v=DMARC1 p=none",
        "",
    ] {
        assert_eq!(Record::read(text), None, "{text}");
    }
}

#[test]
fn sp_and_np_count_below_and_p_where_they_are_not_there_4_10_1() {
    use Author::*;
    let all = "v=DMARC1; p=none; sp=quarantine; np=reject";
    assert_eq!(wish(all, Same), Some(("p", "none")));
    assert_eq!(wish(all, Below), Some(("sp", "quarantine")));
    assert_eq!(wish(all, Missing), Some(("np", "reject")));
    let two = "v=DMARC1; p=none; sp=reject";
    assert_eq!(wish(two, Missing), Some(("sp", "reject")));
    let one = "v=DMARC1; p=Reject";
    assert_eq!(wish(one, Below), Some(("p", "reject")));
    assert_eq!(wish(one, Missing), Some(("p", "reject")));
}

#[test]
fn a_policy_that_is_none_spoils_the_record_and_one_that_is_missing_is_none_4_10_1() {
    let flaw = |text: &str| record(text).wish(Author::Same).unwrap_err();
    assert!(flaw("v=DMARC1; p=rejekt; rua=mailto:a@b.example").contains("p=rejekt"));
    assert!(flaw("v=DMARC1; p=reject; np=no").contains("np=no"));
    assert!(flaw("v=DMARC1; rua=a@b.example").contains("no policy"));
    let reports = "v=DMARC1; rua=mailto:a@b.example";
    assert_eq!(wish(reports, Author::Same), Some(("p", "none")));
}

#[test]
fn test_mode_is_one_level_milder_4_7() {
    assert!(record("v=DMARC1; p=reject; t=y").is_tried_out());
    assert!(!record("v=DMARC1; p=reject; t=yes").is_tried_out());
    assert_eq!(Policy::Reject.milder(), Policy::Quarantine);
    assert_eq!(Policy::Quarantine.milder(), Policy::None);
}

#[test]
fn what_is_obsolete_is_taken_out() {
    let old =
        record("v=DMARC1;p=reject; pct=50; RI=3600; rua=mailto:a@b.example!10m,mailto:c@b.example");
    assert_eq!(old.obsolete(), ["pct", "ri", "the size limit (!) in rua"]);
    assert!(old.is_partial());
    let new = "v=DMARC1; p=reject; rua=mailto:a@b.example,mailto:c@b.example";
    assert_eq!(old.renewed().to_string(), new);
    assert_eq!(record(new).obsolete(), [""; 0]);
}

#[test]
fn what_receivers_pass_over_is_found() {
    let wrong = record(
        "v=DMARC1; p=none; adkim=strict; reject; rau=mailto:a@b.example; rua=a@b.example; t=1",
    );
    assert_eq!(
        wrong.passed_over(),
        [
            "adkim=strict is none of r, s",
            "\"reject\" is no tag",
            "rau= is no tag of DMARC",
            "rua: \"a@b.example\" lacks mailto:",
            "t=1 is none of y, n",
        ]
    );
    let right = "v=DMARC1; p=none; sp=none; np=none; adkim=S; aspf=r; fo=1; psd=u; t=n; pct=1; rua=mailto:a@b.example?a=b, https://c.example";
    assert_eq!(record(right).passed_over(), [""; 0]);
    assert_eq!(record(right).report_domains(), ["b.example"]);
}

#[test]
fn a_tag_is_put_where_it_belongs() {
    let old = record("v=DMARC1; sp=none; p=none");
    assert_eq!(
        old.with("p", "reject").to_string(),
        "v=DMARC1; sp=none; p=reject"
    );
    assert_eq!(
        old.without(&["p"]).with("p", "reject").to_string(),
        "v=DMARC1; p=reject; sp=none"
    );
    assert_eq!(
        old.with("t", "y").to_string(),
        "v=DMARC1; sp=none; p=none; t=y"
    );
}
