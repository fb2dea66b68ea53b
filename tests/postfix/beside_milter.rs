//! Beside other milters, before and behind ours: those that judge and add a field do no harm on either side; what one that changes mail
//! does behind ours breaks the signature, and before ours is signed.

use crate::altering::{Altering, Change};
use crate::client::Client;
use crate::instance::Setup;
use crate::judges::{self, Opinion, judge};
use crate::judging::{JUDGE, opendkim, opendmarc};
use crate::keys::{ED25519, Keys, RSA};
use crate::name_server::NameServer;
use crate::sink::Delivery;
use crate::stand::{DOMAIN, SENDER, Stand, message, recipient};
use crate::ward::assert_no_alarm;

const RESULTS: &str = "Authentication-Results:";

/// A machine of ours that is not this one, which OpenDMARC would leave alone.
const OURS: &str = "ADDR=192.0.2.50 NAME=web.example.org";
const STRANGER: &str = "ADDR=192.0.2.7 NAME=client.example";

fn send_as(stand: &Stand, client: &str) -> Delivery {
    let recipient = recipient();
    let mut client = Client::connect_as(stand.postfix.service("signed"), client);
    client.send(SENDER, &recipient, &message("hello\r\n"));
    client.quit();
    stand.postfix.sink.wait_for(&recipient)
}

/// What the milters that judge have put on top, without white space.
fn results(arrived: &Delivery) -> String {
    let fields = arrived.parts().strange.concat();
    let text = String::from_utf8(fields).unwrap();
    text.split_whitespace().collect()
}

#[test]
fn opendkim_and_opendmarc_do_no_harm_before_or_behind_and_accept_what_is_signed() {
    let policy = format!("_dmarc.{DOMAIN}. TXT \"v=DMARC1; p=reject\"");
    let Some(names) = NameServer::start(&[policy]) else {
        return;
    };
    // Where each of them stands, and what each says of our mail: before ours there is no signature yet.
    for (dkim_before, dmarc_before, dkim, dmarc) in [
        (true, true, "none", "fail"),
        (true, false, "none", "fail"),
        (false, false, "pass", "pass"),
    ] {
        let keys = Keys::generate(&[DOMAIN], &[RSA, ED25519]);
        let Some(opendkim) = opendkim(&keys) else {
            return;
        };
        let Some(opendmarc) = opendmarc(names.address) else {
            return;
        };
        let mut setup = Setup::default();
        for (neighbour, before) in [(&opendkim, dkim_before), (&opendmarc, dmarc_before)] {
            match before {
                true => setup.before.push(neighbour.inet()),
                false => setup.behind.push(neighbour.inet()),
            }
        }
        setup.main_cf = vec!["internal_mail_filter_classes = bounce".to_owned()];
        let config = "[trust]\nnetworks = [\"127.0.0.0/8\", \"192.0.2.50\"]\n";
        let stand = Stand::with_keys(&setup, keys, config);

        let arrived = send_as(&stand, OURS);
        stand.assert_signed_below(&arrived, &[RESULTS, RESULTS]);
        let said = results(&arrived);
        assert!(said.contains(&format!("{JUDGE};dkim={dkim}")), "{said}");
        assert!(said.contains(&format!("{JUDGE};dmarc={dmarc}")), "{said}");
        // OpenDMARC has nothing to say of mail from this machine, and OpenDKIM has.
        let local = stand.pass("signed", &message("hello\r\n"));
        stand.assert_signed_below(&local, &[RESULTS]);

        let forged = send_as(&stand, STRANGER);
        assert!(forged.parts().signatures.is_empty());
        let said = results(&forged);
        assert!(
            said.contains("dkim=none") && said.contains("dmarc=fail"),
            "{said}"
        );
        let line = stand.milter.line_about(&forged.parts().queue_id);
        assert!(line.contains("reason=untrusted-client"), "{line}");
        assert_no_alarm(&stand.postfix);
    }
}

const EVERY: [Change; 3] = [Change::AddsAField, Change::Subject, Change::Footer];

/// Asserts that the milter has done its work, and that one signature a key is there.
fn assert_changed(stand: &Stand, arrived: &Delivery, change: Change) {
    let text = String::from_utf8_lossy(&arrived.message);
    assert!(text.contains(change.trace()), "{change:?}: {text}");
    let count = stand.keys.selectors().len();
    assert_eq!(text.matches("DKIM-Signature:").count(), count, "{text}");
}

#[test]
fn what_a_milter_before_ours_changes_is_signed_as_it_leaves() {
    for change in EVERY {
        let neighbour = Altering::start(change);
        let setup = Setup {
            before: vec![neighbour.inet()],
            ..Setup::default()
        };
        let Some(stand) = Stand::start(&setup) else {
            return;
        };
        let (sent, recipient) = (message("hello\r\n"), recipient());
        stand
            .postfix
            .sendmail(&["-f", "author@example.org", &recipient], &sent);
        let local = stand.postfix.sink.wait_for(&recipient);
        for arrived in [stand.pass("signed", &sent), local] {
            assert_changed(&stand, &arrived, change);
            judges::assert_verifies(&stand.keys, &arrived.message, &[DOMAIN]);
        }
        assert_no_alarm(&stand.postfix);
    }
}

#[test]
fn what_a_milter_behind_ours_changes_breaks_the_signature() {
    for change in EVERY {
        let neighbour = Altering::start(change);
        let setup = Setup {
            behind: vec![neighbour.inet()],
            ..Setup::default()
        };
        let Some(stand) = Stand::start(&setup) else {
            return;
        };
        let arrived = stand.pass("signed", &message("hello\r\n"));
        assert_changed(&stand, &arrived, change);
        if change == Change::AddsAField {
            judges::assert_verifies(&stand.keys, &arrived.message, &[DOMAIN]);
            continue;
        }
        let verdicts = judge(&stand.keys, &[&arrived.message]).remove(0);
        let passes = |verdict: &judges::Verdict| verdict.passed == Opinion::Pass;
        assert!(
            !verdicts.is_empty() && !verdicts.iter().any(passes),
            "{verdicts:#?}"
        );
    }
}
