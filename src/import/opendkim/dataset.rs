//! Data sets: lists and tables in a file, in a file of patterns, or in the value of
//! the option itself.
//!
//! Sources that are no text (databases, directories, scripts) are refused with the
//! way out. What the entries mean is for the caller.

use std::path::Path;

use super::conf::{Setting, printable};
use crate::config::{ConfigError, Place};
use crate::import::lines;

/// How the keys of a data set are matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// The whole key; of equal ones the first.
    Exact,
    /// `*` in a key stands for anything; in the order of the file.
    Pattern,
}

/// One line of a file, or one element of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub key: String,
    /// What follows the key, without the blanks around it; empty when nothing does.
    pub value: String,
    pub place: Place,
}

impl Entry {
    /// The fields of the value, which are separated by colons.
    pub fn fields(&self) -> Vec<&str> {
        if self.value.is_empty() {
            return Vec::new();
        }
        self.value.split(':').map(str::trim).collect()
    }

    /// Whether blanks stand beside a colon. OpenDKIM 2.11 takes them for part of the
    /// field, and cannot use it then.
    pub fn has_stray_blanks(&self) -> bool {
        self.value.contains([' ', '\t'])
            && self.value.split(':').count() > 1
            && self.value.split(':').any(|field| field.trim() != field)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSet {
    pub matching: Matching,
    pub entries: Vec<Entry>,
}

/// Where a data set is.
#[derive(Debug, PartialEq, Eq)]
enum Source<'v> {
    File(&'v str),
    Patterns(&'v str),
    List(&'v str),
    /// The type that the value names.
    Other(&'static str),
}

impl DataSet {
    /// Reads the data set that an option names; a relative path is taken from `base`.
    ///
    /// # Errors
    /// When the source is none that can be read.
    pub fn read(setting: &Setting, base: &Path) -> Result<Self, ConfigError> {
        let here = |problem: String| ConfigError {
            place: setting.place.clone(),
            key: setting.known.name.to_owned(),
            problem,
        };
        let (path, matching) = match source(&setting.value) {
            Source::List(list) => {
                return Ok(Self {
                    matching: Matching::Exact,
                    entries: elements(list, &setting.place),
                });
            }
            Source::File(path) => (path, Matching::Exact),
            Source::Patterns(path) => (path, Matching::Pattern),
            Source::Other(kind) => return Err(here(refusal(kind))),
        };
        if path.is_empty() {
            return Err(here("names no file".to_owned()));
        }
        let full = base.join(path);
        let lines = lines::read(&full, &full.to_string_lossy()).map_err(|error| {
            // A file that is not there is mended where it is named.
            match error.place.line {
                0 => here(format!("{}: {}", error.place.file, error.problem)),
                _ => error,
            }
        })?;
        let entry = |line: lines::Line| {
            let (key, value) = line
                .text
                .split_once([' ', '\t'])
                .unwrap_or((&line.text, ""));
            Entry {
                key: key.to_owned(),
                value: value.trim().to_owned(),
                place: line.place,
            }
        };
        let entries = lines.into_iter().map(entry).collect();
        Ok(Self { matching, entries })
    }
}

/// OpenDKIM takes what stands before the first colon for the type, unless a comma
/// comes before it.
fn source(value: &str) -> Source<'_> {
    if let Some((kind, rest)) = value.split_once(':')
        && !kind.contains(',')
    {
        match kind.to_ascii_lowercase().as_str() {
            "file" => return Source::File(rest),
            "refile" => return Source::Patterns(rest),
            "csl" => return Source::List(rest),
            "db" => return Source::Other("a Berkeley database"),
            "dsn" => return Source::Other("an SQL database"),
            "ldap" | "ldaps" | "ldapi" => return Source::Other("an LDAP directory"),
            "lua" => return Source::Other("a Lua script"),
            "memcache" => return Source::Other("memcached"),
            "erlang" => return Source::Other("Erlang"),
            "mdb" => return Source::Other("an OpenLDAP MDB database"),
            // An IPv6 address or `key=domain:selector:file` in a bare list.
            _ => {}
        }
    }
    if value.ends_with(".db") {
        Source::Other("a Berkeley database")
    } else if value.starts_with('/') {
        Source::File(value)
    } else {
        Source::List(value)
    }
}

fn refusal(kind: &str) -> String {
    let how = match kind {
        "a Berkeley database" => "; dump it with db_dump -p, or use the text it was made from",
        "an SQL database" => "; SELECT the key and value columns into a text file",
        "an LDAP directory" => "; export it with ldapsearch",
        _ => "",
    };
    format!(
        "is in {kind}, which signet does not read: write its content to a text file, one \"key \
         value\" a line, and name it as file:/path{how}"
    )
}

/// `a,b,c`, or `key=value,key=value`.
fn elements(list: &str, place: &Place) -> Vec<Entry> {
    let elements = list
        .split(',')
        .map(str::trim)
        .filter(|e| !e.is_empty() && !e.starts_with('='));
    elements
        .map(|element| {
            let (key, value) = element.split_once('=').unwrap_or((element, ""));
            Entry {
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
                place: place.clone(),
            }
        })
        .collect()
}

/// Characters of a pattern that OpenDKIM hands to the regular expression as they are.
const LEAKING: &[char] = &['[', ']', '(', ')', '{', '}', '?', '|', '^', '$', '\\'];

/// Why a key of a file of patterns does not mean what it says: OpenDKIM makes a
/// regular expression of it and escapes `.` and `+` alone.
pub fn leak(key: &str) -> Option<String> {
    let character = key.chars().find(|c| LEAKING.contains(c))?;
    let key = printable(key);
    Some(format!(
        "\"{key}\": OpenDKIM takes \"{character}\" here for part of a regular expression, which \
         signet does not have; write the pattern with * alone"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::conf::Conf;
    use super::*;

    fn read(value: &str, base: &Path) -> Result<DataSet, String> {
        let text = format!("KeyTable {value}\n");
        let conf = Conf::parse(text.as_bytes(), "o.conf").unwrap();
        let setting = conf.get("KeyTable").unwrap();
        DataSet::read(setting, base).map_err(|error| error.to_string())
    }

    fn pairs(set: &DataSet) -> Vec<(&str, &str)> {
        let entries = set.entries.iter();
        entries
            .map(|e| (e.key.as_str(), e.value.as_str()))
            .collect()
    }

    #[test]
    fn a_list_stands_in_the_value() {
        let base = Path::new("/nowhere");
        let set = read("csl:a, b,key=example.com:s:/k", base).unwrap();
        assert_eq!(
            pairs(&set),
            [("a", ""), ("b", ""), ("key", "example.com:s:/k")]
        );
        assert_eq!(set.entries[2].fields(), ["example.com", "s", "/k"]);
        let bare = read("127.0.0.1,::1", base).unwrap();
        assert_eq!(pairs(&bare), [("127.0.0.1", ""), ("::1", "")]);
        assert_eq!(pairs(&read("::1", base).unwrap()), [("::1", "")]);
        assert_eq!(pairs(&read("-", base).unwrap()), [("-", "")]);
    }

    #[test]
    fn a_file_holds_a_key_and_a_value_a_line() {
        let directory = tempfile::tempdir().unwrap();
        let text = "k1 \t example.com : s1 : /k  # why\n\n k2\n";
        std::fs::write(directory.path().join("table"), text).unwrap();
        let set = read("file:table", directory.path()).unwrap();
        assert_eq!(pairs(&set), [("k1", "example.com : s1 : /k"), ("k2", "")]);
        assert_eq!(set.entries[0].fields(), ["example.com", "s1", "/k"]);
        assert_eq!(set.entries[1].place.line, 3);
        let patterns = read("refile:table", directory.path()).unwrap();
        assert_eq!(patterns.matching, Matching::Pattern);
        let absolute = directory.path().join("table");
        assert_eq!(
            read(&absolute.to_string_lossy(), Path::new("/")).unwrap(),
            set
        );
    }

    #[test]
    fn what_is_no_text_is_refused_with_the_way_out() {
        let base = Path::new("/nowhere");
        for value in [
            "db:/a",
            "dsn:mysql://u:p@h/d",
            "ldaps://h/b",
            "lua:/x.lua",
            "/a.db",
        ] {
            let error = read(value, base).unwrap_err();
            assert!(error.starts_with("o.conf:1: KeyTable: is in "), "{error}");
            assert!(error.contains("file:/path"), "{error}");
            assert!(!error.contains("u:p@h"), "{error}");
        }
        assert_eq!(
            read("file:x", base).unwrap_err(),
            "o.conf:1: KeyTable: /nowhere/x: there is no such file"
        );
        assert_eq!(
            read("file:", base).unwrap_err(),
            "o.conf:1: KeyTable: names no file"
        );
    }

    #[test]
    fn a_character_of_regular_expressions_leaks() {
        assert!(leak("*@example.com").is_none());
        assert!(leak("user+tag.x@*").is_none());
        assert!(leak("*@exampl[e].com").unwrap().contains("\"[\""));
    }
}
