//! Networks of clients, in CIDR notation.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// A network, or one address. IPv4 written as IPv6 (`::ffff:192.0.2.1`) is IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpNet);

/// Why a text is not a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    #[error("\"{0}\" is not a network; write an address or ADDRESS/BITS, as in 192.0.2.0/24")]
    NotANetwork(String),
    #[error("\"{0}\" is a host name; networks are written as addresses, as in 192.0.2.7")]
    HostName(String),
    #[error(
        "\"{text}\" has bits set behind its prefix; write {network} for the network or {address} for the host"
    )]
    HostBits {
        text: String,
        network: String,
        address: String,
    },
}

impl Network {
    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or one address, in brackets or not.
    ///
    /// # Errors
    /// What is wrong and what to write instead.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let bare = text
            .strip_prefix('[')
            .map_or(text.to_owned(), |rest| rest.replacen(']', "", 1));
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self(IpNet::from(address.to_canonical())));
        }
        let Ok(network) = bare.parse::<IpNet>() else {
            let letters = |b: u8| b.is_ascii_alphabetic() && !b.is_ascii_hexdigit();
            return Err(match text.bytes().any(letters) {
                true => NetworkError::HostName(text.to_owned()),
                false => NetworkError::NotANetwork(text.to_owned()),
            });
        };
        if network.trunc() != network {
            return Err(NetworkError::HostBits {
                text: text.to_owned(),
                network: network.trunc().to_string(),
                address: network.addr().to_string(),
            });
        }
        Ok(Self(canonical(network)))
    }

    /// Whether the address lies in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// How many bits its addresses have in common.
    pub fn bits(&self) -> u8 {
        self.0.prefix_len()
    }

    /// Whether the network is every address of its family.
    pub fn is_everyone(&self) -> bool {
        self.0.prefix_len() == 0
    }
}

/// `::ffff:192.0.2.0/120` is `192.0.2.0/24`.
fn canonical(network: IpNet) -> IpNet {
    if let IpNet::V6(six) = network
        && let Some(four) = six.addr().to_ipv4_mapped()
        && let Some(bits) = six.prefix_len().checked_sub(96)
        && let Ok(four) = IpNet::new(IpAddr::V4(four), bits)
    {
        return four;
    }
    network
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        Network::parse(network)
            .unwrap()
            .contains(address.parse().unwrap())
    }

    #[test]
    fn an_address_lies_in_its_network_and_in_no_other() {
        assert!(contains("127.0.0.0/8", "127.255.0.1"));
        assert!(!contains("127.0.0.0/8", "128.0.0.1"));
        assert!(contains("192.0.2.7", "192.0.2.7"));
        assert!(!contains("192.0.2.7", "192.0.2.8"));
        assert!(contains("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(!contains("2001:db8::/32", "2001:db9::1"));
        assert!(contains("[::1]/128", "::1"));
        assert!(!contains("0.0.0.0/0", "::1"));
    }

    #[test]
    fn ipv4_in_ipv6_is_ipv4() {
        assert!(contains("127.0.0.0/8", "::ffff:127.0.0.1"));
        assert!(contains("::ffff:192.0.2.0/120", "192.0.2.9"));
        assert!(contains("::ffff:192.0.2.1", "192.0.2.1"));
    }

    #[test]
    fn it_displays_as_it_is_read() {
        for text in ["127.0.0.0/8", "::1", "192.0.2.7", "2001:db8::/32"] {
            assert_eq!(Network::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Network::parse("::1/128").unwrap().to_string(), "::1");
    }

    #[test]
    fn each_mistake_says_what_to_write_instead() {
        let message = |text| Network::parse(text).unwrap_err().to_string();
        assert!(
            message("10.0.0.1/8")
                .ends_with("write 10.0.0.0/8 for the network or 10.0.0.1 for the host")
        );
        assert!(message("mail.example.com").contains("host name"));
        assert!(message("10.0.0.0/33").contains("ADDRESS/BITS"));
        assert!(message("").contains("ADDRESS/BITS"));
    }
}
