//! A key that lies outside the key directory, under any name.

use std::path::PathBuf;

use super::Place;
use crate::names::{DomainName, Selector};

/// What `[[key]]` says: the file, and what its signatures name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// None is every domain.
    pub domain: Option<DomainName>,
    pub selector: Selector,
    pub file: PathBuf,
    pub place: Place,
}
