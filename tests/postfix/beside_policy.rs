//! Beside what decides at RCPT: postgrey, block lists, an SPF policy service. They turn mail away or put a field on top; what is let
//! in and ours is signed, once.

use std::net::Ipv4Addr;

use crate::accounts::Accounts;
use crate::client::Client;
use crate::instance::Setup;
use crate::keys::{ED25519, RSA};
use crate::left_out;
use crate::name_server::NameServer;
use crate::neighbour::{Neighbour, Program};
use crate::process::wait_until;
use crate::stand::{DOMAIN, SENDER, Stand, message, recipient};
use crate::ward::assert_no_alarm;

const USER: &str = "author";

/// A Postfix that asks postgrey about everybody who has not logged in.
fn greylisting(accounts: &Accounts) -> Option<(Neighbour, Stand)> {
    let program = Program {
        path: "/usr/sbin/postgrey",
        package: "postgrey",
        user: "postgrey",
        name_server: None,
    };
    let postgrey = Neighbour::start(&program, |command, address, home| {
        command.arg(format!("--inet={address}"));
        command.arg(format!("--dbdir={}", home.display()));
        command.args(["--delay=1", "--auto-whitelist-clients=0"]);
    })?;
    let mut setup = accounts.setup();
    let asks = format!(
        "smtpd_recipient_restrictions=permit_sasl_authenticated, check_policy_service {}",
        postgrey.inet()
    );
    setup.services.push(("mx", vec![asks]));
    let stand = Stand::start(&setup)?;
    Some((postgrey, stand))
}

/// Tries until postgrey lets the message in. The first time it must not.
fn try_again(connect: impl Fn() -> Client, recipient: &str, message: &[u8]) {
    let mut turned_away = 0;
    wait_until("postgrey lets the message in", || {
        let mut client = connect();
        client.expect(250, &format!("MAIL FROM:{SENDER}"));
        let answer = client.command(&format!("RCPT TO:<{recipient}>"));
        if answer.code != 250 {
            assert!(
                answer.code == 450 && answer.text.contains("Greylisted"),
                "{answer:?}"
            );
            turned_away += 1;
            return None;
        }
        assert_eq!(client.data(message).code, 250);
        client.quit();
        Some(())
    });
    assert!(turned_away > 0, "postgrey let the first attempt in");
}

#[test]
fn what_postgrey_puts_off_is_signed_when_it_comes_again() {
    let accounts = Accounts::new(&[USER]);
    let Some((_postgrey, stand)) = greylisting(&accounts) else {
        return;
    };
    let ours = recipient();
    let connect = || Client::connect(stand.postfix.service("mx"));
    try_again(connect, &ours, &message("hello\r\n"));
    let arrived = stand.postfix.sink.wait_for(&ours);
    stand.assert_signed_below(&arrived, &["X-Greylist:"]);
    // Of the attempts that were put off there is no trace.
    assert_eq!(stand.postfix.sink.count_for(&ours), 1);
    assert_eq!(stand.milter.log().matches(" signed ").count(), 1);

    // Somebody who has logged in is not put off.
    let theirs = recipient();
    let mut client = Client::connect(stand.postfix.service("mx"));
    client.log_in(USER);
    client.send(SENDER, &theirs, &message("hello\r\n"));
    client.quit();
    stand.assert_signed(&stand.postfix.sink.wait_for(&theirs), &message("hello\r\n"));

    // A stranger is, and is let in, and not signed.
    let forged = recipient();
    let attributes = "ADDR=192.0.2.7 NAME=client.example";
    let connect = || Client::connect_as(stand.postfix.service("mx"), attributes);
    try_again(connect, &forged, &message("pay me\r\n"));
    let arrived = stand.postfix.sink.wait_for(&forged);
    assert!(arrived.parts().signatures.is_empty());
    let line = stand.milter.line_about(&arrived.parts().queue_id);
    assert!(line.contains("reason=untrusted-client"), "{line}");
    assert_no_alarm(&stand.postfix);
}

