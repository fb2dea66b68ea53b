//! DMARC by the tree walk of RFC 9989: whose record counts, and which signatures count with it.

use std::fs;

use crate::patient::{Findings, Patient, bind, bind_with};

const KIND: [&str; 1] = ["dmarc-"];

/// An organization whose record is at its own name, with a part that stands alone (`unit`), and one too deep to be found.
const ORG: &str = "_dmarc TXT \"v=DMARC1; p=reject; sp=none; np=quarantine; rua=mailto:a@unit.org.test\"\n\
    mail A 192.0.2.1\nx.unit A 192.0.2.1\nmail.a.b.c.d.e.f.g A 192.0.2.1\n\
    _dmarc.unit TXT \"v=DMARC1; p=reject; psd=n\"\n\
    org.test._report._dmarc.unit TXT \"v=DMARC1\"\n\
    _dmarc.b.c.d.e.f.g TXT \"v=DMARC1; p=reject; psd=n\"\n";

/// What doctor says of mail from a domain that another one signs.
fn look(patient: &Patient, server: std::net::SocketAddr, domain: &str, signer: &str) -> Findings {
    patient.give("ed25519", signer, "s1");
    let file = patient.place.directory.path().join("signet.toml");
    let rule = format!("[[rule]]\npattern = \"{domain}\"\ndomain = \"{signer}\"\n");
    fs::write(&file, rule).unwrap();
    let arguments = format!("{domain} --config {}", file.display());
    patient.findings(&arguments, server, &[])
}

/// Asserts that these and no other findings about DMARC are there; of the first, what is about this subject and says this.
fn told(found: &Findings, codes: &[&str], subject: &str, words: &str) {
    assert_eq!(found.codes_of(&KIND), codes, "{}", found.text);
    let entries = found.by_subject.get(subject).into_iter().flatten();
    let what = entries.clone().find(|(code, ..)| code == codes[0]);
    let (_, what, _) = what.unwrap_or_else(|| panic!("{subject}: {}", found.text));
    assert!(what.contains(words), "{what}");
}

#[test]
fn below_an_organization_its_record_counts_and_its_signatures() {
    let Some((server, _home)) = bind(&[("org.test", Some(ORG))]) else {
        return;
    };
    let patient = Patient::new();
    let look = |domain: &str, signer: &str| look(&patient, server.address, domain, signer);
    let aligned = ["dmarc-none"];
    let policy = "sp=none: receivers report";
    // Signed above, beside, and below.
    for signer in ["org.test", "news.org.test", "deep.mail.org.test"] {
        let found = look("mail.org.test", signer);
        told(&found, &aligned, "_dmarc.org.test", policy);
    }
    let found = look("org.test", "mail.org.test");
    assert_eq!(found.codes_of(&KIND), [""; 0], "{}", found.text);
    let found = look("mail.org.test", "example.test");
    let codes = ["dmarc-alignment", "dmarc-none"];
    let mut sorted = found.codes_of(&KIND);
    sorted.sort_unstable();
    assert_eq!(sorted, codes, "{}", found.text);
    assert!(
        found
            .text
            .contains("it belongs to example.test, and mail.org.test to org.test"),
        "{}",
        found.text
    );
    // DNS knows no such name: neither p nor sp counts.
    let found = look("nothing.org.test", "org.test");
    let words = "nothing.org.test does not exist in DNS, so that np=quarantine counts";
    told(&found, &["dmarc-no-domain"], "_dmarc.org.test", words);
}

#[test]
fn psd_n_parts_a_domain_from_the_organization_above_it() {
    let Some((server, _home)) = bind(&[("org.test", Some(ORG))]) else {
        return;
    };
    let patient = Patient::new();
    let look = |domain: &str, signer: &str| look(&patient, server.address, domain, signer);
    for domain in ["unit.org.test", "x.unit.org.test"] {
        for signer in ["unit.org.test", "y.unit.org.test"] {
            let found = look(domain, signer);
            assert_eq!(found.codes_of(&KIND), [""; 0], "{}", found.text);
        }
        let found = look(domain, "org.test");
        let words = format!("it belongs to org.test, and {domain} to unit.org.test");
        told(&found, &["dmarc-alignment"], "_dmarc.unit.org.test", &words);
    }
}

#[test]
fn below_a_public_suffix_every_name_is_an_organization() {
    let zones = [
        (
            "bank",
            Some("_dmarc TXT \"v=DMARC1; p=reject; np=reject; psd=y\"\n"),
        ),
        ("one.bank", Some("mail A 192.0.2.1\n")),
        (
            "two.bank",
            Some("mail A 192.0.2.1\n_dmarc TXT \"v=DMARC1; p=reject\"\n"),
        ),
    ];
    let Some((server, _home)) = bind(&zones) else {
        return;
    };
    let patient = Patient::new();
    let look = |domain: &str, signer: &str| look(&patient, server.address, domain, signer);
    let found = look("mail.two.bank", "two.bank");
    assert_eq!(found.codes_of(&KIND), [""; 0], "{}", found.text);
    let found = look("mail.one.bank", "one.bank");
    let words = "receivers go by that of the public suffix bank";
    told(&found, &["dmarc-missing"], "_dmarc.one.bank", words);
    let found = look("mail.two.bank", "one.bank");
    let words = "it belongs to one.bank, and mail.two.bank to two.bank";
    told(&found, &["dmarc-alignment"], "_dmarc.two.bank", words);
}

