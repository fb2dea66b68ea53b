//! Every command of the README is run, in its order, in a scratch directory that stands
//! for the machine: what is written to `/usr/local`, `/var` and Postfix goes there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const SIGNET: &str = env!("CARGO_BIN_EXE_signet");

#[test]
fn every_command_does_what_the_readme_says() {
    let machine = Machine::new();
    let mut daemon = None;
    let mut done = 0;
    for command in commands(&fs::read_to_string("README.md").unwrap()) {
        match command.as_str() {
            // This very suite; and the compiler, which has just made the program.
            "tests/run" | "cargo build --release" => {}
            "cargo run --release -- selftest" => {
                let output = machine.run("signet selftest");
                assert!(text(&output).contains("Signing works."), "{output:?}");
            }
            "signet verify message.eml" => {
                let signed = machine.sign("From: You <you@example.com>\r\n\r\nHello\r\n");
                fs::write(machine.path("message.eml"), signed).unwrap();
                let output = machine.run(&format!("{command} --dns-file records"));
                assert!(text(&output).contains("pass"), "{output:?}");
            }
            command if command.starts_with("signet serve") => {
                daemon = Some(machine.serve(command));
            }
            command => {
                let output = machine.run(command);
                assert!(output.status.success(), "{command}: {output:?}");
                if command.starts_with("signet keygen") {
                    let records = machine.run("signet dns example.com --format bind");
                    fs::write(machine.path("records"), records.stdout).unwrap();
                    assert!(text(&output).contains("\"v=DKIM1; k=rsa; p=MIIB"));
                }
                if command.starts_with("signet selftest --socket") {
                    assert!(text(&output).contains("Signing works."), "{output:?}");
                }
            }
        }
        done += 1;
    }
    assert!(done >= 12, "the README has lost its commands: {done}");
    if let Some(mut daemon) = daemon {
        let _ = daemon.kill();
        let _ = daemon.wait();
    }
}

/// The lines of the README's `sh` blocks, without their comments.
fn commands(readme: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => {
                let command = line.split(" #").next().unwrap_or(line).trim();
                commands.push(command.to_owned());
            }
            _ => {}
        }
    }
    commands
}

/// A directory that stands for the machine of the README's reader.
struct Machine {
    root: TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self {
            root: TempDir::new().unwrap(),
        };
        for directory in [
            "bin",
            "usr/local/bin",
            "var/spool/postfix",
            "etc",
            "target/release",
        ] {
            fs::create_dir_all(machine.path(directory)).unwrap();
        }
        symlink(SIGNET, machine.path("target/release/signet")).unwrap();
        // The program itself, with the key directory of this machine.
        let keys = machine.path("var/lib/signet/keys");
        machine.script(
            "signet",
            &format!(
                "case $1 in verify) exec {SIGNET} \"$@\";; esac\n\
                 case \"$*\" in 'selftest') exec {SIGNET} selftest;; esac\n\
                 command=$1; shift; exec {SIGNET} $command --keys {} \"$@\"",
                keys.display()
            ),
        );
        // Postfix's own postconf over a main.cf of this machine, where there is one.
        fs::write(machine.path("etc/main.cf"), "compatibility_level = 3.6\n").unwrap();
        let main = machine.path("etc");
        machine.script(
            "postconf",
            &format!(
                "[ -x /usr/sbin/postconf ] || exit 0\nexec /usr/sbin/postconf -c {} \"$@\"",
                main.display()
            ),
        );
        machine.script("postfix", "[ \"$1\" = reload ]");
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn script(&self, name: &str, text: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self, line: &str) -> Command {
        let root = self.root.path().display().to_string();
        let line = line
            .replace("/usr/local/", &format!("{root}/usr/local/"))
            .replace("/var/", &format!("{root}/var/"));
        let mut command = Command::new("sh");
        command
            .args(["-ec", &format!("exec {line}")])
            .current_dir(&root)
            .env("PATH", format!("{root}/bin:/usr/bin:/bin"));
        command
    }

    fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    fn serve(&self, line: &str) -> Child {
        let child = self.command(line).spawn().unwrap();
        let socket = self.path("var/spool/postfix/signet/signet.sock");
        wait_for(&socket);
        child
    }

    fn sign(&self, message: &str) -> Vec<u8> {
        let file = self.path("draft.eml");
        fs::write(&file, message).unwrap();
        let output = self.run("signet sign draft.eml");
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }
}

fn wait_for(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while std::os::unix::net::UnixStream::connect(path).is_err() {
        assert!(
            Instant::now() < deadline,
            "{} never answers",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
