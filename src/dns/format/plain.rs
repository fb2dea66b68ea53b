//! The bare value, for consoles that cut it into strings themselves.

use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "plain",
    aliases: &[],
    about: "the bare value, for consoles that split it themselves (Cloudflare, Azure)",
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
