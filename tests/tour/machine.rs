//! The machine of the tour: a shell in namespaces of its own, and what happens there without a command.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::left_out::{cannot_be_mended, installed, is_root, program};

const SIGNET: &str = env!("CARGO_BIN_EXE_signet");

/// What stands before the exit code of a command.
const END: &str = "\u{1}";

pub struct Machine {
    shell: Child,
    /// None when the machine is to end.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    // Goes after the shell and all that it has started.
    _home: TempDir,
}

impl Machine {
    /// None where there can be no such machine.
    pub fn start() -> Option<Self> {
        let postfix = ["/usr/sbin/postfix", "/usr/share/postfix/master.cf.dist"];
        if !is_root() || !installed("postfix", &postfix) {
            return None;
        }
        let packages = [
            ("named", "bind9"),
            ("dig", "bind9-dnsutils"),
            ("ip", "iproute2"),
        ];
        for (name, package) in packages {
            program(name, package)?;
        }
        if !alone().arg("true").status().unwrap().success() {
            cannot_be_mended("this machine gives no namespaces");
            return None;
        }
        let home = tempfile::Builder::new()
            .prefix("signet-tour-")
            .tempdir()
            .unwrap();
        let mut shell = alone()
            .args(["bash", "--norc", "--noprofile"])
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut machine = Self {
            input: shell.stdin.take(),
            output: BufReader::new(shell.stdout.take().unwrap()),
            shell,
            _home: home,
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tour/machine.sh");
        let place = machine._home.path().display();
        let (said, code) = machine.run(&format!(". {} {place} {SIGNET}", script.display()));
        assert_eq!(code, 0, "{said}");
        Some(machine)
    }

    /// What a command says, on both outputs, and its exit code.
    pub fn run(&mut self, command: &str) -> (String, i32) {
        let line = format!("{{ {command}\n}} 2>&1 </dev/null; printf '{END}%d\\n' $?\n");
        let input = self.input.as_mut().unwrap();
        input.write_all(line.as_bytes()).unwrap();
        let mut said = String::new();
        loop {
            let mut line = String::new();
            let read = self.output.read_line(&mut line).unwrap();
            assert!(read > 0, "the shell has ended in {command}:\n{said}");
            if let Some((rest, code)) = line.split_once(END) {
                said.push_str(rest);
                return (said, code.trim().parse().unwrap());
            }
            said.push_str(&line);
        }
    }

    #[track_caller]
    fn ok(&mut self, command: &str) -> String {
        let (said, code) = self.run(command);
        assert_eq!(code, 0, "{command}: {said}");
        said
    }

    /// What the reader does elsewhere than at this machine's shell, or waits for.
    pub fn happens(&mut self, what: &str) {
        let strings = "value=$(signet dns example.com --format quoted 2>/dev/null)";
        match what {
            "the first string is published" => self.ok(&format!(
                "{strings}; publish \"$spf\" \"s1._domainkey TXT ${{value%%\\\" \\\"*}}\\\"\""
            )),
            "the record and the SPF record are published" => self.ok(&format!(
                "{strings}; publish '@ TXT \"v=spf1 a ip4:192.0.2.25 -all\"' \"s1._domainkey TXT $value\""
            )),
            other => panic!("nobody knows how this happens: {other}"),
        };
    }

    /// Waits until what a command has begun is done, for which its reader is slow enough.
    pub fn settles(&mut self, command: &str) {
        if command == "postfix reload" {
            self.ok("reloaded");
        } else if command.contains("signet serve") {
            let socket = "/var/spool/postfix/signet/signet.sock";
            self.ok(&format!("until_true 'signet listens' test -S {socket}"));
        }
    }
}

/// A command with namespaces of its own, which end with it.
fn alone() -> Command {
    let mut command = Command::new("/usr/bin/unshare");
    command.args([
        "--mount",
        "--propagation",
        "private",
        "--net",
        "--uts",
        "--pid",
    ]);
    command.args(["--fork", "--kill-child", "--mount-proc"]);
    command
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The shell ends with its input, all that it has started ends with the shell, and then its directory can go.
        self.input = None;
        let deadline = Instant::now() + Duration::from_secs(10);
        while matches!(self.shell.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
