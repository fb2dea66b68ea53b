//! The Debian package on a machine that runs: the service, its socket, and what is left when it goes.

use tempfile::TempDir;

use crate::built;
use crate::machine::{Machine, wait_until};
use crate::mail;

#[test]
fn the_package_is_all_that_a_chrooted_postfix_needs() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let directory = TempDir::new().unwrap();
    let before = machine.traces();
    let package = machine.take(&built::deb(&directory, "1.0.0"));
    machine.ok(&format!("dpkg --install {package}"));

    for unit in ["signet.service", "signet.socket"] {
        assert_eq!(machine.ok(&format!("systemctl is-active {unit}")), "active");
        assert_eq!(
            machine.ok(&format!("systemctl is-enabled {unit}")),
            "enabled"
        );
    }
    let status = "signing for 0 domains, 0 keys; no message yet";
    assert_eq!(machine.service("StatusText"), status);

    mail::set_up(&machine);
    machine.ok(mail::SEND);
    let by_command = "printf 'From: alice@example.com\\nSubject: hello\\n\\nHi\\n' |";
    machine.ok(&format!(
        "{by_command} sendmail -f alice@example.com alice@example.com"
    ));
    mail::all_arrive_signed(&machine, 2);
    let status = "signing for 1 domain, 1 key; last message";
    wait_until(status, || {
        machine
            .service("StatusText")
            .starts_with(status)
            .then_some(())
    });
    assert_eq!(machine.ok("postfix check"), "");

    machine.ok("systemctl stop postfix@-.service; rm -r /var/lib/signet/keys/example.com");
    machine.ok("dpkg --purge signet");
    machine.ok("! getent passwd signet");
    machine.ok("! systemctl cat signet.service signet.socket");
    assert_eq!(machine.traces(), before);
}

#[test]
fn systemd_reloads_watches_stops_and_starts_it() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let directory = TempDir::new().unwrap();
    let package = machine.take(&built::deb(&directory, "1.0.0"));
    machine.ok(&format!("dpkg --install {package}"));
    mail::set_up(&machine);

    // A mistake is seen where an administrator looks, and the old configuration stays in force.
    let config = machine.ok("cat /etc/signet/signet.toml");
    machine.write("/etc/signet/signet.toml", "lisden = 5\n");
    machine.ok("systemctl reload signet");
    wait_until("the reload fails", || {
        let status = machine.service("StatusText");
        status.contains("the last reload failed").then_some(())
    });
    machine.ok(mail::SEND);
    machine.write("/etc/signet/signet.toml", &config);
    machine.ok("systemctl reload signet");
    wait_until("the reload succeeds", || {
        let status = machine.service("StatusText");
        (!status.contains("failed")).then_some(())
    });

    // One that hangs is started anew.
    machine.write(
        "/etc/systemd/system/signet.service.d/watchdog.conf",
        "[Service]\nWatchdogSec=2s\n",
    );
    machine.ok("systemctl daemon-reload && systemctl restart signet");
    let hung = machine.service("MainPID");
    machine.ok(&format!("kill -STOP {hung}"));
    wait_until("the watchdog bites", || {
        (machine.service("NRestarts") == "1").then_some(())
    });
    // Mail waits in the socket for the next one.
    machine.ok(mail::SEND);
    assert_ne!(machine.service("MainPID"), hung);

    // One that was stopped starts when mail comes.
    machine.ok("systemctl stop signet.service");
    assert_eq!(machine.service("ActiveState"), "inactive");
    assert_eq!(machine.service("Result"), "success");
    machine.ok(mail::SEND);
    assert_eq!(machine.service("ActiveState"), "active");
    mail::all_arrive_signed(&machine, 3);

    machine.ok("systemd-analyze security --no-pager --threshold=15 signet.service");
}

#[test]
fn what_the_administrator_decided_outlives_an_upgrade() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let directory = TempDir::new().unwrap();
    let old = machine.take(&built::deb(&directory, "1.0.0"));
    let new = machine.take(&built::deb(&directory, "1.0.1"));
    // Debian's way to say that nothing is to start.
    machine.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n");
    machine.ok("chmod 755 /usr/sbin/policy-rc.d");
    machine.ok(&format!("dpkg --install {old}"));
    assert_eq!(machine.service("ActiveState"), "inactive");
    assert_eq!(machine.ok("systemctl is-enabled signet.service"), "enabled");
    machine.ok("rm /usr/sbin/policy-rc.d");

    machine.ok("systemctl disable signet.service signet.socket");
    machine.ok(&format!("dpkg --install {new}"));
    assert_eq!(machine.service("ActiveState"), "inactive");
    assert!(!machine.says_yes("systemctl is-enabled signet.service"));
}
