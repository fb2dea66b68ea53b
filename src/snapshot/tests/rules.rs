use super::*;
use crate::dkim::SignRequest;

/// A snapshot with this config text over the key directory.
pub(super) fn with(directory: &tempfile::TempDir, text: &str) -> Snapshot {
    let file = directory.path().join("signet.toml");
    let text = format!("keys = \".\"\n{text}");
    let config = Config::from_toml(&text, file.to_str().unwrap()).unwrap();
    let snapshot = Snapshot::load(config).unwrap();
    for problem in snapshot.problems() {
        assert!(!problem.to_string().is_empty());
    }
    snapshot
}

fn requests(decision: Decision) -> Vec<SignRequest> {
    match decision {
        Decision::Sign { requests, .. } => requests,
        other => panic!("{other:?}"),
    }
}

fn problems(snapshot: &Snapshot, severity: Severity) -> Vec<String> {
    let of = |problem: &&Problem| problem.severity == severity;
    let problems = snapshot.problems().iter().filter(of);
    problems.map(ToString::to_string).collect()
}

#[test]
fn a_rule_says_who_is_signed_with_what() {
    let directory = keys(&[
        ("example.com", "s1"),
        ("example.com", "s2"),
        ("example.org", "s1"),
    ]);
    let snapshot = with(
        &directory,
        "[[rule]]\npattern = \".example.com\"\ndomain = \"example.com\"\nselectors = [\"s2\", \"s1\"]\n\
         identity = \"@%d\"\ncanonicalization = \"simple/simple\"\nexpiry = \"1h\"\non_failure = \"reject\"\n",
    );
    let decision = decide(&snapshot, "a@x.example.com");
    assert_eq!(signatures(&decision), ["example.com/s2", "example.com/s1"]);
    let Decision::Sign {
        on_failure, rule, ..
    } = &decision
    else {
        panic!();
    };
    assert_eq!(
        (*on_failure, rule.as_deref()),
        (OnFailure::Reject, Some(".example.com"))
    );
    let request = &requests(decision)[0];
    assert_eq!(request.identity.as_deref(), Some("@x.example.com"));
    assert_eq!(request.canonicalization.to_string(), "simple/simple");
    assert_eq!(request.expiry, Some(std::time::Duration::from_secs(3600)));

    // With rules the key directory alone enables nothing.
    assert_eq!(reason(&decide(&snapshot, "a@example.com")), Reason::NoRule);
    assert_eq!(reason(&decide(&snapshot, "a@example.org")), Reason::NoRule);
}

#[test]
fn a_rule_for_any_domain_signs_those_that_have_a_key() {
    let directory = keys(&[("example.com", "s1")]);
    let snapshot = with(&directory, "[[rule]]\npattern = \"*\"\n");
    assert_eq!(
        signatures(&decide(&snapshot, "a@example.com")),
        ["example.com/s1"]
    );
    assert_eq!(reason(&decide(&snapshot, "a@example.org")), Reason::NoRule);
}

#[test]
fn multiple_rules_sign_side_by_side_and_no_key_twice() {
    let directory = keys(&[("example.com", "s1"), ("provider.example", "p1")]);
    let snapshot = with(
        &directory,
        "[[rule]]\npattern = \"*\"\ndomain = \"provider.example\"\nmultiple = true\n\
         [[rule]]\npattern = \"a@example.com\"\nmultiple = true\n[[rule]]\npattern = \"example.com\"\n",
    );
    let found = signatures(&decide(&snapshot, "a@example.com"));
    // The most specific one stands lowest, as OpenDKIM has it.
    assert_eq!(found, ["provider.example/p1", "example.com/s1"]);
    let found = signatures(&decide(&snapshot, "a@example.org"));
    assert_eq!(found, ["provider.example/p1"]);
}

#[test]
fn failure_belongs_to_the_rule() {
    let directory = keys(&[("good.example", "s1")]);
    let text = |on_failure: &str| {
        format!(
            "[[rule]]\npattern = \"*\"\ndomain = \"good.example\"\nmultiple = true\n\
             [[rule]]\npattern = \"bad.example\"\nselectors = \"s1\"\non_failure = \"{on_failure}\"\n"
        )
    };
    for (word, expected) in [
        ("tempfail", OnFailure::Tempfail),
        ("reject", OnFailure::Reject),
    ] {
        let snapshot = with(&directory, &text(word));
        let decision = decide(&snapshot, "a@bad.example");
        let Decision::Fail {
            reason,
            on_failure,
            rule,
            detail,
            ..
        } = decision
        else {
            panic!("{decision:?}");
        };
        assert_eq!((reason, on_failure), (Reason::KeyUnusable, expected));
        assert_eq!(rule.as_deref(), Some("bad.example"));
        assert!(
            detail.contains("signet keygen bad.example --selector s1"),
            "{detail}"
        );
        assert_eq!(
            signatures(&decide(&snapshot, "a@other.example")),
            ["good.example/s1"]
        );
    }
    // Unsigned for the one rule does not take away the signature of the other.
    let snapshot = with(&directory, &text("unsigned"));
    assert_eq!(
        signatures(&decide(&snapshot, "a@bad.example")),
        ["good.example/s1"]
    );
}

