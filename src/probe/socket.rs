//! Connects to a milter as Postfix would: from where its services see the socket, as
//! the user they run as.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::doctor::{SocketFact, Unreached};
use crate::milter::frame;
use crate::milter::mta::{Answer, Offer, QUIT};
use crate::postfix::{Endpoint, Postfix};

use super::system::{self, Account};

const PATIENCE: Duration = Duration::from_secs(5);

/// Tries one address for services in or outside the chroot; none for an address that
/// Postfix itself does not understand, and when only root could find out.
pub fn reach(postfix: &Postfix, address: &str, chroot: bool) -> Option<SocketFact> {
    let endpoint = Endpoint::parse(address).ok()?;
    let (path, mut reached) = negotiate(postfix, &endpoint, chroot);
    // The same file, seen from outside the chroot.
    if let (Err(Unreached::Missing { outside }), Endpoint::Unix { path }) =
        (&mut reached, &endpoint)
        && chroot
        && path.is_absolute()
        && path.exists()
    {
        *outside = Some(path.clone());
    }
    // What this user may not do says nothing about the user of Postfix.
    let denied = matches!(reached, Err(Unreached::Denied { .. }));
    if denied && !rustix::process::geteuid().is_root() {
        return None;
    }
    Some(SocketFact {
        address: address.to_owned(),
        endpoint,
        chroot,
        path,
        reached: reached.map(drop),
    })
}

/// What the milter at an address asks Postfix to be allowed (`SMFIF_*`); none when it
/// does not answer.
pub fn actions(postfix: &Postfix, address: &str, chroot: bool) -> Option<u32> {
    let endpoint = Endpoint::parse(address).ok()?;
    negotiate(postfix, &endpoint, chroot).1.ok()
}

/// Where the socket is, if it is a file, and what the milter there wants to be allowed.
fn negotiate(
    postfix: &Postfix,
    endpoint: &Endpoint,
    chroot: bool,
) -> (Option<PathBuf>, Result<u32, Unreached>) {
    let owner = postfix.value("mail_owner");
    let account = system::account(if owner.is_empty() { "postfix" } else { owner });
    match endpoint {
        Endpoint::Unix { path } => {
            let path = postfix.socket_path(path, chroot);
            let there = path.clone();
            let reached = as_user(account, move || unix(&there));
            (Some(path), reached)
        }
        Endpoint::Inet { host, port } => (None, tcp(host, port)),
    }
}

/// Runs something with the rights of a user, when we are root and may; else with ours.
/// The rights are those of a thread that ends with it, never of the whole program.
fn as_user(
    account: Option<Account>,
    work: impl FnOnce() -> Result<u32, Unreached> + Send + 'static,
) -> Result<u32, Unreached> {
    let Some(account) = account.filter(|_| rustix::process::geteuid().is_root()) else {
        return work();
    };
    let thread = std::thread::spawn(move || {
        let (uid, gid) = (Uid::from_raw(account.user), Gid::from_raw(account.group));
        let groups: Vec<Gid> = account.groups.iter().copied().map(Gid::from_raw).collect();
        set_thread_groups(&groups)
            .and_then(|()| set_thread_res_gid(gid, gid, gid))
            .and_then(|()| set_thread_res_uid(uid, uid, uid))
            .map_err(|error| Unreached::Other(error.to_string()))?;
        work()
    });
    let ended = thread.join();
    ended.unwrap_or_else(|_| Err(Unreached::Other("the attempt broke off".to_owned())))
}

fn unix(path: &Path) -> Result<u32, Unreached> {
    let is_socket = path.metadata().map(|file| file.file_type().is_socket());
    let stream = UnixStream::connect(path).map_err(|error| match error.kind() {
        _ if matches!(is_socket, Ok(false)) => Unreached::NotASocket,
        io::ErrorKind::NotFound => Unreached::Missing { outside: None },
        io::ErrorKind::PermissionDenied => Unreached::Denied {
            at: closed_to_us(path),
        },
        io::ErrorKind::ConnectionRefused => Unreached::Refused,
        _ => Unreached::Other(error.to_string()),
    })?;
    let patient = stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
    patient.map_err(|error| Unreached::Other(error.to_string()))?;
    greet(stream)
}

/// The first directory on the way that may not be entered, or the path itself.
fn closed_to_us(path: &Path) -> PathBuf {
    let above: Vec<&Path> = path.ancestors().collect();
    for pair in above.windows(2).rev() {
        if let [inside, directory] = pair
            && inside
                .metadata()
                .is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
        {
            return directory.to_path_buf();
        }
    }
    path.to_owned()
}

fn tcp(host: &str, port: &str) -> Result<u32, Unreached> {
    let port: u16 = port.parse().map_err(|_| Unreached::NoAddress)?;
    let addresses = (host, port)
        .to_socket_addrs()
        .map_err(|_| Unreached::NoAddress)?;
    let mut last = Unreached::NoAddress;
    for address in addresses {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                let patient = stream
                    .set_read_timeout(Some(PATIENCE))
                    .and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
                patient.map_err(|error| Unreached::Other(error.to_string()))?;
                return greet(stream);
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                last = Unreached::Refused;
            }
            Err(error) => last = Unreached::Other(error.to_string()),
        }
    }
    Err(last)
}

/// Negotiates, and says goodbye.
fn greet(mut stream: impl Read + Write) -> Result<u32, Unreached> {
    let offer = Offer::postfix(6);
    let mut packet = BytesMut::new();
    offer.encode(&mut packet);
    stream
        .write_all(&packet)
        .map_err(|_| Unreached::NotAMilter)?;
    let mut received = BytesMut::new();
    let mut chunk = [0; 4096];
    loop {
        match frame::decode(&mut received, frame::DEFAULT_LIMIT) {
            Ok(Some(answer)) => {
                let answer = Answer::read(&answer, &offer).map_err(|_| Unreached::NotAMilter)?;
                let _ = stream.write_all(QUIT);
                return Ok(answer.agreement.actions);
            }
            Ok(None) => {}
            Err(_) => return Err(Unreached::NotAMilter),
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return Err(Unreached::NotAMilter),
            Ok(count) => received.put_slice(chunk.get(..count).unwrap_or_default()),
        }
    }
}
