//! The KeyTable: `name  domain:selector:key`, where the key is a file or the key itself.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::conf::printable;
use super::dataset::{DataSet, Entry};
use crate::config::Place;
use crate::import::inline_key::InlineKey;
use crate::names::{DomainName, Selector};

/// What a line of the KeyTable names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// `None` is `%`, the author's domain.
    pub domain: Option<DomainName>,
    pub selector: Selector,
    pub private: Private,
    pub place: Place,
}

/// Where a private key is. Paths are in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Private {
    File(PathBuf),
    /// A path in which `%` stands for the author's domain.
    FileByDomain(PathBuf),
    /// In the table.
    Inline(InlineKey),
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
    let named = ["/", "./", "../"]
        .iter()
        .any(|start| file.starts_with(start));
    let private = match named {
        true => {
            let path = base.join(file.strip_prefix("./").unwrap_or(file));
            // OpenDKIM replaces `%` in a path that begins with a slash alone.
            match file.starts_with('/') && file.contains('%') {
                true => Private::FileByDomain(path),
                false => Private::File(path),
            }
        }
        false => Private::Inline(inline(file)?),
    };
    if domain.is_none() && matches!(private, Private::Inline(_)) {
        return Err(
            "holds the key itself and is for every domain; put the key into a file that only its \
             user can read, and name that file"
                .to_owned(),
        );
    }
    Ok(Key {
        domain,
        selector,
        private,
        place: entry.place.clone(),
    })
}

/// The key itself, or a path that OpenDKIM takes for it: only what cannot be a key is
/// shown.
fn inline(text: &str) -> Result<InlineKey, String> {
    InlineKey::read(text).map_err(|error| match looks_like_path(text) {
        true => format!(
            "\"{}\" does not begin with / or ./, so OpenDKIM takes it for the key itself",
            printable(text)
        ),
        false => format!("holds a key that cannot be used: {error}"),
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
    use crate::keys::{Algorithm, generate};

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
        assert_eq!(key("k").private, Private::File("/base/k.pem".into()));
        assert_eq!(key("p").domain, None);
        let by_domain = Private::FileByDomain("/keys/%/s.pem".into());
        assert_eq!(key("p").private, by_domain);
        assert_eq!(key("e").private, Private::File("/e".into()));
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
        assert!(problem(&secret).starts_with("holds a key that cannot be used: "));
        assert!(!problem(&secret).contains("MIIE"));
    }

    #[test]
    fn a_line_may_hold_the_key_itself() {
        let pem = generate(Algorithm::Ed25519).unwrap();
        let base64 = pem.lines().nth(1).unwrap();
        let table = table(&format!("k=example.com:s:{base64}"));
        let key = table.get("k").unwrap().clone().unwrap();
        let inline = InlineKey::read(base64).unwrap();
        assert_eq!(key.private, Private::Inline(inline));

        let everybody = problem(&format!("k=%:s:{base64}"));
        assert!(everybody.starts_with("holds the key itself and is for every domain"));
        assert!(!everybody.contains(base64));
    }

    #[test]
    fn of_two_lines_with_one_name_the_first_counts() {
        let table = table("k=a.example:s:/a,k=b.example:s:/b");
        let key = table.get("k").unwrap().clone().unwrap();
        assert_eq!(key.domain.unwrap().as_str(), "a.example");
        assert_eq!(table.repeated.len(), 1);
    }
}
