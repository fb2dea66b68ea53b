//! Reloads and restarts while mail flows: every message is signed, or waits and is signed later.

use std::fs;
use std::os::fd::OwnedFd;

use crate::instance::Setup;
use crate::keys::{ED25519, RSA};
use crate::milter::Milter;
use crate::relay::listen;
use crate::stand::{DOMAIN, Stand};
use crate::traffic::Traffic;

#[test]
fn fifty_reloads_under_load_cost_no_message_its_signature() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let traffic = Traffic::start(stand.postfix.service("signed"), 3);
    let away = tempfile::tempdir().unwrap();
    for turn in 0..50 {
        traffic.wait_for(2);
        match turn % 5 {
            0 => stand.milter.reconfigure("[limits]\nidle = \"2h\"\n"),
            1 => stand.milter.misconfigure("[limits]\nidle = \"soon\"\n"),
            2 => stand.milter.misconfigure("[[[\n"),
            3 => stand.milter.reconfigure("[signing]\nexpiry = \"7d\"\n"),
            // One key comes back before the other goes.
            _ => {
                let (back, gone) = match turn % 2 {
                    0 => (RSA, ED25519),
                    _ => (ED25519, RSA),
                };
                let kept = |selector| away.path().join(selector);
                let there = |selector| stand.keys.file(DOMAIN, selector);
                if kept(back).exists() {
                    fs::rename(kept(back), there(back)).unwrap();
                }
                fs::rename(there(gone), kept(gone)).unwrap();
                stand.milter.reload();
            }
        }
    }
    // A key that was moved away while its directory was read may cost a retry, nothing else may.
    let deferred = traffic.deferred();
    let arrived = traffic.assert_all_arrive_signed(&stand);
    eprintln!("{arrived} messages arrived signed over 50 reloads; {deferred} tries were deferred");
    assert!(arrived >= 100);
}

#[test]
fn twenty_restarts_with_a_socket_of_systemd_s_cost_no_message() {
    let Some(mut stand) = Stand::start(&Setup::default()) else {
        return;
    };
    stand.milter.terminate();
    stand.milter.wait();
    let socket = listen(&stand.postfix.queue().join("signet/signet.sock"));
    let pass = || OwnedFd::from(socket.try_clone().unwrap());
    stand.milter = Milter::activated(&stand.keys, pass());
    let traffic = Traffic::start(stand.postfix.service("signed"), 3);
    for _ in 0..20 {
        traffic.wait_for(3);
        stand.milter.terminate();
        let status = stand.milter.wait();
        assert!(status.success(), "{status}");
        stand.milter = Milter::activated(&stand.keys, pass());
    }
    // Who came between two daemons waited in the socket.
    assert_eq!(traffic.deferred(), 0);
    let arrived = traffic.assert_all_arrive_signed(&stand);
    eprintln!("{arrived} messages arrived signed over 20 restarts; none was deferred");
    assert!(arrived >= 60);
}
