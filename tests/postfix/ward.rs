//! A private Postfix with signet behind it, whose settings are made wrong for `signet doctor` to find.

use std::cell::Cell;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use crate::instance::{Instance, Setup};
use crate::process::wait_until;
use crate::stand::Stand;

/// A Postfix with signet behind it, and its configuration as it was in the beginning.
pub struct Ward {
    pub stand: Stand,
    main_cf: String,
    master_cf: String,
    reloads: Cell<usize>,
}

impl Ward {
    pub fn open() -> Option<Self> {
        let setup = Setup {
            main_cf: vec!["internal_mail_filter_classes = bounce".to_owned()],
            ..Setup::default()
        };
        let stand = Stand::start(&setup)?;
        let read = |name: &str| fs::read_to_string(stand.postfix.config().join(name)).unwrap();
        Some(Self {
            main_cf: read("main.cf"),
            master_cf: read("master.cf"),
            stand,
            reloads: Cell::new(0),
        })
    }

    pub fn postfix(&self) -> &Instance {
        &self.stand.postfix
    }

    /// A path in the queue directory, as the machine sees it.
    pub fn queue(&self, path: &str) -> PathBuf {
        self.postfix().queue().join(path)
    }

    /// `postconf` with these arguments.
    pub fn edit(&self, arguments: &[&str]) {
        let output = self.postfix().run("postconf", arguments, b"");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    pub fn restore(&self) {
        let config = self.postfix().config();
        fs::write(config.join("main.cf"), &self.main_cf).unwrap();
        fs::write(config.join("master.cf"), &self.master_cf).unwrap();
    }

    pub fn run(&self) -> Output {
        doctor(self.postfix()).output().unwrap()
    }

    /// The codes that begin so, and the whole report.
    pub fn codes(&self, start: &str) -> (Vec<String>, String) {
        let (mut codes, text) = codes(&self.run(), |_| true);
        codes.retain(|code| code.starts_with(start));
        (codes, text)
    }

    /// Asserts that this and nothing else is wrong with Postfix after `postconf` with these arguments.
    pub fn tells(&self, code: &str, edits: &[&[&str]]) {
        self.told(code, edits);
        self.restore();
    }

    fn told(&self, code: &str, edits: &[&[&str]]) -> String {
        for arguments in edits {
            self.edit(arguments);
        }
        let (codes, text) = self.codes("postfix-");
        assert_eq!(codes, [code], "{edits:?}: {text}");
        text
    }

    /// The same, and that the settings it says to make mend it. What `smtpd_milters`
    /// is then.
    pub fn finds(&self, code: &str, edits: &[&[&str]]) -> String {
        let commands = mends(&self.told(code, edits));
        let edits = commands.iter().filter(|command| {
            let edits = ["-e ", "-P ", "-M "];
            command.starts_with("postconf") && edits.iter().any(|edit| command.contains(edit))
        });
        if edits.map(|command| run(command)).count() > 0 {
            let (codes, text) = self.codes("postfix-");
            assert_eq!(codes, [""; 0], "{commands:#?}: {text}");
        }
        let mended = self.postfix().run("postconf", &["smtpd_milters"], b"");
        self.restore();
        String::from_utf8_lossy(&mended.stdout).into_owned()
    }

    /// Has Postfix read its settings, lets a client come, and waits until doctor tells of it.
    pub fn logs(&self, code: &str, edits: &[&[&str]]) {
        for arguments in edits {
            self.edit(arguments);
        }
        self.reload();
        self.knock();
        wait_until(code, || {
            let (codes, _) = self.codes("log-");
            codes.iter().any(|found| found == code).then_some(())
        });
        self.restore();
    }

    pub fn reload(&self) {
        assert!(
            self.postfix()
                .run("postfix", &["reload"], b"")
                .status
                .success()
        );
        self.reloads.set(self.reloads.get() + 1);
        wait_until("Postfix has reloaded", || {
            let count = self.postfix().log().matches("reload -- version").count();
            (count >= self.reloads.get()).then_some(())
        });
    }

    /// A client comes, whatever becomes of it.
    fn knock(&self) {
        let mut client = TcpStream::connect(self.postfix().service("signed")).unwrap();
        client
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let _ = client.write_all(b"EHLO there\r\nMAIL FROM:<author@example.org>\r\nQUIT\r\n");
        let mut said = Vec::new();
        let _ = client.read_to_end(&mut said);
    }
}

/// `signet doctor --json` on a Postfix, without keys and without DNS.
pub fn doctor(postfix: &Instance) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signet"));
    command
        .args(["doctor", "--json", "--keys", "/nonexistent"])
        .args(["--resolver", "127.0.0.1:1"])
        .args(["--listen", &postfix.unix_listener()])
        .args(["--listen", &postfix.tcp_listener()])
        .arg("--postfix-config")
        .arg(postfix.config());
    command
}

