//! Where the milter listens, in Postfix's notation: `inet:HOST:PORT` or `unix:PATH`.
//!
//! Parsing decides nothing about the machine: a host name is looked up, and a path
//! is tried, by whoever opens the socket.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The longest path of a Unix socket, in bytes: `sun_path` holds 108 and the last
/// is a NUL. Postfix ends with a fatal error on a longer one.
const LONGEST_PATH: usize = 107;

/// An address to listen on, or to connect to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ListenAddress {
    /// `inet:HOST:PORT`. The host is a name or an address, without brackets; port
    /// 0 lets the system choose.
    Inet { host: String, port: u16 },
    /// `unix:PATH`, or `local:PATH`.
    Unix { path: PathBuf },
}

/// One `listen` entry. `mode`, `owner` and `group` are for a Unix socket alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    pub address: ListenAddress,
    /// Permission bits of the socket; `None` is [`Listener::DEFAULT_MODE`].
    pub mode: Option<u32>,
    /// A user name or number; `None` leaves the socket to the user that runs signet.
    pub owner: Option<String>,
    /// A group name or number; `None` leaves the socket to the group that runs signet.
    pub group: Option<String>,
}

impl Listener {
    /// Read and write for owner and group: connecting takes write permission, and
    /// Postfix is meant to be the group.
    pub const DEFAULT_MODE: u32 = 0o660;
}

impl From<ListenAddress> for Listener {
    fn from(address: ListenAddress) -> Self {
        Self {
            address,
            mode: None,
            owner: None,
            group: None,
        }
    }
}

/// Why a text is not an address to listen on; each message says what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenError {
    #[error("\"{0}\" has no type; write inet:HOST:PORT or unix:PATH")]
    NoType(String),
    #[error(
        "\"{0}\" is not a type of address that signet knows; write inet:HOST:PORT or unix:PATH"
    )]
    UnknownType(String),
    #[error("\"{text}\" is Sendmail's notation; write {instead}")]
    Sendmail { text: String, instead: String },
    #[error(
        "\"{text}\" names no host; write inet:127.0.0.1:{port} (or inet:0.0.0.0:{port} for every interface)"
    )]
    NoHost { text: String, port: String },
    #[error("\"{0}\" names no port; write inet:HOST:PORT")]
    NoPort(String),
    #[error("\"{0}\" is not a port number (0 to 65535)")]
    BadPort(String),
    #[error("\"{text}\" holds an IPv6 address without brackets; write inet:[ADDRESS]:PORT")]
    NoBrackets { text: String },
    #[error("\"{0}\" is not a host name or address")]
    BadHost(String),
    #[error("\"{0}\" names no path; write unix:/PATH/TO/SOCKET")]
    NoPath(String),
    #[error("the path of a Unix socket has {0} bytes, the system allows {LONGEST_PATH}")]
    PathTooLong(usize),
}

impl ListenAddress {
    /// Reads `inet:HOST:PORT`, `inet:[IPV6]:PORT`, `unix:PATH` or `local:PATH`.
    ///
    /// # Errors
    /// What is wrong and what to write instead, Sendmail's `inet:PORT@HOST` included.
    pub fn parse(text: &str) -> Result<Self, ListenError> {
        let Some((kind, rest)) = text.split_once(':') else {
            return Err(ListenError::NoType(text.to_owned()));
        };
        match kind {
            "inet" => inet(text, rest),
            // OpenDKIM and Sendmail write `inet6`; Postfix does not know it.
            "inet6" => Err(ListenError::Sendmail {
                text: text.to_owned(),
                instead: "inet:[ADDRESS]:PORT".to_owned(),
            }),
            "unix" | "local" => unix(text, rest),
            _ if kind.starts_with('/') => Err(ListenError::NoType(text.to_owned())),
            _ => Err(ListenError::UnknownType(text.to_owned())),
        }
    }
}

