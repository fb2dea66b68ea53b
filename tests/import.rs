//! `signet import` as an administrator meets it: a directory with an `opendkim.conf`,
//! what the report has to say about it, and the config that comes of it.
//!
//! In `expected.report`, each line has to be found in the report, or to begin a line of
//! it; `DIR` is where the files lie. With `UPDATE` set the expected configs are written
//! anew.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may fail by panicking"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

#[path = "import/keys.rs"]
mod keys;

const SIGNET: &str = env!("CARGO_BIN_EXE_signet");

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import")
}

/// A copy of a case, with a key and with `DIR` filled in.
struct Case {
    place: TempDir,
    name: &'static str,
}

impl Case {
    fn new(name: &'static str) -> Self {
        let place = TempDir::new().unwrap();
        let case = Self { place, name };
        case.copy(&cases().join(name), case.path());
        let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys/football.example.com/test.pem");
        let copied = case.path().join("test.pem");
        fs::copy(&key, &copied).unwrap();
        fs::set_permissions(&copied, fs::Permissions::from_mode(0o600)).unwrap();
        let domain = case.path().join("keys/example.com");
        if ["by-domain", "rspamd"].contains(&name) {
            fs::create_dir_all(&domain).unwrap();
            fs::copy(&copied, domain.join("mail.private")).unwrap();
        }
        case
    }

    /// A case of one file.
    fn of(text: impl AsRef<[u8]>) -> Self {
        let place = TempDir::new().unwrap();
        fs::write(place.path().join("opendkim.conf"), text).unwrap();
        Self { place, name: "" }
    }

    fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        fs::write(self.path().join(name), text).unwrap();
        self
    }

    fn path(&self) -> &Path {
        self.place.path()
    }

    fn copy(&self, from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let target = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                self.copy(&entry.path(), &target);
            } else {
                let text = fs::read_to_string(entry.path()).unwrap();
                fs::write(target, self.filled(&text)).unwrap();
            }
        }
    }

    fn filled(&self, text: &str) -> String {
        text.replace("DIR", self.path().to_str().unwrap())
    }

    fn signet(&self, arguments: &str) -> Output {
        Command::new(SIGNET)
            .args(arguments.split(' '))
            .current_dir(self.path())
            .output()
            .unwrap()
    }

    fn import(&self) -> Output {
        match self.path().join("opendkim.conf").exists() {
            true => self.signet("import opendkim opendkim.conf --out out"),
            false => self.signet("import rspamd dkim_signing.conf --out out"),
        }
    }

    /// What an import says that writes nothing.
    fn refused(&self) -> String {
        let output = self.import();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(!self.path().join("out").exists(), "something was written");
        let said = String::from_utf8(output.stderr).unwrap();
        let said = said.strip_prefix("signet: ").unwrap_or(&said).trim_end();
        said.replace(self.path().to_str().unwrap(), "DIR")
    }
}

fn scenario(name: &'static str, alike: bool) {
    let case = Case::new(name);
    let output = case.import();
    let report = String::from_utf8(output.stdout.clone()).unwrap();
    let written = fs::read_to_string(case.path().join("out/report.txt")).unwrap();
    assert!(
        report.starts_with(&written),
        "the report is what was written"
    );

    let expected = fs::read_to_string(cases().join(case.name).join("expected.report")).unwrap();
    let compared = !report.contains("OpenDKIM is not installed");
    for line in expected.lines() {
        let line = case.filled(line);
        if compared || !line.starts_with("  ") || line.starts_with("           ") {
            let found = report.lines().any(|found| found.starts_with(&line));
            assert!(found, "{name}: not found: {line}\n{report}");
        }
    }

    let config = fs::read_to_string(case.path().join("out/signet.toml")).unwrap();
    let config = config.replace(case.path().to_str().unwrap(), "DIR");
    let file = cases().join(name).join("expected.toml");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &config).unwrap();
    }
    assert_eq!(config, fs::read_to_string(file).unwrap(), "{name}");

    assert_eq!(output.status.success(), alike || !compared, "{report}");
    // Nothing but keys may be wrong with it.
    let check = case.signet("check --config out/signet.toml");
    let said = String::from_utf8(check.stderr).unwrap();
    let errors: Vec<_> = said
        .lines()
        .filter(|line| line.starts_with("error"))
        .collect();
    assert!(
        errors
            .iter()
            .all(|e| e.contains("does not exist") || e.contains("cannot be read")),
        "{said}"
    );
    assert_eq!(errors.is_empty(), check.status.success(), "{said}");
}

#[test]
fn one_domain_and_one_key() {
    scenario("single", true);
}

#[test]
fn tables_of_patterns() {
    scenario("tables", true);
}

#[test]
fn a_ladder_of_keys_and_several_signatures() {
    scenario("ladder", true);
}

#[test]
fn a_key_file_for_each_domain() {
    scenario("by-domain", true);
}

#[test]
fn lines_that_opendkim_cannot_use() {
    // Blanks beside colons: signet signs what OpenDKIM lets wait.
    scenario("corrupt", false);
}

#[test]
fn domains_and_maps_of_rspamd() {
    scenario("rspamd", true);
}

#[test]
fn tables_of_rspamd() {
    scenario("rspamd-tables", true);
}

