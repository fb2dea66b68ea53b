//! What DNS gives no answer about is told as not known: what was asked, of whom, and what came back.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::left_out::{is_root, program};
use crate::patient::{Findings, Patient, bind, quoted, record};
use crate::place::SIGNET;

const KINDS: [&str; 4] = ["spf-", "dmarc-", "ptr-", "helo-"];
const GOOD: &str = "@ TXT \"v=spf1 ip4:192.0.2.1 -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n";
const REVERSE: &str = "1 PTR mail.good.test.\n3 PTR mail.broken.test.\n";

/// Asserts that this is told of a subject: not known, since this came back when that was asked of the resolver, and what to do.
fn not_known(found: &Findings, subject: &str, code: &str, asked: &str, came_back: &str) {
    let entries = found.by_subject.get(subject).into_iter().flatten();
    let entry = entries.clone().find(|(known, ..)| known == code);
    let (_, what, mend) = entry.unwrap_or_else(|| panic!("{subject} {code}: {}", found.text));
    assert!(what.starts_with("could not be looked at: "), "{what}");
    assert!(what.contains(asked) && what.contains(came_back), "{what}");
    assert!(mend.contains("dig @127.0.0.1"), "{mend}");
    let fault = format!("\"code\":\"{code}\",\"severity\":\"fault\"");
    assert!(found.text.contains(&fault), "{}", found.text);
}

#[test]
fn a_zone_that_fails_is_told_and_nothing_is_made_of_it() {
    let key = format!("s1._domainkey TXT {}\n", quoted(&record("ed25519")));
    let good = key.clone()
        + "mail A 192.0.2.1\n@ MX 10 mail\n@ TXT \"v=spf1 mx -all\"\n\
           _dmarc TXT \"v=DMARC1; p=reject; rua=mailto:a@broken.test\"\n";
    let include =
        key + "@ TXT \"v=spf1 include:_spf.broken.test -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n";
    let zones = [
        ("broken.test", None),
        ("3.2.1.in-addr.arpa", None),
        ("2.0.192.in-addr.arpa", Some(REVERSE)),
        ("good.test", Some(good.as_str())),
        ("include.test", Some(include.as_str())),
        (
            "host.test",
            Some("@ TXT \"v=spf1 a:mail.broken.test -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n"),
        ),
    ];
    let Some((server, _home)) = bind(&zones) else {
        return;
    };
    let patient = Patient::new();
    patient.give("ed25519", "good.test", "s1");
    patient.give("ed25519", "include.test", "s1");
    let look = |arguments: &str| patient.findings(arguments, server.address, &[server.address]);
    let says = format!("(asked {}: it answered SERVFAIL)", server.address);

    let found = look("broken.test --address 192.0.2.1");
    assert_eq!(found.codes_of(&KINDS), ["spf-unknown", "dmarc-unknown"]);
    let tells = |found: &Findings, subject: &str, code: &str, asked: &str| {
        not_known(found, subject, code, asked, &says);
    };
    tells(&found, "broken.test", "spf-unknown", "TXT of broken.test");
    let asked = "TXT of _dmarc.broken.test";
    tells(&found, "_dmarc.broken.test", "dmarc-unknown", asked);
    let (_, _, mend) = &found.by_subject["broken.test"][0];
    let port = server.address.port();
    assert!(
        mend.contains(&format!("dig @127.0.0.1 -p {port} broken.test TXT +cd")),
        "{mend}"
    );

    // Neither "it does not allow this host" nor "it includes what is not there".
    let found = look("host.test --address 192.0.2.1");
    assert_eq!(found.codes_of(&KINDS), ["spf-unknown"], "{}", found.text);
    tells(&found, "host.test", "spf-unknown", "A of mail.broken.test");
    // Where all else is right, the exit code tells it.
    let found = look("include.test --address 192.0.2.1");
    assert_eq!(
        (found.code, found.found.len()),
        (Some(1), 1),
        "{}",
        found.text
    );
    let asked = "TXT of _spf.broken.test";
    tells(&found, "include.test", "spf-unknown", asked);

    let found = look("host.test --address 1.2.3.4");
    let asked = "PTR of 4.3.2.1.in-addr.arpa";
    tells(&found, "1.2.3.4", "ptr-unknown", asked);
    let found = look("host.test --address 192.0.2.3");
    tells(&found, "192.0.2.3", "ptr-unknown", "A of mail.broken.test");

    // Without the consent nothing is wrong with the policy itself.
    let found = look("good.test --address 192.0.2.1");
    assert_eq!(found.found, ["dmarc-reports-unknown"], "{}", found.text);
    assert_eq!(found.code, Some(0), "{}", found.text);
    let asked = "TXT of good.test._report._dmarc.broken.test";
    assert!(found.text.contains(asked), "{}", found.text);
}