fn unix(text: &str, path: &str) -> Result<ListenAddress, ListenError> {
    if path.is_empty() || path.contains('\0') {
        return Err(ListenError::NoPath(text.to_owned()));
    }
    if path.len() > LONGEST_PATH {
        return Err(ListenError::PathTooLong(path.len()));
    }
    Ok(ListenAddress::Unix {
        path: Path::new(path).to_owned(),
    })
}

fn inet(text: &str, rest: &str) -> Result<ListenAddress, ListenError> {
    if let Some((port, host)) = rest.split_once('@') {
        return Err(ListenError::Sendmail {
            text: text.to_owned(),
            instead: format!("inet:{host}:{port}"),
        });
    }
    let (host, port) = match rest.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed
                .split_once(']')
                .ok_or_else(|| ListenError::BadHost(rest.to_owned()))?;
            if host.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(ListenError::BadHost(host.to_owned()));
            }
            let port = after
                .strip_prefix(':')
                .ok_or_else(|| ListenError::NoPort(text.to_owned()))?;
            (host, port)
        }
        None => match rest.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => {
                return Err(ListenError::NoBrackets {
                    text: text.to_owned(),
                });
            }
            Some(parts) => parts,
            None if rest.bytes().all(|b| b.is_ascii_digit()) && !rest.is_empty() => ("", rest),
            None => return Err(ListenError::NoPort(text.to_owned())),
        },
    };
    if host.is_empty() {
        return Err(ListenError::NoHost {
            text: text.to_owned(),
            port: port.to_owned(),
        });
    }
    let known = |b: u8| b.is_ascii_alphanumeric() || b"-._:%".contains(&b);
    if !host.bytes().all(known) {
        return Err(ListenError::BadHost(host.to_owned()));
    }
    if port.is_empty() {
        return Err(ListenError::NoPort(text.to_owned()));
    }
    match port.parse::<u16>() {
        Ok(number) if port.bytes().all(|b| b.is_ascii_digit()) => Ok(ListenAddress::Inet {
            host: host.to_owned(),
            port: number,
        }),
        _ => Err(ListenError::BadPort(port.to_owned())),
    }
}

impl FromStr for ListenAddress {
    type Err = ListenError;
    fn from_str(text: &str) -> Result<Self, ListenError> {
        Self::parse(text)
    }
}

/// The notation that [`ListenAddress::parse`] reads, which is Postfix's too.
impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet { host, port } if host.contains(':') => write!(f, "inet:[{host}]:{port}"),
            Self::Inet { host, port } => write!(f, "inet:{host}:{port}"),
            Self::Unix { path } => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        ListenAddress::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn what_postfix_writes_is_read_and_written_back() {
        for text in [
            "inet:127.0.0.1:8891",
            "inet:localhost:0",
            "inet:[::1]:8891",
            "unix:/var/spool/postfix/signet/signet.sock",
            "unix:signet/signet.sock",
        ] {
            assert_eq!(ListenAddress::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            ListenAddress::parse("local:/run/s").unwrap().to_string(),
            "unix:/run/s"
        );
    }

    #[test]
    fn each_mistake_says_what_to_write_instead() {
        assert!(message("inet:8891@localhost").ends_with("write inet:localhost:8891"));
        assert!(message("inet:8891").contains("inet:127.0.0.1:8891"));
        assert!(message("inet::8891").contains("inet:127.0.0.1:8891"));
        assert!(message("inet:::1:8891").contains("inet:[ADDRESS]:PORT"));
        assert!(message("/run/signet.sock").contains("unix:PATH"));
        assert!(message("tcp:localhost:1").contains("inet:HOST:PORT"));
        assert!(message("inet:localhost").contains("no port"));
        assert!(message("inet:localhost:").contains("no port"));
        assert!(message("inet:localhost:70000").contains("\"70000\""));
        assert!(message("inet:localhost:+25").contains("\"+25\""));
        assert!(message("inet:a b:25").contains("\"a b\""));
        assert!(message("inet:[localhost]:25").contains("\"localhost\""));
        assert!(message("unix:").contains("no path"));
        assert!(message(&format!("unix:/{}", "a".repeat(107))).contains("108 bytes"));
    }
}
