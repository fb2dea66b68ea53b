//! Standard output and standard error: the one place where commands write to them.
//!
//! Whoever reads may go away (`| head -1`). That is no fault of the command: it says
//! nothing, goes on to its end, so that what it keeps in memory and on disk is put away,
//! and exits with its own answer. Output that cannot be written for another reason, a
//! full disk, is an error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Why what a command has to say cannot be read by anybody.
#[derive(Debug, thiserror::Error)]
#[error("standard output cannot be written")]
pub struct PrintError(#[from] io::Error);

/// Whether somebody still reads standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    Present,
    Gone,
}

/// Prints it on standard output as it is, without a line end.
///
/// # Errors
/// When it cannot be written, unless that is because nobody reads any more.
pub fn print(text: impl Display) -> Result<(), PrintError> {
    write(text.to_string().as_bytes()).map(|_| ())
}

/// Writes the bytes to standard output. They are on their way when this returns.
///
/// # Errors
/// As [`print`].
pub fn write(bytes: &[u8]) -> Result<Reader, PrintError> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::Present),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(PrintError(error)),
    }
}

/// Prints it on standard error as it is, without a line end. There is no place left to
/// say that this failed.
pub fn tell(text: impl Display) {
    let _ = io::stderr().write_all(text.to_string().as_bytes());
}
