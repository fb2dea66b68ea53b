//! The first question: may this client's mail be signed at all?
//!
//! Mail that only passes through, on its way to a virtual alias for instance, comes
//! from a client that is not trusted and is never signed as its author's domain.

use std::net::IpAddr;

use super::Reason;
use crate::config::{Trust, TrustedMacro};
use crate::milter::Macros;

/// How the client came to us, as the milter protocol tells it.
#[derive(Debug, Clone, Default)]
pub struct Origin<'a> {
    /// The client's address; none for a client that has none or that Postfix does
    /// not know.
    pub client: Option<IpAddr>,
    /// The client's name, as the MTA found it by looking the address up.
    pub client_name: Option<&'a [u8]>,
    /// `{auth_authen}`: the name that the client logged in with.
    pub login: Option<&'a [u8]>,
    /// `{auth_type}`: the SASL mechanism.
    pub auth_type: Option<&'a [u8]>,
    /// `{daemon_name}`: Postfix's `milter_macro_daemon_name`.
    pub daemon_name: Option<&'a [u8]>,
    /// Every macro, for those that `trust.macros` names.
    pub macros: Option<&'a Macros>,
}

/// What made the client trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustedBy {
    Network,
    Authentication,
    DaemonName,
    Macro,
}

impl<'a> Origin<'a> {
    /// The login, when the client authenticated with one.
    pub fn login(&self) -> Option<&'a [u8]> {
        self.login.filter(|login| !login.is_empty())
    }

    /// Whether the client authenticated. A macro that is set to nothing is not set.
    pub fn authenticated(&self) -> bool {
        [self.login, self.auth_type]
            .into_iter()
            .flatten()
            .any(|value| !value.is_empty())
    }
}

/// Whether the client's mail may be signed, and what says so.
///
/// Needs nothing of the message, so a filter can ask at DATA and spare itself the
/// rest of a stranger's mail.
///
/// # Errors
/// [`Reason::UntrustedClient`].
pub fn decide(trust: &Trust, origin: &Origin<'_>) -> Result<TrustedBy, Reason> {
    if trust.authenticated && origin.authenticated() {
        return Ok(TrustedBy::Authentication);
    }
    if trust.networks.contains(origin.client, origin.client_name) {
        return Ok(TrustedBy::Network);
    }
    let is = |name| {
        trust
            .daemon_names
            .iter()
            .any(|known| known.as_bytes() == name)
    };
    if origin.daemon_name.is_some_and(is) {
        return Ok(TrustedBy::DaemonName);
    }
    if trust.macros.iter().any(|trusted| has(origin, trusted)) {
        return Ok(TrustedBy::Macro);
    }
    Err(Reason::UntrustedClient)
}

/// Whether the macro has the value, or any but the empty one when the config names none.
fn has(origin: &Origin<'_>, trusted: &TrustedMacro) -> bool {
    let value = origin.macros.and_then(|macros| macros.get(&trusted.name));
    value.is_some_and(|value| match &trusted.value {
        Some(wanted) => wanted.as_bytes() == value,
        None => !value.is_empty(),
    })
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::milter::frame::Frame;
    use crate::milter::{Session, Wanted};

    fn stranger() -> Origin<'static> {
        Origin {
            client: Some("203.0.113.9".parse().unwrap()),
            daemon_name: Some(b"mail.example.com"),
            ..Origin::default()
        }
    }

    #[test]
    fn a_stranger_is_not_trusted() {
        let trust = Trust::default();
        assert_eq!(decide(&trust, &stranger()), Err(Reason::UntrustedClient));
        assert_eq!(
            decide(&trust, &Origin::default()),
            Err(Reason::UntrustedClient)
        );
    }

    #[test]
    fn this_machine_is_trusted_over_ipv4_and_ipv6() {
        for client in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let origin = Origin {
                client: Some(client.parse().unwrap()),
                ..stranger()
            };
            assert_eq!(decide(&Trust::default(), &origin), Ok(TrustedBy::Network));
        }
    }

    #[test]
    fn a_login_is_trusted_unless_the_config_says_no() {
        let origin = Origin {
            login: Some(b"alice"),
            auth_type: Some(b"PLAIN"),
            ..stranger()
        };
        let trust = Trust::default();
        assert_eq!(decide(&trust, &origin), Ok(TrustedBy::Authentication));
        let trust = Trust {
            authenticated: false,
            ..trust
        };
        assert_eq!(decide(&trust, &origin), Err(Reason::UntrustedClient));
    }

    #[test]
    fn an_empty_macro_is_no_login() {
        let origin = Origin {
            login: Some(b""),
            auth_type: Some(b""),
            ..stranger()
        };
        assert_eq!(
            decide(&Trust::default(), &origin),
            Err(Reason::UntrustedClient)
        );
    }

    #[test]
    fn a_daemon_name_is_trusted_when_the_config_lists_it() {
        let origin = Origin {
            daemon_name: Some(b"ORIGINATING"),
            ..stranger()
        };
        assert!(decide(&Trust::default(), &origin).is_err());
        let trust = Trust {
            daemon_names: vec!["ORIGINATING".to_owned()],
            ..Trust::default()
        };
        assert_eq!(decide(&trust, &origin), Ok(TrustedBy::DaemonName));
        assert!(decide(&trust, &stranger()).is_err());
    }

    /// The macros of a session to which Postfix sent these with CONNECT.
    fn session(macros: &[u8]) -> Session {
        let mut session = Session::new(Wanted::default());
        let mut out = BytesMut::new();
        let offer = [6u32, 0x1ff, 0x1f_ffff].map(u32::to_be_bytes).concat();
        for (command, payload) in [(b'O', offer), (b'D', [b"C", macros].concat())] {
            session
                .receive(&Frame { command, payload }, &mut out)
                .unwrap();
        }
        session
    }

    #[test]
    fn a_macro_is_trusted_when_it_has_the_value() {
        let trust = |text: &str| Trust {
            macros: vec![text.parse().unwrap()],
            ..Trust::default()
        };
        let decide = |text: &str, macros: &[u8]| {
            let session = session(macros);
            let origin = Origin {
                macros: Some(session.macros()),
                ..stranger()
            };
            decide(&trust(text), &origin)
        };
        assert_eq!(decide("customer", b"{customer}\0x\0"), Ok(TrustedBy::Macro));
        assert_eq!(
            decide("{customer}=yes", b"{customer}\0yes\0"),
            Ok(TrustedBy::Macro)
        );
        assert!(decide("customer", b"{customer}\0\0").is_err());
        assert!(decide("customer=yes", b"{customer}\0yes!\0").is_err());
        assert!(decide("customer=yes", b"{other}\0yes\0").is_err());
    }
}
