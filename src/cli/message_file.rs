//! The message that a command is given: a file, or standard input.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use super::streams;

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
#[error("{name} cannot be read")]
pub struct ReadError {
    name: String,
    source: io::Error,
}

impl ReadError {
    pub fn new(path: &Path, source: io::Error) -> Self {
        Self {
            name: path.display().to_string(),
            source,
        }
    }
}

/// Reads the file; standard input when there is none or it is called `-`.
///
/// # Errors
/// What the system says, with the name of the file.
pub fn read_message(path: Option<&Path>) -> Result<Vec<u8>, ReadError> {
    match path.filter(|path| *path != Path::new("-")) {
        Some(path) => fs::read(path).map_err(|source| ReadError::new(path, source)),
        None => {
            if io::stdin().is_terminal() {
                streams::tell("signet: reading the message from the terminal; Ctrl-D ends it\n");
            }
            let mut message = Vec::new();
            let read = io::stdin().lock().read_to_end(&mut message);
            read.map_err(|source| ReadError::new(Path::new("standard input"), source))?;
            Ok(message)
        }
    }
}
