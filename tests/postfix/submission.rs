//! The ways a message comes in, and the ways Postfix reaches the milter.

use crate::client::{Client, stuffed};
use crate::instance::Setup;
use crate::stand::{SENDER, Stand, message, recipient};

#[test]
fn a_chrooted_smtpd_reaches_the_milter_by_the_relative_path() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    stand.assert_signs(&message("Good morning\r\n"));
}

#[test]
fn an_unchrooted_smtpd_reaches_the_milter_by_the_same_path() {
    let setup = Setup {
        chroot: false,
        ..Setup::default()
    };
    let Some(stand) = Stand::start(&setup) else {
        return;
    };
    stand.assert_signs(&message("Good morning\r\n"));
}

#[test]
fn a_chrooted_smtpd_reaches_the_milter_over_tcp() {
    let Some(stand) = Stand::start(&Setup {
        tcp: true,
        ..Setup::default()
    }) else {
        return;
    };
    stand.assert_signs(&message("Good morning\r\n"));
}

#[test]
fn the_private_postfix_is_set_up_as_postfix_wants_it() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let output = stand.postfix.run("postfix", &["check"], b"");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        !stand.postfix.log().contains("warning: not owned"),
        "{}",
        stand.postfix.log()
    );
}

/// The sendmail command takes another way through Postfix: pickup and cleanup, no smtpd.
#[test]
fn mail_from_the_sendmail_command_is_signed() {
    for chroot in [true, false] {
        let Some(stand) = Stand::start(&Setup {
            chroot,
            ..Setup::default()
        }) else {
            return;
        };
        let recipient = recipient();
        let sent = message("A line\r\n.\r\n.. dots, and an umlaut: ü\r\n");
        let sent = String::from_utf8(sent)
            .unwrap()
            .replace("reader@sink.test", &recipient);
        let local = sent.replace("\r\n", "\n");
        stand
            .postfix
            .sendmail(&["-t", "-i", "-f", "author@example.org"], local.as_bytes());
        stand.assert_signed(&stand.postfix.sink.wait_for(&recipient), sent.as_bytes());
    }
}

#[test]
fn every_message_of_a_session_is_signed() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let messages: Vec<_> = (0..5)
        .map(|n| (recipient(), message(&"line\r\n".repeat(n))))
        .collect();
    let mut client = Client::connect(stand.postfix.service("signed"));
    for (recipient, message) in &messages {
        client.send(SENDER, recipient, message);
    }
    client.quit();
    for (recipient, message) in &messages {
        stand.assert_signed(&stand.postfix.sink.wait_for(recipient), message);
    }
}

#[test]
fn sessions_side_by_side_keep_their_messages_apart() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let messages: Vec<_> = (0..20)
        .map(|n| (recipient(), message(&format!("number {n}\r\n"))))
        .collect();
    let mut clients: Vec<_> = messages
        .iter()
        .map(|_| Client::connect(stand.postfix.service("signed")))
        .collect();
    // All of them are in the middle of their message before the first one ends it.
    for (client, (recipient, _)) in clients.iter_mut().zip(&messages) {
        client.expect(250, &format!("MAIL FROM:{SENDER}"));
        client.expect(250, &format!("RCPT TO:<{recipient}>"));
        client.expect(354, "DATA");
    }
    for (client, (_, message)) in clients.iter_mut().zip(&messages) {
        client.write(&message[..message.len() / 2]);
    }
    for (client, (_, message)) in clients.iter_mut().zip(&messages) {
        client.write(&message[message.len() / 2..]);
        client.write(b".\r\n");
    }
    clients
        .iter_mut()
        .for_each(|client| client.expect_replies(&[250]));
    for (recipient, message) in &messages {
        stand.assert_signed(&stand.postfix.sink.wait_for(recipient), message);
    }
}

#[test]
fn pipelined_messages_are_signed() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let (first, second) = (message("one\r\n"), message("two\r\n"));
    let (to_first, to_second) = (recipient(), recipient());
    let mut client = Client::connect(stand.postfix.service("signed"));
    let envelope =
        |to: &str| format!("MAIL FROM:{SENDER}\r\nRCPT TO:<{to}>\r\nDATA\r\n").into_bytes();
    client.write(&envelope(&to_first));
    client.expect_replies(&[250, 250, 354]);
    client.write(&[stuffed(&first), envelope(&to_second)].concat());
    client.expect_replies(&[250, 250, 250, 354]);
    client.write(&[stuffed(&second), b"QUIT\r\n".to_vec()].concat());
    client.expect_replies(&[250, 221]);
    stand.assert_signed(&stand.postfix.sink.wait_for(&to_first), &first);
    stand.assert_signed(&stand.postfix.sink.wait_for(&to_second), &second);
}

/// RFC 3030: no dots are doubled, and the chunks end anywhere, here inside line ends too.
#[test]
fn a_message_in_bdat_chunks_is_signed() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let sent = message(&".a line\r\n".repeat(50));
    for size in [1, 37, 100_000] {
        let recipient = recipient();
        let mut client = Client::connect(stand.postfix.service("signed"));
        client.expect(250, &format!("MAIL FROM:{SENDER}"));
        client.expect(250, &format!("RCPT TO:<{recipient}>"));
        let reply = client.bdat(&sent, size);
        assert_eq!(reply.code, 250, "{}", reply.text);
        client.quit();
        stand.assert_signed(&stand.postfix.sink.wait_for(&recipient), &sent);
    }
}

/// The versions an administrator can set in `milter_protocol`.
#[test]
fn every_milter_protocol_version_works() {
    let service = |name, version| (name, vec![format!("milter_protocol={version}")]);
    let services = vec![
        service("v2", 2),
        service("v3", 3),
        service("v4", 4),
        service("v6", 6),
    ];
    let Some(stand) = Stand::start(&Setup {
        services,
        ..Setup::default()
    }) else {
        return;
    };
    for version in ["v2", "v3", "v4", "v6"] {
        let sent = String::from_utf8(message("a line  with spaces \r\n\r\n\r\n")).unwrap();
        let sent = sent.replace("Subject: A subject", "Subject:no space\r\n\tand  a fold ");
        stand.assert_signed(&stand.pass(version, sent.as_bytes()), sent.as_bytes());
    }
}
