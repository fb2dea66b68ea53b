//! The value as quoted strings on one line, as Route53's console takes it.

use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "quoted",
    aliases: &["route53"],
    about: "quoted strings on one line, for Amazon Route53's console",
    how: "\
Amazon Route53: paste the value exactly as it is, quotation marks included, on one
line. DNS holds text in strings of at most 255 bytes, so a long key comes as several
strings with a space between them; on two lines they would be two records, and both
would be wrong. A name must have one such record only: replace an old one, do not add.
",
    render,
};

fn render(publications: &[Publication]) -> String {
    // One line is one value to Route53; on two lines the strings would be two records.
    each(publications, |publication| {
        publication.quoted_strings().join(" ")
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/quoted.txt"));
}
