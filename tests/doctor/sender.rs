//! SPF, DMARC, and the host: one domain after the other with one mistake each.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::left_out::program;
use crate::patient::{DOMAIN, Findings, Patient, bind};
use crate::place::SIGNET;

const KINDS: [&str; 5] = ["spf-", "dmarc-", "ptr-", "helo-", "alias-"];
const SPF: &str = "@ TXT \"v=spf1 ip4:192.0.2.1 -all\"\n";
const DMARC: &str = "_dmarc TXT \"v=DMARC1; p=reject\"\n";
/// Addresses: 192.0.2.1 is right, 192.0.2.2 has a name that leads elsewhere, no other has one.
const REVERSE: &str = "1 PTR mail.good.test.\n2 PTR other.good.test.\n";
const GOOD: &str = "mail A 192.0.2.1\nother A 192.0.2.77\n\
    @ TXT \"v=spf1 include:_spf.good.test mx -all\"\n@ MX 10 mail\n_spf TXT \"v=spf1 ip4:198.51.100.0/24 ~all\"\n\
    _dmarc TXT \"v=DMARC1; p=quarantine; rua=mailto:a@good.test,mailto:b@reports.test,mailto:c@box.good.test\"\n";

/// The mistakes of a domain's records: a name, and the records.
fn domains() -> Vec<(&'static str, String)> {
    let spf = |text: &str| format!("@ TXT \"{text}\"\n{DMARC}");
    let dmarc = |text: &str| format!("_dmarc TXT \"{text}\"\n{SPF}");
    let hosts: String = (0..11)
        .map(|number| format!("a:h{number}.good.test "))
        .collect();
    vec![
        ("spf-missing", format!("{DMARC}below A 192.0.2.1\n")),
        (
            "spf-two-records",
            format!("{SPF}@ TXT \"v=spf1 mx ~all\"\n{DMARC}"),
        ),
        ("spf-syntax", spf("v=spf1 ip4=192.0.2.1 -all")),
        (
            "spf-include-missing",
            spf("v=spf1 include:nothing.good.test ip4:192.0.2.1 -all"),
        ),
        (
            "spf-lookups",
            spf(&format!("v=spf1 ip4:192.0.2.1 {hosts}-all")),
        ),
        ("spf-pass-all", spf("v=spf1 mx +all")),
        ("spf-host-missing", spf("v=spf1 ip4:198.51.100.1 -all")),
        ("spf-no-all", spf("v=spf1 ip4:192.0.2.0/28")),
        ("spf-ptr", spf("v=spf1 ip4:192.0.2.1 ptr -all")),
        ("dmarc-missing", SPF.to_owned()),
        (
            "dmarc-two-records",
            format!("{}{DMARC}", dmarc("v=DMARC1; p=none")),
        ),
        ("dmarc-syntax", dmarc("v=DMARC1; p=rejekt")),
        (
            "dmarc-obsolete",
            dmarc("v=DMARC1; p=reject; pct=50; ri=3600"),
        ),
        (
            "dmarc-reports",
            dmarc("v=DMARC1; p=reject; rua=mailto:b@reports.test"),
        ),
        ("dmarc-none", dmarc("v=DMARC1; p=none")),
    ]
}

