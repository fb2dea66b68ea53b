//! Scripts of miltertest, the program with which OpenDKIM tests itself, against a
//! filter that takes OpenDKIM's configuration: `signet import` and then `signet serve`.
//!
//! Each directory of `tests/miltertest` holds an `opendkim.conf`, its tables and a
//! `script.lua`. OpenDKIM itself passes all of them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may fail by panicking"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;

mod left_out;

const SIGNET: &str = env!("CARGO_BIN_EXE_signet");
const MILTERTEST: &str = "/usr/bin/miltertest";

/// Takes the arguments that scripts give to OpenDKIM.
const FILTER: &str = r#"#!/bin/sh
while getopts x:p: option; do
	case $option in
	x) conf=$OPTARG ;;
	p) socket=$OPTARG ;;
	*) exit 64 ;;
	esac
done
SIGNET import opendkim "$conf" --out imported >import.log 2>&1 || exit 78
exec SIGNET serve --config imported/signet.toml --listen "$socket" >serve.log 2>&1
"#;

/// A copy of the scripts, with the filter and two keys.
static PLACE: LazyLock<TempDir> = LazyLock::new(|| {
    let place = TempDir::new().unwrap();
    copy(&scripts(), place.path());
    let filter = place.path().join("opendkim");
    fs::write(&filter, FILTER.replace("SIGNET", SIGNET)).unwrap();
    fs::set_permissions(&filter, fs::Permissions::from_mode(0o755)).unwrap();
    let keys = place.path().join("keys");
    for selector in ["testkey", "testkey2"] {
        let made = Command::new(SIGNET)
            .args(["keygen", "example.com", "--selector", selector, "--keys"])
            .arg(&keys)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        for case in directories(place.path()) {
            let key = keys.join(format!("example.com/{selector}.pem"));
            // Of any mode: RequireSafeKeys is off in every file.
            let copied = case.join(format!("{selector}.private"));
            fs::copy(key, &copied).unwrap();
            fs::set_permissions(copied, fs::Permissions::from_mode(0o644)).unwrap();
        }
    }
    place
});

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/miltertest")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

fn directories(place: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(place)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.join("script.lua").is_file())
        .collect()
}

fn passes(case: &str) {
    if !left_out::installed("miltertest", &[MILTERTEST]) {
        return;
    }
    let directory = PLACE.path().join(case);
    let run = Command::new(MILTERTEST)
        .arg("-D")
        .arg(format!(
            "filter={}",
            PLACE.path().join("opendkim").display()
        ))
        .arg("-D")
        .arg(format!(
            "socket=unix:{}",
            directory.join("socket").display()
        ))
        .args(["-s", "script.lua"])
        .current_dir(&directory)
        .output()
        .unwrap();
    let said = [run.stdout, run.stderr].concat();
    let logs = ["import.log", "serve.log"].map(|log| fs::read_to_string(directory.join(log)));
    assert!(
        run.status.success(),
        "{case}: {}\n{}",
        String::from_utf8_lossy(&said),
        logs.map(Result::unwrap_or_default).join("\n")
    );
}

macro_rules! cases {
    ($($name:ident = $case:literal,)+) => {
        $(
            #[test]
            fn $name() {
                passes($case);
            }
        )+

        #[test]
        fn no_script_is_left_out() {
            let mut found: Vec<_> = directories(&scripts())
                .iter()
                .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
                .collect();
            found.sort();
            let mut listed = vec![$($case),+];
            listed.sort_unstable();
            assert_eq!(found, listed);
        }
    };
}

cases! {
    every_domain = "every-domain",
    excluded_recipient = "excluded-recipient",
    expiry = "expiry",
    macro_file = "macro-file",
    macro_set = "macro-set",
    macro_value = "macro-value",
    multiple = "multiple",
    peers = "peers",
    relaxed = "relaxed",
    reports = "reports",
    simple = "simple",
    stranger = "stranger",
    subdomains = "subdomains",
    tables = "tables",
    tables_corrupt = "tables-corrupt",
    tables_patterns = "tables-patterns",
    tables_percent = "tables-percent",
}
