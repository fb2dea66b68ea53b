//! The programs that judge: found, run, and ended with the test.

use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::place::stdout;

/// Runs a program that must succeed.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

/// A name server on a loopback port of its own, ended when it goes out of scope.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
}

impl Server {
    /// `command` gets a port that was free a moment ago; a server that finds it taken ends, and the test says so.
    pub fn start(domain: &str, command: impl FnOnce(u16) -> Command) -> Self {
        let probe = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = probe.local_addr().unwrap().port();
        drop(probe);
        let process = command(port)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self {
            process,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !server.dig(domain, "SOA").contains("status: NOERROR") {
            assert_eq!(
                server.process.try_wait().unwrap(),
                None,
                "the name server ended"
            );
            assert!(Instant::now() < deadline, "the name server does not answer");
        }
        server
    }

    pub fn dig(&self, name: &str, kind: &str) -> String {
        let mut dig = Command::new("dig");
        dig.args(["@127.0.0.1", "-p", &self.address.port().to_string()])
            .args(["+time=1", "+tries=2", name, kind]);
        stdout(&dig.output().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
