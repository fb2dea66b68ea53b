//! Maps: `key value` lines in a file, or the same as an array.

use super::Work;
use super::ucl::{Item, Value};
use crate::import::lines;

/// One entry, with the line that it stands on.
pub struct Entry {
    pub key: String,
    pub value: String,
    pub place: crate::config::Place,
}

/// The entries of a map; what cannot be read is an error of the import.
pub fn read(work: &mut Work<'_>, item: &Item) -> Vec<Entry> {
    match &item.value {
        Value::Text(path) => from_file(work, item, path),
        Value::List(list) => list
            .iter()
            .filter_map(Value::text)
            .map(|line| entry(line, work.place(item.line)))
            .collect(),
        Value::Section(section) => section
            .0
            .iter()
            .filter_map(|item| {
                Some(Entry {
                    key: item.key.clone(),
                    value: item.value.text()?.to_owned(),
                    place: work.place(item.line),
                })
            })
            .collect(),
    }
}

fn from_file(work: &mut Work<'_>, item: &Item, path: &str) -> Vec<Entry> {
    let bare = ["file://", "refile:", "file:", "glob;", "regexp;"]
        .iter()
        .find_map(|kind| path.strip_prefix(kind))
        .unwrap_or(path);
    if !bare.starts_with('/') || path.starts_with("regexp;") {
        let problem =
            "is not a map in a file; write its entries to one, and name that by its full path";
        work.wrong(item.line, &item.key, problem);
        return Vec::new();
    }
    match lines::read(bare.as_ref(), bare) {
        Ok(lines) => lines
            .into_iter()
            .map(|line| entry(&line.text, line.place))
            .collect(),
        Err(error) => {
            work.errors.push(error);
            Vec::new()
        }
    }
}

fn entry(line: &str, place: crate::config::Place) -> Entry {
    let (key, value) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    Entry {
        key: key.to_owned(),
        value: value.trim().to_owned(),
        place,
    }
}
