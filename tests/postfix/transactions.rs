//! Transactions that go wrong, and the good one after them.

use crate::client::Client;
use crate::instance::Setup;
use crate::process::wait_until;
use crate::stand::{SENDER, Stand, message, recipient};

#[test]
fn a_good_message_follows_aborted_ones() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let mut client = Client::connect(stand.postfix.service("signed"));
    let mail = format!("MAIL FROM:{SENDER}");
    let rcpt = format!("RCPT TO:<{}>", recipient());

    client.expect(250, &mail);
    client.expect(250, "RSET");
    client.expect(250, "RSET");
    client.expect(250, &mail);
    client.expect(250, &rcpt);
    client.expect(250, "EHLO again.example");
    client.expect(250, "MAIL FROM:<someone@elsewhere.example>");
    client.expect(250, &rcpt);
    client.expect(250, "RSET");
    client.expect(500, "NONSENSE");

    let (recipient, sent) = (recipient(), message("the good one\r\n"));
    client.send(SENDER, &recipient, &sent);
    client.quit();
    stand.assert_signed(&stand.postfix.sink.wait_for(&recipient), &sent);
}

#[test]
fn a_client_that_vanishes_in_the_message_leaves_nothing_behind() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    for sent_so_far in [
        "",
        "From: Author <author@example.org>\r\n",
        "Subject: x\r\n\r\nhalf a bo",
    ] {
        let recipient = recipient();
        let mut client = Client::connect(stand.postfix.service("signed"));
        client.expect(250, &format!("MAIL FROM:{SENDER}"));
        client.expect(250, &format!("RCPT TO:<{recipient}>"));
        client.expect(354, "DATA");
        client.write(sent_so_far.as_bytes());
        drop(client);
        wait_until("Postfix notices", || {
            stand
                .postfix
                .log()
                .contains("lost connection after DATA")
                .then_some(())
        });
        stand.assert_signs(&message("the good one\r\n"));
        assert_eq!(stand.postfix.sink.count_for(&recipient), 0);
    }
}

#[test]
fn recipients_may_be_rejected() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let (first, second, sent) = (recipient(), recipient(), message("for two\r\n"));
    let mut client = Client::connect(stand.postfix.service("signed"));

    // None is left: no message.
    client.expect(250, &format!("MAIL FROM:{SENDER}"));
    client.expect(554, "RCPT TO:<nobody@sink.test>");
    client.expect(554, "DATA");
    client.expect(250, "RSET");

    // Two of three are left.
    client.expect(250, &format!("MAIL FROM:{SENDER}"));
    client.expect(250, &format!("RCPT TO:<{first}>"));
    client.expect(554, "RCPT TO:<nobody@sink.test>");
    client.expect(250, &format!("RCPT TO:<{second}>"));
    let reply = client.data(&sent);
    assert_eq!(reply.code, 250, "{}", reply.text);
    client.quit();
    let arrived = stand.postfix.sink.wait_for(&second);
    assert!(
        arrived.recipients.contains(&first),
        "{:?}",
        arrived.recipients
    );
    stand.assert_signed(&arrived, &sent);
}
