//! A private Postfix: configuration, queue, log and loopback address of its own.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU8, Ordering};

use tempfile::TempDir;

use crate::process::{Process, UNSHARE, private_files, wait_until};
use crate::settings::{main_cf, master_cf};
use crate::sink::Sink;

/// The path that Postfix gets for the milter's socket: relative to the queue directory, right with and without chroot.
pub const RELATIVE_SOCKET: &str = "unix:signet/signet.sock";

const SINK_PORT: u16 = 2525;
/// The port of the first service; the next ones follow.
pub const FIRST_PORT: u16 = 2600;
/// A name for the address of the services.
pub const WORLD: &str = "world";

const MILTER_PORT: u16 = 8891;

/// What a test wants to be different from an ordinary Postfix with the milter.
pub struct Setup {
    /// Whether smtpd, cleanup and all others that can run chrooted do.
    pub chroot: bool,
    /// Whether the milter is reached over TCP; otherwise over the Unix socket in the queue directory.
    pub tcp: bool,
    /// What smtpd_milters is, with non_smtpd_milters empty; otherwise both are the milter's address.
    pub milters: Option<&'static str>,
    /// Milters in both lists before ours.
    pub before: Vec<String>,
    /// Milters in both lists behind ours.
    pub behind: Vec<String>,
    /// Lines added to main.cf.
    pub main_cf: Vec<String>,
    /// Files beside main.cf, for its tables: a name and a text.
    pub files: Vec<(&'static str, String)>,
    /// SMTP services beside `signed` and `plain`: a name and their `-o` options.
    pub services: Vec<(&'static str, Vec<String>)>,
    /// Lines added to master.cf.
    pub master_cf: Vec<String>,
    /// The name server that Postfix and all that it starts ask, in place of the machine's.
    pub name_server: Option<Ipv4Addr>,
    /// Whether its configuration is in the usual place for the programs that it starts, so that they find its sendmail.
    pub usual_place: bool,
    /// Whether services have the name of a host in master.cf that says nothing of a loopback address, as where the world can reach them.
    /// Those whose name begins with `back` keep their address.
    pub public: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            chroot: true,
            tcp: false,
            milters: None,
            before: Vec::new(),
            behind: Vec::new(),
            main_cf: Vec::new(),
            files: Vec::new(),
            services: Vec::new(),
            master_cf: Vec::new(),
            name_server: None,
            usual_place: false,
            public: false,
        }
    }
}

/// A running Postfix. SMTP services: `signed` (with the milter), `plain` (the same without it), and those of the setup.
pub struct Instance {
    // Fields drop in this order: Postfix ends before its directory goes.
    master: Process,
    pub sink: Sink,
    host: Ipv4Addr,
    services: Vec<&'static str>,
    home: TempDir,
}

impl Instance {
    pub fn start(setup: &Setup) -> Self {
        let (host, sink) = free_host();
        let home = tempfile::Builder::new()
            .prefix("signet-postfix-")
            .tempdir()
            .unwrap();
        // Postfix drops root and must still reach its directories.
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let services: Vec<_> = ["signed", "plain"]
            .into_iter()
            .chain(setup.services.iter().map(|(name, _)| *name))
            .collect();
        make_directories(home.path());
        let config = home.path().join("etc");
        fs::write(
            config.join("main.cf"),
            main_cf(home.path(), host, &sink, setup),
        )
        .unwrap();
        fs::write(config.join("master.cf"), master_cf(host, setup)).unwrap();
        let refused = ("recipients", "nobody@sink.test REJECT no such recipient\n");
        let files = setup
            .files
            .iter()
            .map(|(name, text)| (*name, text.as_str()));
        for (name, text) in files.chain([refused]) {
            fs::write(config.join(name), text).unwrap();
        }

        let daemons = Path::new(daemon_directory());
        let program = daemons.join("master");
        let mut private = Vec::new();
        let mut put = |name: &str, text: String, place| {
            let file = config.join(name);
            fs::write(&file, text).unwrap();
            private.push((file, place));
        };
        if setup.public {
            let hosts = format!("127.0.0.1 localhost\n{host} {WORLD}\n");
            put("hosts", hosts, "/etc/hosts");
        }
        if let Some(address) = setup.name_server {
            let text = format!("nameserver {address}\n");
            // In the chroot, too.
            fs::write(home.path().join("queue/etc/resolv.conf"), &text).unwrap();
            put("resolv.conf", text, "/etc/resolv.conf");
        }
        if setup.usual_place {
            private.push((config.clone(), "/etc/postfix"));
        }
        let alone = match private.is_empty() {
            true => program.as_path(),
            false => Path::new(UNSHARE),
        };
        let mut master = Process::start(alone, |command| {
            if !private.is_empty() {
                private_files(command, &private);
                command.arg(&program);
            }
            command.arg("-c").arg(&config).stdin(Stdio::null());
        });
        let plain = SocketAddr::from((host, FIRST_PORT + 1));
        wait_until("Postfix listens", || {
            assert!(
                !master.has_ended(),
                "Postfix did not start; its log:\n{}",
                read_log(home.path())
            );
            TcpStream::connect(plain).ok()
        });
        Self {
            master,
            sink,
            host,
            services,
            home,
        }
    }

