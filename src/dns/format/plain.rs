//! The bare value, for consoles that cut it into strings themselves.

use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "plain",
    aliases: &[],
    about: "the bare value, for consoles that split it themselves (Cloudflare, Azure)",
    how: "\
plain: for a console that takes the value without quotation marks and cuts it into strings of 255
bytes itself. If it says that the value is too long, use --format quoted.
",
    render,
};

fn render(publications: &[Publication]) -> String {
    each(publications, |publication| publication.record.to_string())
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/plain.txt"));
}