#[test]
fn a_resolver_that_refuses_or_says_nothing_is_named() {
    let Some((stranger, _home)) = bind(&[]) else {
        return;
    };
    let patient = Patient::new();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap();
    for (resolver, says) in [
        (stranger.address, "it answered REFUSED"),
        (silent, "it did not answer in time"),
    ] {
        let found = patient.findings("good.test --address 192.0.2.1", resolver, &[]);
        let codes = ["spf-unknown", "dmarc-unknown", "ptr-unknown"];
        assert_eq!(found.codes_of(&KINDS), codes, "{}", found.text);
        let came_back = format!("(asked {resolver}: {says})");
        for (subject, code, asked) in [
            ("good.test", "spf-unknown", "TXT of good.test"),
            (
                "_dmarc.good.test",
                "dmarc-unknown",
                "TXT of _dmarc.good.test",
            ),
            ("192.0.2.1", "ptr-unknown", "PTR of 1.2.0.192.in-addr.arpa"),
        ] {
            not_known(&found, subject, code, asked, &came_back);
        }
    }
}

/// What Postfix says of the host needs no Postfix that runs.
#[test]
fn a_greeting_name_that_cannot_be_looked_up_is_told() {
    if program("postconf", "postfix").is_none() {
        return;
    }
    let Some((server, _home)) = bind(&[("broken.test", None), ("good.test", Some(GOOD))]) else {
        return;
    };
    let config = TempDir::new().unwrap();
    fs::write(
        config.path().join("main.cf"),
        "myhostname = mail.broken.test\n",
    )
    .unwrap();
    let master = "smtp inet n - y - - smtpd\n";
    fs::write(config.path().join("master.cf"), master).unwrap();
    let mut doctor = Command::new(SIGNET);
    doctor
        .args(["doctor", "good.test", "--json", "--keys", "/nonexistent"])
        .args(["--mail-log", "/dev/null", "--resolver"])
        .arg(server.address.to_string())
        .arg("--postfix-config")
        .arg(config.path());
    let found = Findings::of(&doctor.output().unwrap());
    assert_eq!(found.codes_of(&KINDS), ["helo-unknown"], "{}", found.text);
    let says = format!("(asked {}: it answered SERVFAIL)", server.address);
    for asked in ["A of mail.broken.test", "AAAA of mail.broken.test"] {
        not_known(&found, "mail.broken.test", "helo-unknown", asked, &says);
    }
}

/// The system's own resolver library goes on to the next one, and so does doctor.
#[test]
fn another_resolver_of_the_system_is_asked_when_one_does_not_answer() {
    if !is_root() {
        return;
    }
    let (Some((server, _home)), Some((stranger, _other))) = (
        bind(&[
            ("good.test", Some(GOOD)),
            ("2.0.192.in-addr.arpa", Some(REVERSE)),
        ]),
        bind(&[]),
    ) else {
        return;
    };
    // resolv.conf knows no ports.
    let address = |last: u8| {
        let id = std::process::id().to_le_bytes();
        format!("127.{}.{}.{last}", id[1] % 250 + 2, id[0])
    };
    let _refusing = relay(&address(2), stranger.address);
    let _good = relay(&address(3), server.address);
    let look = |resolvers: &[u8]| {
        let lines = resolvers
            .iter()
            .map(|last| format!("nameserver {}\n", address(*last)));
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), lines.collect::<String>()).unwrap();
        let line = format!(
            "mount --bind {} /etc/resolv.conf && exec {SIGNET} doctor good.test --no-postfix --json \
             --keys /nonexistent --address 192.0.2.1",
            file.path().display()
        );
        let mut unshare = Command::new("unshare");
        Findings::of(
            &unshare
                .args(["--mount", "sh", "-c", &line])
                .output()
                .unwrap(),
        )
    };
    // Nobody is at the first address.
    let found = look(&[1, 2, 3]);
    let codes = found.codes_of(&["spf-", "dmarc-", "ptr-unknown"]);
    assert_eq!(codes, [""; 0], "{}", found.text);
    let found = look(&[1, 2]);
    let (_, what, _) = &found.by_subject["good.test"][0];
    for says in [
        format!("asked {}:53: it cannot be reached: ", address(1)),
        format!("asked {}:53: it answered REFUSED", address(2)),
    ] {
        assert!(what.contains(&says), "{says}: {what}");
    }
}

/// Hands what comes to port 53 of an address on to a name server, and its answers back.
fn relay(address: &str, to: SocketAddr) -> std::thread::JoinHandle<()> {
    let here = UdpSocket::bind((address, 53)).unwrap();
    std::thread::spawn(move || {
        let mut packet = [0; 4096];
        while let Ok((length, from)) = here.recv_from(&mut packet) {
            let there = UdpSocket::bind("127.0.0.1:0").unwrap();
            there
                .set_read_timeout(Some(Duration::from_secs(10)))
                .unwrap();
            there.send_to(&packet[..length], to).unwrap();
            if let Ok(length) = there.recv(&mut packet) {
                let _ = here.send_to(&packet[..length], from);
            }
        }
    })
}
