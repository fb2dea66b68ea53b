//! Listening sockets that whoever started the daemon has opened for it: systemd's
//! socket activation, sd_listen_fds(3).
//!
//! Such a socket outlives the daemon: who connects during a restart waits in its queue,
//! and it may lie where the daemon itself could not make one.

use std::io;

use listenfd::ListenFd;

use super::listener::Bound;

/// Sockets handed over, not in use yet.
#[derive(Debug)]
pub struct Inherited {
    sockets: Vec<Socket>,
}

#[derive(Debug)]
enum Socket {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

/// A descriptor was handed over that no milter can listen on.
#[derive(Debug, thiserror::Error)]
#[error(
    "socket {number} of those that were passed in (LISTEN_FDS) is neither a TCP nor a Unix stream \
     socket; name one with ListenStream= in the .socket unit"
)]
pub struct InheritError {
    number: usize,
    source: io::Error,
}

impl Inherited {
    /// Takes the sockets that were passed in, and what says so out of the environment.
    /// To be called before there is a second thread.
    ///
    /// # Errors
    /// When one is not a listening stream socket.
    pub fn take() -> Result<Self, InheritError> {
        let mut passed = ListenFd::from_env();
        let mut sockets = Vec::new();
        for index in 0..passed.len() {
            let socket = match passed.take_unix_listener(index) {
                Ok(socket) => socket.map(Socket::Unix),
                Err(_) => {
                    let number = index + 1;
                    let taken = passed.take_tcp_listener(index);
                    let taken = taken.map_err(|source| InheritError { number, source })?;
                    taken.map(Socket::Tcp)
                }
            };
            sockets.extend(socket);
        }
        Ok(Self { sockets })
    }

    /// Whether none was passed in.
    pub fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    /// The sockets, as if they had been bound here.
    pub fn into_bound(self) -> Vec<Bound> {
        let socket = |socket| match socket {
            Socket::Tcp(socket) => socket.into(),
            Socket::Unix(socket) => socket.into(),
        };
        let sockets = self.sockets.into_iter();
        sockets.map(|each| Bound::inherited(socket(each))).collect()
    }
}
