//! The machine: a copy of this system that systemd has booted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::left_out;

/// How long systemd may take for what takes it a second on an idle machine.
const DEADLINE: Duration = Duration::from_secs(120);

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Asks until the answer is there; panics with `what` at the deadline.
pub fn wait_until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn text(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    format!("{}{stderr}", String::from_utf8_lossy(&output.stdout))
}

/// Where this system has its control groups of version 2.
fn control_groups() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let mut mounts = mounts.lines().map(|line| line.split(' '));
    mounts.find_map(|mut fields| {
        let place = fields.nth(1)?;
        (fields.next() == Some("cgroup2")).then(|| place.into())
    })
}

pub struct Machine {
    boot: Child,
    init: u32,
    control_group: PathBuf,
}

impl Machine {
    /// A machine that has come up; none where this system cannot have one, and then that is said.
    pub fn boot() -> Option<Self> {
        if !left_out::is_root() {
            return None;
        }
        for (program, package) in [
            ("systemd-analyze", "systemd"),
            ("dpkg", "dpkg"),
            ("ip", "iproute2"),
            ("smtp-source", "postfix"),
        ] {
            left_out::program(program, package)?;
        }
        let Some(groups) = control_groups() else {
            left_out::cannot_be_mended("there are no control groups of version 2");
            return None;
        };
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let control_group = groups.join(format!("signet-{}-{count}", std::process::id()));
        if let Err(error) = fs::create_dir(&control_group) {
            left_out::cannot_be_mended(&format!("{}: {error}", control_group.display()));
            return None;
        }
        let log = tempfile::NamedTempFile::new().unwrap();
        // The machine goes with the test, however that ends.
        let boot = Command::new("/usr/bin/setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/booted/boot"))
            .arg(&control_group)
            .stdin(Stdio::null())
            .stdout(log.reopen().unwrap())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        let mut machine = Self {
            boot,
            init: 0,
            control_group,
        };
        let said = || fs::read_to_string(log.path()).unwrap();
        let up = wait_until("systemd comes up", || match machine.boot.try_wait() {
            Ok(None) => machine.is_up().then_some(true),
            Ok(Some(end)) if end.code() == Some(77) => Some(false),
            ended => panic!("{ended:?}: {}", said()),
        });
        if !up {
            left_out::cannot_be_mended(&said());
            return None;
        }
        Some(machine)
    }

    fn is_up(&mut self) -> bool {
        let id = self.boot.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let Some(init) = children
            .ok()
            .and_then(|ids| ids.split_whitespace().next()?.parse().ok())
        else {
            return false;
        };
        self.init = init;
        // Before that, its files would be this system's.
        let ours = Path::new("/proc/self/root").join(format!("proc/{init}/exe"));
        let systemd = fs::read_link(ours).is_ok_and(|exe| exe.ends_with("systemd"));
        systemd && self.path("/run/machine-of-a-test").exists() && {
            let state = self.run("systemctl is-system-running");
            ["running\n", "degraded\n"].contains(&text(&state).as_str())
        }
    }

    /// One of its files, as seen from here.
    pub fn path(&self, path: &str) -> PathBuf {
        Path::new(&format!("/proc/{}/root", self.init)).join(path.trim_start_matches('/'))
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A command of its shell's, not yet started.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new("/usr/bin/nsenter");
        command
            .args(["--target", &self.init.to_string(), "--all", "--root"])
            .args(["--", "/bin/bash", "-c", line])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .current_dir("/");
        command
    }

    pub fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// What a command that must succeed says, without the end of its last line.
    pub fn ok(&self, line: &str) -> String {
        let output = self.run(line);
        let text = text(&output);
        assert!(output.status.success(), "{line}: {text}{}", self.journal());
        text.trim_end().to_owned()
    }

    /// Whether a command succeeds.
    pub fn says_yes(&self, line: &str) -> bool {
        self.run(line).status.success()
    }

    pub fn journal(&self) -> String {
        text(&self.run("journalctl --no-pager --lines 200"))
    }

    /// What systemd knows of the service, such as `StatusText`.
    pub fn service(&self, property: &str) -> String {
        self.ok(&format!("systemctl show -P {property} signet.service"))
    }

    /// Puts a file of this system into its /tmp.
    pub fn take(&self, file: &Path) -> String {
        let inside = format!("/tmp/{}", file.file_name().unwrap().display());
        fs::copy(file, self.path(&inside)).unwrap();
        inside
    }

    /// Every file and directory that has to do with signet, by its path.
    pub fn traces(&self) -> Vec<String> {
        let found = self.ok("find /etc /usr /var /run -path '*signet*' | sort");
        found.lines().map(str::to_owned).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // All its processes end with the first.
        let first = i32::try_from(self.init).ok().and_then(Pid::from_raw);
        if let Some(first) = first {
            let _ = kill_process(first, Signal::KILL);
        } else {
            let _ = self.boot.kill();
        }
        let _ = self.boot.wait();
        remove_control_group(&self.control_group);
    }
}

/// A control group has files that cannot be removed, and goes away with its directories.
fn remove_control_group(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_control_group(&entry.path());
        }
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    while fs::remove_dir(directory).is_err() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
}
