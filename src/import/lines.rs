//! The lines of a file that somebody else's program reads: how much of a line counts
//! is the caller's business, how much memory one may take is not.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use crate::config::{ConfigError, Place};

/// The longest line, in bytes. A line of a table holds a few names.
const LONGEST_LINE: usize = 64 * 1024;

/// The largest file, in bytes: a million lines of a table and to spare.
const LARGEST_FILE: usize = 256 * 1024 * 1024;

/// A line without its end, counted from 1, and what stands before its first `#`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub place: Place,
    pub text: String,
}

/// Reads the lines of `path` that hold anything but blanks and comments. The errors
/// name the file as `name`.
///
/// # Errors
/// When the file cannot be read or is none, and those of [`split`].
pub fn read(path: &Path, name: &str) -> Result<Vec<Line>, ConfigError> {
    let cannot = |problem| wrong(name, 0, problem);
    // Looked at before it is opened: opening a FIFO waits for a writer.
    let metadata = std::fs::metadata(path).map_err(|error| cannot(why_not(&error)))?;
    if metadata.is_dir() {
        return Err(cannot("is a directory, not a file".to_owned()));
    }
    if !metadata.is_file() {
        return Err(cannot("is not a regular file".to_owned()));
    }
    let file = File::open(path).map_err(|error| cannot(why_not(&error)))?;
    split(BufReader::new(file), name)
}

/// The largest file of settings, in bytes.
const LARGEST_SETTINGS: u64 = 1024 * 1024;

/// All of a file of settings, for a syntax that is not made of lines.
///
/// # Errors
/// As [`read`].
pub fn whole(path: &Path, name: &str) -> Result<String, ConfigError> {
    let cannot = |problem| wrong(name, 0, problem);
    let metadata = std::fs::metadata(path).map_err(|error| cannot(why_not(&error)))?;
    if !metadata.is_file() {
        return Err(cannot("is not a regular file".to_owned()));
    }
    let file = File::open(path).map_err(|error| cannot(why_not(&error)))?;
    let mut bytes = Vec::new();
    file.take(LARGEST_SETTINGS + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| cannot(why_not(&error)))?;
    if bytes.len() as u64 > LARGEST_SETTINGS {
        let limit = LARGEST_SETTINGS >> 10;
        return Err(cannot(format!(
            "is larger than {limit} KiB; is it the right file?"
        )));
    }
    String::from_utf8(bytes).map_err(|_| cannot("is not UTF-8".to_owned()))
}

/// Splits what `reader` yields into lines, as [`read`] does.
///
/// # Errors
/// When reading fails, the file or a line is too long, or what stands before the
/// comment holds a NUL or is not UTF-8.
pub fn split(mut reader: impl BufRead, name: &str) -> Result<Vec<Line>, ConfigError> {
    let file: Arc<str> = name.into();
    let mut lines = Vec::new();
    let mut bytes = Vec::new();
    let mut total = 0;
    for number in 1.. {
        bytes.clear();
        let taken = (&mut reader)
            .take(LONGEST_LINE as u64 + 2)
            .read_until(b'\n', &mut bytes)
            .map_err(|error| wrong(name, 0, why_not(&error)))?;
        if taken == 0 {
            break;
        }
        total += taken;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        let place = Place {
            file: file.clone(),
            line: number,
        };
        let content = content(&bytes, total).map_err(|problem| wrong(name, number, problem))?;
        if !content.is_empty() {
            let text = content.to_owned();
            lines.push(Line { place, text });
        }
    }
    Ok(lines)
}

/// What stands in a line before its comment; `total` is the size of the file up to here.
fn content(bytes: &[u8], total: usize) -> Result<&str, String> {
    if total > LARGEST_FILE {
        return Err(format!(
            "the file is larger than {} MiB",
            LARGEST_FILE >> 20
        ));
    }
    if bytes.len() > LONGEST_LINE {
        let limit = LONGEST_LINE >> 10;
        return Err(format!(
            "the line is longer than {limit} KiB; nothing in it can be meant"
        ));
    }
    // OpenDKIM ends a line at the first CR and cuts it at the first #.
    let end = memchr::memchr2(b'#', b'\r', bytes).unwrap_or(bytes.len());
    let content = bytes.get(..end).unwrap_or_default();
    if content.contains(&0) {
        return Err("holds a NUL byte; this is not a text file".to_owned());
    }
    let content =
        std::str::from_utf8(content).map_err(|_| "is not UTF-8 outside of a comment".to_owned())?;
    Ok(content.trim_matches([' ', '\t', '\u{b}', '\u{c}']))
}

fn wrong(name: &str, line: usize, problem: String) -> ConfigError {
    ConfigError {
        place: Place {
            file: name.into(),
            line,
        },
        key: String::new(),
        problem,
    }
}

/// An error of the system in words that name a remedy where there is one.
pub fn why_not(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "may not be read by this user; run the import as root".to_owned()
        }
        _ => format!("cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content: &[u8]) -> Result<Vec<String>, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("table");
        std::fs::write(&path, content).unwrap();
        let lines = read(&path, "table").map_err(|error| error.to_string())?;
        Ok(lines.into_iter().map(|line| line.text).collect())
    }

    #[test]
    fn comments_blanks_and_carriage_returns_are_no_content() {
        let lines = of(b"# all of it\n\n \t\n  one  two \t# rest\r\nthree\r\r\nlast");
        assert_eq!(lines.unwrap(), ["one  two", "three", "last"]);
    }

    #[test]
    fn only_a_comment_may_be_in_another_encoding() {
        assert_eq!(of(b"a # gr\xfc\xdfe\n").unwrap(), ["a"]);
        assert_eq!(
            of(b"a\nM\xfcller\n").unwrap_err(),
            "table:2: is not UTF-8 outside of a comment"
        );
    }

    #[test]
    fn what_is_no_text_file_is_refused_by_line() {
        assert_eq!(
            of(b"a\nb\0c\n").unwrap_err(),
            "table:2: holds a NUL byte; this is not a text file"
        );
        let long = vec![b'x'; LONGEST_LINE + 1];
        assert!(
            of(&long)
                .unwrap_err()
                .starts_with("table:1: the line is longer than 64 KiB")
        );
        assert!(of(&long[1..]).is_ok());
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(
            read(directory.path(), "d").unwrap_err().to_string(),
            "d: is a directory, not a file"
        );
        assert_eq!(
            read(&directory.path().join("x"), "x")
                .unwrap_err()
                .to_string(),
            "x: there is no such file"
        );
    }
}
