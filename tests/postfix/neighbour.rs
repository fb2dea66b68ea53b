//! A program that a mail server runs beside signet: started by a test at a loopback port, with a directory of its own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::instance::account;
use crate::left_out;
use crate::process::{Process, UNSHARE, private_files, wait_until};
use crate::requirements;

pub struct Program {
    pub path: &'static str,
    /// The Debian package that it is in.
    pub package: &'static str,
    /// The user whose directory it gets.
    pub user: &'static str,
    /// What it asks in place of the machine's name server.
    pub name_server: Option<Ipv4Addr>,
}

/// One that runs.
pub struct Neighbour {
    pub address: SocketAddr,
    // Ends before its directory goes.
    process: Process,
    home: TempDir,
}

impl Neighbour {
    /// Starts a program as its user would be, and waits until it listens; none where it is missing. `configure` gets the port that it is
    /// to listen at and its directory, which belongs to its user.
    pub fn start(
        program: &Program,
        configure: impl FnOnce(&mut Command, SocketAddr, &Path),
    ) -> Option<Self> {
        let path = program.path;
        if !requirements::met() || !left_out::installed(program.package, &[path]) {
            return None;
        }
        let home = tempfile::Builder::new()
            .prefix("signet-neighbour-")
            .tempdir()
            .unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        chown(home.path(), Some(account("passwd", program.user)), None).unwrap();
        let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        let log = fs::File::create(home.path().join("log")).unwrap();
        let alone = match program.name_server {
            None => path,
            Some(_) => UNSHARE,
        };
        let mut process = Process::start(Path::new(alone), |command| {
            if let Some(address) = program.name_server {
                let file = home.path().join("resolv.conf");
                fs::write(&file, format!("nameserver {address}\n")).unwrap();
                private_files(command, &[(file, "/etc/resolv.conf")]);
                command.arg(path);
            }
            command
                .stdin(Stdio::null())
                .stdout(log.try_clone().unwrap());
            command.stderr(log);
            configure(command, address, home.path());
        });
        wait_until(&format!("{path} listens"), || {
            if process.has_ended() {
                let log = fs::read_to_string(home.path().join("log"));
                panic!("{path} ended: {}", log.unwrap_or_default());
            }
            TcpStream::connect(address).ok()
        });
        Some(Self {
            address,
            process,
            home,
        })
    }

    /// SIGUSR1, upon which OpenDKIM reads its settings anew for the connections that come; nothing says when it has.
    pub fn reread(&self) {
        self.process.reread();
    }

    /// A file in its directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// As a milter or a policy service is written in main.cf.
    pub fn inet(&self) -> String {
        format!("inet:{}:{}", self.address.ip(), self.address.port())
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
            eprintln!("---- the neighbour's log\n{log}");
        }
        // A program on libmilter takes seconds to end by itself, and there is nothing to save.
        self.process.kill();
    }
}
