//! What the daemon gives up once it runs, as the system tells it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

use crate::daemon::{Daemon, Peer};
use crate::left_out;
use crate::left_out::is_root;
use crate::place::{Place, SIGNET};
use crate::{place_with_key, unix};

/// A user that every system has; its number is not the same on all.
const USER: &str = "nobody";

/// A place that [`USER`] can enter, with a key of its own.
fn place_of_user() -> (Place, PathBuf) {
    let (place, socket) = place_with_key();
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(place.directory.path(), open.clone()).unwrap();
    fs::set_permissions(place.directory.path().join("state"), open).unwrap();
    for path in [place.keys(), place.keys().join("example.com")] {
        chown(path, Some(id(USER)), None).unwrap();
    }
    chown(place.key("example.com", "s1"), Some(id(USER)), None).unwrap();
    (place, socket)
}

fn id(user: &str) -> u32 {
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let entry = passwd
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{user}:x:")));
    entry.unwrap().split(':').next().unwrap().parse().unwrap()
}

fn configure(place: &Place, text: &str) -> PathBuf {
    let config = place.directory.path().join("signet.toml");
    fs::write(&config, text).unwrap();
    config
}

fn serve(place: &Place, config: &Path, socket: &Path) -> Command {
    let mut command = Command::new(SIGNET);
    command.arg("serve").arg("--config").arg(config);
    command.arg("--keys").arg(place.keys());
    command.arg("--listen").arg(unix(socket));
    command
}

/// The value of a line of `/proc/PID/status`, its fields parted by single spaces.
fn status(daemon: &Daemon, name: &str) -> String {
    let file = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let mut lines = file.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(found, _)| *found == name).unwrap();
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn root_is_given_up_and_a_reload_works_all_the_same() {
    if !is_root() {
        return;
    }
    let (place, socket) = place_of_user();
    let config = configure(&place, &format!("user = \"{USER}\"\n"));
    let mut daemon = Daemon::run(serve(&place, &config, &socket));
    daemon.wait_for("listening");
    let uid = id(USER);
    assert_eq!(status(&daemon, "Uid"), format!("{uid} {uid} {uid} {uid}"));
    assert!(!status(&daemon, "Gid").split(' ').any(|gid| gid == "0"));
    assert!(!status(&daemon, "Groups").split(' ').any(|gid| gid == "0"));
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status(&daemon, set), "0000000000000000", "{set}");
    }
    assert_eq!(status(&daemon, "NoNewPrivs"), "1");
    let mut peer = Peer::connect(&socket);
    assert_eq!(peer.send("ada@example.com").edits.len(), 1);

    place.ok("keygen example.net --algorithm ed25519 --selector s1");
    daemon.signal("HUP");
    daemon.wait_for("reloaded");
    assert_eq!(peer.send("ada@example.net").edits.len(), 1);
}

#[test]
fn every_daemon_leaves_no_core_and_gains_nothing() {
    let (place, socket) = place_with_key();
    let config = configure(&place, "");
    let mut daemon = Daemon::run(serve(&place, &config, &socket));
    let held = daemon.wait_for("held to: ");
    daemon.wait_for("listening");
    assert_eq!(status(&daemon, "NoNewPrivs"), "1");
    let limits = fs::read_to_string(format!("/proc/{}/limits", daemon.pid())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file"));
    let core: Vec<_> = core.unwrap().split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"]);
    if held.contains("locked memory") {
        assert_ne!(status(&daemon, "VmLck"), "0 kB");
    }
}

#[test]
fn a_key_that_only_root_can_read_is_told_of_at_once() {
    if !is_root() {
        return;
    }
    let (place, socket) = place_of_user();
    let key = place.key("example.com", "s1");
    chown(&key, Some(0), Some(0)).unwrap();
    let config = configure(&place, &format!("user = \"{USER}\"\n"));
    let mut daemon = Daemon::run(serve(&place, &config, &socket));
    let line = daemon.wait_for("chown");
    assert!(line.contains(key.to_str().unwrap()), "{line}");
    daemon.wait_for("listening");
    assert_eq!(
        Peer::connect(&socket).send("ada@example.com").edits.len(),
        1
    );
}

#[test]
fn a_user_that_it_cannot_become_is_told_of() {
    let (place, socket) = place_with_key();
    let config = configure(&place, "user = \"no-such-user\"\n");
    let mut daemon = Daemon::run(serve(&place, &config, &socket));
    if geteuid().is_root() {
        daemon.wait_for("there is no user no-such-user on this system");
        assert_eq!(daemon.end().code(), Some(2));
    } else {
        daemon.wait_for("that takes root");
        daemon.wait_for("listening");
    }
    if !is_root() {
        return;
    }
    let (place, _) = place_of_user();
    let config = configure(&place, "user = \"root\"\n");
    let run = serve(&place, &config, &place.keys().join("signet.sock"));
    let mut command = Command::new("setpriv");
    command.args(["--reuid", USER, "--clear-groups", "--"]);
    command.arg(SIGNET).args(run.get_args());
    let mut daemon = Daemon::run(command);
    let line = daemon.wait_for("that takes root");
    assert!(line.contains(&id(USER).to_string()), "{line}");
    daemon.wait_for("listening");
}

/// A directory with a key and a table that the daemon does not know at its start.
fn elsewhere() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("rules"), "example.com %d s1\n").unwrap();
    directory
}

