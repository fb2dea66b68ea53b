//! Listening sockets: made, given their mode and owner, and removed again.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, SockAddr, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::accounts;
use crate::config::{ListenAddress, Listener};

/// The group whose members may connect to a Unix socket, when the config names
/// none: Postfix's smtpd and cleanup connect as the user and group `postfix`.
const POSTFIX_GROUP: &str = "postfix";
/// Who may connect, when the config does not say: owner and group.
const DEFAULT_MODE: u32 = 0o660;
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Why a listener cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    #[error("cannot listen on {address}: {why}")]
    Socket {
        address: String,
        why: String,
        #[source]
        source: io::Error,
    },
    #[error("cannot listen on {address}: another program answers there; stop it first")]
    Answered { address: String },
    #[error("cannot listen on {address}: {path} exists and is not a socket; remove it first")]
    NotASocket { address: String, path: String },
    #[error("cannot listen on {address}: there is no {kind} {name} on this system")]
    NoSuchName {
        address: String,
        kind: &'static str,
        name: String,
    },
}

/// A socket that is bound, and listens once [`Bound::listen`] was called. Dropping it
/// closes it and, for a Unix socket, removes its file if that is still the one it made.
#[derive(Debug)]
pub struct Bound {
    socket: Socket,
    /// None for TCP, and when whoever passed the socket in owns it.
    file: Option<SocketFile>,
}

/// A socket that accepts connections.
#[derive(Debug)]
pub(super) struct Listening {
    socket: ListeningSocket,
    address: ListenAddress,
    _file: Option<SocketFile>,
}

#[derive(Debug)]
enum ListeningSocket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// One accepted connection.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Binds one listener. Nobody can connect yet.
///
/// # Errors
/// Says which address and why, and for a Unix socket what is in the way.
pub fn bind(listener: &Listener) -> Result<Bound, BindError> {
    let address = listener.address.to_string();
    match &listener.address {
        ListenAddress::Inet { host, port } => bind_tcp(host, *port, &address),
        ListenAddress::Unix { path } => bind_unix(path, listener, &address),
    }
}

fn bind_tcp(host: &str, port: u16, address: &str) -> Result<Bound, BindError> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host name has no address");
    let candidates = (host, port).to_socket_addrs();
    for candidate in candidates.map_err(|source| tcp_failed(address, source))? {
        match open_tcp(candidate) {
            Ok(socket) => return Ok(Bound { socket, file: None }),
            Err(error) => last = error,
        }
    }
    Err(tcp_failed(address, last))
}

fn tcp_failed(address: &str, source: io::Error) -> BindError {
    BindError::Socket {
        address: address.to_owned(),
        why: match source.kind() {
            io::ErrorKind::AddrInUse => "the port is in use; see `ss -ltnp`".to_owned(),
            io::ErrorKind::PermissionDenied => "ports below 1024 need privileges".to_owned(),
            _ => "the socket could not be opened".to_owned(),
        },
        source,
    }
}

fn open_tcp(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn bind_unix(path: &Path, listener: &Listener, address: &str) -> Result<Bound, BindError> {
    let failed = |why: &str, source: io::Error| BindError::Socket {
        address: address.to_owned(),
        why: why.to_owned(),
        source,
    };
    let (owner, group) = owner_and_group(listener, address)?;
    clear_the_way(path, address)?;
    if let Some(directory) = path
        .parent()
        .filter(|d| !d.as_os_str().is_empty() && !d.exists())
    {
        std::fs::create_dir_all(directory)
            .map_err(|e| failed("its directory could not be made", e))?;
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o750))
            .map_err(|e| failed("its directory's mode could not be set", e))?;
        give(directory, owner, group, listener)
            .map_err(|e| failed("its directory's owner could not be set", e))?;
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)
        .map_err(|e| failed("the socket could not be opened", e))?;
    let name =
        SockAddr::unix(path).map_err(|e| failed("the path is too long (107 bytes at most)", e))?;
    socket
        .bind(&name)
        .map_err(|e| failed("the file could not be made", e))?;
    let file = SocketFile::of(path).map_err(|e| failed("the file vanished", e))?;
    // Mode and owner are set before anybody can connect: until `listen`, every
    // attempt is refused.
    let mode = listener.mode.unwrap_or(DEFAULT_MODE);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .map_err(|e| failed("its mode could not be set", e))?;
    give(path, owner, group, listener)
        .map_err(|e| failed("its owner could not be set (that takes root)", e))?;
    let file = Some(file);
    Ok(Bound { socket, file })
}

