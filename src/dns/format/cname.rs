//! Two records for a domain whose key is kept in another zone: the customer's alias,
//! made once and never touched again, and the key record where it points.

use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "cname",
    aliases: &[],
    about: "an alias in the domain's zone, and the key in a zone of yours",
    how: "\
Delegation: put a zone of yours in place of DKIM.OPERATOR.EXAMPLE. The CNAME goes into the zone of
the domain and stays; the TXT record goes into your zone, where you can change it.
",
    render,
};

fn render(publications: &[Publication]) -> String {
    each(publications, |publication| {
        let target = format!(
            "{}.{}.DKIM.OPERATOR.EXAMPLE.",
            publication.selector, publication.domain
        );
        format!(
            "{}. {ttl} IN CNAME {target}\n{target} {ttl} IN TXT ( {} )",
            publication.name(),
            publication.quoted_strings().join("\n    "),
            ttl = publication.ttl,
        )
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/cname.txt"));
}
