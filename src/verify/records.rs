//! What DNS says about names: the records a verification may use, from a file or from
//! a resolver. Holds answers, asks nobody.

use std::collections::BTreeMap;

use super::record_file::{self, RecordFileError};
use crate::dns::lookup::Answer;

/// TXT records by name. A name that is not there has no record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records(BTreeMap<String, Answer>);

impl Records {
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads text in the forms in which key records are written down; see
    /// `record_file`.
    ///
    /// # Errors
    /// The first line that is no record.
    pub fn from_text(text: &str) -> Result<Self, RecordFileError> {
        let mut records = Self::new();
        for (name, text) in record_file::read(text)? {
            records.insert(&name, &text);
        }
        Ok(records)
    }

    /// Adds a TXT record; a name can have several.
    pub fn insert(&mut self, name: &str, text: impl AsRef<[u8]>) {
        let text = text.as_ref().to_vec();
        match self.0.entry(key(name)).or_insert(Answer::Missing) {
            Answer::Found(records) => records.push(text),
            answer => *answer = Answer::Found(vec![text]),
        }
    }

    /// Sets all that is known about a name.
    pub fn set(&mut self, name: &str, answer: Answer) {
        self.0.insert(key(name), answer);
    }

    /// Adds the records of another collection to these.
    pub fn extend(&mut self, others: Records) {
        for (name, answer) in others.0 {
            match answer {
                Answer::Found(texts) => {
                    for text in texts {
                        self.insert(&name, text);
                    }
                }
                other => {
                    self.0.entry(name).or_insert(other);
                }
            }
        }
    }

    /// Whether anything is known about a name.
    pub fn knows(&self, name: &str) -> bool {
        self.0.contains_key(&key(name))
    }

    pub(super) fn get(&self, name: &str) -> &Answer {
        self.0.get(&key(name)).unwrap_or(&Answer::Missing)
    }
}

fn key(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}
