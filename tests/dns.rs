//! `signet dns`: the records of keys that are there, and what it says of those that are
//! not.
#![allow(clippy::unwrap_used, reason = "tests may fail by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

mod left_out;
mod place;

use place::{Place, SIGNET, stderr, stdout};

fn with_keys(names: &[(&str, &str)]) -> Place {
    let place = Place::new();
    for (domain, selector) in names {
        place.ok(&format!(
            "keygen {domain} --selector {selector} --algorithm ed25519"
        ));
    }
    place
}

#[test]
fn every_key_of_the_domain_is_shown_unless_one_is_named() {
    let place = with_keys(&[
        ("a.example", "s2"),
        ("a.example", "s1"),
        ("b.example", "s3"),
    ]);
    let all = place.ok("dns A.example --format bind");
    let names: Vec<_> = all
        .lines()
        .map(|line| line.split_once(". 300 IN TXT (").unwrap().0)
        .collect();
    assert_eq!(
        names,
        ["s1._domainkey.a.example", "s2._domainkey.a.example"]
    );
    let one = place.ok("dns a.example --selector S2 --format bind");
    assert_eq!(one.lines().next(), all.lines().nth(1));
    let story = place.ok("dns a.example");
    assert_eq!(story.matches("Publish one TXT record.").count(), 2);
}

#[test]
fn what_is_absent_is_answered_with_what_there_is() {
    let place = with_keys(&[
        ("a.example", "s1"),
        ("a.example", "s2"),
        ("b.example", "s1"),
    ]);
    let said = place.refused("dns a.example --selector s9");
    assert!(said.contains("no key with the selector s9"), "{said}");
    assert!(said.contains("there is: s1, s2\n"), "{said}");
    let said = place.refused("dns c.example");
    assert!(
        said.contains("there are keys for: a.example, b.example\n"),
        "{said}"
    );

    fs::rename(
        place.key("b.example", "s1"),
        place.keys().join("b.example/s1.private"),
    )
    .unwrap();
    let said = place.refused("dns b.example");
    assert!(
        said.contains("s1.private is passed over: the name of a key ends in .pem"),
        "{said}"
    );
}

#[test]
fn without_a_key_directory_it_says_so() {
    let said = Place::new().refused("dns a.example");
    assert!(
        said.contains("does not exist; \"signet keygen\" makes it"),
        "{said}"
    );
}

#[test]
fn a_key_that_cannot_be_used_is_named_and_the_others_are_shown() {
    let place = with_keys(&[("a.example", "s1"), ("a.example", "s2")]);
    let open = place.key("a.example", "s1");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let output = place.signet("dns a.example --format bind");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stdout(&output).starts_with("s2._domainkey"), "{output:?}");
    let said = stderr(&output);
    assert!(
        said.contains(&format!("run: chmod 600 {}", open.display())),
        "{said}"
    );

    let output = place.signet("dns a.example --selector s1");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(stdout(&output), "");
}

/// The keys and the records of RFC 8463 appendix A.
#[test]
fn the_published_keys_give_the_published_records_8463_a() {
    let place = Place::new();
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys/football.example.com");
    let domain = place.keys().join("football.example.com");
    fs::create_dir_all(&domain).unwrap();
    for name in ["brisbane.pem", "test.pem"] {
        let key = domain.join(name);
        fs::copy(published.join(name), &key).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(
        place.ok("dns football.example.com --format plain"),
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
         v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a\
         5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3\
         rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\n"
    );
    let story = place.ok("dns football.example.com --selector test");
    assert!(story.contains("less than 2048 bits is weak"), "{story}");
}

/// Keys made as root and a daemon that is another user: the usual beginner's trap.
#[test]
fn a_key_of_another_user_is_said_to_be_his() {
    let place = with_keys(&[("a.example", "s1")]);
    let key = place.key("a.example", "s1");
    if !left_out::is_root() {
        return;
    }
    let program = place.directory.path().join("signet");
    fs::copy(SIGNET, &program).unwrap();
    for path in [
        place.directory.path().to_owned(),
        place.directory.path().join("state"),
        place.keys(),
        place.keys().join("a.example"),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let output = Command::new(program)
        .args(["dns", "a.example", "--keys"])
        .arg(place.keys())
        .current_dir("/")
        .uid(65534)
        .gid(65534)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = stderr(&output);
    let whose = "(it belongs to user id 0, this is user id 65534)";
    assert!(said.contains(whose), "{said}");
    let remedy = format!("run: chown 65534 {}", key.display());
    assert!(said.contains(&remedy), "{said}");
}

#[test]
fn a_format_that_does_not_exist_is_answered_with_those_that_do() {
    let said = Place::new().refused("dns a.example --format bnd");
    assert!(
        said.contains("quoted, plain, bind, route53-json, cloudflare-json"),
        "{said}"
    );
}

#[test]
fn names_and_sizes_that_cannot_be_are_refused_before_anything_is_made() {
    let place = Place::new();
    let long = format!("{}.example", "a".repeat(60).repeat(4));
    for arguments in [
        "keygen not_a_name. --bits 1024",
        "keygen ../../etc",
        "keygen a.example --selector a/b",
        "keygen a.example --algorithm ed25519 --bits 2048",
        "keygen a.example --algorithm dsa",
        &format!("keygen {long}"),
        &format!(
            "keygen {label}.{label}.{label}.example --selector {label}",
            label = "a".repeat(60)
        ),
    ] {
        place.refused(arguments);
    }
    assert!(!place.keys().exists());
}