fn zones(domains: &[(&'static str, String)]) -> Vec<(String, String)> {
    let mut zones: Vec<_> = domains
        .iter()
        .map(|(name, records)| (format!("{name}.test"), records.clone()))
        .collect();
    zones.push(("good.test".to_owned(), GOOD.to_owned()));
    zones.push(("2.0.192.in-addr.arpa".to_owned(), REVERSE.to_owned()));
    let consent = "good.test._report._dmarc TXT \"v=DMARC1;\"\n";
    zones.push(("reports.test".to_owned(), consent.to_owned()));
    zones
}

#[test]
fn what_receivers_hold_against_a_sender_is_told() {
    let domains = domains();
    let zones = zones(&domains);
    let zones: Vec<_> = zones
        .iter()
        .map(|(name, records)| (name.as_str(), Some(records.as_str())))
        .collect();
    let Some((server, _home)) = bind(&zones) else {
        return;
    };
    let patient = Patient::new();
    let look = |domain: &str, address: &str| {
        patient.findings(
            &format!("{domain} --address {address}"),
            server.address,
            &[],
        )
    };
    for (code, _) in &domains {
        let found = look(&format!("{code}.test"), "192.0.2.1");
        assert_eq!(found.codes_of(&KINDS), [*code], "{}", found.text);
    }
    let good = look("good.test", "192.0.2.1");
    assert_eq!(good.codes_of(&KINDS), [""; 0], "{}", good.text);
    // The policy is that of the domain above.
    let below = look("below.spf-missing.test", "192.0.2.1");
    assert_eq!(below.codes_of(&KINDS), ["spf-missing"], "{}", below.text);

    let refused = look("spf-host-missing.test", "192.0.2.1");
    let right = "v=spf1 ip4:198.51.100.1 ip4:192.0.2.1 -all";
    assert!(refused.text.contains(right), "{}", refused.text);
    let merged = look("spf-two-records.test", "192.0.2.1");
    assert!(
        merged.text.contains("v=spf1 ip4:192.0.2.1 mx -all"),
        "{}",
        merged.text
    );

    let nameless = look("spf-no-all.test", "192.0.2.9");
    assert_eq!(
        nameless.codes_of(&["ptr-"]),
        ["ptr-missing"],
        "{}",
        nameless.text
    );
    let elsewhere = look("spf-no-all.test", "192.0.2.2");
    assert_eq!(
        elsewhere.codes_of(&["ptr-"]),
        ["ptr-unconfirmed"],
        "{}",
        elsewhere.text
    );
}

#[test]
fn a_signature_that_does_not_count_for_dmarc_is_told() {
    let strict = format!("{SPF}_dmarc TXT \"v=DMARC1; p=reject; adkim=s\"\n");
    let zones = [("strict.test", Some(strict.as_str()))];
    let Some((server, _home)) = bind(&zones) else {
        return;
    };
    let patient = Patient::new();
    patient.give("rsa", DOMAIN, "s1");
    patient.give("rsa", "strict.test", "s1");
    let file = patient.place.directory.path().join("signet.toml");
    let look = |signer: &str| {
        let rule = format!("[[rule]]\npattern = \"strict.test\"\ndomain = \"{signer}\"\n");
        fs::write(&file, rule).unwrap();
        let arguments = format!("strict.test --config {}", file.display());
        patient.findings(&arguments, server.address, &[])
    };
    assert_eq!(look("strict.test").codes_of(&KINDS), [""; 0]);
    let found = look(DOMAIN);
    assert_eq!(
        found.codes_of(&KINDS),
        ["dmarc-alignment"],
        "{}",
        found.text
    );
}

/// What Postfix says of the host needs no Postfix that runs.
#[test]
fn the_name_that_postfix_greets_with_is_looked_up() {
    if program("postconf", "postfix").is_none() {
        return;
    }
    let zones = zones(&[]);
    let zones: Vec<_> = zones
        .iter()
        .map(|(name, records)| (name.as_str(), Some(records.as_str())))
        .collect();
    let Some((server, _home)) = bind(&zones) else {
        return;
    };
    let config = TempDir::new().unwrap();
    let aliases = config.path().join("virtual");
    fs::write(&aliases, "me@good.test someone@gmail.com\n").unwrap();
    let look = |main_cf: &str| {
        fs::write(config.path().join("main.cf"), main_cf).unwrap();
        fs::write(
            config.path().join("master.cf"),
            "smtp inet n - y - - smtpd\n",
        )
        .unwrap();
        let output = Command::new(SIGNET)
            .args([
                "doctor",
                "good.test",
                "--json",
                "--keys",
                "/nonexistent",
                "--mail-log",
                "/dev/null",
            ])
            .args([
                "--resolver",
                &server.address.to_string(),
                "--postfix-config",
            ])
            .arg(config.path())
            .output()
            .unwrap();
        let found = Findings::of(&output);
        let codes = found.codes_of(&KINDS);
        codes.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(look("myhostname = mail.good.test\n"), [""; 0]);
    assert_eq!(look("myhostname = localhost\n"), ["helo-name"]);
    assert_eq!(look("myhostname = nothing.good.test\n"), ["helo-address"]);
    // The address comes from the name, and is not one that SPF allows.
    assert_eq!(
        look("myhostname = other.good.test\n"),
        ["spf-host-missing", "ptr-missing"]
    );
    let forwarding = format!(
        "myhostname = mail.good.test\nvirtual_alias_maps = texthash:{}\n",
        aliases.display()
    );
    assert_eq!(look(&forwarding), ["alias-gmail"]);
}
