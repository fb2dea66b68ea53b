//! A resolver at port 53 of a loopback address of its own, for programs that ask at no other port. Debian's Unbound: BIND listens only
//! at addresses that an interface has.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use tempfile::TempDir;

use crate::left_out;
use crate::process::{Process, wait_until};
use crate::requirements;

const UNBOUND: &str = "/usr/sbin/unbound";

pub struct NameServer {
    pub address: Ipv4Addr,
    // Ends before its directory goes.
    _unbound: Process,
    _home: TempDir,
}

impl NameServer {
    /// Knows these records, in the form of zone files and with full names, and of everything else that there is no such name. None where
    /// there is no Unbound.
    pub fn start(records: &[String]) -> Option<Self> {
        if !requirements::met()
            || !left_out::installed("unbound", &[UNBOUND])
            || !left_out::installed("bind9-dnsutils", &["/usr/bin/dig"])
        {
            return None;
        }
        let home = TempDir::new().unwrap();
        let address = free_address();
        let mut config = format!(
            "server:\n interface: {address}\n access-control: 127.0.0.0/8 allow\n do-daemonize: no\n chroot: \"\"\n username: \"\"\n\
             pidfile: \"\"\n use-syslog: no\n logfile: \"{}\"\n directory: \"{}\"\n num-threads: 1\n local-zone: \".\" static\n",
            home.path().join("log").display(),
            home.path().display()
        );
        for record in records
            .iter()
            .map(String::as_str)
            .chain(["alive.test. A 127.0.0.1"])
        {
            config += &format!(" local-data: '{record}'\n");
        }
        config += "remote-control:\n control-enable: no\n";
        let file = home.path().join("unbound.conf");
        fs::write(&file, config).unwrap();
        let mut unbound = Process::start(Path::new(UNBOUND), |command| {
            command.args(["-d", "-c"]).arg(&file).stdin(Stdio::null());
        });
        wait_until("Unbound answers", || {
            assert!(!unbound.has_ended(), "Unbound did not start");
            let mut dig = Command::new("/usr/bin/dig");
            dig.args([&format!("@{address}"), "+time=1", "+tries=1", "alive.test"]);
            let output = dig.output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            text.contains("status: NOERROR").then_some(())
        });
        Some(Self {
            address,
            _unbound: unbound,
            _home: home,
        })
    }
}

/// An address of 127/8 whose port 53 nobody has.
fn free_address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let process = std::process::id().to_le_bytes();
    for _ in 0..250 {
        let last = NEXT.fetch_add(1, Ordering::Relaxed) % 250 + 2;
        let address = Ipv4Addr::new(127, process[1] % 250 + 2, process[0], last);
        let free = UdpSocket::bind((address, 53)).and_then(|_| TcpListener::bind((address, 53)));
        if free.is_ok() {
            return address;
        }
    }
    panic!("no loopback address with a free port 53");
}