#[test]
fn what_rspamd_says_elsewhere_stops_the_import() {
    for (text, expected) in [
        (
            "selector = \"dkim\";\n.include \"other.conf\"\n",
            "dkim_signing.conf:2: a macro (.include and the like): put its file's text here",
        ),
        (
            "domain {\n  example.com = 1\n}\n",
            "dkim_signing.conf:2: example.com: is no section; write DOMAIN { path = ...; selector = ... }",
        ),
        (
            "signing_table = \"/t\";\n",
            "dkim_signing.conf:1: signing_table: signing_table and key_table go together",
        ),
        (
            "path = \"/nowhere/$domain.key\";\n",
            "dkim_signing.conf: no domain with a key was found, so rspamd signs nothing",
        ),
    ] {
        let case = Case::of("").file("dkim_signing.conf", text);
        fs::remove_file(case.path().join("opendkim.conf")).unwrap();
        assert_eq!(case.refused(), expected);
    }
}

#[test]
fn what_decides_by_program_or_database_stops_the_import() {
    let case = Case::of(
        "SetupPolicyScript /etc/opendkim/setup.lua\nKeyTable dsn:mysql://u:secret@h/d/table=k\n\
         SigningTable ldap://h/b\nInternalHosts db:/etc/hosts.db\nMacroList lua:/m.lua\n",
    );
    let said = case.refused();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 5, "{said}");
    assert!(lines[0].starts_with("opendkim.conf:1: SetupPolicyScript: a Lua script decides here"));
    for (line, start) in [
        (
            2,
            "opendkim.conf:2: KeyTable: is in an SQL database, which signet does not read",
        ),
        (3, "opendkim.conf:3: SigningTable: is in an LDAP directory"),
        (
            4,
            "opendkim.conf:4: InternalHosts: is in a Berkeley database",
        ),
        (5, "opendkim.conf:5: MacroList: is in a Lua script"),
    ] {
        assert!(
            lines.iter().any(|found| found.starts_with(start)),
            "{line}: {said}"
        );
    }
    assert!(!said.contains("secret"), "{said}");
}

#[test]
fn bad_input_is_named_by_file_and_line_and_nothing_is_written() {
    let tables = "Mode s\nKeyTable file:keys\nSigningTable file:signing\n";
    let key = "k example.com:test:./test.pem\n";
    for (case, expected) in [
        (
            Case::of(tables)
                .file("keys", key)
                .file("signing", "a@example.com k\nexample.com\n"),
            "DIR/signing:2: SigningTable: \"example.com\" has no key name, and OpenDKIM ends with a \
             crash on the first mail that gets here; add the name of a line of the KeyTable",
        ),
        (
            Case::of(tables)
                .file("keys", key)
                .file("signing", "example.com key2\n"),
            "DIR/signing:1: SigningTable: names the key \"key2\", which the KeyTable does not have; \
             add it there or take the line out",
        ),
        (
            Case::of(tables).file("keys", key),
            "opendkim.conf:3: SigningTable: DIR/signing: there is no such file",
        ),
        (
            Case::of("KeyTable file:.\nSigningTable csl:a=b\n"),
            "opendkim.conf:1: KeyTable: DIR/.: is a directory, not a file",
        ),
        (
            Case::of(tables)
                .file("keys", b"k example.com:\0\n")
                .file("signing", "example.com k\n"),
            "DIR/keys:1: holds a NUL byte; this is not a text file",
        ),
        (
            Case::of(tables)
                .file("keys", vec![b'x'; 100 << 20])
                .file("signing", "example.com k\n"),
            "DIR/keys:1: the line is longer than 64 KiB; nothing in it can be meant",
        ),
        (
            Case::of("Include opendkim.conf\n"),
            "opendkim.conf:1: Include: opendkim.conf is being read already; the files include one \
             another",
        ),
        (
            Case::of("Include gone.conf\n"),
            "opendkim.conf:1: Include: gone.conf: there is no such file",
        ),
        (
            Case::of("Selecter test\n"),
            "opendkim.conf:1: Selecter: is not an option of OpenDKIM; did you mean Selector?",
        ),
        (
            Case::of("Mode s\n"),
            "opendkim.conf: Domain, KeyFile and Selector go together, unless there are a KeyTable \
             and a SigningTable; without them OpenDKIM signs nothing",
        ),
        (
            Case::of("Mode v\nDomain example.com\nKeyFile k\nSelector s\n"),
            "opendkim.conf:1: Mode: does not sign; there is nothing for signet to do",
        ),
        (
            Case::of("KeyTable refile:keys\nSigningTable refile:signing\n")
                .file("keys", key)
                .file("signing", "*@ex[ab]mple.com k\n"),
            "DIR/signing:1: SigningTable: \"*@ex[ab]mple.com\": OpenDKIM takes \"[\" here for part of \
             a regular expression, which signet does not have; write the pattern with * alone",
        ),
    ] {
        assert_eq!(case.refused(), expected);
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let case = Case::of("");
    let output = case.signet("import opendkim nothing.conf --out out");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "signet: nothing.conf: there is no such file\n");
}

#[test]
fn a_config_that_no_import_made_is_not_replaced() {
    let case = Case::new("single");
    assert!(case.import().status.success());
    assert!(case.import().status.success(), "its own may be made again");
    fs::write(case.path().join("out/signet.toml"), "# mine\n").unwrap();
    let output = case.import();
    assert_eq!(output.status.code(), Some(2));
    let kept = fs::read_to_string(case.path().join("out/signet.toml")).unwrap();
    assert_eq!(kept, "# mine\n");
}