/// 192.0.2.7 is on the list.
#[test]
fn a_block_list_turns_away_who_is_on_it_and_nobody_else() {
    let Some(names) = NameServer::start(&["7.2.0.192.rbl.test. A 127.0.0.2".to_owned()]) else {
        return;
    };
    let accounts = Accounts::new(&[USER]);
    for (chroot, setup) in [(true, Setup::default()), (false, accounts.setup())] {
        let mut setup = setup;
        setup.name_server = Some(names.address);
        let asks =
            "smtpd_recipient_restrictions=permit_sasl_authenticated, reject_rbl_client rbl.test";
        setup.services.push(("mx", vec![asks.to_owned()]));
        let Some(stand) = Stand::start(&setup) else {
            return;
        };
        let mx = stand.postfix.service("mx");
        let listed = "ADDR=192.0.2.7 NAME=dialup.example";
        let mut client = Client::connect_as(mx, listed);
        client.expect(250, &format!("MAIL FROM:{SENDER}"));
        let answer = client.expect(554, &format!("RCPT TO:<{}>", recipient()));
        assert!(answer.text.contains("rbl.test"), "{answer:?}");
        // The same person with a password is let in, and signed for.
        if !chroot {
            let theirs = recipient();
            let mut client = Client::connect_as(mx, listed);
            client.log_in(USER);
            client.send(SENDER, &theirs, &message("hello\r\n"));
            let arrived = stand.postfix.sink.wait_for(&theirs);
            stand.assert_signed(&arrived, &message("hello\r\n"));
        }
        let other = recipient();
        let mut client = Client::connect_as(mx, "ADDR=192.0.2.8 NAME=client.example");
        client.send(SENDER, &other, &message("pay me\r\n"));
        let arrived = stand.postfix.sink.wait_for(&other);
        stand.assert_unsigned(&arrived, &message("pay me\r\n"), "reason=untrusted-client");
        let arrived = stand.pass("mx", &message("hello\r\n"));
        stand.assert_signed(&arrived, &message("hello\r\n"));
        assert_no_alarm(&stand.postfix);
    }
}

/// It judges every client and puts its verdict on top, in either form that it knows.
#[test]
fn the_verdict_of_an_spf_policy_service_does_no_harm() {
    if !left_out::installed("postfix-policyd-spf-python", &["/usr/bin/policyd-spf"]) {
        return;
    }
    let record = format!("{DOMAIN}. TXT \"v=spf1 ip4:192.0.2.50 -all\"");
    let Some(names) = NameServer::start(&[record]) else {
        return;
    };
    let forms = [
        ("SPF", "Received-SPF: Pass", "X-Comment: SPF"),
        ("AR", "Authentication-Results:", "Authentication-Results:"),
    ];
    for (form, field, of_this_machine) in forms {
        let stand = spf_service(names.address, form);
        let Some(stand) = stand else { return };
        let mx = stand.postfix.service("mx");
        // A machine of ours that is not this one.
        let ours = recipient();
        let mut client = Client::connect_as(mx, "ADDR=192.0.2.50 NAME=web.example.org");
        client.send(SENDER, &ours, &message("hello\r\n"));
        stand.assert_signed_below(&stand.postfix.sink.wait_for(&ours), &[field]);
        // Of this machine it says that it was not asked.
        let local = stand.pass("mx", &message("hello\r\n"));
        stand.assert_signed_below(&local, &[of_this_machine]);

        let mut client = Client::connect_as(mx, "ADDR=192.0.2.66 NAME=client.example");
        client.expect(250, &format!("MAIL FROM:{SENDER}"));
        client.expect(550, &format!("RCPT TO:<{}>", recipient()));
        assert_no_alarm(&stand.postfix);
    }
}

fn spf_service(name_server: Ipv4Addr, form: &str) -> Option<Stand> {
    // spawn starts it in the queue directory.
    let settings = format!(
        "debugLevel = 1\nTestOnly = 1\nHELO_reject = Fail\nMail_From_reject = Fail\nHeader_Type = {form}\n\
         Authserv_Id = mail.example.net\nskip_addresses = 127.0.0.0/8\n"
    );
    let setup = Setup {
        name_server: Some(name_server),
        services: vec![(
            "mx",
            vec!["smtpd_recipient_restrictions=check_policy_service unix:private/policyd-spf".to_owned()],
        )],
        files: vec![("policyd-spf.conf", settings)],
        master_cf: vec![
            "policyd-spf unix - n n - 0 spawn user=nobody argv=/usr/bin/policyd-spf ../etc/policyd-spf.conf"
                .to_owned(),
        ],
        ..Setup::default()
    };
    let config = "[trust]\nnetworks = [\"127.0.0.0/8\", \"192.0.2.50\"]\n";
    Stand::with(&setup, &[DOMAIN], &[RSA, ED25519], config)
}
