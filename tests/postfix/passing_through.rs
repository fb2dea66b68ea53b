//! Mail that only passes through: a stranger writes to an alias here that stands for a mailbox elsewhere.
//!
//! Postfix hands it to the milter, and the milter must not sign it: whoever can write to the alias could else have any mail signed in
//! our name, and send it on from the mailbox behind it.

use crate::client::Client;
use crate::instance::Setup;
use crate::stand::{DOMAIN, SENDER, Stand, message, message_from};

const ALIAS: &str = "info@example.org";
const MAILBOX: &str = "someone@gmail.example";

/// The MX of our domain, whose only address is an alias.
fn stand() -> Option<Stand> {
    let main_cf = vec![
        format!("virtual_alias_domains = {DOMAIN}"),
        "virtual_alias_maps = texthash:$config_directory/aliases".to_owned(),
    ];
    let aliases = format!("{ALIAS} {MAILBOX}\n");
    Stand::start(&Setup {
        main_cf,
        files: vec![("aliases", aliases)],
        ..Setup::default()
    })
}

/// Sends a message to the alias from a client on the other side of the world.
fn send_as_a_stranger(stand: &Stand, sender: &str, message: &[u8]) {
    let mx = stand.postfix.service("signed");
    let mut client = Client::connect_as(mx, "ADDR=192.0.2.7 NAME=client.example");
    client.send(sender, ALIAS, message);
    client.quit();
}

#[test]
fn a_stranger_with_our_name_gets_no_signature_of_ours() {
    let Some(stand) = stand() else { return };
    let forged = message("Please pay the attached bill\r\n");
    send_as_a_stranger(&stand, SENDER, &forged);
    let arrived = stand.postfix.sink.wait_for(MAILBOX);
    stand.assert_unsigned(&arrived, &forged, "reason=untrusted-client");
}

#[test]
fn a_stranger_with_a_name_of_his_own_gets_none_either() {
    let Some(stand) = stand() else { return };
    let honest = message_from("friend@elsewhere.example", "How are you?\r\n");
    send_as_a_stranger(&stand, "<friend@elsewhere.example>", &honest);
    let arrived = stand.postfix.sink.wait_for(MAILBOX);
    stand.assert_unsigned(&arrived, &honest, "reason=untrusted-client");
}

/// Not the alias decides but the client: our own mail to it is signed.
#[test]
fn our_own_mail_to_the_alias_is_signed() {
    let Some(stand) = stand() else { return };
    let sent = message("To whom it may concern\r\n");
    let mut client = Client::connect(stand.postfix.service("signed"));
    client.send(SENDER, ALIAS, &sent);
    client.quit();
    stand.assert_signed(&stand.postfix.sink.wait_for(MAILBOX), &sent);
}
