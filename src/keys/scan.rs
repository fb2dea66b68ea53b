//! What a key directory holds: the keys, and everything that is not one, with reasons.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use super::load::{self, KeyFileError};
use crate::dkim::SigningKey;
use crate::names::{DomainName, NameError, Selector};

/// A directory of private keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDirectory {
    path: PathBuf,
    require_safe: bool,
}

/// A key by its place: not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    pub domain: DomainName,
    pub selector: Selector,
    pub path: PathBuf,
}

/// Everything found in a key directory.
#[derive(Debug, Default)]
pub struct Scan {
    /// Ordered by domain, then selector.
    pub keys: Vec<KeyEntry>,
    /// What should be a key and cannot be used. Mail of a `domain` named here is not to
    /// go out unsigned as if the domain had no key.
    pub problems: Vec<KeyProblem>,
    /// What is plainly no key.
    pub ignored: Vec<Ignored>,
}

/// One thing that should be a key and is not usable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProblem {
    /// The domain it is about, as far as the path says so.
    pub domain: Option<DomainName>,
    /// The selector, likewise.
    pub selector: Option<Selector>,
    pub error: ScanError,
}

/// Why something in a key directory cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    #[error("the directory {} is not named after a domain", path.display())]
    NotADomain {
        path: PathBuf,
        #[source]
        source: NameError,
    },
    #[error("the file {} is not named after a selector", path.display())]
    NotASelector {
        path: PathBuf,
        #[source]
        source: NameError,
    },
    #[error("the name of {} is not UTF-8", path.display())]
    NotUtf8 { path: PathBuf },
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error(
        "{} and {} are the same selector, since DNS knows no case; neither is used until one is gone",
        first.display(), second.display()
    )]
    Duplicate { first: PathBuf, second: PathBuf },
}

/// A file or directory that is passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    pub path: PathBuf,
    pub reason: &'static str,
}

/// The key directory as a whole cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyDirectoryError {
    #[error("the key directory {} does not exist; \"signet keygen\" makes it", path.display())]
    Missing { path: PathBuf },
    #[error("the key directory {} is not a directory", path.display())]
    NotADirectory { path: PathBuf },
    #[error("the key directory {} cannot be read", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl KeyDirectory {
    /// # Errors
    /// When there is no directory at `path` that can be read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, KeyDirectoryError> {
        let path = path.into();
        match fs::read_dir(&path) {
            Ok(_) => Ok(Self {
                path,
                require_safe: true,
            }),
            Err(source) => Err(match source.kind() {
                io::ErrorKind::NotFound => KeyDirectoryError::Missing { path },
                io::ErrorKind::NotADirectory => KeyDirectoryError::NotADirectory { path },
                _ => KeyDirectoryError::Unreadable { path, source },
            }),
        }
    }

    /// Whether key files that their group or others can read or change are refused;
    /// they are unless this says otherwise.
    #[must_use]
    pub fn require_safe(mut self, yes: bool) -> Self {
        self.require_safe = yes;
        self
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks through the directory. It reads names only, no keys.
    pub fn scan(&self) -> Scan {
        let mut search = Search::default();
        search.top(&self.path);
        search.finish()
    }

    /// Reads one key.
    ///
    /// # Errors
    /// When the file is not fit to hold a key, or holds none.
    pub fn load(&self, path: &Path) -> Result<SigningKey, KeyFileError> {
        load::load(path, self.require_safe)
    }
}

#[derive(Default)]
struct Search {
    found: BTreeMap<(DomainName, Selector), Vec<PathBuf>>,
    scan: Scan,
}

impl Search {
    fn top(&mut self, directory: &Path) {
        for entry in self.entries(directory, None) {
            let path = entry.path();
            if let Some(reason) = never_a_key(&entry.file_name()) {
                self.ignore(path, reason);
            } else if !path.is_dir() {
                self.ignore(path, "a key lies in a directory named after its domain");
            } else {
                match name_of(&path, path.file_name()) {
                    Ok(text) => match DomainName::parse(text) {
                        Ok(domain) => self.domain(&path, &domain),
                        Err(source) => {
                            self.problem(None, None, ScanError::NotADomain { path, source });
                        }
                    },
                    Err(error) => self.problem(None, None, error),
                }
            }
        }
    }

    fn domain(&mut self, directory: &Path, domain: &DomainName) {
        let mut empty = true;
        for entry in self.entries(directory, Some(domain)) {
            let path = entry.path();
            if let Some(reason) = never_a_key(&entry.file_name()) {
                self.ignore(path, reason);
            } else if path.extension() != Some(OsStr::new("pem")) {
                self.ignore(path, "the name of a key ends in .pem");
            } else {
                empty = false;
                let selector = name_of(&path, path.file_stem()).and_then(|text| {
                    Selector::parse(text).map_err(|source| ScanError::NotASelector {
                        path: path.clone(),
                        source,
                    })
                });
                match selector {
                    Ok(selector) => self
                        .found
                        .entry((domain.clone(), selector))
                        .or_default()
                        .push(path),
                    Err(error) => self.problem(Some(domain), None, error),
                }
            }
        }
        if empty {
            self.ignore(directory.into(), "there is no key in it");
        }
    }

    /// The entries of a directory by name, so that every run says the same.
    fn entries(&mut self, directory: &Path, domain: Option<&DomainName>) -> Vec<DirEntry> {
        match fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(mut entries) => {
                entries.sort_by_key(DirEntry::file_name);
                entries
            }
            Err(error) => {
                let error = ScanError::Unreadable {
                    path: directory.into(),
                    reason: load::why_unreadable(directory, &error),
                };
                self.problem(domain, None, error);
                Vec::new()
            }
        }
    }

    fn ignore(&mut self, path: PathBuf, reason: &'static str) {
        self.scan.ignored.push(Ignored { path, reason });
    }

    fn problem(
        &mut self,
        domain: Option<&DomainName>,
        selector: Option<&Selector>,
        error: ScanError,
    ) {
        self.scan.problems.push(KeyProblem {
            domain: domain.cloned(),
            selector: selector.cloned(),
            error,
        });
    }

    fn finish(mut self) -> Scan {
        for ((domain, selector), paths) in std::mem::take(&mut self.found) {
            match <[PathBuf; 1]>::try_from(paths) {
                Ok([path]) => self.scan.keys.push(KeyEntry {
                    domain,
                    selector,
                    path,
                }),
                Err(paths) => {
                    let mut paths = paths.into_iter();
                    let error = ScanError::Duplicate {
                        first: paths.next().unwrap_or_default(),
                        second: paths.next().unwrap_or_default(),
                    };
                    self.problem(Some(&domain), Some(&selector), error);
                }
            }
        }
        self.scan
    }
}

/// Names that never hold a key, however they end: a dot in front is for temporary
/// files, version control, and the bookkeeping of mounted secrets.
fn never_a_key(name: &OsStr) -> Option<&'static str> {
    if name.as_encoded_bytes().starts_with(b".") {
        Some("its name begins with a dot")
    } else if name == "lost+found" {
        Some("it belongs to the file system")
    } else {
        None
    }
}

fn name_of<'n>(path: &Path, part: Option<&'n OsStr>) -> Result<&'n str, ScanError> {
    part.and_then(OsStr::to_str)
        .ok_or_else(|| ScanError::NotUtf8 { path: path.into() })
}
