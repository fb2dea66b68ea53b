//! The forms that are commands of a provider: a shell runs them, and a stand-in for the provider's program tells what it was given.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::place::stdout;
use crate::records::{DOMAIN, Records, SELECTORS, joined, name};
use crate::tools::run;

/// The arguments that `program` gets from each line of a form.
fn arguments(records: &Records, format: &str, program: &str) -> Vec<Vec<String>> {
    let stand_in = records.place.directory.path().join(program);
    fs::write(&stand_in, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").unwrap();
    fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o755)).unwrap();
    let lines: Vec<_> = records
        .format(format)
        .lines()
        .map(|line| {
            let output = run(Command::new("sh")
                .args(["-euc", line])
                .env(
                    "PATH",
                    format!("{}:/usr/bin:/bin", records.place.directory.path().display()),
                )
                .env("ZONE", "0123456789abcdef")
                .env("TOKEN", "t0ken"));
            stdout(&output)
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(lines.len(), SELECTORS.len());
    lines
}

/// What follows an option.
fn value<'a>(arguments: &'a [String], option: &str) -> &'a str {
    let at = arguments
        .iter()
        .position(|argument| argument == option)
        .unwrap();
    &arguments[at + 1]
}

/// In the order of the selectors as `signet dns` prints them.
fn sorted() -> Vec<&'static str> {
    let mut selectors = SELECTORS.to_vec();
    selectors.sort_unstable();
    selectors
}

#[test]
fn cloudflare_gets_a_record_in_quoted_strings() {
    let records = Records::new();
    for (arguments, selector) in arguments(&records, "cloudflare-json", "curl")
        .iter()
        .zip(sorted())
    {
        assert_eq!(
            arguments[2],
            "https://api.cloudflare.com/client/v4/zones/0123456789abcdef/dns_records"
        );
        assert_eq!(value(arguments, "-H"), "Authorization: Bearer t0ken");
        let record: serde_json::Value = serde_json::from_str(value(arguments, "--json")).unwrap();
        assert_eq!(record["type"], "TXT");
        assert_eq!(record["name"], name(selector));
        assert_eq!(record["ttl"], 300);
        assert_eq!(record.as_object().unwrap().len(), 4);
        assert_eq!(
            joined(record["content"].as_str().unwrap()),
            records.plain(selector)
        );
    }
}

#[test]
fn gcloud_gets_quoted_strings_in_one_argument() {
    let records = Records::new();
    for (arguments, selector) in arguments(&records, "gcloud", "gcloud").iter().zip(sorted()) {
        assert_eq!(arguments[..3], ["dns", "record-sets", "create"]);
        assert_eq!(arguments[3], format!("{}.", name(selector)));
        let data = arguments
            .last()
            .unwrap()
            .strip_prefix("--rrdatas=")
            .unwrap();
        assert!(!data.contains(','), "gcloud would cut it there");
        assert_eq!(joined(data), records.plain(selector));
    }
}

#[test]
fn azure_gets_each_string_as_an_argument() {
    let records = Records::new();
    for (arguments, selector) in arguments(&records, "azure", "az").iter().zip(sorted()) {
        assert_eq!(value(arguments, "-z"), DOMAIN);
        assert_eq!(value(arguments, "-n"), format!("{selector}._domainkey"));
        let at = arguments
            .iter()
            .position(|argument| argument == "-v")
            .unwrap();
        assert!(arguments[at + 1..].iter().all(|string| string.len() <= 255));
        assert_eq!(arguments[at + 1..].concat(), records.plain(selector));
    }
}

#[test]
fn digitalocean_gets_the_bare_value() {
    let records = Records::new();
    for (arguments, selector) in arguments(&records, "digitalocean", "doctl")
        .iter()
        .zip(sorted())
    {
        assert_eq!(
            arguments[..5],
            ["compute", "domain", "records", "create", DOMAIN]
        );
        assert_eq!(
            value(arguments, "--record-name"),
            format!("{selector}._domainkey")
        );
        assert_eq!(value(arguments, "--record-data"), records.plain(selector));
    }
}
