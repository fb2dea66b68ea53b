//! An upgrade while mail flows: the socket stays, and nobody is refused.

use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use crate::built;
use crate::machine::{Machine, wait_until};
use crate::mail::{self, Session};

/// Sends messages one after the other, each in a session of its own, until `done`; how many. Each must be accepted.
fn send_until(done: &AtomicBool, machine: &Machine) -> usize {
    let mut count = 0;
    while !done.load(Ordering::Relaxed) {
        machine.ok(mail::SEND);
        count += 1;
    }
    count
}

#[test]
fn an_upgrade_under_load_defers_no_mail() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let directory = TempDir::new().unwrap();
    let packages =
        ["1.0.0", "1.0.1", "1.0.2"].map(|version| machine.take(&built::deb(&directory, version)));
    machine.ok(&format!("dpkg --install {}", packages[0]));
    mail::set_up(&machine);
    let socket = || machine.ok("stat -c %i /var/spool/postfix/signet/signet.sock");
    let (inode, opened) = (
        socket(),
        machine.ok("systemctl show -P ActiveEnterTimestampMonotonic signet.socket"),
    );

    let done = AtomicBool::new(false);
    let sent = std::thread::scope(|scope| {
        let senders = [(); 3].map(|()| scope.spawn(|| send_until(&done, &machine)));
        for package in &packages[1..] {
            let old = machine.service("MainPID");
            machine.ok(&format!("dpkg --install {package}"));
            assert_ne!(machine.service("MainPID"), old);
        }
        done.store(true, Ordering::Relaxed);
        senders.map(|sender| sender.join().unwrap())
    });
    assert_eq!(socket(), inode);
    assert_eq!(
        machine.ok("systemctl show -P ActiveEnterTimestampMonotonic signet.socket"),
        opened
    );
    println!("{sent:?} messages over two upgrades");
    mail::all_arrive_signed(&machine, sent.iter().sum());
}

#[test]
fn a_session_that_idles_through_an_upgrade_delays_others_and_defers_none() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let directory = TempDir::new().unwrap();
    let packages = ["1.0.0", "1.0.1"].map(|version| machine.take(&built::deb(&directory, version)));
    machine.ok(&format!("dpkg --install {}", packages[0]));
    mail::set_up(&machine);

    let mut idle = Session::open(&machine);
    let mut busy = Session::open(&machine);
    std::thread::scope(|scope| {
        let upgrade = scope.spawn(|| machine.ok(&format!("dpkg --install {}", packages[1])));
        wait_until("the old daemon stops", || {
            (machine.service("SubState") == "stop-sigterm").then_some(())
        });
        // A session that was open goes on with the old daemon; a new one waits for the new.
        let new = scope.spawn(|| machine.ok(mail::SEND));
        assert_eq!(busy.send(), "250");
        busy.quit();
        new.join().unwrap();
        upgrade.join().unwrap();
    });
    mail::all_arrive_signed(&machine, 2);
    // The milter of this one is gone, and Postfix does not let its mail pass unsigned.
    assert_eq!(idle.send(), "451");
}
