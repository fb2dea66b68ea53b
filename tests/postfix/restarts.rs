//! The milter goes away and comes back: mail waits, none is lost, none leaves unsigned.

use crate::client::Client;
use crate::instance::Setup;
use crate::milter::Milter;
use crate::process::wait_until;
use crate::stand::{SENDER, Stand, message, recipient};

#[test]
fn mail_waits_while_the_milter_is_away() {
    for tcp in [false, true] {
        let Some(mut stand) = Stand::start(&Setup {
            tcp,
            ..Setup::default()
        }) else {
            return;
        };
        let listener = if tcp {
            stand.postfix.tcp_listener()
        } else {
            stand.postfix.unix_listener()
        };
        stand.assert_signs(&message("before\r\n"));

        stand.milter.terminate();
        let status = stand.milter.wait();
        assert!(status.success(), "{status}");
        let (recipient, sent) = (recipient(), message("meanwhile\r\n"));
        let mut client = Client::connect_silently(stand.postfix.service("signed"));
        client.command("EHLO client.example");
        assert_eq!(client.command(&format!("MAIL FROM:{SENDER}")).code, 451);
        drop(client);

        // The same socket, the same place: the client's next try succeeds.
        stand.milter = Milter::start(&stand.keys, &[listener], "");
        let mut client = Client::connect(stand.postfix.service("signed"));
        client.send(SENDER, &recipient, &sent);
        client.quit();
        stand.assert_signed(&stand.postfix.sink.wait_for(&recipient), &sent);
        assert_eq!(stand.postfix.sink.count_for(&recipient), 1);
    }
}

/// No half-signed mail, no unsigned mail: the client keeps the message and tries again.
#[test]
fn a_milter_that_dies_in_a_message_costs_a_retry() {
    let Some(mut stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let (recipient, sent) = (recipient(), message("hello\r\n"));
    let mut client = Client::connect(stand.postfix.service("signed"));
    client.expect(250, &format!("MAIL FROM:{SENDER}"));
    client.expect(250, &format!("RCPT TO:<{recipient}>"));
    client.expect(354, "DATA");
    client.write(&sent);
    stand.milter.kill();
    client.write(b".\r\n");
    client.expect_replies(&[451]);
    drop(client);

    // It left its socket file behind, which must not keep it from starting.
    stand.milter = Milter::start(&stand.keys, &[stand.postfix.unix_listener()], "");
    let mut client = Client::connect(stand.postfix.service("signed"));
    client.send(SENDER, &recipient, &sent);
    client.quit();
    stand.assert_signed(&stand.postfix.sink.wait_for(&recipient), &sent);
    assert_eq!(stand.postfix.sink.count_for(&recipient), 1);
}

#[test]
fn mail_of_the_sendmail_command_waits_in_the_queue() {
    let Some(mut stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let submit = |stand: &Stand, sent: &[u8]| {
        let recipient = recipient();
        let local = String::from_utf8(sent.to_vec())
            .unwrap()
            .replace("\r\n", "\n");
        stand.postfix.sendmail(
            &["-i", "-f", "author@example.org", &recipient],
            local.as_bytes(),
        );
        recipient
    };
    stand.milter.terminate();
    stand.milter.wait();
    let early = message("while it was away\r\n");
    let to_early = submit(&stand, &early);
    wait_until("Postfix asks the milter in vain", || {
        stand
            .postfix
            .log()
            .contains("connect to Milter service")
            .then_some(())
    });
    assert_eq!(stand.postfix.sink.count_for(&to_early), 0);

    stand.milter = Milter::start(&stand.keys, &[stand.postfix.unix_listener()], "");
    // Postfix looks again every minute, or when the next message comes.
    let late = message("when it was back\r\n");
    let to_late = submit(&stand, &late);
    stand.assert_signed(&stand.postfix.sink.wait_for(&to_early), &early);
    stand.assert_signed(&stand.postfix.sink.wait_for(&to_late), &late);
}

/// Postfix keeps one connection to the milter for a whole SMTP session and never makes a second one in it, so a milter that closed it
/// between two messages would leave the second to the default action.
#[test]
fn a_session_that_is_open_at_shutdown_is_served_to_its_end() {
    let Some(mut stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let (before, after) = (recipient(), recipient());
    let sent = message("hello\r\n");
    let mut client = Client::connect(stand.postfix.service("signed"));
    client.send(SENDER, &before, &sent);
    stand.milter.terminate();
    client.send(SENDER, &after, &sent);
    client.quit();
    let status = stand.milter.wait();
    assert!(status.success(), "{status}");
    stand.assert_signed(&stand.postfix.sink.wait_for(&before), &sent);
    stand.assert_signed(&stand.postfix.sink.wait_for(&after), &sent);
}
