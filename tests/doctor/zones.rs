//! Zones and name servers that are wrong as a whole.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;

use tempfile::TempDir;

use crate::left_out::program;
use crate::patient::{DOMAIN, Findings, Patient, bind, bind_with, quoted, record};
use crate::place::stdout;
use crate::tools::run;

fn good() -> String {
    format!("s1._domainkey TXT {}\n", quoted(&record("rsa")))
}

fn patient() -> Patient {
    let patient = Patient::new();
    patient.give("rsa", DOMAIN, "s1");
    patient
}

fn only(found: &Findings, code: &str, words: &str) {
    assert_eq!(found.codes(), [code], "{}", found.text);
    assert!(found.text.contains(words), "{}", found.text);
}

/// An address where nobody answers.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

#[test]
fn a_good_zone_gives_no_alarm() {
    let patient = patient();
    patient.give("ed25519", DOMAIN, "s2");
    let zone = good() + &format!("s2._domainkey TXT {}\n", quoted(&record("ed25519")));
    // With a wildcard beside it, and an alias on the way.
    let zone =
        zone.replace("s1._domainkey", "keys.s1") + "s1._domainkey CNAME keys.s1\n* TXT \"hello\"\n";
    let Some((server, _home)) = bind(&[(DOMAIN, Some(&zone))]) else {
        return;
    };
    let found = patient.findings("", server.address, &[server.address]);
    assert_eq!(found.code, Some(0), "{}", found.text);
    assert_eq!(found.codes(), [""; 0], "{}", found.text);
    assert!(found.text.contains("\"healthy\":true"), "{}", found.text);
}

#[test]
fn name_servers_that_disagree_are_named() {
    let patient = patient();
    let old = good().replace(&quoted(&record("rsa")), &quoted(&record("other")));
    let (Some((new, _home)), Some((old, _other))) = (
        bind(&[(DOMAIN, Some(&good()))]),
        bind(&[(DOMAIN, Some(&old))]),
    ) else {
        return;
    };
    let found = patient.findings("", new.address, &[new.address, old.address]);
    only(&found, "dns-disagree", &old.address.to_string());
    assert_eq!(found.code, Some(1));

    // The resolver is behind, the zone is not.
    let found = patient.findings("", old.address, &[new.address]);
    only(&found, "dns-cached", "the resolver still has");
    assert_eq!(found.code, Some(0), "this one passes by itself");
}

#[test]
fn a_name_server_that_does_not_serve_the_zone_is_named() {
    let patient = patient();
    let (Some((server, _home)), Some((stranger, _other))) =
        (bind(&[(DOMAIN, Some(&good()))]), bind(&[]))
    else {
        return;
    };
    let found = patient.findings("", server.address, &[server.address, stranger.address]);
    only(&found, "dns-server-refuses", &stranger.address.to_string());

    let silent = nobody();
    let found = patient.findings("", server.address, &[server.address, silent]);
    only(&found, "dns-server-silent", &silent.to_string());
    let found = patient.findings("", silent, &[]);
    only(&found, "dns-unreachable", "gives no answer");
    let found = patient.findings("", stranger.address, &[]);
    only(&found, "dns-unreachable", "refuses");
}

#[test]
fn a_zone_that_cannot_be_loaded_is_a_failure_of_the_server() {
    let patient = patient();
    let Some((server, _home)) = bind(&[(DOMAIN, None)]) else {
        return;
    };
    let found = patient.findings("", server.address, &[server.address]);
    only(&found, "dns-server-failure", "SERVFAIL");
}

#[test]
fn a_wildcard_that_answers_in_place_of_the_record_is_told() {
    let patient = patient();
    let Some((server, _home)) = bind(&[(DOMAIN, Some("* TXT \"v=spf1 -all\"\n"))]) else {
        return;
    };
    let found = patient.findings("", server.address, &[server.address]);
    only(&found, "dns-wildcard", "every name");
}

/// A zone whose signatures have expired, behind a resolver that checks them.
#[test]
fn dnssec_that_fails_is_told_from_other_failures() {
    let (Some(keygen), Some(signzone)) = (
        program("dnssec-keygen", "bind9-utils"),
        program("dnssec-signzone", "bind9-utils"),
    ) else {
        return;
    };
    let patient = patient();
    let home = TempDir::new().unwrap();
    // With a policy of its own, so that nothing is asked above.
    let zone = format!(
        "$TTL 60\n@ IN SOA ns root 1 3600 600 86400 60\n@ NS ns.elsewhere.example.\n{}\
         _dmarc TXT \"v=DMARC1; p=reject\"\n",
        good()
    );
    fs::write(home.path().join("zone"), zone).unwrap();
    let mut command = Command::new(keygen);
    command.args(["-a", "ECDSAP256SHA256", "-f", "KSK", DOMAIN]);
    let key = stdout(&run(command.current_dir(home.path())));
    let signed = |end: &str| {
        let mut command = Command::new(&signzone);
        command.args([
            "-z",
            "-P",
            "-S",
            "-s",
            "20200101000000",
            "-e",
            end,
            "-o",
            DOMAIN,
            "-f",
            "signed",
            "zone",
        ]);
        run(command.current_dir(home.path()));
        fs::read_to_string(home.path().join("signed")).unwrap()
    };
    let public = fs::read_to_string(home.path().join(format!("{}.key", key.trim()))).unwrap();
    let public = public
        .lines()
        .find(|line| line.starts_with(DOMAIN))
        .unwrap();
    let words: Vec<_> = public.split_whitespace().skip(3).collect();
    let anchor = format!(
        "trust-anchors {{ \"{DOMAIN}\" static-key {} {} {} \"{}\"; }};",
        words[0],
        words[1],
        words[2],
        words[3..].concat()
    );
    for (end, codes) in [
        ("20400101000000", vec![]),
        ("20200201000000", vec!["dns-dnssec"]),
    ] {
        let Some((server, _home)) = bind(&[(DOMAIN, Some(&signed(end)))]) else {
            return;
        };
        let forward = format!(
            "{anchor}\nzone \"{DOMAIN}\" {{ type forward; forward only; forwarders {{ 127.0.0.1 port {}; }}; }};",
            server.address.port()
        );
        let options = "recursion yes; dnssec-validation yes;";
        let (resolver, _other) = bind_with(options, &[], &forward).unwrap();
        let found = patient.findings("", resolver.address, &[server.address]);
        assert_eq!(found.codes(), codes, "{}", found.text);
    }
}
