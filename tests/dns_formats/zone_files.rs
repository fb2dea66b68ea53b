//! The forms for zone files, read by the checkers of four name servers.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::left_out::program;
use crate::place::stdout;
use crate::records::{DOMAIN, Records, SELECTORS, joined, name};
use crate::tools::run;

const HEAD: &str = "$TTL 300\n@ IN SOA ns.example.net. root.example.net. 1 7200 900 1209600 300\n@ IN NS ns.example.net.\n";

fn zone_file(records: &Records, text: &str) -> PathBuf {
    let path = records.place.directory.path().join("zone");
    fs::write(&path, format!("{HEAD}{text}")).unwrap();
    path
}

/// The loaded text of each name, from a dump with one record a line.
fn assert_loaded(records: &Records, dump: &str, name_of: impl Fn(&str) -> String) {
    for selector in SELECTORS {
        let start = name_of(selector);
        let line = dump
            .lines()
            .find(|line| {
                line.to_lowercase().starts_with(&start.to_lowercase()) && line.contains("TXT")
            })
            .unwrap_or_else(|| panic!("{start} is not in {dump}"));
        assert_eq!(
            joined(line.split_once("TXT").unwrap().1),
            records.plain(selector)
        );
    }
}

#[test]
fn bind_loads_the_bind_form() {
    let Some(checkzone) = program("named-checkzone", "bind9-utils") else {
        return;
    };
    let records = Records::new();
    let zone = zone_file(&records, &records.format("bind"));
    let dump = run(Command::new(checkzone)
        .args(["-D", "-o", "-", DOMAIN])
        .arg(zone));
    assert_loaded(&records, &stdout(&dump), name);
}

#[test]
fn nsd_loads_the_bind_form() {
    let Some(checkzone) = program("nsd-checkzone", "nsd") else {
        return;
    };
    let records = Records::new();
    let zone = zone_file(&records, &records.format("bind"));
    let output = run(Command::new(checkzone).args(["-p", DOMAIN]).arg(zone));
    // nsd-checkzone prints the names relative to an $ORIGIN line.
    assert_loaded(&records, &stdout(&output), |selector| {
        format!("{selector}\t")
    });
}

/// kzonecheck says only whether a zone loads.
#[test]
fn knot_loads_the_bind_form() {
    let Some(checkzone) = program("kzonecheck", "knot-dnssecutils") else {
        return;
    };
    let records = Records::new();
    let zone = zone_file(&records, &records.format("bind"));
    run(Command::new(&checkzone).args(["-o", DOMAIN]).arg(&zone));
    let broken = zone_file(&records, &records.format("bind").replace(" )\n", "\n"));
    let refused = Command::new(checkzone)
        .args(["-o", DOMAIN])
        .arg(broken)
        .output()
        .unwrap();
    assert!(
        !refused.status.success(),
        "a parenthesis is not closed: {refused:?}"
    );
}

#[test]
fn bind_loads_the_alias_and_the_record_behind_it() {
    let Some(checkzone) = program("named-checkzone", "bind9-utils") else {
        return;
    };
    let records = Records::new();
    // With a zone of the same tree both records can be in one file.
    let text = records
        .format("cname")
        .replace("DKIM.OPERATOR.EXAMPLE", "keys.example.com");
    let zone = zone_file(&records, &text);
    let dump = stdout(&run(Command::new(checkzone)
        .args(["-D", "-o", "-", DOMAIN])
        .arg(zone)));
    for selector in SELECTORS {
        let alias = dump
            .lines()
            .find(|line| line.starts_with(&name(selector)))
            .unwrap();
        let (_, target) = alias.split_once("CNAME").unwrap();
        assert_eq!(
            target.trim(),
            format!("{selector}.example.com.keys.example.com.")
        );
    }
    assert_loaded(&records, &dump, |selector| {
        format!("{selector}.example.com.keys.example.com.")
    });
}
