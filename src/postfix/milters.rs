//! The list in `smtpd_milters`: addresses parted by commas or white space, each alone
//! or in braces with settings of its own (Postfix 3.0).

use std::collections::BTreeMap;
use std::fmt;

/// One milter of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MilterEntry {
    /// `inet:HOST:PORT`, `unix:PATH`, or whatever else was written there.
    pub address: String,
    /// `default_action` and the others, for this milter alone.
    pub settings: BTreeMap<String, String>,
}

/// As Postfix reads it.
impl fmt::Display for MilterEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.settings.is_empty() {
            return f.write_str(&self.address);
        }
        write!(f, "{{ {}", self.address)?;
        for (name, value) in &self.settings {
            write!(f, ", {name}={value}")?;
        }
        f.write_str(" }")
    }
}

/// The list, or any other value, in a form that `postconf -P` takes: without white
/// space (Postfix 3.7 refuses it there).
pub fn without_blanks(list: &str) -> String {
    let mut out = String::new();
    for part in list.split(is_separator).filter(|part| !part.is_empty()) {
        if !out.is_empty() && !out.ends_with('{') && !part.starts_with('}') {
            out.push(',');
        }
        out.push_str(part);
    }
    out
}

/// Reads a list. Nothing in it is refused here: Postfix does that, and logs it.
pub fn milters(list: &str) -> Vec<MilterEntry> {
    let mut entries = Vec::new();
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches(is_separator);
        if rest.is_empty() {
            return entries;
        }
        let (word, braces, behind) = match rest.strip_prefix('{') {
            Some(inside) => {
                let end = inside.find('}').unwrap_or(inside.len());
                let (word, behind) = inside.split_at(end);
                (word, true, behind.strip_prefix('}').unwrap_or_default())
            }
            None => {
                let end = rest.find(is_separator).unwrap_or(rest.len());
                let (word, behind) = rest.split_at(end);
                (word, false, behind)
            }
        };
        rest = behind;
        entries.push(if braces {
            entry(word)
        } else {
            MilterEntry {
                address: word.to_owned(),
                settings: BTreeMap::new(),
            }
        });
    }
}

/// The inside of `{ inet:host:port, default_action=accept }`.
fn entry(inside: &str) -> MilterEntry {
    let mut words = inside.split(is_separator).filter(|word| !word.is_empty());
    MilterEntry {
        address: words.next().unwrap_or_default().to_owned(),
        settings: words
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect(),
    }
}

fn is_separator(c: char) -> bool {
    c == ',' || c.is_whitespace()
}
