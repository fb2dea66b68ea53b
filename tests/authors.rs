//! The author of every difficult message in `tests/messages`, as a milter gets them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may fail by panicking"
)]

use std::fs;
use std::path::Path;

use signet::config::Config;
use signet::dkim::HeaderSection;
use signet::policy::{Reason, author};

/// The header section in the milter's form: line ends are LF, the value begins right
/// behind the colon.
fn header_section(message: &[u8]) -> HeaderSection {
    let text: Vec<u8> = message
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .take_while(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(&b"\n"[..]);
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        match fields.last_mut() {
            Some(last) if line.starts_with(b" ") || line.starts_with(b"\t") => {
                last.push(b'\n');
                last.extend_from_slice(line);
            }
            _ => fields.push(line.to_vec()),
        }
    }
    let mut section = HeaderSection::new();
    for field in fields {
        let colon = field.iter().position(|byte| *byte == b':').unwrap();
        section.push(&field[..colon], &field[colon + 1..]);
    }
    section
}

#[test]
fn every_message_with_a_usable_from_has_its_author() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages");
    let headers = Config::default().author_headers;
    let mut seen = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "eml") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let expected = match name {
            "from_domain_literal" | "from_empty" => Err(Reason::FromUnparsable),
            "from_group_mixed" => Err(Reason::FromMultiple),
            "from_missing" => Err(Reason::FromMissing),
            "from_triplicate" => Err(Reason::FromRepeated),
            "from_quoted_local_space" => Ok("john doe@example.org"),
            "from_subdomain" => Ok("a@mail.deep.sub.example.org"),
            _ => Ok("author@example.org"),
        };
        let found = author::find(&header_section(&fs::read(&path).unwrap()), &headers);
        let found = found.map(|author| author.to_string());
        assert_eq!(
            found.as_deref().map_err(|why| why.reason),
            expected,
            "{name}: {found:?}"
        );
        seen += 1;
    }
    assert!(seen >= 40, "only {seen} messages");
}
