//! A command for PowerDNS with a database behind it.

use super::quoting::shell;
use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "pdnsutil",
    aliases: &["powerdns"],
    about: "a pdnsutil command, for PowerDNS with a database",
    how: "\
pdnsutil: run the command on the PowerDNS server, then \"pdnsutil increase-serial ZONE\" if there are
secondary servers. If the zone is not the domain itself, put the zone's name in its place and the
rest of the domain behind _domainkey.
",
    render,
};

fn render(publications: &[Publication]) -> String {
    // replace-rrset, not add-record: a name must hold one key record only.
    each(publications, |publication| {
        format!(
            "pdnsutil replace-rrset {} {} TXT {} {}",
            publication.domain,
            publication.relative_name(),
            publication.ttl,
            shell(&publication.quoted_strings().join(" "))
        )
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/pdnsutil.txt"));
}
