//! The package for rpm. The machine is no Red Hat, but rpm, systemd and the scripts are the same.

use tempfile::TempDir;

use crate::built;
use crate::machine::Machine;
use crate::mail;

#[test]
fn the_rpm_is_installed_upgraded_and_erased() {
    let directory = TempDir::new().unwrap();
    let Some(old) = built::rpm(&directory, "1.0.0") else {
        return;
    };
    let new = built::rpm(&directory, "1.0.1").unwrap();
    let Some(machine) = Machine::boot() else {
        return;
    };
    let (old, new) = (machine.take(&old), machine.take(&new));

    let wanted = machine.ok(&format!("rpm --query --requires --package {old}"));
    for package in ["postfix", "systemd"] {
        assert!(wanted.lines().any(|line| line == package), "{wanted}");
    }
    let files = machine.ok(&format!("rpm --query --list --verbose --package {old}"));
    let strange = files.lines().filter(|line| {
        let mut words = line.split_whitespace();
        let mode = words.next().unwrap();
        let mode_is_right = match line.ends_with(" /usr/sbin/signet") {
            true => mode == "-rwxr-xr-x",
            false => mode == "-rw-r--r--",
        };
        !(mode_is_right && words.nth(1) == Some("root") && words.next() == Some("root"))
    });
    assert_eq!(strange.collect::<Vec<_>>(), Vec::<&str>::new());
    machine.ok(&format!("rpm --checksig --nosignature {old}"));

    let before = machine.traces();
    // The packages that it requires came by way of dpkg.
    machine.ok(&format!("rpm --install --nodeps {old}"));
    machine.ok("systemctl enable --now signet.socket signet.service");
    mail::set_up(&machine);
    machine.ok(mail::SEND);

    machine.ok("echo '# mine' >>/etc/signet/signet.toml");
    let daemon = machine.service("MainPID");
    machine.ok(&format!("rpm --upgrade --nodeps {new}"));
    assert_ne!(machine.service("MainPID"), daemon);
    assert_eq!(machine.service("ActiveState"), "active");
    assert_eq!(machine.ok("tail -n 1 /etc/signet/signet.toml"), "# mine");
    machine.ok(mail::SEND);
    mail::all_arrive_signed(&machine, 2);

    machine.ok("rpm --erase signet");
    machine.ok("! systemctl cat signet.service signet.socket");
    let left = machine.traces();
    let left: Vec<_> = left.iter().filter(|path| !before.contains(path)).collect();
    // The key, and what the administrator wrote.
    assert_eq!(
        left,
        [
            "/etc/signet",
            "/etc/signet/signet.toml.rpmsave",
            "/var/lib/signet",
            "/var/lib/signet/keys",
            "/var/lib/signet/keys/example.com",
            "/var/lib/signet/keys/example.com/s1.pem",
        ]
    );
}
