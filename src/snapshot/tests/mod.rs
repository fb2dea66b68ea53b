use std::os::unix::fs::PermissionsExt;
use std::path::Path;

mod key_files;
mod rules;

use super::*;
use crate::config::OnFailure;
use crate::dkim::HeaderSection;
use crate::keys::{Algorithm, RsaSize, generate, write_new};
use crate::names::{DomainName, Selector};
use crate::policy::Decision;

fn put(directory: &Path, domain: &str, selector: &str, algorithm: Algorithm) {
    let pem = generate(algorithm).unwrap();
    let domain = DomainName::parse(domain).unwrap();
    write_new(
        directory,
        &domain,
        &Selector::parse(selector).unwrap(),
        &pem,
    )
    .unwrap();
}

/// A key directory with these Ed25519 keys, which are quick to make.
fn keys(names: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (domain, selector) in names {
        put(directory.path(), domain, selector, Algorithm::Ed25519);
    }
    directory
}

fn snapshot(directory: &tempfile::TempDir) -> Snapshot {
    let config = Config {
        keys: directory.path().to_owned(),
        ..Config::default()
    };
    Snapshot::load(config).unwrap()
}

fn decide(snapshot: &Snapshot, from: &str) -> Decision {
    let origin = Origin {
        client: Some("127.0.0.1".parse().unwrap()),
        ..Origin::default()
    };
    let mut section = HeaderSection::new();
    section.push(b"From", from.as_bytes());
    snapshot.decide(&origin, &[] as &[&[u8]], &section)
}

