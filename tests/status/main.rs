//! What the daemon shows of itself, as Prometheus, a probe, a person with a browser and
//! a person with a terminal read it.
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

mod browser;
mod http;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use daemon::{Daemon, Peer};
use http::{ask, get};
use place::{Place, SIGNET, stderr, stdout};

/// A daemon with a key for example.com that shows its status.
struct Stand {
    place: Place,
    daemon: Daemon,
    config: PathBuf,
    socket: PathBuf,
    status: SocketAddr,
}

impl Stand {
    fn start() -> Self {
        let place = Place::new();
        place.ok("keygen example.com --algorithm ed25519 --selector s1");
        let config = place.directory.path().join("signet.toml");
        fs::write(
            &config,
            "[metrics]\nlisten = \"127.0.0.1:0\"\ntextfile = \"signet.prom\"\n",
        )
        .unwrap();
        let socket = place.directory.path().join("signet.sock");
        let listen = format!("unix:{}", socket.display());
        let arguments = ["--config", config.to_str().unwrap(), "--listen", &listen];
        let mut daemon = Daemon::spawn(&place, &arguments);
        let line = daemon.wait_for("status on http://");
        let (_, rest) = line.split_once("http://").unwrap();
        let status = rest.trim_end_matches('/').parse().unwrap();
        Self {
            place,
            daemon,
            config,
            socket,
            status,
        }
    }

    /// Breaks the only key and has the daemon take note.
    fn break_key(&mut self) {
        let key = self.place.key("example.com", "s1");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        self.daemon.signal("HUP");
        self.daemon.wait_for("reloaded");
    }

    fn metric(&self, sample: &str) -> u64 {
        let text = get(self.status, "/metrics").body;
        let value = |line: &str| line.strip_prefix(sample)?.strip_prefix(' ')?.parse().ok();
        text.lines()
            .find_map(value)
            .unwrap_or_else(|| panic!("no {sample} in {text}"))
    }

    fn status_command(&self, more: &[&str]) -> Output {
        Command::new(SIGNET)
            .args(["status", "--at", &self.status.to_string()])
            .args(more)
            .output()
            .unwrap()
    }
}

#[test]
fn prometheus_reads_what_became_of_every_message_and_no_names() {
    let stand = Stand::start();
    let mut peer = Peer::connect(&stand.socket);
    for _ in 0..3 {
        peer.send("ada@example.com");
    }
    peer.send("ada@other.example");
    assert_eq!(stand.metric("signet_messages_total{result=\"signed\"}"), 3);
    assert_eq!(stand.metric("signet_messages_total{result=\"skipped\"}"), 1);
    assert_eq!(stand.metric("signet_skipped_total{reason=\"no-rule\"}"), 1);
    assert_eq!(
        stand.metric("signet_signatures_total{algorithm=\"ed25519-sha256\"}"),
        3
    );
    assert_eq!(stand.metric("signet_sign_duration_seconds_count"), 3);
    assert_eq!(stand.metric("signet_connections{state=\"open\"}"), 1);
    assert_eq!(stand.metric("signet_keys{state=\"usable\"}"), 1);
    assert_eq!(stand.metric("signet_ready"), 1);

    let answer = get(stand.status, "/metrics");
    assert!(answer.head.contains("version=0.0.4"), "{}", answer.head);
    for name in ["example", "s1\"", "4QUEUE", "ada"] {
        assert!(!answer.body.contains(name), "{name} in {}", answer.body);
    }
}

#[test]
fn a_probe_sees_a_key_that_cannot_be_used_and_why() {
    let mut stand = Stand::start();
    assert_eq!(get(stand.status, "/readyz").body, "ready\n");
    stand.break_key();
    let answer = get(stand.status, "/readyz");
    assert_eq!(answer.code, 503);
    assert!(answer.body.contains("chmod 600"), "{}", answer.body);
    assert!(
        answer.body.contains("example.com/s1.pem"),
        "{}",
        answer.body
    );
    assert_eq!(get(stand.status, "/healthz").code, 200);
    assert_eq!(stand.metric("signet_ready"), 0);
    assert_eq!(stand.metric("signet_keys{state=\"unusable\"}"), 1);
}

