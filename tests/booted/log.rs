//! What Postfix wrote into the journal, as `signet doctor` reads it on a machine without syslog's files.

use serde_json::Value;
use tempfile::TempDir;

use crate::built;
use crate::machine::{Machine, wait_until};
use crate::mail;

/// What doctor says of the log: the codes of its findings, each with its words, and what it found to be right.
fn log(machine: &Machine, who: &str) -> (Vec<(String, String)>, String) {
    let report = machine.run(&format!(
        "{who} signet doctor example.com --json --resolver 127.0.0.1:1"
    ));
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let sections = report["sections"].as_array().unwrap().iter();
    let mut sections = sections.filter(|section| section["title"] == "The log of Postfix");
    let section = sections.next().unwrap_or_else(|| panic!("{report}"));
    let findings = section["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = findings.map(|finding| (text(&finding["code"]), text(&finding["what"])));
    (findings.collect(), section["ok"].to_string())
}

fn codes(machine: &Machine) -> Vec<String> {
    let (findings, _) = log(machine, "");
    findings.into_iter().map(|(code, _)| code).collect()
}

#[test]
fn doctor_finds_postfixs_lines_about_milters_in_the_journal() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let directory = TempDir::new().unwrap();
    let package = machine.take(&built::deb(&directory, "1.0.0"));
    machine.ok(&format!("dpkg --install {package}"));
    mail::set_up(&machine);
    machine.ok("! ls /var/log/mail.log /var/log/maillog");
    machine.ok(mail::SEND);
    mail::all_arrive_signed(&machine, 1);
    let (findings, good) = log(&machine, "");
    assert_eq!(findings, [], "{}", machine.journal());
    assert!(good.contains("no trouble with milters"), "{good}");

    // The socket goes with its unit, and Postfix says so to the client and to the journal.
    machine.ok("systemctl stop signet.socket signet.service");
    machine.ok(&format!("! {}", mail::SEND));
    wait_until("doctor finds the line", || {
        let (findings, _) = log(&machine, "");
        let line = findings.iter().find(|(code, _)| code == "log-no-such-file");
        line.is_some_and(|(_, what)| {
            what.contains("postfix/smtpd") && what.contains("unix:signet/signet.sock")
        })
        .then_some(())
    });
    assert!(codes(&machine).contains(&"log-milter-reject".to_owned()));

    // A file that syslog has left behind is not the log any more; one that it writes to is.
    let line = "Nov 1 00:00:00 mail postfix/smtpd[1]: warning: connect to Milter service unix:a: Permission denied\n";
    machine.write("/var/log/mail.log", line);
    assert_eq!(codes(&machine), ["log-permission-denied"]);
    machine.ok("touch --date '1 hour ago' /var/log/mail.log");
    assert!(codes(&machine).contains(&"log-no-such-file".to_owned()));
    machine.ok("rm /var/log/mail.log");

    // Who may not read it is told so.
    let nobody = "setpriv --reuid nobody --regid nogroup --clear-groups";
    let (findings, _) = log(&machine, nobody);
    let (code, what) = &findings[0];
    assert_eq!((code.as_str(), findings.len()), ("log-unknown", 1));
    for place in ["/var/log/mail.log: No such file", "journal"] {
        assert!(what.contains(place), "{what}");
    }

    // What was before the settings were read again is over.
    machine
        .ok("systemctl start signet.socket signet.service && systemctl reload postfix@-.service");
    wait_until("Postfix has reloaded", || {
        codes(&machine).is_empty().then_some(())
    });
    machine.ok(mail::SEND);
    assert_eq!(codes(&machine), [""; 0]);
}