#[test]
fn a_key_that_a_rule_needs_and_has_not_is_told_of_at_start() {
    let directory = keys(&[("example.com", "s1"), ("unused.example", "s1")]);
    let snapshot = with(
        &directory,
        "[[rule]]\npattern = \"example.com\"\nselectors = [\"s1\", \"s2\"]\n[[rule]]\npattern = \"example.org\"\n",
    );
    let errors = problems(&snapshot, Severity::Error);
    assert_eq!(errors.len(), 2, "{errors:#?}");
    assert!(
        errors[0].contains("signet.toml:2: ") && errors[0].contains("--selector s2"),
        "{errors:#?}"
    );
    assert!(errors[0].ends_with("mail is signed with the other keys of example.com"));
    assert!(
        errors[1].contains("signet.toml:5: ") && errors[1].contains("signet keygen example.org")
    );
    assert!(errors[1].ends_with("mail of example.org follows on_failure = \"tempfail\""));
    let notes = problems(&snapshot, Severity::Note);
    assert!(
        notes.contains(&"no rule uses the keys of unused.example".to_owned()),
        "{notes:?}"
    );
}

#[test]
fn a_glob_rule_whose_selector_is_missing_somewhere_is_told_of_at_start() {
    let directory = keys(&[("example.com", "s1"), ("example.org", "s2")]);
    let snapshot = with(
        &directory,
        "[[rule]]\npattern = \"*\"\nselectors = \"s1\"\n",
    );
    let errors = problems(&snapshot, Severity::Error);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(
        errors[0].contains("signet keygen example.org --selector s1"),
        "{errors:#?}"
    );
}

#[test]
fn a_shadowed_rule_is_a_warning() {
    let directory = keys(&[("example.com", "s1")]);
    let rule = "[[rule]]\npattern = \"example.com\"\n";
    let snapshot = with(&directory, &format!("{rule}{rule}"));
    let warnings = problems(&snapshot, Severity::Warning);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("signet.toml:4: the rule for example.com never decides"));
    assert!(warnings[0].contains("signet.toml:2 comes first"));
}

#[test]
fn every_problem_is_told_once_those_of_loading_first() {
    let directory = keys(&[("d1.example", "s1")]);
    // More rules than have their keys read at start, one of them twice.
    let lines = (1..=1200).chain([7]);
    let lines = lines.map(|number| format!("d{number}.example %d s1\n"));
    std::fs::write(directory.path().join("table"), lines.collect::<String>()).unwrap();
    let snapshot = with(&directory, "rule_tables = \"table\"\n");
    let [shadowed] = snapshot.problems() else {
        panic!("{:?}", snapshot.problems());
    };
    let every = snapshot.every_problem();
    assert_eq!(every[0], *shadowed);
    let missing: Vec<_> = every[1..].iter().map(ToString::to_string).collect();
    assert_eq!(missing.len(), 1199);
    for (text, number) in missing.iter().zip(2..) {
        let place = format!("table:{number}: ");
        let key = format!("d{number}.example/s1.pem does not exist");
        assert!(text.contains(&place) && text.contains(&key), "{text}");
    }

    // With few, loading has told of everything.
    std::fs::write(directory.path().join("table"), "d2.example %d s1\n").unwrap();
    let snapshot = with(&directory, "rule_tables = \"table\"\n");
    assert_eq!(snapshot.problems().len(), 1);
    assert_eq!(snapshot.every_problem(), snapshot.problems());
}

#[test]
fn rules_come_from_tables_too() {
    let directory = keys(&[("example.com", "s1"), ("example.org", "s1")]);
    std::fs::write(
        directory.path().join("rules"),
        "example.com %d s1\n.example.com example.com s1\n",
    )
    .unwrap();
    let snapshot = with(
        &directory,
        "rule_tables = \"rules\"\n[[rule]]\npattern = \"example.org\"\nselectors = \"s1\"\n",
    );
    assert_eq!(
        signatures(&decide(&snapshot, "a@example.com")),
        ["example.com/s1"]
    );
    assert_eq!(
        signatures(&decide(&snapshot, "a@x.example.com")),
        ["example.com/s1"]
    );
    assert_eq!(
        signatures(&decide(&snapshot, "a@example.org")),
        ["example.org/s1"]
    );
    assert_eq!(snapshot.key_count(), 3);
}

