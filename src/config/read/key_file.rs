//! `[[key]]`: a key file with the domain and selector it is for.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use super::path;
use crate::config::KeyFile;
use crate::config::raw::Table;
use crate::names::{DomainName, Selector};

pub(super) fn key_files(root: &Table<'_>, base: &Path) -> Vec<KeyFile> {
    let lines = RefCell::new(HashMap::new());
    root.each("key", |table| {
        let key = key_file(table, base)?;
        let name = (key.domain.clone(), key.selector.clone());
        if let Some(line) = lines.borrow_mut().insert(name, key.place.line) {
            table.wrong(format!(
                "is for the domain and selector of the key at line {line}; both name one record \
                 in DNS, so remove the one that is not published there"
            ));
            return None;
        }
        Some(key)
    })
}

fn key_file(table: &Table<'_>, base: &Path) -> Option<KeyFile> {
    let domain = table.get("domain");
    let selector = table.get("selector");
    let file = table.get("file");
    let (Some(domain), Some(selector), Some(file)) = (domain, selector, file) else {
        table.wrong("a key has three keys: domain (\"*\" is every domain), selector, and file");
        return None;
    };
    Some(KeyFile {
        domain: match domain.string()? {
            "*" => None,
            _ => Some(domain.parse_with(DomainName::parse)?),
        },
        selector: selector.parse_with(Selector::parse)?,
        file: path(&file, base)?,
        place: table.place(),
    })
}
