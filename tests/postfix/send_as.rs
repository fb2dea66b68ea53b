//! Who may write as whom: people who logged in with a password are signed as themselves and as nobody else.

use std::fs;

use crate::accounts::Accounts;
use crate::client::Client;
use crate::keys::ED25519;
use crate::process::wait_until;
use crate::requirements;
use crate::stand::{DOMAIN, Stand, message_from, recipient};

/// Postfix with the real logins of ada and eve, and the milter with this config.
fn stand(config: &str) -> Option<(Stand, Accounts)> {
    if !requirements::met() {
        return None;
    }
    let accounts = Accounts::new(&["ada", "eve"]);
    let stand = Stand::with(&accounts.setup(), &[DOMAIN], &[ED25519], config)?;
    Some((stand, accounts))
}

/// A session of somebody on the road, after the login.
fn logged_in(stand: &Stand, login: &str) -> Client {
    let submission = stand.postfix.service("signed");
    let mut client = Client::connect_as(submission, "ADDR=192.0.2.7 NAME=client.example");
    client.log_in(login);
    client
}

/// Asserts that what `login` writes as `author` is signed.
fn assert_signed(stand: &Stand, login: &str, author: &str) {
    let (recipient, sent) = (recipient(), message_from(author, "hello\r\n"));
    let mut client = logged_in(stand, login);
    client.send(&format!("<{author}>"), &recipient, &sent);
    client.quit();
    let arrived = stand.postfix.sink.wait_for(&recipient);
    stand.assert_signed(&arrived, &sent);
    let line = stand.milter.line_about(&arrived.parts().queue_id);
    assert!(line.contains(&format!("login={login}")), "{line}");
}

/// Asserts that what `login` writes as `author` goes on as it came.
fn assert_unsigned(stand: &Stand, login: &str, author: &str) {
    let (recipient, sent) = (recipient(), message_from(author, "hello\r\n"));
    let mut client = logged_in(stand, login);
    client.send(&format!("<{author}>"), &recipient, &sent);
    client.quit();
    let arrived = stand.postfix.sink.wait_for(&recipient);
    stand.assert_unsigned(&arrived, &sent, "reason=send-as-denied");
}

/// Asserts that Postfix answers what `login` writes as `author` with this code, and delivers nothing.
fn assert_answered(stand: &Stand, login: &str, author: &str, code: u16, on_mismatch: &str) {
    let (recipient, sent) = (recipient(), message_from(author, "hello\r\n"));
    let mut client = logged_in(stand, login);
    client.expect(250, &format!("MAIL FROM:<{author}>"));
    client.expect(250, &format!("RCPT TO:<{recipient}>"));
    let reply = client.data(&sent);
    assert_eq!(reply.code, code, "{}", reply.text);
    wait_until("signet says why", || {
        let log = stand.milter.log();
        let action = format!("action={on_mismatch}");
        let says = |line: &&str| line.contains("reason=send-as-denied") && line.contains(&action);
        log.lines().find(says).map(drop)
    });
    // The session goes on, and what is right in it passes.
    let (right, own) = (self::recipient(), format!("{login}@{DOMAIN}"));
    client.send(
        &format!("<{own}>"),
        &right,
        &message_from(&own, "hello\r\n"),
    );
    client.quit();
    let arrived = stand.postfix.sink.wait_for(&right);
    assert_eq!(arrived.parts().signatures.len(), 1);
    assert_eq!(stand.postfix.sink.count_for(&recipient), 0);
}

const LOGINS: &str = "[send_as.logins]\n\
                      ada = [\"ada@example.org\", \"sales@example.org\"]\n\
                      eve = \"eve@example.org\"\n";

#[test]
fn a_login_is_signed_as_itself_and_as_nobody_else() {
    let Some((stand, _accounts)) = stand(LOGINS) else {
        return;
    };
    assert_signed(&stand, "ada", "ada@example.org");
    assert_signed(&stand, "ada", "sales@example.org");
    assert_signed(&stand, "eve", "eve@example.org");
    assert_unsigned(&stand, "ada", "eve@example.org");
    assert_unsigned(&stand, "eve", "sales@example.org");
}

#[test]
fn a_mismatch_can_be_refused_or_made_to_wait() {
    let Some((stand, _accounts)) = stand(LOGINS) else {
        return;
    };
    for (on_mismatch, code) in [("reject", 550), ("tempfail", 451)] {
        let config = format!("[send_as]\non_mismatch = \"{on_mismatch}\"\n{LOGINS}");
        stand.milter.reconfigure(&config);
        assert_answered(&stand, "ada", "eve@example.org", code, on_mismatch);
    }
}

/// Without the table Postfix would let everybody in with any sender; with it, both read the same file.
#[test]
fn the_table_of_postfix_serves_the_milter_too_and_is_read_again() {
    let tables = tempfile::tempdir().unwrap();
    let table = tables.path().join("sender_login");
    fs::write(&table, "# address login\nada@example.org ada\n").unwrap();
    let config = format!("[send_as]\ntables = {:?}\n", table.display().to_string());
    let Some((stand, _accounts)) = stand(&config) else {
        return;
    };
    assert_signed(&stand, "ada", "ada@example.org");
    assert_unsigned(&stand, "ada", "sales@example.org");
    assert_unsigned(&stand, "eve", "ada@example.org");

    fs::write(
        &table,
        "ada@example.org ada\nsales@example.org\n\tada,\n\teve\n@example.org eve\n",
    )
    .unwrap();
    stand.milter.reload();
    assert_signed(&stand, "ada", "sales@example.org");
    assert_signed(&stand, "eve", "sales@example.org");
    assert_signed(&stand, "eve", "anybody@example.org");
    // The address's own entry decides before the domain's.
    assert_unsigned(&stand, "eve", "ada@example.org");
    assert_unsigned(&stand, "ada", "anybody@example.org");
}

/// A client that is trusted for its network has no login to ask about.
#[test]
fn nobody_asks_a_trusted_network_for_its_login() {
    let Some((stand, _accounts)) = stand(LOGINS) else {
        return;
    };
    stand.assert_signs_for("eve@example.org", &[DOMAIN]);
}
