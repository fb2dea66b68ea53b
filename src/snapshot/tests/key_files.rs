//! Keys that the config names by their file.

use super::rules::with;
use super::*;

fn beside(directory: &tempfile::TempDir, mode: u32) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = directory.path().join("mail.private");
    std::fs::copy(directory.path().join("other.example/s1.pem"), &path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn a_key_file_signs_for_its_domain_under_any_name() {
    let directory = keys(&[("other.example", "s1")]);
    beside(&directory, 0o600);
    let key = "[[key]]\ndomain = \"example.com\"\nselector = \"mail\"\nfile = \"mail.private\"\n";
    let snapshot = with(&directory, key);
    assert_eq!(
        signatures(&decide(&snapshot, "a@example.com")),
        ["example.com/mail"]
    );
    assert_eq!(reason(&decide(&snapshot, "a@example.org")), Reason::NoRule);

    let rule = "[[rule]]\npattern = \"example.com\"\nselectors = [\"mail\"]\n";
    let snapshot = with(&directory, &format!("{key}{rule}"));
    assert_eq!(
        signatures(&decide(&snapshot, "a@example.com")),
        ["example.com/mail"]
    );
    assert!(snapshot.problems().is_empty(), "{:?}", snapshot.problems());
}

#[test]
fn a_key_file_stands_in_for_the_key_directory_s_with_its_selector() {
    let directory = keys(&[
        ("other.example", "s1"),
        ("example.com", "s1"),
        ("example.com", "s3"),
    ]);
    beside(&directory, 0o600);
    let key = |selector: &str| {
        format!(
            "[[key]]\ndomain = \"example.com\"\nselector = \"{selector}\"\nfile = \"mail.private\"\n"
        )
    };
    let snapshot = with(&directory, &[key("s2"), key("s1")].concat());
    let Decision::Sign { requests, .. } = decide(&snapshot, "a@example.com") else {
        panic!();
    };
    let selectors: Vec<_> = requests
        .iter()
        .map(|request| request.selector.as_str())
        .collect();
    assert_eq!(selectors, ["s1", "s2", "s3"]);
    let same = |a: usize, b: usize| requests[a].key.public_key() == requests[b].key.public_key();
    assert!(same(0, 1) && !same(0, 2));
}

#[test]
fn a_key_file_for_every_domain_signs_as_the_author_s() {
    let directory = keys(&[("other.example", "s1")]);
    beside(&directory, 0o600);
    let snapshot = with(
        &directory,
        "[[key]]\ndomain = \"*\"\nselector = \"any\"\nfile = \"mail.private\"\n\
         [[rule]]\npattern = \"*\"\nselectors = [\"any\"]\n",
    );
    assert_eq!(
        signatures(&decide(&snapshot, "a@x.example.net")),
        ["x.example.net/any"]
    );
}

#[test]
fn a_key_file_that_others_can_read_is_refused_unless_the_config_allows_it() {
    let directory = keys(&[("other.example", "s1")]);
    beside(&directory, 0o644);
    let key = "[[key]]\ndomain = \"*\"\nselector = \"any\"\nfile = \"mail.private\"\n";
    let snapshot = with(&directory, key);
    assert_eq!(
        reason(&decide(&snapshot, "a@example.com")),
        Reason::KeyUnusable
    );
    let told = snapshot
        .problems()
        .iter()
        .any(|p| p.to_string().contains("chmod 600"));
    assert!(told, "{:?}", snapshot.problems());

    let snapshot = with(&directory, &format!("require_safe_keys = false\n{key}"));
    assert_eq!(
        signatures(&decide(&snapshot, "a@example.com")),
        ["example.com/any"]
    );
}
