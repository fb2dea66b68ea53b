//! An entry for a zone file of octoDNS, in YAML.

use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "octodns",
    aliases: &[],
    about: "an entry for a YAML zone file of octoDNS",
    how: "octoDNS: the entry goes into the zone's file, the one named after its domain.\n",
    render,
};

fn render(publications: &[Publication]) -> String {
    each(publications, |publication| {
        // octoDNS wants every semicolon escaped; in a single-quoted YAML string the
        // backslash is itself, and a quotation mark is doubled.
        let text = publication.record.to_string();
        let value = text.replace(';', "\\;").replace('\'', "''");
        format!(
            "{}:\n  type: TXT\n  ttl: {}\n  value: '{value}'",
            publication.relative_name(),
            publication.ttl,
        )
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/octodns.txt"));
}