#[test]
fn a_bad_table_is_no_snapshot_and_every_mistake_is_told() {
    let directory = keys(&[]);
    std::fs::write(directory.path().join("rules"), "example.com\n").unwrap();
    let text = "keys = \".\"\nrule_tables = [\"rules\", \"missing\", \".\"]\n";
    let file = directory.path().join("signet.toml");
    let config = Config::from_toml(text, file.to_str().unwrap()).unwrap();
    let error = Snapshot::load(config).unwrap_err().to_string();
    let lines: Vec<_> = error.lines().collect();
    assert!(
        lines[1].contains("rules:1: \"example.com\" has no second field"),
        "{error}"
    );
    assert!(
        lines[2].contains("missing: rule_tables: the table cannot be read"),
        "{error}"
    );
    assert!(lines[3].contains("is a directory"), "{error}");
}

#[test]
fn send_as_is_asked_of_logins_alone() {
    let directory = keys(&[("example.com", "s1")]);
    let config = |more: &str| {
        with(
            &directory,
            &format!("[send_as]\n{more}\n[send_as.logins]\nalice = \"alice@example.com\"\n"),
        )
    };
    let as_login = |snapshot: &Snapshot, login: Option<&[u8]>, from: &str| {
        let origin = Origin {
            client: Some("127.0.0.1".parse().unwrap()),
            login,
            auth_type: login.map(|_| &b"PLAIN"[..]),
            ..Origin::default()
        };
        let mut section = HeaderSection::new();
        section.push(b"From", from.as_bytes());
        snapshot.decide(&origin, &[] as &[&[u8]], &section)
    };
    let snapshot = config("");
    signatures(&as_login(&snapshot, Some(b"alice"), "alice@example.com"));
    let denied = as_login(&snapshot, Some(b"alice"), "bob@example.com");
    assert_eq!(reason(&denied), Reason::SendAsDenied);
    assert!(matches!(denied, Decision::Pass { .. }));
    assert_eq!(
        reason(&as_login(&snapshot, Some(b"bob"), "alice@example.com")),
        Reason::SendAsDenied
    );
    // Authenticated without a name: nobody can tell whose mail it is.
    let nameless = as_login(&snapshot, Some(b""), "alice@example.com");
    assert_eq!(reason(&nameless), Reason::SendAsDenied);
    signatures(&as_login(&snapshot, None, "bob@example.com"));

    let denied = as_login(
        &config("on_mismatch = \"reject\""),
        Some(b"alice"),
        "bob@example.com",
    );
    assert!(
        matches!(
            denied,
            Decision::Fail {
                on_failure: OnFailure::Reject,
                ..
            }
        ),
        "{denied:?}"
    );
}

#[test]
fn exclusions_come_before_the_rule() {
    let directory = keys(&[("example.com", "s1"), ("internal.example", "s1")]);
    let snapshot = with(
        &directory,
        "[trust]\nexcept = \"127.0.0.2\"\n[exclude]\nrecipients = \"archive@example.com\"\ndomains = \"internal.example\"\n",
    );
    assert!(snapshot.wants_recipients() && snapshot.wanted(true).connect_reply);
    assert_eq!(
        reason(&decide(&snapshot, "a@internal.example")),
        Reason::ExcludedDomain
    );
    let decide_from = |client: &str, recipients: &[&[u8]]| {
        let origin = Origin {
            client: Some(client.parse().unwrap()),
            login: Some(b"alice"),
            ..Origin::default()
        };
        let mut section = HeaderSection::new();
        section.push(b"From", b"a@example.com");
        snapshot.decide(&origin, recipients, &section)
    };
    signatures(&decide_from("127.0.0.1", &[b"b@example.com"]));
    let excluded = decide_from("127.0.0.1", &[b"b@example.com", b"Archive@example.com"]);
    assert_eq!(reason(&excluded), Reason::ExcludedRecipient);
    assert_eq!(
        reason(&decide_from("127.0.0.2", &[])),
        Reason::ExcludedNetwork
    );
    let client = "127.0.0.2".parse().ok();
    assert_eq!(
        snapshot.decide_client(client, None),
        Err(Reason::ExcludedNetwork)
    );
}
