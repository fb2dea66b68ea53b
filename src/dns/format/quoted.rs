//! The value as quoted strings on one line, as Route53's console takes it.

use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "quoted",
    aliases: &["route53"],
    about: "quoted strings on one line, for Amazon Route53's console",
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
