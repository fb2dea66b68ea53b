//! Private keys on disk: `DIR/DOMAIN/SELECTOR.pem`. Finding them, reading them safely,
//! making new ones.
//!
//! What is wrong with one key is said of that key and never keeps the others from
//! being used. Nothing here overwrites a key, mends a mode or guesses which of two
//! files was meant, and no key's bytes stay in memory that was given back.

mod generate;
mod load;
mod scan;
mod write;

#[cfg(test)]
mod tests;

pub use generate::{Algorithm, GenerateError, RsaSize, generate};
pub use load::{FILE_LIMIT, KeyFileError};
pub use scan::{Ignored, KeyDirectory, KeyDirectoryError, KeyEntry, KeyProblem, Scan, ScanError};
pub use write::{WriteError, link, write_moved, write_new};
