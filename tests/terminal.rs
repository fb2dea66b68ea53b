//! How the program looks: colours on a terminal whose user wants them and nowhere else,
//! and a word about what takes its time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const SIGNET: &str = env!("CARGO_BIN_EXE_signet");
const ESCAPE: u8 = 0x1b;

/// A key, a message, and where the commands find them.
struct Desk {
    home: TempDir,
    commands: Vec<String>,
}

impl Desk {
    fn new() -> Self {
        let home = TempDir::new().unwrap();
        let keys = home.path().join("keys").display().to_string();
        let path = |name: &str| home.path().join(name).display().to_string();
        let of_keys = |command: &str| format!("{command} --keys {keys}");
        let made = signet(&of_keys("keygen example.com --selector s1"));
        assert!(made.status.success(), "{made:?}");
        fs::write(path("draft"), "From: a@example.com\r\n\r\nHello\r\n").unwrap();
        let signed = signet(&of_keys(&format!("sign {}", path("draft"))));
        fs::write(path("signed"), signed.stdout).unwrap();
        let records = signet(&of_keys("dns example.com --format bind"));
        fs::write(path("records"), records.stdout).unwrap();
        fs::write(path("config"), "keys = 7\n").unwrap();
        let commands = vec![
            of_keys("setup example.com --resolver 127.0.0.1:1"),
            of_keys("keygen example.org"),
            of_keys("dns example.com"),
            of_keys("doctor --no-postfix --resolver 127.0.0.1:1"),
            format!("check --config {}", path("config")),
            "status --at 127.0.0.1:1".to_owned(),
            of_keys("explain --from a@example.net"),
            format!("verify --dns-file {} {}", path("records"), path("signed")),
            "selftest".to_owned(),
            of_keys(&format!("sign {}", path("nothing"))),
            of_keys("test --from a@example.com --smtp 127.0.0.1:1 a@example.org"),
            "serve --config /nonexistent".to_owned(),
            "bench --socket unix:/nonexistent".to_owned(),
            "import rspamd /nonexistent --out /nonexistent".to_owned(),
            "nonsense".to_owned(),
        ];
        Self { home, commands }
    }
}

fn signet(arguments: &str) -> Output {
    let arguments = arguments.split(' ');
    Command::new(SIGNET).args(arguments).output().unwrap()
}

/// What a person sees at a terminal of this kind; none where there is no `script`.
fn on_terminal(arguments: &str, environment: &[(&str, &str)]) -> Option<Vec<u8>> {
    const SCRIPT: &str = "/usr/bin/script";
    if !Path::new(SCRIPT).exists() {
        assert!(std::env::var_os("CI").is_none(), "{SCRIPT} is missing");
        eprintln!("NOT RUN: {SCRIPT} is missing");
        return None;
    }
    let mut command = Command::new(SCRIPT);
    command
        .args(["-qefc", &format!("{SIGNET} {arguments}"), "/dev/null"])
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        // Which has clap paint a dumb terminal too.
        .env("CI", "true")
        .stdin(Stdio::null());
    for (name, value) in environment {
        command.env(name, value);
    }
    Some(command.output().unwrap().stdout)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn in_a_pipe_no_command_writes_an_escape() {
    for command in Desk::new().commands {
        let output = signet(&command);
        let all = [output.stdout, output.stderr].concat();
        assert!(!all.is_empty(), "{command}");
        assert!(!all.contains(&ESCAPE), "{command}: {}", text(&all));
    }
}

#[test]
fn a_terminal_shows_colours_unless_its_user_wants_none() {
    let desk = Desk::new();
    let looks = |command: &str| {
        let Some(shown) = on_terminal(command, &[]) else {
            return;
        };
        assert!(shown.contains(&ESCAPE), "{command}: {}", text(&shown));
        for unwanted in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            // As if it had not been made yet.
            let _ = fs::remove_dir_all(desk.home.path().join("keys/example.org"));
            let shown = on_terminal(command, &[unwanted]).unwrap();
            assert!(!shown.contains(&ESCAPE), "{command}: {}", text(&shown));
        }
    };
    std::thread::scope(|scope| {
        for command in &desk.commands {
            scope.spawn(|| looks(command));
        }
    });
}

/// A record for a machine stays one on a terminal.
#[test]
fn what_is_to_be_copied_whole_has_no_colours() {
    let desk = Desk::new();
    let keys = desk.home.path().join("keys");
    let command = format!(
        "dns example.com --keys {} --format bind 2>/dev/null",
        keys.display()
    );
    if let Some(shown) = on_terminal(&command, &[]) {
        assert!(!shown.contains(&ESCAPE), "{}", text(&shown));
    }
}

#[test]
fn what_takes_over_a_second_is_told_on_a_terminal_alone() {
    let desk = Desk::new();
    // A name server that takes questions and says nothing.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let command = format!(
        "verify --resolver {} {}",
        silent.local_addr().unwrap(),
        desk.home.path().join("signed").display()
    );
    if let Some(shown) = on_terminal(&command, &[("NO_COLOR", "1")]) {
        let shown = text(&shown);
        assert!(shown.contains("asking DNS for the keys … 1 s"), "{shown}");
        // The line is gone again when the verdict comes.
        let (before, after) = shown.rsplit_once('\r').unwrap();
        assert!(before.contains(" … "), "{shown}");
        assert!(!after.contains(" … "), "{shown}");
    }
    let piped = signet(&command);
    assert_eq!(text(&piped.stderr), "");
}
