//! A line for the `data` file of tinydns, which cuts the text itself.

use super::quoting::tinydns;
use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "tinydns",
    aliases: &["djbdns"],
    about: "a line for the data file of tinydns (djbdns)",
    how: "tinydns: the line goes into the data file; then run \"make\" there.\n",
    render,
};

fn render(publications: &[Publication]) -> String {
    each(publications, |publication| {
        format!(
            "'{}:{}:{}",
            publication.name(),
            tinydns(&publication.record.to_string()),
            publication.ttl
        )
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/tinydns.txt"));
}