/// `d=`/`s=` of each signature, the top one first.
fn signatures(decision: &Decision) -> Vec<String> {
    match decision {
        Decision::Sign { requests, .. } => requests
            .iter()
            .map(|request| format!("{}/{}", request.domain, request.selector))
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn reason(decision: &Decision) -> Reason {
    match decision {
        Decision::Pass { reason, .. } | Decision::Fail { reason, .. } => *reason,
        Decision::Sign { .. } => panic!("it signs"),
    }
}

#[test]
fn a_key_enables_exactly_its_domain() {
    let directory = keys(&[("example.com", "s1")]);
    let snapshot = snapshot(&directory);
    assert_eq!(
        signatures(&decide(&snapshot, "a@example.com")),
        ["example.com/s1"]
    );
    assert_eq!(
        signatures(&decide(&snapshot, "a@EXAMPLE.COM")),
        ["example.com/s1"]
    );
    assert_eq!(
        reason(&decide(&snapshot, "a@sub.example.com")),
        Reason::NoRule
    );
    assert_eq!(reason(&decide(&snapshot, "a@com")), Reason::NoRule);
    assert_eq!(
        reason(&decide(&snapshot, "a@notexample.com")),
        Reason::NoRule
    );
}

#[test]
fn every_selector_signs_rsa_on_top() {
    let directory = keys(&[("example.com", "a"), ("example.com", "z")]);
    put(
        directory.path(),
        "example.com",
        "m",
        Algorithm::Rsa(RsaSize::Bits2048),
    );
    let found = signatures(&decide(&snapshot(&directory), "a@example.com"));
    assert_eq!(found, ["example.com/m", "example.com/a", "example.com/z"]);
}

#[test]
fn a_stranger_s_mail_is_not_ours_to_sign() {
    let directory = keys(&[("example.com", "s1")]);
    let mut section = HeaderSection::new();
    section.push(b"From", b"a@example.com");
    let stranger = Origin {
        client: Some("203.0.113.1".parse().unwrap()),
        ..Origin::default()
    };
    let decision = snapshot(&directory).decide(&stranger, &[] as &[&[u8]], &section);
    assert_eq!(reason(&decision), Reason::UntrustedClient);
}

#[test]
fn one_bad_key_never_stops_another_domain() {
    let directory = keys(&[("good.example", "s1"), ("bad.example", "s1")]);
    std::fs::write(directory.path().join("bad.example/s1.pem"), "no key").unwrap();
    let snapshot = snapshot(&directory);
    assert_eq!(
        signatures(&decide(&snapshot, "a@good.example")),
        ["good.example/s1"]
    );

    let decision = decide(&snapshot, "a@bad.example");
    let Decision::Fail {
        reason,
        detail,
        on_failure,
        ..
    } = decision
    else {
        panic!("{decision:?}");
    };
    assert_eq!(
        (reason, on_failure),
        (Reason::KeyUnusable, OnFailure::Tempfail)
    );
    assert!(detail.contains("bad.example/s1.pem"), "{detail}");

    let [problem] = snapshot.problems() else {
        panic!("{:?}", snapshot.problems());
    };
    assert_eq!(problem.severity, Severity::Error);
    assert!(
        problem.to_string().contains("bad.example/s1.pem"),
        "{problem}"
    );
    assert!(
        problem
            .to_string()
            .ends_with("mail of bad.example follows on_failure"),
        "{problem}"
    );
}

#[test]
fn a_bad_key_beside_a_good_one_is_told_of_and_the_good_one_signs() {
    let directory = keys(&[("example.com", "s1"), ("example.com", "s2")]);
    let open = directory.path().join("example.com/s2.pem");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    let snapshot = snapshot(&directory);
    assert_eq!(
        signatures(&decide(&snapshot, "a@example.com")),
        ["example.com/s1"]
    );
    let problem = snapshot.problems()[0].to_string();
    assert!(problem.contains("chmod 600"), "{problem}");
    assert!(
        problem.ends_with("mail is signed with the other keys of example.com"),
        "{problem}"
    );
}

#[test]
fn a_domain_whose_only_key_has_no_usable_name_is_not_signed_in_silence() {
    let directory = keys(&[("example.com", "s1")]);
    let bad = directory.path().join("example.com");
    std::fs::rename(bad.join("s1.pem"), bad.join("s 1.pem")).unwrap();
    let snapshot = snapshot(&directory);
    assert_eq!(
        reason(&decide(&snapshot, "a@example.com")),
        Reason::KeyUnusable
    );
}

#[test]
fn a_key_is_read_once() {
    let directory = keys(&[("example.com", "s1")]);
    let snapshot = snapshot(&directory);
    std::fs::remove_dir_all(directory.path()).unwrap();
    assert_eq!(
        signatures(&decide(&snapshot, "a@example.com")),
        ["example.com/s1"]
    );
}

#[test]
fn without_a_key_directory_there_is_no_snapshot() {
    let config = Config {
        keys: "/nonexistent/keys".into(),
        ..Config::default()
    };
    let error = Snapshot::load(config).unwrap_err().to_string();
    assert!(
        error.contains("/nonexistent/keys") && error.contains("keygen"),
        "{error}"
    );
}

#[test]
fn keys_that_nobody_asked_for_lately_do_not_stay_in_memory() {
    let names: Vec<String> = (0..40).map(|number| format!("d{number}.example")).collect();
    let pairs: Vec<_> = names.iter().map(|name| (name.as_str(), "s1")).collect();
    let directory = keys(&pairs);
    let open = || KeyDirectory::open(directory.path()).unwrap();
    let searched = KeyRing::search(open(), &mut Vec::new());
    for mut ring in [searched, KeyRing::by_name(open())] {
        ring.kept = 16;
        for name in names.iter().chain(&names) {
            let domain = DomainName::parse(name).unwrap();
            let found = ring.named(&domain, &[Selector::parse("s1").unwrap()]);
            assert_eq!(found.usable.len(), 1, "{name}: {:?}", found.troubles);
        }
        assert_eq!(ring.in_memory(), 16);
    }
}

#[test]
fn a_report_tells_what_each_key_is_and_what_is_in_trouble() {
    let directory = keys(&[("good.example", "s1"), ("bad.example", "s1")]);
    std::fs::write(directory.path().join("bad.example/s1.pem"), "no key").unwrap();
    let snapshot = snapshot(&directory);
    let mut reports = snapshot.key_reports();
    reports.sort_by(|a, b| a.domain.cmp(&b.domain));
    assert!(matches!(reports[0].state, KeyState::Unusable(_)));
    assert!(matches!(reports[1].state, KeyState::Usable(_)));
    let [trouble] = &snapshot.troubles()[..] else {
        panic!("{:?}", snapshot.troubles());
    };
    assert!(trouble.contains("bad.example/s1.pem"), "{trouble}");

    let nothing = tempfile::tempdir().unwrap();
    let config = Config {
        keys: nothing.path().to_owned(),
        ..Config::default()
    };
    assert!(Snapshot::load(config).unwrap().troubles()[0].contains("no key"));
}
