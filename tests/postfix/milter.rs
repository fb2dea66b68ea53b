//! The milter under test: `signet serve`, as an administrator runs it.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use tempfile::TempDir;

use crate::keys::Keys;
use crate::process::{Handle, Process, wait_until};

const SIGNET: &str = env!("CARGO_BIN_EXE_signet");

/// A running `signet serve`.
pub struct Milter {
    process: Process,
    home: TempDir,
}

impl Milter {
    /// Starts it and waits until it listens on all of `listen`, which are addresses as `--listen` takes them.
    pub fn start(keys: &Keys, listen: &[String], config: &str) -> Self {
        let mut milter = Self::run(Path::new(SIGNET), keys, config, |command| {
            for address in listen {
                command.arg("--listen").arg(address);
            }
            command.stdin(Stdio::null());
        });
        wait_until("signet listens", || {
            milter.assert_lives();
            listen.iter().all(|address| answers(address)).then_some(())
        });
        milter
    }

    /// Starts it with a listening socket as systemd passes one: as descriptor 3, for this process alone. Does not wait: who connects
    /// waits in the socket.
    pub fn activated(keys: &Keys, socket: OwnedFd) -> Self {
        Self::run(Path::new("/bin/sh"), keys, "", |command| {
            command.stdin(socket);
        })
    }

    fn run(
        program: &Path,
        keys: &Keys,
        config: &str,
        configure: impl FnOnce(&mut Command),
    ) -> Self {
        let home = tempfile::Builder::new()
            .prefix("signet-milter-")
            .tempdir()
            .unwrap();
        let config_file = home.path().join("signet.toml");
        fs::write(&config_file, config).unwrap();
        let log = File::create(home.path().join("log")).unwrap();
        let process = Process::start(program, |command| {
            if program != Path::new(SIGNET) {
                let line = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"";
                command.args(["-c", line, "sh", SIGNET]);
            }
            command
                .arg("serve")
                .arg("--config")
                .arg(&config_file)
                .arg("--keys")
                .arg(keys.directory())
                .stdout(log.try_clone().unwrap())
                .stderr(log);
            configure(command);
        });
        Self { process, home }
    }

    fn assert_lives(&mut self) {
        let ended = self.process.has_ended();
        assert!(!ended, "signet did not start:\n{}", self.log());
    }

    /// What can kill or freeze it from another thread.
    pub fn handle(&self) -> Handle {
        self.process.handle()
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        read_log(&self.home)
    }

    /// The one log line about a message; waits for it.
    pub fn line_about(&self, queue_id: &str) -> String {
        let about = |line: &&str| line.contains(queue_id);
        let line = wait_until("signet's log line about the message", || {
            self.log().lines().find(about).map(str::to_owned)
        });
        assert_eq!(
            self.log().lines().filter(about).count(),
            1,
            "lines about {queue_id}"
        );
        line
    }

    /// Puts another config in the place of the old one, and SIGHUP makes it count.
    pub fn reconfigure(&self, config: &str) {
        fs::write(self.home.path().join("signet.toml"), config).unwrap();
        self.reload();
    }

    /// SIGHUP; waits until it has read its config, tables and keys again.
    pub fn reload(&self) {
        let count = || self.log().matches(" reloaded").count();
        let before = count();
        let refused_before = self.log().matches("stay in force").count();
        self.process.hang_up();
        wait_until("signet has reloaded", || {
            let log = self.log();
            let refused = log.matches("stay in force").count();
            assert_eq!(refused, refused_before, "{log}");
            (count() > before).then_some(())
        });
    }

    /// Puts a config with a mistake in the place of the old one; waits until it has been refused.
    pub fn misconfigure(&self, config: &str) {
        let count = || {
            self.log()
                .matches("the old configuration and keys stay in force")
                .count()
        };
        let before = count();
        fs::write(self.home.path().join("signet.toml"), config).unwrap();
        self.process.hang_up();
        wait_until("signet refuses a config", || {
            (count() > before).then_some(())
        });
    }

    /// SIGTERM, without waiting for the end.
    pub fn terminate(&mut self) {
        self.process.terminate();
    }

    /// SIGKILL: no time for anything.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }
}

impl Drop for Milter {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let end: Vec<_> = log.lines().rev().take(60).collect();
            eprintln!("---- the end of signet's log");
            end.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

fn read_log(home: &TempDir) -> String {
    let bytes = fs::read(home.path().join("log")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn answers(address: &str) -> bool {
    match address.split_once(':') {
        Some(("unix", path)) => UnixStream::connect(path).is_ok(),
        Some(("inet", address)) => TcpStream::connect(address).is_ok(),
        _ => panic!("not an address this test knows: {address}"),
    }
}
