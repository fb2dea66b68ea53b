//! What an MTA tells a filter, borrowed from the frame that told it.
//!
//! Nothing is decoded beyond the frame's own structure: addresses, header values
//! and body are the bytes that were sent.

use std::net::IpAddr;

use super::cursor::{Cursor, Fault};

/// One thing that happened in the SMTP session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'f> {
    Connect(Connect<'f>),
    /// The name that the client gave. It may come in the midst of a message, before
    /// that message's [`Event::Abort`].
    Helo(&'f [u8]),
    Mail(Path<'f>),
    Recipient(Path<'f>),
    Data,
    /// The value exactly as sent: with or without the space behind the colon as
    /// [`Agreement::leading_space`](super::Agreement::leading_space) says, folds as
    /// bare LF.
    Header {
        name: &'f [u8],
        value: &'f [u8],
    },
    EndOfHeaders,
    /// A piece of the body, cut anywhere.
    Body(&'f [u8]),
    /// With the last piece of the body, which is usually empty.
    EndOfMessage(&'f [u8]),
    /// Forget the message, if there is one. Postfix sends it after every message,
    /// often twice; Sendmail not after one that it delivered.
    Abort,
    /// Forget the client too: the next one comes over the same connection.
    NewConnection,
    /// An SMTP command that the MTA does not know.
    Unknown(&'f [u8]),
}

/// Where a client's address comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Inet,
    Inet6,
    Unix,
    /// The MTA does not know it.
    Unknown,
    /// A letter that this program does not know.
    Other(u8),
}

/// The SMTP client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect<'f> {
    /// Its name, or its address in brackets when it has none.
    pub hostname: &'f [u8],
    pub family: Family,
    pub port: Option<u16>,
    /// `None` for other families and when the address cannot be read: Postfix calls
    /// an unknown client family `4`, address `unknown`. An IPv4 address mapped into
    /// IPv6 is given as IPv4.
    pub address: Option<IpAddr>,
}

impl<'f> Connect<'f> {
    pub(super) fn parse(payload: &'f [u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(payload);
        let hostname = cursor.string()?;
        let family = match cursor.u8()? {
            b'4' => Family::Inet,
            b'6' => Family::Inet6,
            b'L' => Family::Unix,
            b'U' => Family::Unknown,
            other => Family::Other(other),
        };
        let (mut port, mut address) = (None, None);
        // What follows another family's letter is not ours to understand.
        if !matches!(family, Family::Unknown | Family::Other(_)) {
            port = Some(cursor.u16()?);
            let text = cursor.string()?;
            cursor.finish()?;
            if family != Family::Unix {
                address = read_address(text);
            }
        }
        Ok(Self {
            hostname,
            family,
            port,
            address,
        })
    }
}

/// Sendmail writes `IPv6:` before an IPv6 address, Postfix does not; a link-local
/// address may end in its zone.
fn read_address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let text = match text.split_at_checked(5) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("IPv6:") => rest,
        _ => text,
    };
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    text.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

/// The argument of MAIL or RCPT with its ESMTP parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path<'f> {
    /// The address as the client wrote it, without `<` and `>` if it had them; mail
    /// that does not come by SMTP has none. Empty is the null sender. It may hold a
    /// source route, any case, and raw UTF-8.
    pub address: &'f [u8],
    pub parameters: Parameters<'f>,
}

impl<'f> Path<'f> {
    pub(super) fn parse(payload: &'f [u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(payload);
        let address = cursor.string()?;
        let parameters = Parameters { rest: cursor };
        while !cursor.is_empty() {
            cursor.string()?;
        }
        let bare = address
            .strip_prefix(b"<")
            .and_then(|address| address.strip_suffix(b">"));
        Ok(Self {
            address: bare.unwrap_or(address),
            parameters,
        })
    }
}

/// ESMTP parameters, `SIZE=100` and the like, in the order given.
#[derive(Debug, Clone)]
pub struct Parameters<'f> {
    rest: Cursor<'f>,
}

impl<'f> Iterator for Parameters<'f> {
    type Item = &'f [u8];

    fn next(&mut self) -> Option<&'f [u8]> {
        self.rest.string().ok()
    }
}

impl PartialEq for Parameters<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.rest.rest() == other.rest.rest()
    }
}

impl Eq for Parameters<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(payload: &[u8]) -> Option<IpAddr> {
        Connect::parse(payload).unwrap().address
    }

    #[test]
    fn a_client_has_an_address_when_it_can_be_read() {
        let connect = Connect::parse(b"localhost\x004\xa4\xa4127.0.0.1\0").unwrap();
        assert_eq!(connect.hostname, b"localhost");
        assert_eq!(connect.family, Family::Inet);
        assert_eq!(connect.port, Some(0xa4a4));
        assert_eq!(connect.address, Some([127, 0, 0, 1].into()));
        // Postfix, no prefix; Sendmail, a prefix; a zone; mapped.
        let v6: IpAddr = "2001:db8::7".parse().unwrap();
        assert_eq!(address(b"h\x006\0\x192001:db8::7\0"), Some(v6));
        assert_eq!(address(b"h\x006\0\x19IPv6:2001:db8::7\0"), Some(v6));
        assert_eq!(
            address(b"h\x006\0\x19fe80::1%eth0\0"),
            Some("fe80::1".parse().unwrap())
        );
        assert_eq!(
            address(b"h\x006\0\x19::ffff:192.0.2.1\0"),
            Some([192, 0, 2, 1].into())
        );
    }

    #[test]
    fn a_client_without_a_readable_address_is_no_error() {
        // What Postfix sends after XCLIENT ADDR=[UNAVAILABLE].
        assert_eq!(address(b"unknown\x004\0\0unknown\0"), None);
        assert_eq!(address(b"h\x00L\0\0/run/socket\0"), None);
        let unknown = Connect::parse(b"h\x00U").unwrap();
        assert_eq!((unknown.family, unknown.port), (Family::Unknown, None));
        let other = Connect::parse(b"h\x00Zwhatever").unwrap();
        assert_eq!(other.family, Family::Other(b'Z'));
    }

    #[test]
    fn a_client_cut_short_is_an_error() {
        assert_eq!(Connect::parse(b"h"), Err(Fault::Unterminated));
        assert_eq!(Connect::parse(b"h\0"), Err(Fault::Short));
        assert_eq!(Connect::parse(b"h\x004\0"), Err(Fault::Short));
        assert_eq!(Connect::parse(b"h\x004\0\x19::1"), Err(Fault::Unterminated));
        assert_eq!(Connect::parse(b"h\x004\0\x19::1\0x"), Err(Fault::Trailing));
    }

    #[test]
    fn a_path_loses_its_brackets_and_keeps_its_parameters() {
        let path = Path::parse(b"<a@x.test>\0SIZE=100\0BODY=8BITMIME\0").unwrap();
        assert_eq!(path.address, b"a@x.test");
        let parameters: Vec<_> = path.parameters.collect();
        assert_eq!(parameters, [&b"SIZE=100"[..], b"BODY=8BITMIME"]);
        for null_sender in [&b"<>\0"[..], b"\0"] {
            assert_eq!(Path::parse(null_sender).unwrap().address, b"");
        }
        assert_eq!(
            Path::parse(b"root@origin.test\0").unwrap().address,
            b"root@origin.test"
        );
        assert_eq!(Path::parse(b"<a>\0SIZE"), Err(Fault::Unterminated));
        assert_eq!(Path::parse(b""), Err(Fault::Unterminated));
    }
}
