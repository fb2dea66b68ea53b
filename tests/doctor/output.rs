//! How it looks: on a terminal, piped, and for one finding.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::patient::{DOMAIN, Patient, bind, quoted, record};
use crate::place::{SIGNET, stderr, stdout};

#[test]
fn a_finding_says_what_why_and_the_command() {
    let patient = Patient::new();
    patient.give("rsa", DOMAIN, "s1");
    let zone = format!("s1._domainkey TXT {}\n", quoted(&record("other")));
    let Some((server, _home)) = bind(&[(DOMAIN, Some(&zone))]) else {
        return;
    };
    let output = patient.doctor(DOMAIN, server.address, &[]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in [
        "DNS: the key records\n  FAULT    s1._domainkey.example.com: it holds another public key",
        "\n    why    No signature that is made now verifies",
        "\n    mend   replace it",
        "\n           signet dns example.com --selector s1 --format plain --keys ",
        "\n    more   signet doctor --explain dns-old-key\n",
        "\n1 fault, 2 warnings\n",
    ] {
        assert!(text.contains(part), "{part} in:\n{text}");
    }
    assert!(!text.contains('\x1b'), "colours are for a terminal");
    // Commands may be long, words are not.
    let long = text
        .lines()
        .find(|line| line.len() > 80 && !line.contains("signet dns"));
    assert!(
        long.is_none_or(|line| line.contains("    mend")),
        "{long:?}"
    );
}

/// As Prometheus gets it from node_exporter.
#[test]
fn what_dns_says_of_the_keys_is_a_metric() {
    let patient = Patient::new();
    patient.give("rsa", DOMAIN, "s1");
    patient.give("ed25519", DOMAIN, "s2");
    let right = format!("s1._domainkey TXT {}\n", quoted(&record("rsa")));
    let all = format!("{right}s2._domainkey TXT {}\n", quoted(&record("ed25519")));
    let file = patient.place.directory.path().join("signet-doctor.prom");
    for (zone, right, wrong) in [(&right, 0, 1), (&all, 1, 0)] {
        let Some((server, _home)) = bind(&[(DOMAIN, Some(zone))]) else {
            return;
        };
        let arguments = format!("{DOMAIN} --textfile {}", file.display());
        let output = patient.doctor(&arguments, server.address, &[]);
        let text = fs::read_to_string(&file).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        for line in [
            "signet_key_dns_ok{algorithm=\"rsa-sha256\"} 1".to_owned(),
            "signet_key_dns_wrong{algorithm=\"rsa-sha256\"} 0".to_owned(),
            format!("signet_key_dns_ok{{algorithm=\"ed25519-sha256\"}} {right}"),
            format!("signet_key_dns_wrong{{algorithm=\"ed25519-sha256\"}} {wrong}"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644, "the collector is another user");
    }
    let nowhere = patient.place.directory.path().join("none/signet.prom");
    let arguments = format!("{DOMAIN} --textfile {}", nowhere.display());
    let output = patient.doctor(&arguments, "127.0.0.1:1".parse().unwrap(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("none/signet.prom: cannot be written"));
}

/// `script` gives the program a terminal.
#[test]
fn colours_are_for_a_terminal_whose_user_wants_them() {
    let patient = Patient::new();
    let command = format!(
        "{SIGNET} doctor --no-postfix --keys {}",
        patient.place.keys().display()
    );
    let shown = |no_color: &str| {
        let mut script = Command::new("script");
        script.args(["-qec", &command, "/dev/null"]);
        stdout(&script.env("NO_COLOR", no_color).output().unwrap())
    };
    assert!(shown("").contains("\x1b[1;31mFAULT\x1b[0m"));
    assert!(!shown("1").contains('\x1b'));
}

#[test]
fn a_finding_is_explained_by_its_name() {
    let explain = |code: &str| {
        let mut command = Command::new(SIGNET);
        command
            .args(["doctor", "--explain", code])
            .output()
            .unwrap()
    };
    let text = stdout(&explain("dns-truncated"));
    assert!(
        text.starts_with("### dns-truncated\n\nThe key is cut off"),
        "{text}"
    );
    assert!(!text.contains("### dns-pem"), "{text}");
    let unknown = explain("dns-truncate");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("did you mean dns-truncated?"));
}
