//! What `signet doctor` says of the milters beside ours: which order is right and which breaks signatures, and who else signs. Its
//! commands, run as they stand there, mend it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::altering::{Altering, Change};
use crate::instance::{Instance, RELATIVE_SOCKET, Setup};
use crate::judges::{self, Opinion, judge};
use crate::judging::{opendkim, opendkim_that_signs};
use crate::keys::{ED25519, Keys, RSA};
use crate::left_out;
use crate::process::{UNSHARE, private_files, wait_until};
use crate::requirements;
use crate::sink::Delivery;
use crate::stand::{DOMAIN, Stand, message};
use crate::ward::{assert_no_alarm, doctor, findings, findings_of, mend, run};

/// Ours and others in both lists, on a Postfix that has nothing else wrong.
fn lists(before: Vec<String>, behind: Vec<String>) -> Setup {
    Setup {
        before,
        behind,
        main_cf: vec!["internal_mail_filter_classes = bounce".to_owned()],
        ..Setup::default()
    }
}

fn verifies(stand: &Stand, arrived: &Delivery) -> bool {
    let verdicts = judge(&stand.keys, &[&arrived.message]).remove(0);
    verdicts
        .iter()
        .any(|verdict| verdict.passed == Opinion::Pass)
}

/// The milter that adds a field stays where it is: it has not asked Postfix for more.
#[test]
fn a_milter_that_changes_mail_behind_ours_is_put_before_it() {
    for (change, right) in [
        (Change::Subject, "header fields"),
        (Change::Footer, "bodies"),
    ] {
        let (changes, adds) = (Altering::start(change), Altering::start(Change::AddsAField));
        let setup = lists(Vec::new(), vec![changes.inet(), adds.inet()]);
        let Some(stand) = Stand::start(&setup) else {
            return;
        };
        let broken = stand.pass("signed", &message("hello\r\n"));
        assert!(!verifies(&stand, &broken), "{change:?}");

        // Two lists that are alike, and one that names the other.
        let named = "$smtpd_milters";
        if change == Change::Footer {
            let edit = format!("non_smtpd_milters={named}");
            stand.postfix.run("postconf", &["-e", &edit], b"");
        }
        let what = mend(&stand.postfix, "postfix-order");
        assert!(what.contains(&format!("let it change {right}")), "{what}");
        assert!(!what.contains(&adds.inet()), "{what}");
        let expected = format!("{}, {RELATIVE_SOCKET}, {}", changes.inet(), adds.inet());
        for name in ["smtpd_milters", "non_smtpd_milters"] {
            let list = stand.postfix.run("postconf", &["-h", name], b"");
            let list = String::from_utf8(list.stdout).unwrap();
            match (change, name) {
                (Change::Footer, "non_smtpd_milters") => assert_eq!(list.trim(), named),
                _ => assert_eq!(list.trim(), expected),
            }
        }
        let arrived = stand.pass("signed", &message("hello\r\n"));
        let text = String::from_utf8_lossy(&arrived.message);
        assert!(
            text.contains(change.trace()) && text.contains(Change::AddsAField.trace()),
            "{text}"
        );
        judges::assert_verifies(&stand.keys, &arrived.message, &[DOMAIN]);
    }
}

#[test]
fn an_opendkim_that_signs_too_is_told_and_only_verifies_once_doctor_is_heard() {
    let keys = Keys::generate(&[DOMAIN], &[RSA, ED25519]);
    let Some(other) = opendkim_that_signs(&keys, "other") else {
        return;
    };
    let stand = Stand::with_keys(&lists(vec![other.inet()], Vec::new()), keys, "");
    let twice = stand.pass("signed", &message("hello\r\n"));
    let text = String::from_utf8_lossy(&twice.message);
    assert_eq!(text.matches("DKIM-Signature:").count(), 3, "{text}");

    let finding = findings(&stand.postfix).remove(0);
    assert_eq!(finding.code, "postfix-two-signers");
    let [_, command, restart] = &finding.mend[..] else {
        panic!("{finding:#?}");
    };
    run(command);
    assert_eq!(restart, "systemctl restart opendkim");
    assert_no_alarm(&stand.postfix);
    other.reread();
    let once = wait_until("OpenDKIM has read its settings", || {
        let arrived = stand.pass("signed", &message("hello\r\n"));
        let text = String::from_utf8_lossy(&arrived.message);
        (text.matches("DKIM-Signature:").count() == 2).then_some(arrived)
    });
    judges::assert_verifies(&stand.keys, &once.message, &[DOMAIN]);
}