#[test]
fn a_reload_that_failed_is_told_until_one_succeeds() {
    let mut stand = Stand::start();
    let good = fs::read_to_string(&stand.config).unwrap();
    fs::write(&stand.config, format!("{good}[trust]\nnetwroks = []\n")).unwrap();
    stand.daemon.signal("HUP");
    stand.daemon.wait_for("stay in force");
    assert_eq!(stand.metric("signet_config_last_reload_successful"), 0);
    assert_eq!(stand.metric("signet_config_reload_failures_total"), 1);
    assert!(get(stand.status, "/").body.contains("netwroks"));
    assert!(stdout(&stand.status_command(&[])).contains("netwroks"));

    fs::write(&stand.config, good).unwrap();
    stand.daemon.signal("HUP");
    stand.daemon.wait_for("reloaded");
    assert_eq!(stand.metric("signet_config_last_reload_successful"), 1);
    assert!(!get(stand.status, "/").body.contains("netwroks"));
}

#[test]
fn the_page_names_each_key_by_its_fingerprint_and_runs_no_script() {
    let stand = Stand::start();
    let mut peer = Peer::connect(&stand.socket);
    peer.send("ada@example.com");
    peer.send("ada@other.example");
    let answer = get(stand.status, "/");
    let page = &answer.body;
    for part in [
        "example.com",
        "s1",
        "ed25519",
        "SHA256:",
        "no-rule",
        "just now",
    ] {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
    assert!(
        !page.contains("<script") && !page.contains("http://"),
        "{page}"
    );
    assert!(
        answer
            .head
            .contains("content-security-policy: default-src 'none'")
    );
}

#[test]
fn the_status_server_only_shows() {
    let stand = Stand::start();
    assert_eq!(ask(stand.status, "POST", "/").code, 405);
    assert_eq!(get(stand.status, "/../etc/passwd").code, 404);
    let head = ask(stand.status, "HEAD", "/metrics");
    assert_eq!((head.code, head.body.as_str()), (200, ""));
}

#[test]
fn the_terminal_tells_the_same() {
    let mut stand = Stand::start();
    Peer::connect(&stand.socket).send("ada@example.com");
    let output = stand.status_command(&[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = stdout(&output);
    for part in [
        "ready",
        "1 signed",
        "example.com",
        "s1",
        "ed25519",
        "SHA256:",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    let json = stdout(&stand.status_command(&["--json"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["keys"]["listed"][0]["signed"], 1);

    stand.break_key();
    let output = stand.status_command(&[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stdout(&output).contains("chmod 600"), "{output:?}");
}

#[test]
fn a_daemon_that_cannot_be_asked_is_told_from_one_in_trouble() {
    let place = Place::new();
    let config = place.directory.path().join("signet.toml");
    let status = |text: &str| {
        fs::write(&config, text).unwrap();
        let output = Command::new(SIGNET)
            .arg("status")
            .arg("--config")
            .arg(&config)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        stderr(&output)
    };
    assert!(status("").contains("[metrics]"));
    assert!(status("[metrics]\nlisten = \"127.0.0.1:1\"\n").contains("no answer from 127.0.0.1:1"));
}

#[test]
fn the_textfile_is_whole_readable_and_gone_with_the_daemon() {
    let mut stand = Stand::start();
    let file = stand.place.directory.path().join("signet.prom");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !file.exists() {
        assert!(Instant::now() < deadline, "no textfile");
        std::thread::sleep(Duration::from_millis(5));
    }
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("signet_keys{state=\"usable\"} 1"), "{text}");
    assert!(text.contains("process_start_time_seconds"), "{text}");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    stand.daemon.signal("TERM");
    assert!(stand.daemon.end().success());
    assert!(!file.exists());
}

#[test]
fn a_status_address_that_is_taken_stops_no_mail() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::new();
    place.ok("keygen example.com --algorithm ed25519 --selector s1");
    let config = place.directory.path().join("signet.toml");
    let address = taken.local_addr().unwrap();
    fs::write(&config, format!("[metrics]\nlisten = \"{address}\"\n")).unwrap();
    let socket = place.directory.path().join("signet.sock");
    let listen = format!("unix:{}", socket.display());
    let arguments = ["--config", config.to_str().unwrap(), "--listen", &listen];
    let mut daemon = Daemon::spawn(&place, &arguments);
    assert!(daemon.wait_for("cannot show the status").contains("ERROR"));
    daemon.wait_for("listening");
    assert_eq!(
        Peer::connect(&socket).send("ada@example.com").edits.len(),
        1
    );
}
