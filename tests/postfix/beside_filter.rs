//! Content filters as machines have them, for the mail of strangers, of our people, or of both: where it is right to sign, and what
//! `signet doctor` says where it is wrong. Its commands, run as they stand there, mend it.

use crate::client::Client;
use crate::instance::Setup;
use crate::judges::{self, Opinion, judge};
use crate::scanner::{Edit, Scanner, footer};
use crate::sink::Delivery;
use crate::stand::{DOMAIN, SENDER, Stand, message, recipient};
use crate::ward::{assert_no_alarm, findings, mend};

const ASKED: &str = "smtpd_milters=unix:signet/signet.sock";
const NOT_ASKED: &str = "receive_override_options=no_milters";
const UNFILTERED: &str = "content_filter=";
/// Nobody but our people may hand in mail there.
const OURS: &str = "smtpd_client_restrictions=permit_mynetworks,reject";

/// A machine that the world reaches at `mx` and our people at `submission`. What goes through a filter
/// comes back at `back-mx`, or with a second filter at `back-submission`.
struct Machine {
    stand: Stand,
}

/// What is said of each of its services.
#[derive(Default)]
struct Options {
    mx: Vec<String>,
    submission: Vec<String>,
    back_mx: Vec<&'static str>,
    back_submission: Option<Vec<&'static str>>,
}

impl Machine {
    fn start(scanners: &[&Scanner], options: Options) -> Option<Self> {
        let owned = |options: &[&str]| options.iter().map(|o| (*o).to_owned()).collect::<Vec<_>>();
        let mut services = vec![
            ("mx", options.mx),
            ("submission", [owned(&[OURS]), options.submission].concat()),
            ("back-mx", owned(&options.back_mx)),
        ];
        if let Some(back) = options.back_submission {
            services.push(("back-submission", owned(&back)));
        }
        let setup = Setup {
            services,
            public: true,
            // What is not among the services above takes part in nothing.
            main_cf: vec!["internal_mail_filter_classes = bounce".to_owned()],
            ..Setup::default()
        };
        let stand = Stand::start(&setup)?;
        for (scanner, back) in scanners.iter().zip(["back-mx", "back-submission"]) {
            scanner.leads_to(stand.postfix.service(back));
        }
        Some(Self { stand })
    }

    /// A stranger writes in our name.
    fn forge(&self) -> Delivery {
        let recipient = recipient();
        let mx = self.stand.postfix.service("mx");
        let mut client = Client::connect_as(mx, "ADDR=192.0.2.7 NAME=client.example");
        client.send(SENDER, &recipient, &message("Please pay the bill\r\n"));
        client.quit();
        self.stand.postfix.sink.wait_for(&recipient)
    }

    fn submit(&self) -> Delivery {
        self.stand.pass("submission", &message("hello\r\n"))
    }

    fn mend(&self, code: &str) {
        mend(&self.stand.postfix, code);
    }

    /// Asserts that the message carries one signature a key and no other, and that they hold.
    fn assert_signed_once(&self, delivery: &Delivery) {
        let text = String::from_utf8_lossy(&delivery.message);
        assert_eq!(text.matches("DKIM-Signature:").count(), 2, "{text}");
        judges::assert_verifies(&self.stand.keys, &delivery.message, &[DOMAIN]);
    }
}

fn signatures(delivery: &Delivery) -> usize {
    let text = String::from_utf8_lossy(&delivery.message);
    text.matches("DKIM-Signature:").count()
}

fn verifies(machine: &Machine, delivery: &Delivery) -> bool {
    let verdicts = judge(&machine.stand.keys, &[&delivery.message]).remove(0);
    verdicts
        .iter()
        .any(|verdict| verdict.passed == Opinion::Pass)
}

/// One filter for everybody's mail, signed behind it: there a stranger's mail comes from an address of this machine.
#[test]
fn a_stranger_s_mail_that_comes_back_from_a_filter_is_not_signed_once_doctor_is_heard() {
    for front in [NOT_ASKED, ASKED] {
        let scanner = Scanner::start(|_| {});
        let filtered = vec![scanner.queued(), front.to_owned()];
        let options = Options {
            mx: filtered.clone(),
            submission: filtered,
            back_mx: vec![UNFILTERED],
            back_submission: None,
        };
        let Some(machine) = Machine::start(&[&scanner], options) else {
            return;
        };
        assert!(verifies(&machine, &machine.forge()), "this is the danger");
        machine.mend("postfix-filter-strangers");
        assert_eq!(signatures(&machine.forge()), 0);
        machine.assert_signed_once(&machine.submit());
    }
}