/// In the midst of a move, both have the same key.
#[test]
fn what_an_opendkim_before_ours_has_signed_with_our_key_is_not_signed_with_it_again() {
    let keys = Keys::generate(&[DOMAIN], &[RSA]);
    let Some(other) = opendkim_that_signs(&keys, RSA) else {
        return;
    };
    let stand = Stand::with_keys(&lists(vec![other.inet()], Vec::new()), keys, "");
    let arrived = stand.pass("signed", &message("hello\r\n"));
    let parts = arrived.parts();
    assert_eq!(parts.signatures.len(), 1);
    judges::assert_verifies(&stand.keys, &arrived.message, &[DOMAIN]);
    let line = stand.milter.line_about(&parts.queue_id);
    assert!(line.contains("reason=already-signed"), "{line}");
}

/// Whether it signs is in its settings; without them that is not known, and said so.
#[test]
fn an_opendkim_whose_settings_cannot_be_read_is_a_note() {
    let keys = Keys::generate(&[DOMAIN], &[RSA]);
    let Some(other) = opendkim(&keys) else {
        return;
    };
    let stand = Stand::with_keys(&lists(Vec::new(), vec![other.inet()]), keys, "");
    assert!(findings(&stand.postfix).is_empty());
    // It has the port at which the configuration has signet.
    let mut taken = doctor(&stand.postfix);
    taken.args(["--listen", &other.inet()]);
    assert!(findings_of(&mut taken).is_empty());
    fs::remove_file(other.file("opendkim.conf")).unwrap();
    assert_no_alarm(&stand.postfix);
    let findings = findings(&stand.postfix);
    assert!(
        findings
            .iter()
            .all(|finding| finding.code == "postfix-signer-unknown"
                && finding
                    .what
                    .contains("opendkim.conf: there is no such file")),
        "{findings:#?}"
    );
    assert_eq!(findings.len(), 1);
}

/// Its settings are those of Debian's package, and what an administrator puts beside them.
#[test]
fn an_rspamd_that_signs_too_or_rewrites_subjects_behind_ours_is_told() {
    if !requirements::met() || !left_out::installed("rspamd", &["/etc/rspamd/rspamd.conf"]) {
        return;
    }
    let copy = tempfile::tempdir().unwrap();
    let settings = copy.path().join("rspamd");
    run(&format!("cp -R /etc/rspamd {}", settings.display()));
    let write = |name: &str, text: &str| {
        let file = settings.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    let rspamd = "unix:rspamd/milter.sock".to_owned();
    let codes = |postfix: &Instance| -> Vec<String> {
        let mut doctor = in_place(&doctor(postfix), &settings);
        let codes = findings_of(&mut doctor)
            .into_iter()
            .map(|finding| finding.code);
        codes.collect()
    };
    for (before, behind) in [(vec![rspamd.clone()], vec![]), (vec![], vec![rspamd])] {
        let is_behind = !behind.is_empty();
        let Some(stand) = Stand::start(&lists(before, behind)) else {
            return;
        };
        let postfix = &stand.postfix;
        assert_eq!(codes(postfix), [""; 0]);
        write(
            "local.d/dkim_signing.conf",
            "path = \"/etc/keys/$domain.$selector.key\";\n",
        );
        assert_eq!(codes(postfix), ["postfix-two-signers"]);
        let finding = findings_of(&mut in_place(&doctor(postfix), &settings)).remove(0);
        let command = finding.mend[1].replace("/etc/rspamd", settings.to_str().unwrap());
        fs::create_dir_all(settings.join("override.d")).unwrap();
        run(&command);
        assert_eq!(codes(postfix), [""; 0]);
        write("local.d/actions.conf", "rewrite_subject = 5;\n");
        let expected: &[&str] = if is_behind { &["postfix-order"] } else { &[] };
        assert_eq!(codes(postfix), expected);
        for name in [
            "local.d/dkim_signing.conf",
            "local.d/actions.conf",
            "override.d/dkim_signing.conf",
        ] {
            fs::remove_file(settings.join(name)).unwrap();
        }
    }
}

/// The same command, which finds these settings of rspamd's in the usual place.
fn in_place(command: &Command, settings: &Path) -> Command {
    let mut inside = Command::new(UNSHARE);
    private_files(&mut inside, &[(settings.to_owned(), "/etc/rspamd")]);
    inside.arg(command.get_program()).args(command.get_args());
    inside
}