    /// Where an SMTP service listens.
    pub fn service(&self, name: &str) -> SocketAddr {
        let index = self
            .services
            .iter()
            .position(|each| *each == name)
            .expect("a service of this setup");
        SocketAddr::from((self.host, FIRST_PORT + u16::try_from(index).unwrap()))
    }

    /// Where Postfix looks for the milter, in the milter's own words.
    pub fn unix_listener(&self) -> String {
        format!("unix:{}", self.queue().join("signet/signet.sock").display())
    }

    /// Where Postfix looks for the milter when the setup says TCP.
    pub fn tcp_listener(&self) -> String {
        tcp_listener(self.host)
    }

    pub fn queue(&self) -> PathBuf {
        self.home.path().join("queue")
    }

    /// What `postconf -c` takes.
    pub fn config(&self) -> PathBuf {
        self.home.path().join("etc")
    }

    pub fn log(&self) -> String {
        read_log(self.home.path())
    }

    /// Runs one of Postfix's own commands on this instance: `sendmail`, `postqueue`, `postfix`.
    pub fn run(&self, program: &str, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new(format!("/usr/sbin/{program}"))
            .arg(if program == "sendmail" { "-C" } else { "-c" })
            .arg(self.home.path().join("etc"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Submits a message with the sendmail command, as a local program does: line ends are LF.
    pub fn sendmail(&self, arguments: &[&str], message: &[u8]) {
        let output = self.run("sendmail", arguments, message);
        assert!(
            output.status.success(),
            "sendmail: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let end: Vec<_> = log.lines().rev().take(60).collect();
            eprintln!("---- the end of Postfix's log");
            end.iter().rev().for_each(|line| eprintln!("{line}"));
        }
        self.master.terminate();
    }
}

/// An address of 127/8 that nobody else uses: the sink's port on it is held as long as the sink lives.
fn free_host() -> (Ipv4Addr, Sink) {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let process = std::process::id().to_le_bytes();
    for _ in 0..250 {
        let last = NEXT.fetch_add(1, Ordering::Relaxed) % 250 + 2;
        let host = Ipv4Addr::new(127, process[1] % 250 + 2, process[0], last);
        if let Ok(sink) = Sink::start((host, SINK_PORT)) {
            return (host, sink);
        }
    }
    panic!("no free loopback address");
}

/// Where the milter listens when the setup says TCP.
pub fn tcp_listener(host: Ipv4Addr) -> String {
    format!("inet:{host}:{MILTER_PORT}")
}

fn make_directories(home: &Path) {
    let postfix = account("passwd", "postfix");
    let postdrop = account("group", "postdrop");
    let group = account("group", "postfix");
    let make = |name: &str, owner: Option<u32>, group: Option<u32>, mode: u32| {
        let path = home.join(name);
        fs::create_dir_all(&path).unwrap();
        chown(&path, owner, group).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    make("etc", Some(0), Some(0), 0o755);
    make("etc/sasl", Some(0), Some(0), 0o755);
    make("log", Some(0), Some(0), 0o755);
    make("data", Some(postfix), None, 0o700);
    make("queue", Some(0), Some(0), 0o755);
    make("queue/pid", Some(0), Some(0), 0o755);
    for name in [
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private",
        "saved",
    ] {
        make(&format!("queue/{name}"), Some(postfix), Some(0), 0o700);
    }
    make("queue/trace", Some(postfix), Some(0), 0o700);
    make("queue/maildrop", Some(postfix), Some(postdrop), 0o1730);
    make("queue/public", Some(postfix), Some(postdrop), 0o2710);
    // The milter's place inside the chroot: Postfix may reach the socket, nobody else.
    make("queue/signet", Some(0), Some(group), 0o750);
    // What Debian puts into the chroot, too.
    make("queue/etc", Some(0), Some(0), 0o755);
    for name in [
        "resolv.conf",
        "services",
        "hosts",
        "nsswitch.conf",
        "localtime",
        "host.conf",
    ] {
        if Path::new("/etc").join(name).exists() {
            fs::copy(
                Path::new("/etc").join(name),
                home.join("queue/etc").join(name),
            )
            .unwrap();
        }
    }
}

/// The number of a user or group.
pub fn account(database: &str, name: &str) -> u32 {
    let table = fs::read_to_string(Path::new("/etc").join(database)).unwrap();
    let entry = table
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|entry| entry[0] == name);
    entry.unwrap_or_else(|| panic!("no {name} in /etc/{database}"))[2]
        .parse()
        .unwrap()
}

/// Where the installed Postfix keeps its daemons.
pub fn daemon_directory() -> &'static str {
    static DIRECTORY: LazyLock<String> = LazyLock::new(|| {
        let output = Command::new("/usr/sbin/postconf")
            .args(["-d", "-h", "daemon_directory"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    });
    &DIRECTORY
}

fn read_log(home: &Path) -> String {
    fs::read_to_string(home.join("log/mail.log")).unwrap_or_default()
}
