//! Which clients are trusted: by the service they came through, by a macro, and the exceptions.

use crate::client::Client;
use crate::instance::Setup;
use crate::keys::ED25519;
use crate::sink::Delivery;
use crate::stand::{DOMAIN, SENDER, Stand, message, recipient};

/// What `client` hands in at a service, as it arrived.
fn pass(stand: &Stand, service: &str, client: &str) -> (Delivery, Vec<u8>) {
    let (recipient, sent) = (recipient(), message("hello\r\n"));
    let mut client = Client::connect_as(stand.postfix.service(service), client);
    client.send(SENDER, &recipient, &sent);
    client.quit();
    (stand.postfix.sink.wait_for(&recipient), sent)
}

const STRANGER: &str = "ADDR=192.0.2.7 NAME=client.example";

/// As Debian's master.cf has it for the submission service.
#[test]
fn a_service_is_trusted_by_its_daemon_name() {
    let setup = Setup {
        services: vec![(
            "originating",
            vec!["milter_macro_daemon_name=ORIGINATING".to_owned()],
        )],
        ..Setup::default()
    };
    let config = "[trust]\nnetworks = []\ndaemon_names = [\"ORIGINATING\"]\n";
    let Some(stand) = Stand::with(&setup, &[DOMAIN], &[ED25519], config) else {
        return;
    };
    let (arrived, sent) = pass(&stand, "originating", STRANGER);
    stand.assert_signed(&arrived, &sent);
    for client in [STRANGER, "ADDR=127.0.0.1 NAME=localhost"] {
        let (arrived, sent) = pass(&stand, "signed", client);
        stand.assert_unsigned(&arrived, &sent, "reason=untrusted-client");
    }
}

/// Postfix sends a macro of its own only to a milter that asks for it by name.
#[test]
fn a_service_is_trusted_by_a_macro_of_the_administrator_s() {
    let setup = Setup {
        services: vec![
            (
                "outbound",
                vec!["milter_macro_defaults={zone}=outbound".to_owned()],
            ),
            (
                "inbound",
                vec!["milter_macro_defaults={zone}=inbound".to_owned()],
            ),
        ],
        ..Setup::default()
    };
    let config = "[trust]\nnetworks = []\nmacros = [\"zone=outbound\"]\n";
    let Some(stand) = Stand::with(&setup, &[DOMAIN], &[ED25519], config) else {
        return;
    };
    let (arrived, sent) = pass(&stand, "outbound", STRANGER);
    stand.assert_signed(&arrived, &sent);
    for service in ["inbound", "signed"] {
        let (arrived, sent) = pass(&stand, service, STRANGER);
        stand.assert_unsigned(&arrived, &sent, "reason=untrusted-client");
    }
}

/// The exception holds for whoever comes from there, with a login too.
#[test]
fn an_excepted_network_is_left_alone() {
    let config = "[trust]\nnetworks = [\"192.0.2.0/24\"]\nexcept = [\"192.0.2.7\"]\n";
    let Some(stand) = Stand::with(&Setup::default(), &[DOMAIN], &[ED25519], config) else {
        return;
    };
    let (arrived, sent) = pass(&stand, "signed", "ADDR=192.0.2.8 NAME=client.example");
    stand.assert_signed(&arrived, &sent);
    for client in [STRANGER, &format!("{STRANGER} LOGIN=author")] {
        let (arrived, sent) = pass(&stand, "signed", client);
        assert!(arrived.parts().signatures.is_empty());
        let plain = stand.pass("plain", &sent);
        arrived.parts().assert_same_message(&plain.parts(), &sent);
    }
}
