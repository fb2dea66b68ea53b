//! `signet setup` on a private Postfix: what it prints is run, and mail is signed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::client::Client;
use crate::instance::{Instance, Setup};
use crate::process::wait_until;
use crate::requirements;
use crate::scanner::Scanner;
use crate::sink::Delivery;
use crate::stand::{DOMAIN, SENDER, message, recipient};

/// A milter that is there already and does not answer; Postfix goes on without it.
const OTHER: &str = "{ inet:127.0.0.1:1, default_action=accept }";

/// A machine with a Postfix that knows nothing of signet.
struct Machine {
    postfix: Instance,
    home: TempDir,
    daemon: Option<Pid>,
}

impl Machine {
    fn start(setup: &Setup) -> Option<Self> {
        if !requirements::met() {
            return None;
        }
        let home = tempfile::Builder::new()
            .prefix("signet-setup-")
            .tempdir()
            .unwrap();
        // The daemon's user has to reach its program and its keys.
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(home.path().join("bin")).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_signet"), home.path().join("bin/signet")).unwrap();
        Some(Self {
            postfix: Instance::start(setup),
            home,
            daemon: None,
        })
    }

    fn keys(&self) -> PathBuf {
        self.home.path().join("keys")
    }

    fn shell(&self, command: &str) -> Output {
        let path = format!(
            "{}:/usr/sbin:/usr/bin:/sbin:/bin",
            self.home.path().join("bin").display()
        );
        Command::new("sh")
            .args(["-ec", command])
            .env("PATH", path)
            .output()
            .unwrap()
    }

    fn plan(&self) -> String {
        let command = format!(
            "signet setup {DOMAIN} --selector s1 --user nobody --keys {} --postfix-config {} --resolver 127.0.0.1:1",
            self.keys().display(),
            self.postfix.config().display()
        );
        let output = self.shell(&command);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the commands of a plan as they stand there, save where the daemon's log goes.
    fn follow(&mut self, plan: &str) {
        let socket = self.postfix.queue().join("signet/signet.sock");
        for command in commands(plan) {
            let log = self.home.path().join("log");
            let command = command.replace("/var/log/signet.log", &log.display().to_string());
            if let Some(daemon) = command.strip_suffix('&') {
                let output = self.shell(&format!("{daemon}& echo $!"));
                let pid = String::from_utf8(output.stdout).unwrap();
                self.daemon = Pid::from_raw(pid.trim().parse().unwrap());
                wait_until("signet listens", || socket.exists().then_some(()));
            } else {
                let output = self.shell(&command);
                assert!(output.status.success(), "{command}: {output:?}");
            }
        }
        wait_until("Postfix has reloaded", || {
            self.postfix
                .log()
                .contains("reload -- version")
                .then_some(())
        });
    }

    fn value(&self, name: &str) -> String {
        let output = self.postfix.run("postconf", &["-h", name], b"");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Asserts that there is one signature and that it holds.
    fn assert_verifies(&self, delivery: &Delivery) {
        let file = |name: &str| self.home.path().join(name);
        fs::write(file("message"), &delivery.message).unwrap();
        let keys = self.keys();
        let zone = self.shell(&format!(
            "signet dns {DOMAIN} --keys {} --format bind",
            keys.display()
        ));
        fs::write(file("zone"), zone.stdout).unwrap();
        let verdict = self.shell(&format!(
            "signet verify --dns-file {} {}",
            file("zone").display(),
            file("message").display()
        ));
        let text = String::from_utf8_lossy(&delivery.message);
        assert!(verdict.status.success(), "{verdict:?}\n{text}");
        assert_eq!(text.matches("DKIM-Signature:").count(), 1, "{text}");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(daemon) = self.daemon {
            let _ = kill_process(daemon, Signal::TERM);
        }
        if std::thread::panicking() {
            let log = fs::read_to_string(self.home.path().join("log"));
            eprintln!("---- signet's log\n{}", log.unwrap_or_default());
        }
    }
}

/// The lines of a plan that are commands.
fn commands(plan: &str) -> Vec<String> {
    let commands = plan.lines().filter_map(|line| line.strip_prefix("    "));
    commands.map(str::to_owned).collect()
}

#[test]
fn following_the_plan_ends_with_verified_signatures() {
    for chroot in [true, false] {
        let setup = Setup {
            chroot,
            milters: Some(OTHER),
            ..Setup::default()
        };
        let Some(mut machine) = Machine::start(&setup) else {
            return;
        };
        let before = (
            machine.value("smtpd_milters"),
            fs::read_dir(machine.home.path()).unwrap().count(),
        );
        let plan = machine.plan();
        let after = (
            machine.value("smtpd_milters"),
            fs::read_dir(machine.home.path()).unwrap().count(),
        );
        assert_eq!(before, after, "setup changes nothing");

        machine.follow(&plan);
        assert_eq!(
            machine.value("smtpd_milters"),
            format!("{OTHER}, unix:signet/signet.sock")
        );
        assert_eq!(
            machine.value("non_smtpd_milters"),
            "unix:signet/signet.sock"
        );

        let (by_smtp, by_command) = (recipient(), recipient());
        let mut client = Client::connect(machine.postfix.service("signed"));
        client.send(SENDER, &by_smtp, &message("Good morning\r\n"));
        client.quit();
        machine.assert_verifies(&machine.postfix.sink.wait_for(&by_smtp));
        let text = message("Good evening\r\n");
        let text = String::from_utf8(text).unwrap().replace("\r\n", "\n");
        machine.postfix.sendmail(
            &["-i", "-f", "author@example.org", &by_command],
            text.as_bytes(),
        );
        machine.assert_verifies(&machine.postfix.sink.wait_for(&by_command));

        // Asked again, it has nothing to do for what is done.
        let again = machine.plan();
        assert!(
            !again.contains("keygen") && !again.contains("postconf"),
            "{again}"
        );
    }
}

/// The filter hands all mail back from an address of this machine.
#[test]
fn following_the_plan_signs_no_stranger_s_mail_that_comes_back_from_a_filter() {
    let scanner = Scanner::start(|_| {});
    let setup = Setup {
        milters: Some(OTHER),
        public: true,
        services: vec![
            ("mx", vec![scanner.queued()]),
            ("back", vec!["content_filter=".to_owned()]),
        ],
        ..Setup::default()
    };
    let Some(mut machine) = Machine::start(&setup) else {
        return;
    };
    scanner.leads_to(machine.postfix.service("back"));
    let plan = machine.plan();
    let words: Vec<_> = plan.split_whitespace().collect();
    assert!(
        words
            .join(" ")
            .contains("takes mail back from a content filter"),
        "{plan}"
    );
    machine.follow(&plan);

    let mx = machine.postfix.service("mx");
    let (forged, ours) = (recipient(), recipient());
    let mut client = Client::connect_as(mx, "ADDR=192.0.2.7 NAME=client.example");
    client.send(SENDER, &forged, &message("Please pay the bill\r\n"));
    let forged = machine.postfix.sink.wait_for(&forged);
    let text = String::from_utf8_lossy(&forged.message);
    assert!(!text.contains("DKIM-Signature:"), "{text}");
    let mut client = Client::connect(mx);
    client.send(SENDER, &ours, &message("Good morning\r\n"));
    machine.assert_verifies(&machine.postfix.sink.wait_for(&ours));

    let again = machine.plan();
    assert!(!again.contains("postconf"), "{again}");
}