/// The codes of those findings, and the whole report.
fn codes(output: &Output, wanted: impl Fn(&Value) -> bool) -> (Vec<String>, String) {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let json: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{output:?}"));
    let sections = json["sections"].as_array().unwrap().iter();
    let findings = sections.flat_map(|section| section["findings"].as_array().unwrap());
    let mut codes: Vec<_> = findings
        .filter(|finding| wanted(finding))
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect();
    codes.sort();
    codes.dedup();
    (codes, text)
}

/// The commands in a report that mend what was found about Postfix.
fn mends(report: &str) -> Vec<String> {
    let json: Value = serde_json::from_str(report).unwrap();
    let sections = json["sections"].as_array().unwrap().iter();
    let findings = sections.flat_map(|section| section["findings"].as_array().unwrap());
    let of_postfix = findings.filter(|finding| {
        let code = finding["code"].as_str().unwrap();
        code.starts_with("postfix-")
    });
    let lines = of_postfix.flat_map(|finding| finding["mend"].as_array().unwrap());
    lines
        .map(|line| line.as_str().unwrap().to_owned())
        .filter(|line| !line.ends_with(':'))
        .collect()
}

/// Runs a command as it stands there, in a shell.
pub fn run(command: &str) {
    let output = Command::new("sh").args(["-ec", command]).output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
}

/// A finding of doctor's.
#[derive(Debug)]
pub struct Finding {
    pub code: String,
    pub severity: String,
    pub what: String,
    pub mend: Vec<String>,
}

/// What doctor finds about Postfix.
pub fn findings(postfix: &Instance) -> Vec<Finding> {
    findings_of(&mut doctor(postfix))
}

/// The same of a doctor that was started otherwise.
pub fn findings_of(doctor: &mut Command) -> Vec<Finding> {
    let output = doctor.output().unwrap();
    let json: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let sections = json["sections"].as_array().unwrap().iter();
    let findings = sections.flat_map(|section| section["findings"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings
        .map(|finding| Finding {
            code: text(&finding["code"]),
            severity: text(&finding["severity"]),
            what: text(&finding["what"]),
            mend: finding["mend"]
                .as_array()
                .unwrap()
                .iter()
                .map(text)
                .collect(),
        })
        .filter(|finding| finding.code.starts_with("postfix-"))
        .collect()
}

/// Asserts that doctor finds this and no other fault or warning, and does what it says; what it says is wrong.
pub fn mend(postfix: &Instance, code: &str) -> String {
    let mut findings = findings(postfix);
    findings.retain(|finding| finding.severity != "note");
    findings.dedup_by(|one, other| one.code == other.code && one.mend == other.mend);
    let mut what = String::new();
    for finding in &findings {
        assert_eq!(finding.code, code, "{findings:#?}");
        what.push_str(&finding.what);
        for command in finding.mend.iter().filter(|line| !line.ends_with(':')) {
            run(command);
        }
    }
    assert!(!what.is_empty(), "{code} expected");
    wait_until("Postfix has reloaded", || {
        let log = postfix.log();
        log.contains("reload -- version").then_some(())
    });
    assert_no_alarm(postfix);
    what
}

/// Asserts that doctor has no fault and no warning to tell of Postfix and its log.
pub fn assert_no_alarm(postfix: &Instance) {
    let (mut codes, text) = codes(&doctor(postfix).output().unwrap(), |finding| {
        finding["severity"] != "note"
    });
    codes.retain(|code| code.starts_with("postfix-") || code.starts_with("log-"));
    assert_eq!(codes, [""; 0], "{text}");
}

/// Somebody who says this to whoever comes, and nothing else.
pub fn stranger(words: &'static [u8]) -> std::net::SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(mut client) = client else { return };
            std::thread::spawn(move || {
                let _ = client.write_all(words);
                let _ = client.read_to_end(&mut Vec::new());
            });
        }
    });
    address
}
