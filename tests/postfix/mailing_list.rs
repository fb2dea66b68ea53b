//! Mail that leaves twice: the author's, and the same from a list program that Postfix hands it to, which brings it back changed or
//! not, by SMTP (Mailman) or with sendmail (the older ones).

use std::collections::BTreeMap;
use std::fs;

use crate::client::Client;
use crate::instance::Setup;
use crate::judges::{Opinion, judge};
use crate::keys::{ED25519, RSA};
use crate::sink::Delivery;
use crate::stand::{DOMAIN, SENDER, Stand, message, recipient};
use crate::ward::{doctor, findings, findings_of};

/// The domain of the list, which has keys of its own.
const LISTS: &str = "lists.example.org";

/// For a host of lists, as docs/configuration.md has it.
const LIST_HOST: &str = "author_headers = [\"List-Post\", \"Sender\", \"From\"]\n";

/// Gets how to bring mail back, how to change it, and the subscriber; the message comes on standard input.
const PROGRAM: &str = r#"
import os, smtplib, subprocess, sys

way, change, subscriber = sys.argv[1:]
head, body = sys.stdin.buffer.read().split(b"\n\n", 1)
head += b"\nList-Id: <crew.lists.example.org>\nList-Post: <mailto:crew@lists.example.org>"
if change != "none":
    head = head.replace(b"Subject: ", b"Subject: [crew] ", 1)
    body += b"-- \nTo leave the crew: crew-leave@lists.example.org\n"
if change == "from":
    head = head.replace(b"From: Author <author@example.org>", b"From: Author by way of crew <crew@lists.example.org>", 1)
message = head + b"\n\n" + body
sender, config = "crew-bounces@lists.example.org", os.environ.pop("MAIL_CONFIG")
if way == "smtp":
    with open(config + "/back") as place:
        host, port = place.read().split()
    with smtplib.SMTP(host, int(port)) as server:
        server.sendmail(sender, [subscriber], message.replace(b"\n", b"\r\n"), ["BODY=8BITMIME"])
else:
    subprocess.run(["/usr/sbin/sendmail", "-oi", "-f", sender, subscriber], input=message, check=True)
"#;

/// A machine with a list whose every address `X@lists.example.org` has the subscriber `X@sink.test`.
struct ListHost(Stand);

impl ListHost {
    fn start(way: &str, change: &str, config: &str) -> Option<Self> {
        let setup = Setup {
            services: vec![("back", Vec::new())],
            files: vec![("list.py", PROGRAM.to_owned())],
            usual_place: true,
            main_cf: vec![
                format!("virtual_mailbox_domains = {LISTS}"),
                "virtual_transport = mailman".to_owned(),
            ],
            // pipe starts it in the queue directory.
            master_cf: vec![format!(
                "mailman unix - n n - - pipe user=nobody argv=/usr/bin/python3 ../etc/list.py {way} {change} ${{user}}@sink.test"
            )],
            ..Setup::default()
        };
        let stand = Stand::with(&setup, &[DOMAIN, LISTS], &[RSA, ED25519], config)?;
        let back = stand.postfix.service("back");
        let place = format!("{} {}\n", back.ip(), back.port());
        fs::write(stand.postfix.config().join("back"), place).unwrap();
        Some(Self(stand))
    }

    /// Somebody posts to the list in the name of ours; what the subscriber gets.
    fn post(&self, client: &str) -> Delivery {
        let Self(stand) = self;
        let subscriber = recipient();
        let address = subscriber.replace("sink.test", LISTS);
        let mut client = Client::connect_as(stand.postfix.service("signed"), client);
        client.send(SENDER, &address, &message("hello\r\n"));
        client.quit();
        let arrived = stand.postfix.sink.wait_for(&subscriber);
        assert_eq!(
            arrived.mail.split(' ').next(),
            Some("<crew-bounces@lists.example.org>")
        );
        arrived
    }

    /// Asserts how many signatures of each domain there are, and how many of them hold.
    fn assert_signatures(&self, arrived: &Delivery, expected: &[(&str, usize, usize)]) {
        let Self(stand) = self;
        let verdicts = judge(&stand.keys, &[&arrived.message]).remove(0);
        let text = String::from_utf8_lossy(&arrived.message);
        for judge in ["dkimpy", "mail-auth"] {
            let mut counts = BTreeMap::new();
            for verdict in verdicts.iter().filter(|verdict| verdict.judge == judge) {
                let (all, good) = counts.entry(verdict.domain.as_str()).or_insert((0, 0));
                *all += 1;
                *good += usize::from(verdict.passed == Opinion::Pass);
            }
            let counts: Vec<_> = counts
                .into_iter()
                .map(|(d, (all, good))| (d, all, good))
                .collect();
            assert_eq!(counts, expected, "{judge}: {text}");
        }
    }
}

/// What doctor says of a list program beside a signer that goes by From.
const NOTE: &str = "postfix-list-host";

const OURS: &str = "ADDR=127.0.0.1 NAME=localhost";
const STRANGER: &str = "ADDR=192.0.2.7 NAME=client.example";

#[test]
fn the_list_signs_what_it_sends_and_the_author_s_signature_holds_if_the_list_changes_nothing() {
    for way in ["smtp", "sendmail"] {
        for (change, author) in [("none", 2), ("footer", 0)] {
            let Some(host) = ListHost::start(way, change, LIST_HOST) else {
                return;
            };
            let arrived = host.post(OURS);
            host.assert_signatures(&arrived, &[(DOMAIN, 2, author), (LISTS, 2, 2)]);
            // What a stranger posts is the list's, and never ours.
            let forged = host.post(STRANGER);
            host.assert_signatures(&forged, &[(LISTS, 2, 2)]);
        }
    }
}

/// Mailman's mitigation of DMARC: the list is the author.
#[test]
fn a_list_that_puts_itself_into_from_signs_without_any_setting() {
    let Some(host) = ListHost::start("smtp", "from", "") else {
        return;
    };
    for (client, signatures) in [
        (OURS, &[(DOMAIN, 2, 0), (LISTS, 2, 2)][..]),
        (STRANGER, &[(LISTS, 2, 2)]),
    ] {
        host.assert_signatures(&host.post(client), signatures);
    }
}

/// From is what counts then, and the list program is trusted with it.
#[test]
fn without_author_headers_the_author_s_domain_signs_for_the_list() {
    for (change, signatures) in [("none", (DOMAIN, 2, 2)), ("footer", (DOMAIN, 4, 2))] {
        let Some(host) = ListHost::start("smtp", change, "") else {
            return;
        };
        let arrived = host.post(OURS);
        host.assert_signatures(&arrived, &[signatures]);
        let line = host.0.milter.line_about(&arrived.parts().queue_id);
        assert_eq!(
            line.contains("reason=already-signed"),
            change == "none",
            "{line}"
        );
        let forged = host.post(STRANGER);
        // This is why a host of lists has author_headers.
        host.assert_signatures(&forged, &[(DOMAIN, 2, 2)]);
        let postfix = &host.0.postfix;
        let finding = findings(postfix)
            .into_iter()
            .find(|finding| finding.code == NOTE)
            .unwrap();
        assert!(finding.what.contains("leads to mailman"), "{finding:#?}");
        let config = postfix.config().join("signet.toml");
        fs::write(&config, &finding.mend[1]).unwrap();
        let mut heard = doctor(postfix);
        heard.arg("--config").arg(&config);
        assert!(
            findings_of(&mut heard)
                .iter()
                .all(|finding| finding.code != NOTE)
        );
    }
}
