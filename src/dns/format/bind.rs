//! A line for a zone file (RFC 1035 §5.1): BIND, NSD, Knot, PowerDNS.

use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "bind",
    aliases: &[],
    about: "a record for a zone file (BIND, NSD, Knot, PowerDNS)",
    how: "bind: add the record to the zone file, raise the serial of its SOA, and reload the zone.\n",
    render,
};

fn render(publications: &[Publication]) -> String {
    // Without the quotation marks a zone file takes the first ";" for the start of a
    // comment and loads "v=DKIM1" alone, silently.
    each(publications, |publication| {
        format!(
            "{}. {} IN TXT ( {} )",
            publication.name(),
            publication.ttl,
            publication.quoted_strings().join("\n    ")
        )
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/bind.txt"));
}
