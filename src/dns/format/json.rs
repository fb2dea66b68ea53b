//! One JSON object a record, each on a line of its own, for scripts.

use serde::Serialize;

use super::{Format, Publication, character_strings};

pub(super) const FORMAT: Format = Format {
    name: "json",
    aliases: &[],
    about: "a JSON object a line, for scripts",
    how: "",
    render,
};

#[derive(Serialize)]
struct Record<'r> {
    /// The name inside the zone of the domain.
    name: String,
    /// The full name, no dot at the end.
    fqdn: String,
    ttl: u32,
    r#type: &'static str,
    value: &'r str,
    /// The value in strings of at most 255 bytes.
    chunks: Vec<&'r str>,
    /// Bytes of the record's data in a DNS answer: each string with its length byte.
    wire_len: usize,
}

fn render(publications: &[Publication]) -> String {
    publications
        .iter()
        .map(|publication| {
            let value = publication.record.to_string();
            let chunks = character_strings(&value);
            super::json_line(&Record {
                name: publication.relative_name(),
                fqdn: publication.name(),
                ttl: publication.ttl,
                r#type: "TXT",
                value: &value,
                wire_len: value.len() + chunks.len(),
                chunks,
            })
        })
        .collect()
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/json.txt"));
}