/// The same before the queue: the proxy is asked by nobody but the world's service.
#[test]
fn a_stranger_s_mail_that_comes_back_from_a_proxy_is_not_signed_once_doctor_is_heard() {
    let scanner = Scanner::start(footer);
    let options = Options {
        mx: vec![scanner.proxy()],
        back_mx: vec!["smtpd_proxy_filter="],
        ..Options::default()
    };
    let Some(machine) = Machine::start(&[&scanner], options) else {
        return;
    };
    assert!(verifies(&machine, &machine.forge()), "this is the danger");
    machine.mend("postfix-filter-strangers");
    let forged = machine.forge();
    assert_eq!(signatures(&forged), 0);
    assert!(forged.message.ends_with(b"Scanned.\r\n"));
    machine.assert_signed_once(&machine.submit());
}

/// Our people's mail goes through a filter of its own, which changes it.
fn of_our_people(submission: &str, back: &'static str, edit: Edit) -> Option<(Machine, Scanner)> {
    let scanner = Scanner::start(edit);
    let options = Options {
        submission: vec![scanner.queued(), submission.to_owned()],
        back_mx: vec![UNFILTERED, back],
        ..Options::default()
    };
    let machine = Machine::start(&[&scanner], options)?;
    Some((machine, scanner))
}

#[test]
fn what_is_signed_before_the_filter_only_breaks_until_doctor_is_heard() {
    for back in [NOT_ASKED, "smtpd_milters="] {
        let Some((machine, _scanner)) = of_our_people(ASKED, back, footer) else {
            return;
        };
        let broken = machine.submit();
        assert_eq!(signatures(&broken), 2);
        assert!(!verifies(&machine, &broken));
        machine.mend("postfix-content-filter");
        machine.assert_signed_once(&machine.submit());
    }
}

/// What the filter changes carries the broken signatures of before it too.
#[test]
fn what_is_signed_before_and_behind_the_filter_is_signed_once_when_doctor_is_heard() {
    let Some((machine, _scanner)) = of_our_people(ASKED, ASKED, footer) else {
        return;
    };
    let twice = machine.submit();
    assert_eq!(signatures(&twice), 4);
    assert!(verifies(&machine, &twice));
    machine.mend("postfix-content-filter");
    machine.assert_signed_once(&machine.submit());
}

/// What doctor calls right: strangers' mail and ours go through the filter on ways of their own.
#[test]
fn with_two_ways_through_the_filter_ours_is_signed_behind_it_and_nothing_else() {
    let (of_strangers, of_ours) = (Scanner::start(footer), Scanner::start(footer));
    let options = Options {
        mx: vec![of_strangers.queued(), NOT_ASKED.to_owned()],
        submission: vec![of_ours.queued(), NOT_ASKED.to_owned()],
        back_mx: vec![UNFILTERED, NOT_ASKED],
        back_submission: Some(vec![UNFILTERED]),
    };
    let Some(machine) = Machine::start(&[&of_strangers, &of_ours], options) else {
        return;
    };
    assert_eq!(signatures(&machine.forge()), 0);
    machine.assert_signed_once(&machine.submit());
    assert_no_alarm(&machine.stand.postfix);
}

/// One filter for all, which leaves alone what our people send: that is signed before it.
#[test]
fn signed_before_a_filter_that_changes_nothing_it_holds() {
    let scanner = Scanner::start(|_| {});
    let options = Options {
        mx: vec![scanner.queued()],
        submission: vec![scanner.queued()],
        back_mx: vec![UNFILTERED, NOT_ASKED],
        back_submission: None,
    };
    let Some(machine) = Machine::start(&[&scanner], options) else {
        return;
    };
    assert_eq!(signatures(&machine.forge()), 0);
    machine.assert_signed_once(&machine.submit());
    assert_no_alarm(&machine.stand.postfix);
    let codes = findings(&machine.stand.postfix);
    assert!(
        codes
            .iter()
            .any(|finding| finding.code == "postfix-filter-shared"),
        "{codes:#?}"
    );
}
