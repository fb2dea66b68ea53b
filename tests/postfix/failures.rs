//! A key that cannot be used: what becomes of the mail is what its rule says, and no other domain notices.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::client::Client;
use crate::instance::Setup;
use crate::keys::{ED25519, Keys};
use crate::process::wait_until;
use crate::stand::{DOMAIN, Stand, message_from, recipient};

/// What can be wrong with a key; the first label of the domain it happens to.
const DAMAGES: [&str; 3] = ["open", "garbage", "absent"];
/// `on_failure`; the second label of the domain.
const FATES: [&str; 3] = ["unsigned", "tempfail", "reject"];

/// A stand with a domain for each damage and each fate, and [`DOMAIN`], which is well.
fn stand() -> Option<Stand> {
    let mut config = format!("[[rule]]\npattern = \"{DOMAIN}\"\nselectors = [\"{ED25519}\"]\n");
    for domain in broken_domains() {
        let fate = domain.split('.').nth(1).unwrap();
        write!(
            config,
            "[[rule]]\npattern = \"{domain}\"\nselectors = [\"{ED25519}\"]\non_failure = \"{fate}\"\n"
        )
        .unwrap();
    }
    let broken = broken_domains();
    let domains: Vec<&str> = broken.iter().map(String::as_str).chain([DOMAIN]).collect();
    let stand = Stand::with(&Setup::default(), &domains, &[ED25519], &config)?;
    for domain in &broken {
        damage(&stand.keys, domain);
    }
    stand.milter.reload();
    Some(stand)
}

fn broken_domains() -> Vec<String> {
    let of = |fate: &str| DAMAGES.map(|damage| format!("{damage}.{fate}.example"));
    FATES.into_iter().flat_map(of).collect()
}

/// Breaks the key of a domain as the domain's name says; what it was stays beside it.
fn damage(keys: &Keys, domain: &str) {
    let file = keys.file(domain, ED25519);
    fs::copy(&file, file.with_extension("good")).unwrap();
    match domain.split('.').next().unwrap() {
        "open" => fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap(),
        "garbage" => fs::write(&file, "-----BEGIN NONSENSE-----\n").unwrap(),
        "absent" => fs::remove_file(&file).unwrap(),
        other => panic!("{other}"),
    }
}

fn mend(keys: &Keys, domain: &str) {
    let file = keys.file(domain, ED25519);
    fs::rename(file.with_extension("good"), file).unwrap();
}

fn author(domain: &str) -> String {
    format!("author@{domain}")
}

/// Asserts that [`DOMAIN`] is signed as ever, in this very session.
fn assert_others_signed(stand: &Stand, client: &mut Client) {
    let (recipient, author) = (recipient(), author(DOMAIN));
    client.send(
        &format!("<{author}>"),
        &recipient,
        &message_from(&author, "hello\r\n"),
    );
    let arrived = stand.postfix.sink.wait_for(&recipient);
    assert_eq!(arrived.parts().signatures.len(), 1);
}

#[test]
fn over_smtp_the_client_is_told() {
    let Some(stand) = stand() else { return };
    let mut client = Client::connect(stand.postfix.service("signed"));
    for (fate, code) in FATES.into_iter().zip([250, 451, 550]) {
        for damage in DAMAGES {
            let domain = format!("{damage}.{fate}.example");
            let (recipient, sent) = (recipient(), message_from(&author(&domain), "hello\r\n"));
            client.expect(250, &format!("MAIL FROM:<{}>", author(&domain)));
            client.expect(250, &format!("RCPT TO:<{recipient}>"));
            let reply = client.data(&sent);
            assert_eq!(reply.code, code, "{domain}: {}", reply.text);
            if fate == "unsigned" {
                let arrived = stand.postfix.sink.wait_for(&recipient);
                stand.assert_unsigned(&arrived, &sent, "reason=key-unusable");
            } else {
                let line = line_of(&stand, &domain);
                assert!(line.contains(&format!("action={fate}")), "{line}");
                assert_eq!(stand.postfix.sink.count_for(&recipient), 0);
            }
            assert_others_signed(&stand, &mut client);
        }
    }
    client.quit();

    for domain in broken_domains() {
        mend(&stand.keys, &domain);
    }
    stand.milter.reload();
    for domain in broken_domains() {
        stand.assert_signs_for(&author(&domain), &[&domain]);
    }
}

