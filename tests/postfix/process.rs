//! A program that a test starts and that never outlives it: it gets a signal when the test ends, is waited for, and killed if it stays.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How long a program may take for what takes it milliseconds on an idle machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// What [`private_files`] is for.
pub const UNSHARE: &str = "/usr/bin/unshare";

/// Has the program that is added to an `unshare` command find files, or directories, in the place of the machine's: the first of each
/// pair where the second is. Nobody else sees them.
pub fn private_files(unshare: &mut Command, files: &[(PathBuf, &str)]) {
    let script =
        "while [ \"$1\" != -- ]; do mount --bind \"$1\" \"$2\"; shift 2; done; shift; exec \"$@\"";
    unshare.args(["--mount", "--propagation", "private"]);
    unshare.args(["sh", "-ec", script, "sh"]);
    for (file, place) in files {
        unshare.arg(file).arg(place);
    }
    unshare.arg("--");
}

/// Asks until the answer is there; panics with `what` at the deadline.
pub fn wait_until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            Instant::now() < deadline,
            "waited {DEADLINE:?} in vain: {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A running program.
pub struct Process {
    child: Child,
    stopped: bool,
}

impl Process {
    /// Starts `program`. The kernel ends it if the test's thread dies without ending it itself.
    pub fn start(program: &Path, configure: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new("/usr/bin/setpriv");
        command.args(["--pdeathsig", "TERM", "--"]).arg(program);
        configure(&mut command);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        Self {
            child,
            stopped: false,
        }
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Sends SIGTERM and does not wait.
    pub fn terminate(&mut self) {
        let _ = kill_process(self.pid(), Signal::TERM);
    }

    /// Sends SIGHUP.
    pub fn hang_up(&self) {
        kill_process(self.pid(), Signal::HUP).unwrap();
    }

    /// Sends SIGUSR1.
    pub fn reread(&self) {
        kill_process(self.pid(), Signal::USR1).unwrap();
    }

    /// Sends SIGKILL and waits for the end.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.wait();
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> ExitStatus {
        let status = wait_until("the program ends", || self.child.try_wait().unwrap());
        self.stopped = true;
        status
    }

    /// What can strike it from another thread. Not to be used once it was waited for.
    pub fn handle(&self) -> Handle {
        Handle(self.pid())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

/// A running program, to be struck down from elsewhere.
#[derive(Clone, Copy)]
pub struct Handle(Pid);

impl Handle {
    /// SIGKILL.
    pub fn kill(self) {
        kill_process(self.0, Signal::KILL).unwrap();
    }

    /// SIGSTOP: it holds its sockets and does nothing.
    pub fn freeze(self) {
        kill_process(self.0, Signal::STOP).unwrap();
    }

    /// SIGCONT.
    pub fn thaw(self) {
        kill_process(self.0, Signal::CONT).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.stopped {
            return;
        }
        self.terminate();
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // A program that leads a process group (Postfix's master does) takes its children along.
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
