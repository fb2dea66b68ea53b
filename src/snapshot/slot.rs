//! One private key: where it lies, and the key itself once somebody asked for it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::dkim::SigningKey;
use crate::keys::{KeyDirectory, KeyFileError};
use crate::names::Selector;

/// A key file. It is read and parsed once, on first use; what is wrong with it is
/// remembered too, until the next reload.
#[derive(Debug)]
pub struct Slot {
    pub selector: Selector,
    pub path: PathBuf,
    key: Mutex<Option<Loaded>>,
    /// Whether the key was asked for since it was last up for removal.
    used: AtomicBool,
}

/// A key, or why there is none, in words that name the file and the remedy.
pub type Loaded = Result<Arc<SigningKey>, Arc<str>>;

impl Slot {
    pub fn new(selector: Selector, path: PathBuf) -> Self {
        Self {
            selector,
            path,
            key: Mutex::new(None),
            used: AtomicBool::new(false),
        }
    }

    /// The key, and whether this call has read it.
    pub fn key(&self, directory: &KeyDirectory) -> (Loaded, bool) {
        let mut key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        self.used.store(true, Ordering::Relaxed);
        match &*key {
            Some(loaded) => (loaded.clone(), false),
            None => {
                let loaded =
                    directory
                        .load(&self.path)
                        .map(Arc::new)
                        .map_err(|error| match error {
                            KeyFileError::Missing { .. } if self.lies_in(directory) => {
                                missing(&self.path)
                            }
                            error => in_words(&error),
                        });
                *key = Some(loaded.clone());
                (loaded, true)
            }
        }
    }

    /// Whether this is where `signet keygen` would put a key, not a file that the config
    /// names.
    fn lies_in(&self, directory: &KeyDirectory) -> bool {
        let within = self.path.strip_prefix(directory.path());
        within.is_ok_and(|within| {
            within.components().count() == 2 && within.extension() == Some(OsStr::new("pem"))
        })
    }

    /// The key if it was read already, without counting as a use.
    pub fn peek(&self) -> Option<Loaded> {
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        key.clone()
    }

    /// Forgets the key, unless it was asked for since the last call.
    pub fn forget_if_idle(&self) -> bool {
        let idle = !self.used.swap(false, Ordering::Relaxed);
        if idle {
            *self.key.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        idle
    }
}

/// That there is no such key, and the command that makes it. `path` ends in
/// `DOMAIN/SELECTOR.pem`.
pub fn missing(path: &Path) -> Arc<str> {
    let part = |name: Option<&OsStr>| name.unwrap_or_default().display().to_string();
    let domain = part(path.parent().and_then(Path::file_name));
    let selector = part(path.file_stem());
    format!(
        "{} does not exist; \"signet keygen {domain} --selector {selector}\" makes it",
        path.display()
    )
    .into()
}

/// An error with its causes, on one line.
pub fn in_words(error: &dyn std::error::Error) -> Arc<str> {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text.into()
}
