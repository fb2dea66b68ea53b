//! How the program looks: colours on a terminal whose user wants them and nowhere else,
//! a word about what takes its time, and peace when nobody reads.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod closed_pipe;
mod desk;

use std::io::Read;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use desk::{Desk, SIGNET, signet, text};

const ESCAPE: u8 = 0x1b;

/// The command at a terminal of this kind; none where there is no `script`.
fn at_terminal(arguments: &str, environment: &[(&str, &str)]) -> Option<Command> {
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
    Some(command)
}

/// What a person sees there.
fn on_terminal(arguments: &str, environment: &[(&str, &str)]) -> Option<Vec<u8>> {
    let mut command = at_terminal(arguments, environment)?;
    Some(command.output().unwrap().stdout)
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
            desk.forget();
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
    let keys = desk.path("keys");
    let command = format!(
        "dns example.com --keys {} --format bind 2>/dev/null",
        keys.display()
    );
    if let Some(shown) = on_terminal(&command, &[]) {
        assert!(!shown.contains(&ESCAPE), "{}", text(&shown));
    }
}

/// A name server that takes questions and says nothing until it is told to.
struct Taciturn(UdpSocket);

impl Taciturn {
    /// Answers a question that has come or will come: SERVFAIL (RFC 1035 section 4.1.1).
    fn answer(&self) {
        let mut packet = [0; 512];
        let (length, client) = self.0.recv_from(&mut packet).unwrap();
        packet[2] |= 0x80;
        packet[3] = 2;
        self.0.send_to(&packet[..length], client).unwrap();
    }
}

#[test]
fn what_takes_over_a_second_is_told_on_a_terminal_alone() {
    let desk = Desk::new();
    let server = Taciturn(UdpSocket::bind("127.0.0.1:0").unwrap());
    let command = format!(
        "verify --resolver {} {}",
        server.0.local_addr().unwrap(),
        desk.path("signed").display()
    );
    let line = "asking DNS for the keys … 1 s";
    if let Some(mut terminal) = at_terminal(&command, &[("NO_COLOR", "1")]) {
        let mut child = terminal.stdout(Stdio::piped()).spawn().unwrap();
        let mut screen = child.stdout.take().unwrap();
        let mut shown = Vec::new();
        while !text(&shown).contains(line) {
            let mut bytes = [0; 512];
            let length = screen.read(&mut bytes).unwrap();
            assert!(length > 0, "{}", text(&shown));
            shown.extend_from_slice(&bytes[..length]);
        }
        server.answer();
        screen.read_to_end(&mut shown).unwrap();
        child.wait().unwrap();
        let shown = text(&shown).replace("\r\n", "\n");
        // The line is gone again when the verdict comes.
        let (before, after) = shown.rsplit_once('\r').unwrap();
        assert!(before.contains(" … "), "{shown}");
        assert!(!after.contains(" … "), "{shown}");
        assert!(after.contains("SERVFAIL"), "{shown}");
    }
    let mut piped = Command::new(SIGNET);
    piped.args(command.split(' '));
    piped.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = piped.spawn().unwrap();
    // Longer than it is silent on a terminal.
    std::thread::sleep(Duration::from_millis(1500));
    server.answer();
    let piped = child.wait_with_output().unwrap();
    assert!(text(&piped.stdout).contains("SERVFAIL"), "{piped:?}");
    assert_eq!(text(&piped.stderr), "");
}

/// Who types `signet verify` alone is not left to wonder.
#[test]
fn a_message_from_the_keyboard_is_asked_for() {
    let asked = "reading the message from the terminal; Ctrl-D ends it";
    for command in ["verify", "verify -"] {
        if let Some(shown) = on_terminal(command, &[]) {
            assert!(text(&shown).contains(asked), "{}", text(&shown));
        }
    }
    let piped = Command::new(SIGNET)
        .arg("verify")
        .stdin(Stdio::null())
        .output();
    assert_eq!(text(&piped.unwrap().stderr), "");
}
