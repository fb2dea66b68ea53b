//! Mail that leaves Postfix for a content filter and comes back to a second smtpd, with the milter on both ways.

use std::net::Ipv4Addr;

use crate::client::Client;
use crate::instance::Setup;
use crate::judges::{Opinion, judge};
use crate::sink::{Delivery, Sink};
use crate::stand::{DOMAIN, SENDER, Stand, message, recipient};

/// A Postfix that hands what comes in at `filtered` to a filter, which brings it back to `signed`.
struct Filtered {
    stand: Stand,
    filter: Sink,
}

impl Filtered {
    fn start() -> Option<Self> {
        let filter = Sink::start((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = filter.address().port();
        let setup = Setup {
            services: vec![(
                "filtered",
                vec![format!("content_filter=smtp:[127.0.0.1]:{port}")],
            )],
            ..Setup::default()
        };
        let stand = Stand::start(&setup)?;
        Some(Self { stand, filter })
    }

    /// Sends a message through the filter, which does `edit` to it, and returns it as it arrived in the end.
    fn pass(&self, message: &[u8], edit: Edit) -> Delivery {
        let recipient = recipient();
        let mut client = Client::connect(self.stand.postfix.service("filtered"));
        client.send(SENDER, &recipient, message);
        client.quit();
        let mut filtered = self.filter.wait_for(&recipient).message;
        edit(&mut filtered);
        let mut back = Client::connect(self.stand.postfix.service("signed"));
        back.send(SENDER, &recipient, &filtered);
        back.quit();
        self.stand.postfix.sink.wait_for(&recipient)
    }
}

/// What a filter does to a message.
type Edit = fn(&mut Vec<u8>);

/// How many signature fields there are anywhere in the header section.
fn signatures(delivery: &Delivery) -> usize {
    let parts = delivery.parts();
    let below = parts.fields.iter();
    parts.signatures.len() + below.filter(|f| f.starts_with(b"DKIM-Signature:")).count()
}

#[test]
fn what_the_filter_left_alone_is_signed_once() {
    let Some(filtered) = Filtered::start() else {
        return;
    };
    let Filtered { stand, .. } = &filtered;
    let arrived = filtered.pass(&message("hello\r\n"), |_| {});
    assert_eq!(signatures(&arrived), stand.keys.selectors().len());
    crate::judges::assert_verifies(&stand.keys, &arrived.message, &[DOMAIN]);
    let line = stand.milter.line_about(&arrived.parts().queue_id);
    assert!(line.contains("reason=already-signed"), "{line}");
}

/// A Received field of the filter's own, as it adds one, does not matter.
#[test]
fn a_trace_of_the_filter_does_not_matter() {
    let Some(filtered) = Filtered::start() else {
        return;
    };
    let arrived = filtered.pass(&message("hello\r\n"), |message| {
        message.splice(
            ..0,
            *b"Received: from filter (127.0.0.1) by filter\r\n\tid 77; never\r\n",
        );
    });
    assert_eq!(signatures(&arrived), filtered.stand.keys.selectors().len());
    crate::judges::assert_verifies(&filtered.stand.keys, &arrived.message, &[DOMAIN]);
}

/// The footer breaks what was signed before it; the way back signs what is really sent.
#[test]
fn what_the_filter_changed_is_signed_again() {
    let Some(filtered) = Filtered::start() else {
        return;
    };
    let Filtered { stand, .. } = &filtered;
    let footer: Edit = |message| message.extend_from_slice(b"-- \r\nFound clean.\r\n");
    let subject: Edit = |message| {
        let text = String::from_utf8(message.clone()).unwrap();
        *message = text.replace("Subject: A", "Subject: [EXT] A").into_bytes();
    };
    let changes = [("footer", footer), ("subject", subject)];
    for (change, edit) in changes {
        let arrived = filtered.pass(&message("hello\r\n"), edit);
        let parts = arrived.parts();
        assert_eq!(
            parts.signatures.len(),
            stand.keys.selectors().len(),
            "{change}"
        );
        assert_eq!(
            signatures(&arrived),
            2 * stand.keys.selectors().len(),
            "{change}"
        );
        let verdicts = judge(&stand.keys, &[&arrived.message]).remove(0);
        for judge in ["dkimpy", "Mail::DKIM", "mail-auth"] {
            let passes =
                |v: &&crate::judges::Verdict| v.judge == judge && v.passed == Opinion::Pass;
            assert!(
                verdicts.iter().any(|v| passes(&v)),
                "{change}, {judge}: {verdicts:#?}"
            );
        }
        let line = stand.milter.line_about(&parts.queue_id);
        assert!(
            line.contains("signed") && !line.contains("not signed"),
            "{line}"
        );
    }
}
