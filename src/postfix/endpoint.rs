//! The address of a milter as Postfix reads it.

use std::path::PathBuf;

/// sun_path of a Unix socket, without the byte at its end.
const LONGEST_PATH: usize = 107;

/// Where a milter is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// Relative paths are taken from the queue directory.
    Unix {
        path: PathBuf,
    },
    Inet {
        host: String,
        port: String,
    },
}

/// Why Postfix cannot use an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("it does not say how to get there: unix: or inet: is missing before it")]
    NoTransport,
    #[error("\"{0}:\" is no transport, only unix: and inet: are")]
    UnknownTransport(String),
    #[error("it is written as Sendmail does, inet:PORT@HOST; Postfix wants inet:HOST:PORT")]
    Sendmail,
    #[error("inet: needs a host and a port, inet:127.0.0.1:8891")]
    NoPort,
    #[error("its path has {0} bytes, and a socket's has at most {LONGEST_PATH}")]
    PathTooLong(usize),
}

impl Endpoint {
    /// Reads one address of `smtpd_milters`.
    ///
    /// # Errors
    /// For what Postfix would complain of, or die of, when the first client comes.
    pub fn parse(address: &str) -> Result<Self, EndpointError> {
        let (transport, rest) = match address.split_once(':') {
            Some((transport, rest)) if !transport.contains('/') => (transport, rest),
            _ => return Err(EndpointError::NoTransport),
        };
        match transport {
            "unix" | "local" if rest.len() > LONGEST_PATH => {
                Err(EndpointError::PathTooLong(rest.len()))
            }
            "unix" | "local" => Ok(Self::Unix { path: rest.into() }),
            "inet" if rest.contains('@') => Err(EndpointError::Sendmail),
            "inet" => match rest.rsplit_once(':') {
                Some((host, port)) if !host.is_empty() && !port.is_empty() => Ok(Self::Inet {
                    host: host.trim_matches(['[', ']']).to_owned(),
                    port: port.to_owned(),
                }),
                _ => Err(EndpointError::NoPort),
            },
            other => Err(EndpointError::UnknownTransport(other.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_postfix_reads_them() {
        let unix = |path: &str| Ok(Endpoint::Unix { path: path.into() });
        assert_eq!(Endpoint::parse("unix:signet/s.sock"), unix("signet/s.sock"));
        assert_eq!(Endpoint::parse("local:/run/s.sock"), unix("/run/s.sock"));
        let inet = |host: &str| {
            let (host, port) = (host.to_owned(), "8891".to_owned());
            Ok(Endpoint::Inet { host, port })
        };
        assert_eq!(Endpoint::parse("inet:127.0.0.1:8891"), inet("127.0.0.1"));
        assert_eq!(Endpoint::parse("inet:[::1]:8891"), inet("::1"));
        assert_eq!(
            Endpoint::parse("/run/s.sock"),
            Err(EndpointError::NoTransport)
        );
        assert_eq!(
            Endpoint::parse("inet:8891@127.0.0.1"),
            Err(EndpointError::Sendmail)
        );
        assert_eq!(Endpoint::parse("inet:8891"), Err(EndpointError::NoPort));
        assert_eq!(
            Endpoint::parse("tcp:127.0.0.1:8891"),
            Err(EndpointError::UnknownTransport("tcp".to_owned()))
        );
        assert_eq!(
            Endpoint::parse(&format!("unix:{}", "x".repeat(108))),
            Err(EndpointError::PathTooLong(108))
        );
    }
}
