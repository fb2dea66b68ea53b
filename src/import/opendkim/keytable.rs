//! The KeyTable: `name  domain:selector:key`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::conf::printable;
use super::dataset::{DataSet, Entry};
use crate::config::Place;
use crate::names::{DomainName, Selector};

/// What a line of the KeyTable names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// `None` is `%`, the author's domain.
    pub domain: Option<DomainName>,
    pub selector: Selector,
    /// In full. With [`Key::by_domain`], `%` in it stands for the author's domain.
    pub file: PathBuf,
    pub by_domain: bool,
    pub place: Place,
}

/// A line that OpenDKIM cannot use: mail that needs it gets a temporary error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrupt {
    pub place: Place,
    pub problem: String,
}

/// The lines by their name, which is compared with case.
#[derive(Debug, Default)]
pub struct KeyTable {
    keys: HashMap<String, Result<Key, Corrupt>>,
    /// The names in the order of the file.
    pub names: Vec<String>,
    /// Lines whose name was there before.
    pub repeated: Vec<Entry>,
}

impl KeyTable {
    /// Reads the lines; a relative key file is taken from `base`.
    pub fn new(set: &DataSet, base: &Path) -> Self {
        let mut table = Self::default();
        for entry in &set.entries {
            if table.keys.contains_key(&entry.key) {
                table.repeated.push(entry.clone());
                continue;
            }
            table.names.push(entry.key.clone());
            let key = key(entry, base).map_err(|problem| Corrupt {
                place: entry.place.clone(),
                problem,
            });
            table.keys.insert(entry.key.clone(), key);
        }
        table
    }

    pub fn get(&self, name: &str) -> Option<&Result<Key, Corrupt>> {
        self.keys.get(name)
    }
}

fn key(entry: &Entry, base: &Path) -> Result<Key, String> {
    let fields = entry.fields();
    let (domain, selector, file) = match *fields.as_slice() {
        [domain, selector, file] => (domain, selector, file),
        // A fourth field names the algorithm, which the key says anyway.
        [domain, selector, file, algorithm] if algorithm.ends_with("-sha256") => {
            (domain, selector, file)
        }
        _ => {
            return Err(format!(
                "has {} of the 3 fields; write NAME DOMAIN:SELECTOR:FILE, with colons and no \
                 blanks between the fields",
                fields.len()
            ));
        }
    };
    let domain = match domain {
        "%" => None,
        name => Some(DomainName::parse(name).map_err(|error| format!("domain: {error}"))?),
    };
    let selector = Selector::parse(selector).map_err(|error| format!("selector: {error}"))?;
    if !["/", "./", "../"]
        .iter()
        .any(|start| file.starts_with(start))
    {
        // It is the key, or a path that OpenDKIM takes for one: it is not shown.
        let hint = match looks_like_path(file) {
            true => format!(
                "\"{}\" does not begin with / or ./, so OpenDKIM takes it for the key itself",
                printable(file)
            ),
            false => "holds the key itself; put it into a file that only its user can read, and \
                      name that file"
                .to_owned(),
        };
        return Err(hint);
    }
    Ok(Key {
        domain,
        selector,
        // OpenDKIM replaces `%` in a path that begins with a slash alone.
        by_domain: file.starts_with('/') && file.contains('%'),
        file: base.join(file.strip_prefix("./").unwrap_or(file)),
        place: entry.place.clone(),
    })
}

/// Whether a text is rather a forgotten `./` than a key in base64 or PEM.
fn looks_like_path(text: &str) -> bool {
    text.len() < 100 && !text.starts_with("MI") && !text.starts_with("-----")
}

#[cfg(test)]
mod tests {
    use super::super::conf::Conf;
    use super::*;

    fn table(list: &str) -> KeyTable {
        let text = format!("KeyTable csl:{list}\n");
        let conf = Conf::parse(text.as_bytes(), "o.conf").unwrap();
        let set = DataSet::read(conf.get("KeyTable").unwrap(), Path::new("/")).unwrap();
        KeyTable::new(&set, Path::new("/base"))
    }

    fn problem(list: &str) -> String {
        let table = table(list);
        let corrupt = table.get(&table.names[0]).unwrap().clone().unwrap_err();
        corrupt.problem
    }

    #[test]
    fn a_line_names_domain_selector_and_file() {
        let table =
            table("k=Example.com:S1:./k.pem,p=%:s:/keys/%/s.pem,e=a.example:s:/e:ed25519-sha256");
        let key = |name| table.get(name).unwrap().clone().unwrap();
        assert_eq!(key("k").domain.unwrap().as_str(), "example.com");
        assert_eq!(key("k").selector.as_str(), "s1");
        assert_eq!(key("k").file, Path::new("/base/k.pem"));
        assert!(!key("k").by_domain);
        assert_eq!(key("p").domain, None);
        assert!(key("p").by_domain);
        assert_eq!(key("e").file, Path::new("/e"));
        assert!(table.get("K").is_none());
    }

    #[test]
    fn a_line_that_cannot_be_used_says_why() {
        assert!(problem("k=example.com test ./k").starts_with("has 1 of the 3 fields"));
        assert!(problem("k=example.com:test").starts_with("has 2 of the 3 fields"));
        assert!(problem("k=exa mple.com:s:/k").starts_with("domain: \"exa mple.com\""));
        assert!(problem("k=example.com::/k").starts_with("selector: "));
        assert!(problem("k=example.com:s:keys/k.pem").contains("./"));
        let secret = format!("k=example.com:s:MIIE{}", "x".repeat(200));
        assert!(problem(&secret).starts_with("holds the key itself"));
        assert!(!problem(&secret).contains("MIIE"));
    }

    #[test]
    fn of_two_lines_with_one_name_the_first_counts() {
        let table = table("k=a.example:s:/a,k=b.example:s:/b");
        let key = table.get("k").unwrap().clone().unwrap();
        assert_eq!(key.domain.unwrap().as_str(), "a.example");
        assert_eq!(table.repeated.len(), 1);
    }
}