/// Whether this kernel confines the daemon, which has just been started.
fn is_confined(daemon: &mut Daemon) -> bool {
    // One of the two lines comes before it listens.
    let line = daemon.wait_for_any(&["confined to: ", "no Landlock"]);
    let confined = line.contains("confined to: ");
    if !confined {
        left_out::cannot_be_mended("this kernel has no Landlock");
    }
    daemon.wait_for("listening");
    confined
}

#[test]
fn files_that_are_not_its_own_are_out_of_reach_since_the_start() {
    let (place, socket) = place_with_key();
    let config = configure(&place, "");
    let mut daemon = Daemon::run(serve(&place, &config, &socket));
    if !is_confined(&mut daemon) {
        return;
    }
    let mut peer = Peer::connect(&socket);

    // A config that needs more is refused, and says why.
    let elsewhere = elsewhere();
    let table = elsewhere.path().join("rules");
    configure(&place, &format!("rule_tables = {table:?}\n"));
    daemon.signal("HUP");
    let line = daemon.wait_for("not reloaded");
    assert!(
        line.contains("restart it") && line.contains("confine"),
        "{line}"
    );
    daemon.wait_for("stay in force");
    assert_eq!(peer.send("ada@example.com").edits.len(), 1);

    // Even through the key directory.
    configure(&place, "");
    let key = place.key("example.com", "s1");
    let moved = elsewhere.path().join("s1.pem");
    fs::copy(&key, &moved).unwrap();
    fs::create_dir(place.keys().join("example.net")).unwrap();
    symlink(&moved, place.key("example.net", "s1")).unwrap();
    daemon.signal("HUP");
    let line = daemon.wait_for("example.net");
    assert!(line.contains("ermission denied"), "{line}");
    daemon.wait_for("reloaded");
    assert_eq!(peer.send("ada@example.net").edits.len(), 0);
    assert_eq!(peer.send("ada@example.com").edits.len(), 1);
}

#[test]
fn what_it_reads_again_may_be_replaced_and_may_lie_behind_links() {
    let (place, socket) = place_with_key();
    let elsewhere = elsewhere();
    let table = elsewhere.path().join("rules");
    let key = place.key("example.com", "s1");
    let moved = elsewhere.path().join("s1.pem");
    fs::rename(&key, &moved).unwrap();
    symlink(&moved, &key).unwrap();
    let config = configure(&place, &format!("rule_tables = {table:?}\n"));
    let mut daemon = Daemon::run(serve(&place, &config, &socket));
    if !is_confined(&mut daemon) {
        return;
    }
    // As editors do: a new file in the place of the old.
    fs::rename(elsewhere.path().join("rules"), elsewhere.path().join("old")).unwrap();
    fs::write(&table, "news.example.com example.com s1\n").unwrap();
    daemon.signal("HUP");
    daemon.wait_for("reloaded");
    let mut peer = Peer::connect(&socket);
    assert_eq!(peer.send("ada@news.example.com").edits.len(), 1);
    assert_eq!(peer.send("ada@example.com").edits.len(), 0);

    // As a roll-out does: a new directory in the place of the old.
    let keys = place.keys();
    let next = keys.with_extension("next");
    fs::create_dir_all(next.join("example.com")).unwrap();
    fs::copy(&moved, next.join("example.com/s1.pem")).unwrap();
    fs::rename(&keys, keys.with_extension("old")).unwrap();
    fs::rename(&next, &keys).unwrap();
    daemon.signal("HUP");
    daemon.wait_for("reloaded");
    assert_eq!(peer.send("ada@news.example.com").edits.len(), 1);
}

#[test]
fn confinement_can_be_left_out() {
    let (place, socket) = place_with_key();
    let config = configure(&place, "confine = false\n");
    let mut daemon = Daemon::run(serve(&place, &config, &socket));
    daemon.wait_for("listening");
    let elsewhere = elsewhere();
    let table = elsewhere.path().join("rules");
    configure(
        &place,
        &format!("confine = false\nrule_tables = {table:?}\n"),
    );
    daemon.signal("HUP");
    daemon.wait_for("reloaded");
    assert_eq!(
        Peer::connect(&socket).send("ada@example.com").edits.len(),
        1
    );
}
