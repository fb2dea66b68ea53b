//! Reading key records that stand in a text, in the forms people have them in:
//!
//! - lines of a zone file, `NAME [TTL] [IN] TXT ( "A" "B" ) ; comment`, as `keygen
//!   --format bind` prints them; other record types are passed over,
//! - `NAME "A" "B"`,
//! - `NAME v=DKIM1; ...`, as in OpenDKIM's TestPublicKeys file,
//! - what `keygen` prints for a person (`Name:`, and the value on a line of its own).
//!
//! Names are full names, with or without a dot at the end, except under `$ORIGIN`.
//! What is none of this is an error with its line: a record that is silently left out
//! would look like one that is not published.

use super::zone_words::{Word, entries};

/// Why a text is not a file of records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct RecordFileError {
    /// From 1.
    pub line: usize,
    pub problem: String,
}

impl RecordFileError {
    pub(super) fn new(line: usize, problem: impl Into<String>) -> Self {
        Self {
            line,
            problem: problem.into(),
        }
    }
}

type Found = Vec<(String, Vec<u8>)>;

/// The TXT records of a text: name and joined character-strings.
pub(super) fn read(text: &str) -> Result<Found, RecordFileError> {
    if text.lines().any(|line| story_name(line).is_some()) {
        return read_story(text);
    }
    let mut origin = None;
    let mut owner = None;
    let mut found = Vec::new();
    for entry in entries(text)? {
        let fail = |problem: String| RecordFileError::new(entry.line, problem);
        let mut words = entry.words.as_slice();
        if let Some(first) = words.first()
            && first.is("$ORIGIN")
        {
            origin = words.get(1).map(Word::text);
            continue;
        }
        if words.first().is_some_and(|word| word.starts_with('$')) {
            continue;
        }
        if !entry.indented
            && let Some((name, rest)) = words.split_first()
        {
            if name.quoted {
                return Err(fail(format!(
                    "the text {} has no name before it",
                    shown(&name.text())
                )));
            }
            owner = Some(name.text());
            words = rest;
        }
        let Some(text) = txt_data(words).map_err(&fail)? else {
            continue;
        };
        let name = owner
            .as_deref()
            .ok_or_else(|| fail("the record has no name before it".to_owned()))?;
        if let Some(name) = full_name(name, origin.as_deref()).map_err(&fail)? {
            found.push((name, text));
        }
    }
    Ok(found)
}

/// The strings of a TXT record, joined; `None` for records of other types.
fn txt_data(words: &[Word]) -> Result<Option<Vec<u8>>, String> {
    let mut rest = words;
    while let Some((word, tail)) = rest.split_first() {
        let is_ttl = word.starts_with_digit() && !word.quoted;
        if !is_ttl && !word.is("IN") {
            break;
        }
        rest = tail;
    }
    let strings = match rest.split_first() {
        Some((first, _)) if first.quoted => rest,
        Some((first, tail)) if first.is("TXT") => tail,
        Some((first, _)) if first.is_record_type() => return Ok(None),
        Some((first, _)) => {
            return Err(format!(
                "{} is not a record type; expected NAME [TTL] [IN] TXT \"text\"",
                shown(&first.text())
            ));
        }
        None => return Err("there is a name and nothing more".to_owned()),
    };
    if strings.is_empty() {
        return Err("the TXT record has no text".to_owned());
    }
    let bytes = strings.iter().flat_map(|word| word.bytes.iter().copied());
    Ok(Some(bytes.collect()))
}

/// A full name, or `None` for a short name that is no key record's.
fn full_name(name: &str, origin: Option<&str>) -> Result<Option<String>, String> {
    let below = |origin: &str| format!("{name}.{origin}");
    match origin {
        _ if name.ends_with('.') => Ok(Some(name.to_owned())),
        Some(origin) if name == "@" => Ok(Some(origin.to_owned())),
        Some(origin) => Ok(Some(below(origin))),
        None => match name.to_ascii_lowercase().split_once("._domainkey") {
            Some((_, "")) => Err(format!(
                "{} is not the full name; write it with the domain, {name}.example.com.",
                shown(name)
            )),
            Some(_) => Ok(Some(name.to_owned())),
            None if name.contains('.') => Ok(Some(name.to_owned())),
            None => Ok(None),
        },
    }
}

/// What `keygen` prints for a person: `Name:` lines, each followed by a line of
/// quoted strings; the rest is prose.
fn read_story(text: &str) -> Result<Found, RecordFileError> {
    let mut name = None;
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if let Some(next) = story_name(line) {
            name = Some(next.to_owned());
        } else if line.starts_with('"') {
            let name = name.clone().ok_or_else(|| {
                RecordFileError::new(at + 1, "the text has no Name: line before it")
            })?;
            for entry in entries(line)? {
                let bytes = entry.words.iter().flat_map(|word| word.bytes.clone());
                found.push((name.clone(), bytes.collect()));
            }
        }
    }
    Ok(found)
}

fn story_name(line: &str) -> Option<&str> {
    let rest = line
        .strip_prefix("Name:")
        .or_else(|| line.strip_prefix("Record name:"))?;
    let name = rest.trim();
    (!name.is_empty() && !name.contains(char::is_whitespace)).then_some(name)
}

fn shown(text: &str) -> String {
    let text: String = text.chars().take(40).collect();
    format!("{text:?}")
}

#[cfg(test)]
#[path = "record_file_tests.rs"]
mod tests;
