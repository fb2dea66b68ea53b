//! Configurations and key files that are wrong. No name server is needed: nothing of these is ever asked for.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::patient::{DOMAIN, Findings, Patient};
use crate::place::stderr;

const NOBODY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// The findings about configuration and keys; those about DNS are others' business.
fn found(patient: &Patient, arguments: &str) -> Vec<String> {
    let found = patient.findings(arguments, NOBODY, &[]);
    let codes = found.codes().into_iter();
    codes
        .filter(|code| !code.starts_with("dns-"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn key_files_that_cannot_be_used_are_told_one_by_one() {
    let made = |spoil: &dyn Fn(&Patient)| {
        let patient = Patient::new();
        spoil(&patient);
        found(&patient, DOMAIN)
    };
    assert_eq!(made(&|_| {}), ["key-directory"]);
    assert_eq!(
        made(&|patient| fs::create_dir_all(patient.place.keys()).unwrap()),
        ["key-missing"]
    );
    assert_eq!(
        made(&|patient| {
            patient.give("rsa", "example.org", "s1");
        }),
        ["key-missing"]
    );
    assert_eq!(
        made(&|patient| {
            let path = patient.give("rsa", DOMAIN, "s1");
            fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        }),
        ["key-permissions"]
    );
    assert_eq!(
        made(&|patient| {
            let path = patient.give("rsa", DOMAIN, "s1");
            let text = fs::read(&path).unwrap();
            fs::write(&path, &text[..text.len() / 2]).unwrap();
        }),
        ["key-broken"]
    );
    assert_eq!(
        made(&|patient| {
            let path = patient.give("rsa", DOMAIN, "s1");
            fs::rename(&path, path.with_file_name("my key.pem")).unwrap();
        }),
        ["key-name"]
    );
    assert_eq!(
        made(&|patient| {
            let path = patient.give("rsa", DOMAIN, "s1");
            symlink("/nonexistent/key.pem", path.with_file_name("s2.pem")).unwrap();
        }),
        ["key-unreadable"]
    );
    assert_eq!(
        made(&|patient| {
            patient.give("weak", DOMAIN, "s1");
        }),
        ["key-weak"]
    );
}

#[test]
fn mistakes_in_the_configuration_are_told_with_their_place() {
    let patient = Patient::new();
    patient.give("rsa", DOMAIN, "s1");
    let file = patient.place.directory.path().join("signet.toml");
    let with = |text: &str| {
        fs::write(&file, text).unwrap();
        patient.findings(
            &format!("{DOMAIN} --config {}", file.display()),
            NOBODY,
            &[],
        )
    };
    let about = |found: &Findings| -> Vec<String> {
        let codes = found.about(&file.display().to_string());
        codes.into_iter().map(str::to_owned).collect()
    };
    let mistake = with("# one\nlisten = 7\n");
    assert_eq!(about(&mistake), ["config-mistake"]);
    assert!(mistake.text.contains("signet.toml:2"), "{}", mistake.text);
    assert_eq!(mistake.code, Some(1));
    let twice = "[[rule]]\npattern = \"example.com\"\n[[rule]]\npattern = \"example.com\"\n";
    assert_eq!(about(&with(twice)), ["config-warning"]);
    let absent = "[[rule]]\npattern = \"example.org\"\ndomain = \"example.org\"\n";
    let absent = with(absent);
    assert!(
        about(&absent).contains(&"config-problem".to_owned()),
        "{}",
        absent.text
    );
}

#[test]
fn what_cannot_be_run_is_no_verdict() {
    let patient = Patient::new();
    let output = patient.doctor("--config /nonexistent/signet.toml", NOBODY, &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(stderr(&output).contains("cannot read /nonexistent/signet.toml"));
}
