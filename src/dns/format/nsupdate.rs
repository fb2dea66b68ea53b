//! Commands for `nsupdate` (RFC 2136): BIND, Knot, PowerDNS, and Windows.

use super::{Format, Publication};

pub(super) const FORMAT: Format = Format {
    name: "nsupdate",
    aliases: &[],
    about: "commands for \"nsupdate\", for name servers that take dynamic updates",
    how: "\
nsupdate: save this and run \"nsupdate -k KEYFILE FILE\". nsupdate finds the zone and its primary
server by itself; to name another, put \"server ADDRESS\" in the first line.
A TSIG key that can do nothing else, for BIND's zone statement:
  update-policy { grant signet-key wildcard *._domainkey.example.com. TXT; };
",
    render,
};

fn render(publications: &[Publication]) -> String {
    // Deleting first replaces: a name must hold one key record only. All of it is one
    // transaction.
    let mut text = String::new();
    for publication in publications {
        let name = publication.name();
        text += &format!(
            "update delete {name}. TXT\nupdate add {name}. {} TXT {}\n",
            publication.ttl,
            publication.quoted_strings().join(" ")
        );
    }
    text + "send\n"
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/nsupdate.txt"));
}
