//! The daemon under systemd: what it tells, the sockets it is given, and its units.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[path = "../left_out/mod.rs"]
mod left_out;
#[path = "../place/mod.rs"]
mod place;

#[path = "../serve/daemon.rs"]
#[allow(dead_code, reason = "the tests of serve need more of it")]
mod daemon;

mod units;

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use daemon::{Daemon, Peer};
use place::{Place, SIGNET};

fn place_with_key() -> Place {
    let place = Place::new();
    place.ok("keygen example.com --algorithm ed25519 --selector s1");
    place
}

/// The service manager's end of sd_notify(3).
struct Manager {
    socket: UnixDatagram,
}

impl Manager {
    fn new(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        let patience = Some(Duration::from_secs(30));
        socket.set_read_timeout(patience).unwrap();
        Self { socket }
    }

    /// The next message that has a line that begins with `text`.
    fn wait_for(&self, text: &str) -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            let mut message = [0; 4096];
            let Ok(length) = self.socket.recv(&mut message) else {
                panic!("no {text}: {seen:#?}");
            };
            let message = String::from_utf8(message[..length].to_vec()).unwrap();
            let lines: Vec<_> = message.lines().map(str::to_owned).collect();
            if lines.iter().any(|line| line.starts_with(text)) {
                return lines;
            }
            seen.push(message);
        }
    }
}

#[test]
fn systemd_is_told_what_the_daemon_does() {
    let place = place_with_key();
    let directory = place.directory.path();
    let manager = Manager::new(&directory.join("notify"));
    let socket = directory.join("signet.sock");
    let config = directory.join("signet.toml");
    fs::write(&config, format!("listen = \"unix:{}\"\n", socket.display())).unwrap();
    let mut command = Command::new(SIGNET);
    command.arg("serve").arg("--keys").arg(place.keys());
    command.arg("--config").arg(&config);
    command.env("NOTIFY_SOCKET", directory.join("notify"));
    // A watchdog of 300 ms is fed every 100.
    command.env("WATCHDOG_USEC", "300000");
    let mut daemon = Daemon::run(command);

    let told = manager.wait_for("READY=1");
    let status = "STATUS=signing for 1 domain, 1 key; no message yet";
    assert!(told.contains(&status.to_owned()), "{told:?}");
    // Ready means that mail can come.
    Peer::connect(&socket).send("ada@example.com");
    manager.wait_for("STATUS=signing for 1 domain, 1 key; last message");
    manager.wait_for("WATCHDOG=1");

    fs::write(&config, "lisden = 5\n").unwrap();
    daemon.signal("HUP");
    let told = manager.wait_for("RELOADING=1");
    assert!(told.iter().any(|line| line.starts_with("MONOTONIC_USEC=")));
    let told = manager.wait_for("READY=1");
    assert!(told[1].contains("the last reload failed"), "{told:?}");

    daemon.signal("TERM");
    manager.wait_for("STOPPING=1");
    assert!(daemon.end().success());
}

/// `signet serve` with a socket as systemd passes it: as descriptor 3, for this process
/// alone.
fn activated(place: &Place, socket: OwnedFd) -> Daemon {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"",
        "sh",
        SIGNET,
        "serve",
        "--listen",
        "inet:127.0.0.1:1",
        "--keys",
    ]);
    command.arg(place.keys()).stdin(socket);
    Daemon::run(command)
}

#[test]
fn a_socket_of_systemd_s_replaces_listen_and_outlives_the_daemon() {
    let place = place_with_key();
    let path = place.directory.path().join("signet.sock");
    let socket = UnixListener::bind(&path).unwrap();
    let pass = || OwnedFd::from(socket.try_clone().unwrap());

    let mut first = activated(&place, pass());
    // Port 1, which the command line asks for, nobody may open.
    let line = first.wait_for("listening");
    assert!(line.contains(path.to_str().unwrap()), "{line}");
    assert_eq!(Peer::connect(&path).send("ada@example.com").edits.len(), 1);
    first.signal("TERM");
    assert!(first.end().success());

    // Between two daemons a connection waits.
    let waiting = std::thread::spawn({
        let path = path.clone();
        move || Peer::connect(&path).send("ada@example.com").edits.len()
    });
    let _second = activated(&place, pass());
    assert_eq!(waiting.join().unwrap(), 1);
}

#[test]
fn a_socket_that_nobody_can_listen_on_is_refused() {
    let place = place_with_key();
    let datagram = UnixDatagram::unbound().unwrap();
    let mut daemon = activated(&place, datagram.into());
    daemon.wait_for("ListenStream=");
    assert_eq!(daemon.end().code(), Some(2));
}