/// The names are those of the server's own log.
#[test]
fn of_a_long_name_eight_are_asked_for() {
    let log = "logging { channel log { file \"queries\"; }; category queries { log; }; };";
    let zones = [("org.test", Some(ORG)), ("test", Some(""))];
    let Some((server, home)) = bind_with("recursion no; querylog yes;", &zones, log) else {
        return;
    };
    let patient = Patient::new();
    let domain = "mail.a.b.c.d.e.f.g.org.test";
    let found = look(&patient, server.address, domain, domain);
    told(&found, &["dmarc-none"], "_dmarc.org.test", "sp=none");
    let log = fs::read_to_string(home.path().join("queries")).unwrap();
    let mut asked: Vec<_> = log
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("_dmarc."))
        .collect();
    asked.sort_by_key(|name| (usize::MAX - name.len(), *name));
    assert_eq!(
        asked,
        [
            domain,
            "c.d.e.f.g.org.test",
            "d.e.f.g.org.test",
            "e.f.g.org.test",
            "f.g.org.test",
            "g.org.test",
            "org.test",
            "test"
        ]
    );
}

#[test]
fn a_walk_that_is_broken_off_comes_to_no_verdict() {
    let zones = [
        ("broken.test", None),
        ("mail.broken.test", Some("@ A 192.0.2.1\n")),
        (
            "own.broken.test",
            Some("_dmarc TXT \"v=DMARC1; p=reject\"\n"),
        ),
    ];
    let Some((server, _home)) = bind(&zones) else {
        return;
    };
    let patient = Patient::new();
    let look = |domain: &str, signer: &str| look(&patient, server.address, domain, signer);
    let words = "TXT of _dmarc.broken.test (asked";
    let found = look("mail.broken.test", "mail.broken.test");
    told(&found, &["dmarc-unknown"], "_dmarc.mail.broken.test", words);
    // The own record and the own signature need no walk; another's does.
    let found = look("own.broken.test", "own.broken.test");
    assert_eq!(found.codes_of(&KIND), [""; 0], "{}", found.text);
    let found = look("own.broken.test", "mail.broken.test");
    told(&found, &["dmarc-unknown"], "_dmarc.own.broken.test", words);
}

#[test]
fn what_a_record_says_in_vain_is_told() {
    let record = |text: &str| format!("_dmarc TXT \"v=DMARC1; {text}\"\n");
    let records = [
        ("testing", record("p=reject; t=y")),
        ("partial", record("p=reject; pct=50")),
        ("value", record("p=reject; adkim=strict")),
        ("suffix", record("p=reject; psd=y")),
        ("size", record("p=reject; rua=mailto:a@size.test!10m")),
        (
            "org",
            record("p=reject") + "_dmarc.below TXT \"v=DMARC1; p=reject; sp=none\"\n",
        ),
    ];
    let zones: Vec<_> = records
        .iter()
        .map(|(name, records)| (format!("{name}.test"), records.as_str()))
        .collect();
    let zones: Vec<_> = zones
        .iter()
        .map(|(name, records)| (name.as_str(), Some(*records)))
        .collect();
    let Some((server, _home)) = bind(&zones) else {
        return;
    };
    let patient = Patient::new();
    for (domain, code, words, mend) in [
        (
            "testing.test",
            "dmarc-testing",
            "receivers treat p=reject as quarantine",
            "\"v=DMARC1; p=reject\"",
        ),
        (
            "partial.test",
            "dmarc-obsolete",
            "pct is no longer in use",
            "\"v=DMARC1; p=reject; t=y\"",
        ),
        (
            "value.test",
            "dmarc-ignored",
            "adkim=strict is none of r, s",
            "adkim=strict",
        ),
        (
            "suffix.test",
            "dmarc-psd",
            "psd=y says",
            "\"v=DMARC1; p=reject\"",
        ),
        (
            "size.test",
            "dmarc-obsolete",
            "the size limit (!) in rua",
            "rua=mailto:a@size.test\"",
        ),
        (
            "below.org.test",
            "dmarc-ignored",
            "sp counts in the record of the organizational domain only, which is org.test",
            "\"v=DMARC1; p=reject\"",
        ),
    ] {
        let found = look(&patient, server.address, domain, domain);
        let subject = format!("_dmarc.{domain}");
        told(&found, &[code], &subject, words);
        let mends = found.by_subject[&subject].iter();
        let mends: Vec<_> = mends.map(|(_, _, mend)| mend.as_str()).collect();
        assert!(mends.concat().contains(mend), "{mends:?}");
    }
}
