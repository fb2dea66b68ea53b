//! The steps that bring the daemon to run: its user, the place of its keys and of its
//! socket, its start.

use std::path::Path;

use super::{Machine, Step, Systemd, quoted, word};
use crate::config::{DEFAULT_KEYS, ListenAddress};

pub(super) fn permissions(machine: &Machine) -> Step {
    let user = &machine.user;
    let mut commands = Vec::new();
    if !machine.user_exists {
        commands.push(format!(
            "useradd --system --home-dir /var/lib/signet --no-create-home --shell /usr/sbin/nologin {user}"
        ));
    }
    let keys = &machine.key_directory;
    // What root writes into it later belongs to the owner of the directory.
    let above = Path::new(DEFAULT_KEYS)
        .parent()
        .filter(|_| keys == Path::new(DEFAULT_KEYS))
        .map_or_else(String::new, |above| word(above) + " ");
    commands.push(format!("install -d -o {user} -m 700 {above}{}", word(keys)));
    if !machine.keys.is_empty() {
        commands.push(format!("chown -R {user} {}", word(keys)));
    }
    // systemd makes the place of the socket itself.
    if machine.systemd != Systemd::WithUnits
        && let ListenAddress::Unix { path } = machine.listener()
        && let Some(directory) = path.parent()
    {
        commands.push(format!(
            "install -d -o {user} -g postfix -m 750 {}",
            word(directory)
        ));
    }
    Step {
        title: "Give signet its place",
        why: "it runs as a user of its own, who alone reads the keys; Postfix, as the group, may reach the socket".to_owned(),
        commands,
    }
}

pub(super) fn start(machine: &Machine, notes: &mut Vec<String>) -> Step {
    match machine.systemd {
        Systemd::WithUnits => Step {
            title: "Start signet",
            why: "systemd opens the socket inside Postfix's chroot and starts the daemon, now and at boot".to_owned(),
            commands: vec!["systemctl enable --now signet.socket signet.service".to_owned()],
        },
        Systemd::Running => {
            notes.push(
                "systemd does not know signet yet: docs/systemd.md tells how to install contrib/systemd, so that it starts with the machine.".to_owned(),
            );
            by_hand(machine)
        }
        Systemd::Absent => by_hand(machine),
    }
}

fn by_hand(machine: &Machine) -> Step {
    let serve = machine.signet(&format!(
        "serve --listen {}",
        quoted(&machine.listener().to_string())
    ));
    // The socket gets the group of the process.
    Step {
        title: "Start signet",
        why: "the daemon that signs; it logs one line a message".to_owned(),
        commands: vec![format!(
            "setpriv --reuid={} --regid=postfix --clear-groups {serve} >>/var/log/signet.log 2>&1 &",
            machine.user
        )],
    }
}