/// The log names the file, and what to do about it, before the first message needs the key.
#[test]
fn every_broken_key_is_told_of_at_once() {
    let Some(stand) = stand() else { return };
    let log = stand.milter.log();
    for domain in broken_domains() {
        let file = stand.keys.file(&domain, ED25519).display().to_string();
        let remedy = match domain.split('.').next().unwrap() {
            "open" => format!("chmod 600 {file}"),
            "garbage" => "PEM".to_owned(),
            _ => format!("signet keygen {domain} --selector {ED25519}"),
        };
        let told =
            |line: &str| line.contains(" WARN ") && line.contains(&file) && line.contains(&remedy);
        assert!(log.lines().any(told), "{domain}: no \"{remedy}\" in\n{log}");
    }
}

#[test]
fn mail_of_the_sendmail_command_waits_for_the_key_and_leaves_signed() {
    let Some(stand) = stand() else { return };
    let waiting: Vec<_> = DAMAGES
        .map(|damage| format!("{damage}.tempfail.example"))
        .into_iter()
        .map(|domain| {
            let (recipient, sent) = submit(&stand, &domain, "sender@sink.test");
            let line = line_of(&stand, &domain);
            assert!(line.contains("action=tempfail"), "{line}");
            (domain, recipient, sent)
        })
        .collect();
    let maildrop = fs::read_dir(stand.postfix.queue().join("maildrop")).unwrap();
    assert_eq!(maildrop.count(), waiting.len());
    for (domain, recipient, _) in &waiting {
        assert_eq!(stand.postfix.sink.count_for(recipient), 0);
        mend(&stand.keys, domain);
    }
    stand.milter.reload();
    // Postfix looks again every minute, or when the next message comes.
    let (other, sent) = submit(&stand, DOMAIN, "sender@sink.test");
    stand.assert_signed(&stand.postfix.sink.wait_for(&other), &sent);
    for (domain, recipient, sent) in &waiting {
        let arrived = stand.postfix.sink.wait_for(recipient);
        let plain = stand.pass("plain", sent);
        assert_eq!(arrived.parts().signatures.len(), 1);
        arrived.parts().assert_same_message(&plain.parts(), sent);
        crate::judges::assert_verifies(&stand.keys, &arrived.message, &[domain]);
        assert_eq!(stand.postfix.sink.count_for(recipient), 1);
    }
}

#[test]
fn mail_of_the_sendmail_command_comes_back_or_leaves_unsigned_when_the_rule_says_so() {
    let Some(stand) = stand() else { return };
    for damage in DAMAGES {
        let sender = format!("returns-{damage}@sink.test");
        let (recipient, _) = submit(&stand, &format!("{damage}.reject.example"), &sender);
        let bounce = stand.postfix.sink.wait_for(&sender);
        assert!(bounce.mail.starts_with("<>"), "{}", bounce.mail);
        let text = String::from_utf8_lossy(&bounce.message);
        assert!(
            text.contains("Action: failed") && text.contains(&recipient),
            "{text}"
        );
        assert_eq!(stand.postfix.sink.count_for(&recipient), 0);

        let (recipient, sent) = submit(&stand, &format!("{damage}.unsigned.example"), &sender);
        let arrived = stand.postfix.sink.wait_for(&recipient);
        stand.assert_unsigned(&arrived, &sent, "reason=key-unusable");
    }
}

/// Hands a message of this domain to the sendmail command.
fn submit(stand: &Stand, domain: &str, sender: &str) -> (String, Vec<u8>) {
    let (recipient, sent) = (recipient(), message_from(&author(domain), "hello\r\n"));
    let local = String::from_utf8(sent.clone())
        .unwrap()
        .replace("\r\n", "\n");
    stand
        .postfix
        .sendmail(&["-i", "-f", sender, &recipient], local.as_bytes());
    (recipient, sent)
}

/// The log line about the message of this author's domain; waits for it.
fn line_of(stand: &Stand, domain: &str) -> String {
    wait_until("signet says why", || {
        let of = format!("author_domain={domain} ");
        let log = stand.milter.log();
        log.lines()
            .find(|line| line.contains(&of))
            .map(str::to_owned)
    })
}
