//! Mail of trusted clients that is not signed all the same.

use crate::client::Client;
use crate::instance::Setup;
use crate::keys::ED25519;
use crate::stand::{DOMAIN, SENDER, Stand, message, message_from, recipient};

#[test]
fn one_excluded_recipient_excludes_the_message() {
    let config =
        "[exclude]\nrecipients = [\"journal@sink.test\", \".archive.test\", \"*-dump@*\"]\n";
    let Some(stand) = Stand::with(&Setup::default(), &[DOMAIN], &[ED25519], config) else {
        return;
    };
    let sent = message("hello\r\n");
    for excluded in [
        "Journal@sink.test",
        "all@mail.archive.test",
        "x-dump@sink.test",
    ] {
        let other = recipient();
        let mut client = Client::connect(stand.postfix.service("signed"));
        client.expect(250, &format!("MAIL FROM:{SENDER}"));
        client.expect(250, &format!("RCPT TO:<{other}>"));
        client.expect(250, &format!("RCPT TO:<{excluded}>"));
        assert_eq!(client.data(&sent).code, 250);
        let arrived = stand.postfix.sink.wait_for(&other);
        stand.assert_unsigned(&arrived, &sent, "reason=excluded-recipient");

        // The next message of the session has other recipients.
        let next = recipient();
        client.send(SENDER, &next, &sent);
        client.quit();
        stand.assert_signed(&stand.postfix.sink.wait_for(&next), &sent);
    }
    // A rejected recipient receives nothing, so it excludes nothing.
    let kept = recipient();
    let mut client = Client::connect(stand.postfix.service("signed"));
    client.expect(250, &format!("MAIL FROM:{SENDER}"));
    client.expect(554, "RCPT TO:<nobody@sink.test>");
    client.expect(250, &format!("RCPT TO:<{kept}>"));
    assert_eq!(client.data(&sent).code, 250);
    client.quit();
    stand.assert_signed(&stand.postfix.sink.wait_for(&kept), &sent);
}

/// The sendmail command names its recipients without angle brackets.
#[test]
fn a_recipient_is_excluded_for_the_sendmail_command_too() {
    let config = "[exclude]\nrecipients = [\".archive.test\"]\n";
    let Some(stand) = Stand::with(&Setup::default(), &[DOMAIN], &[ED25519], config) else {
        return;
    };
    let sent = message("hello\r\n");
    let local = String::from_utf8(sent.clone())
        .unwrap()
        .replace("\r\n", "\n");
    let (excluded, other) = ("all@mail.archive.test", recipient());
    let arguments = ["-i", "-f", "author@example.org"];
    stand.postfix.sendmail(
        &[&arguments[..], &[excluded, &other]].concat(),
        local.as_bytes(),
    );
    let arrived = stand.postfix.sink.wait_for(&other);
    stand.assert_unsigned(&arrived, &sent, "reason=excluded-recipient");
}

#[test]
fn an_excluded_author_domain_is_not_signed() {
    let config = "[exclude]\ndomains = [\".example.org\"]\n[[rule]]\npattern = \"*\"\ndomain = \"example.org\"\n";
    let Some(stand) = Stand::with(&Setup::default(), &[DOMAIN], &[ED25519], config) else {
        return;
    };
    let excluded = message_from("author@lists.example.org", "hello\r\n");
    let arrived = stand.pass("signed", &excluded);
    stand.assert_unsigned(&arrived, &excluded, "reason=excluded-domain");
    stand.assert_signs_for("author@example.org", &[DOMAIN]);
    stand.assert_signs_for("author@elsewhere.example", &[DOMAIN]);
}