/// Sets the owner and group. The group `postfix`, which nobody asked for in
/// writing, is tried only: without root it cannot be given.
fn give(path: &Path, owner: Option<u32>, group: Option<u32>, asked: &Listener) -> io::Result<()> {
    if owner.is_none() && group.is_none() {
        return Ok(());
    }
    match chown(path, owner, group) {
        Err(_) if asked.owner.is_none() && asked.group.is_none() => Ok(()),
        result => result,
    }
}

/// Removes a socket file that is left over from a daemon that is gone, and only
/// that: it is stale when nobody answers on it.
fn clear_the_way(path: &Path, address: &str) -> Result<(), BindError> {
    let Ok(found) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !found.file_type().is_socket() {
        return Err(BindError::NotASocket {
            address: address.to_owned(),
            path: path.display().to_string(),
        });
    }
    let removed = match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) => {
            return Err(BindError::Answered {
                address: address.to_owned(),
            });
        }
    };
    removed.map_err(|source| BindError::Socket {
        address: address.to_owned(),
        why: "the old socket file could not be removed".to_owned(),
        source,
    })
}

fn owner_and_group(
    listener: &Listener,
    address: &str,
) -> Result<(Option<u32>, Option<u32>), BindError> {
    let missing = |kind, name: &str| BindError::NoSuchName {
        address: address.to_owned(),
        kind,
        name: name.to_owned(),
    };
    let owner = match listener.owner.as_deref() {
        Some(name) => Some(accounts::user_id(name).ok_or_else(|| missing("user", name))?),
        None => None,
    };
    let group = match listener.group.as_deref() {
        Some(name) => Some(accounts::group_id(name).ok_or_else(|| missing("group", name))?),
        None => accounts::group_id(POSTFIX_GROUP),
    };
    Ok((owner, group))
}

/// The file of a Unix socket, told from a successor's by its inode.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        let found = std::fs::symlink_metadata(path)?;
        Ok(Self {
            path: path.to_owned(),
            device: found.dev(),
            inode: found.ino(),
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Ok(found) = std::fs::symlink_metadata(&self.path)
            && found.dev() == self.device
            && found.ino() == self.inode
        {
            // Nothing is lost when it stays: the next start finds nobody answers.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Bound {
    /// A socket that listens already, and whose file belongs to another.
    pub(super) fn inherited(socket: Socket) -> Self {
        Self { socket, file: None }
    }

    /// The address in Postfix's notation, with the port the system chose when the
    /// config said 0.
    pub fn address(&self) -> ListenAddress {
        let address = self.socket.local_addr().ok();
        let inet = address.as_ref().and_then(SockAddr::as_socket);
        let path = address.as_ref().and_then(|address| address.as_pathname());
        match (inet, path) {
            (Some(inet), _) => ListenAddress::Inet {
                host: inet.ip().to_string(),
                port: inet.port(),
            },
            (None, path) => ListenAddress::Unix {
                path: path.unwrap_or(Path::new("")).to_owned(),
            },
        }
    }

    /// From now on peers can connect. Must be called inside a tokio runtime.
    pub(super) fn listen(self) -> Result<Listening, BindError> {
        let address = self.address();
        let failed = |source| tcp_failed(&address.to_string(), source);
        self.socket.listen(BACKLOG).map_err(failed)?;
        self.socket.set_nonblocking(true).map_err(failed)?;
        let socket = match &address {
            ListenAddress::Inet { .. } => {
                TcpListener::from_std(self.socket.into()).map(ListeningSocket::Tcp)
            }
            ListenAddress::Unix { .. } => {
                UnixListener::from_std(self.socket.into()).map(ListeningSocket::Unix)
            }
        };
        Ok(Listening {
            socket: socket.map_err(failed)?,
            address,
            _file: self.file,
        })
    }
}

impl Listening {
    /// The next connection, with its peer's address where it has one.
    pub(super) async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match &self.socket {
            ListeningSocket::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                prepare(&stream);
                Ok((Stream::Tcp(stream), Some(peer.ip().to_canonical())))
            }
            ListeningSocket::Unix(listener) => Ok((Stream::Unix(listener.accept().await?.0), None)),
        }
    }
}

/// Sets what makes a connection quick, and what ends one whose peer's machine has gone
/// without a word. On one that has failed already nothing can be set, and nothing
/// needs to be.
fn prepare(stream: &TcpStream) {
    // Our answer is one write; waiting for more would cost 40 ms.
    let _ = stream.set_nodelay(true);
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(120))
        .with_interval(Duration::from_secs(30))
        .with_retries(6);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}
