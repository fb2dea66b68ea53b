//! Listening sockets: made, given their mode and owner, and removed again.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, SockAddr, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

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

/// A socket that is bound and listening. Dropping it closes it and, for a Unix
/// socket, removes its file if that is still the one it made.
#[derive(Debug)]
pub struct Bound {
    socket: BoundSocket,
}

#[derive(Debug)]
enum BoundSocket {
    Tcp(TcpListener),
    Unix {
        listener: UnixListener,
        path: PathBuf,
        /// None when whoever passed the socket in owns it.
        _file: Option<SocketFile>,
    },
}

/// One accepted connection.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Opens one listener. Must be called inside a tokio runtime.
///
/// # Errors
/// Says which address and why, and for a Unix socket what is in the way.
pub async fn bind(listener: &Listener) -> Result<Bound, BindError> {
    let address = listener.address.to_string();
    let socket = match &listener.address {
        ListenAddress::Inet { host, port } => bind_tcp(host, *port, &address).await?,
        ListenAddress::Unix { path } => bind_unix(path, listener, &address)?,
    };
    Ok(Bound { socket })
}

async fn bind_tcp(host: &str, port: u16, address: &str) -> Result<BoundSocket, BindError> {
    let failed = |source: io::Error| BindError::Socket {
        address: address.to_owned(),
        why: match source.kind() {
            io::ErrorKind::AddrInUse => "the port is in use; see `ss -ltnp`".to_owned(),
            io::ErrorKind::PermissionDenied => "ports below 1024 need privileges".to_owned(),
            _ => "the socket could not be opened".to_owned(),
        },
        source,
    };
    let addresses = tokio::net::lookup_host((host, port))
        .await
        .map_err(failed)?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host name has no address");
    for candidate in addresses {
        match open_tcp(candidate) {
            Ok(listener) => return Ok(BoundSocket::Tcp(listener)),
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}

fn open_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn bind_unix(path: &Path, listener: &Listener, address: &str) -> Result<BoundSocket, BindError> {
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
        .set_nonblocking(true)
        .map_err(|e| failed("the socket could not be opened", e))?;
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
    socket
        .listen(BACKLOG)
        .map_err(|e| failed("the socket could not be opened", e))?;
    let listener = UnixListener::from_std(socket.into())
        .map_err(|e| failed("the socket could not be opened", e))?;
    Ok(BoundSocket::Unix {
        listener,
        path: path.to_owned(),
        _file: Some(file),
    })
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
        Some(name) => Some(id("/etc/passwd", name).ok_or_else(|| missing("user", name))?),
        None => None,
    };
    let group = match listener.group.as_deref() {
        Some(name) => Some(id("/etc/group", name).ok_or_else(|| missing("group", name))?),
        None => id("/etc/group", POSTFIX_GROUP),
    };
    Ok((owner, group))
}

/// The number of a user or group, given as a number or by its name in the
/// system's file.
fn id(file: &str, name: &str) -> Option<u32> {
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let mut parts = line.split(':');
        (parts.next() == Some(name))
            .then(|| parts.nth(1)?.parse().ok())
            .flatten()
    })
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
    pub(super) fn inherited_tcp(listener: TcpListener) -> Self {
        let socket = BoundSocket::Tcp(listener);
        Self { socket }
    }

    pub(super) fn inherited_unix(listener: UnixListener) -> Self {
        let address = listener.local_addr().ok();
        let path = address.as_ref().and_then(|address| address.as_pathname());
        let socket = BoundSocket::Unix {
            path: path.map_or_else(PathBuf::new, Path::to_owned),
            listener,
            _file: None,
        };
        Self { socket }
    }

    /// The address in Postfix's notation, with the port the system chose when the
    /// config said 0.
    pub fn address(&self) -> ListenAddress {
        match &self.socket {
            BoundSocket::Tcp(listener) => match listener.local_addr() {
                Ok(SocketAddr::V4(a)) => ListenAddress::Inet {
                    host: a.ip().to_string(),
                    port: a.port(),
                },
                Ok(SocketAddr::V6(a)) => ListenAddress::Inet {
                    host: a.ip().to_string(),
                    port: a.port(),
                },
                Err(_) => ListenAddress::Inet {
                    host: "?".to_owned(),
                    port: 0,
                },
            },
            BoundSocket::Unix { path, .. } => ListenAddress::Unix { path: path.clone() },
        }
    }

    /// The next connection, with its peer's address where it has one.
    pub(super) async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match &self.socket {
            BoundSocket::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                prepare(&stream);
                Ok((Stream::Tcp(stream), Some(peer.ip().to_canonical())))
            }
            BoundSocket::Unix { listener, .. } => {
                Ok((Stream::Unix(listener.accept().await?.0), None))
            }
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

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address().fmt(f)
    }
}
