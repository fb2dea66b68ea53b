//! Local data for unbound, a resolver that answers for some names itself.

use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "unbound",
    aliases: &[],
    about: "a local-data line for unbound.conf (split horizon, or a test)",
    how: "\
unbound: the line goes into the \"server:\" part of unbound.conf. Only clients of this resolver see
it: receivers of your mail ask the public zone.
",
    render,
};

fn render(publications: &[Publication]) -> String {
    // The single quotation marks are unbound's, the double ones the record's.
    each(publications, |publication| {
        format!(
            "local-data: '{}. {} IN TXT {}'",
            publication.name(),
            publication.ttl,
            publication.quoted_strings().join(" ")
        )
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/unbound.txt"));
}
