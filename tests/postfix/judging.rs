//! Milters that judge mail and say so in a field, as Debian has them: OpenDKIM as a verifier, and OpenDMARC.

use std::fs;
use std::net::Ipv4Addr;

use crate::keys::{Keys, RSA};
use crate::neighbour::{Neighbour, Program};
use crate::stand::DOMAIN;

/// The name under which they judge.
pub const JUDGE: &str = "mail.example.net";

/// OpenDKIM that only verifies, by the records of these keys.
pub fn opendkim(keys: &Keys) -> Option<Neighbour> {
    start(keys, "Mode v\nUserID opendkim\nAlwaysAddARHeader yes\n")
}

/// OpenDKIM as most tutorials have it: it signs what comes from this machine, with our RSA key, and verifies the rest.
pub fn opendkim_that_signs(keys: &Keys, selector: &str) -> Option<Neighbour> {
    let key = keys.file(DOMAIN, RSA);
    start(
        keys,
        &format!(
            "Domain {DOMAIN}\nSelector {selector}\nKeyFile {}\nRequireSafeKeys no\n",
            key.display()
        ),
    )
}

fn start(keys: &Keys, settings: &str) -> Option<Neighbour> {
    let records = fs::read_to_string(keys.records()).unwrap();
    let program = Program {
        path: "/usr/sbin/opendkim",
        package: "opendkim",
        user: "opendkim",
        name_server: None,
    };
    Neighbour::start(&program, |command, address, home| {
        fs::write(home.join("keys"), records.replace('\t', " ")).unwrap();
        let settings = format!(
            "{settings}AuthservID {JUDGE}\nTestPublicKeys {home}/keys\nTemporaryDirectory {home}\n\
             Socket inet:{}@127.0.0.1\nSyslog no\n",
            address.port(),
            home = home.display()
        );
        fs::write(home.join("opendkim.conf"), settings).unwrap();
        command.arg("-f").arg("-x").arg(home.join("opendkim.conf"));
    })
}

/// OpenDMARC, which believes what it finds under the same name and asks this name server.
pub fn opendmarc(name_server: Ipv4Addr) -> Option<Neighbour> {
    let program = Program {
        path: "/usr/sbin/opendmarc",
        package: "opendmarc",
        user: "opendmarc",
        name_server: Some(name_server),
    };
    Neighbour::start(&program, |command, address, home| {
        let settings = format!(
            "UserID opendmarc\nAuthservID {JUDGE}\nTrustedAuthservIDs {JUDGE}\nSocket inet:{}@127.0.0.1\nSyslog no\n",
            address.port()
        );
        fs::write(home.join("opendmarc.conf"), settings).unwrap();
        command.arg("-f").arg("-c").arg(home.join("opendmarc.conf"));
    })
}
