//! `docs/doctor.md`, which says of every finding why it matters: the program prints
//! what the page says, so that there is one text and not two.

use super::Code;

const PAGE: &str = include_str!("../../docs/doctor.md");

/// The section of a finding, from its heading to the next one.
pub fn section(code: Code) -> &'static str {
    let heading = format!("\n### {code}\n");
    let Some(start) = PAGE.find(&heading) else {
        return "";
    };
    let section = PAGE.get(start + 1..).unwrap_or_default();
    let end = section
        .match_indices("\n##")
        .map(|(at, _)| at)
        .next()
        .unwrap_or(section.len());
    section.get(..end).unwrap_or_default().trim_end()
}

/// Why it matters: the first paragraph of the section, on one line.
pub fn why(code: Code) -> String {
    let body = section(code).split_once("\n\n");
    let paragraph = body.and_then(|(_, body)| body.split("\n\n").next());
    let lines: Vec<&str> = paragraph.unwrap_or_default().lines().collect();
    lines.join(" ").replace('`', "")
}
