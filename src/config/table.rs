//! The lines of a table file: fields parted by white space.
//!
//! `#` begins a comment at the start of a line or behind white space. What is not
//! text, and a line that no table has, is a mistake with its line number.

use std::sync::Arc;

use super::{ConfigError, ConfigErrors, Place};

/// The longest line, in bytes.
const LONGEST: usize = 64 * 1024;

/// So many mistakes of one file are told in full.
const MOST_ERRORS: usize = 100;

/// Reads a table line by line, and collects its mistakes.
#[derive(Debug)]
pub struct Table<'t> {
    file: Arc<str>,
    rest: &'t [u8],
    line: usize,
    errors: Vec<ConfigError>,
    more_errors: usize,
}

/// One line that says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'t> {
    pub text: &'t str,
    pub number: usize,
    /// Whether it begins with white space.
    pub indented: bool,
}

impl<'t> Table<'t> {
    /// `file` is the name that the mistakes show.
    pub fn new(text: &'t [u8], file: &str) -> Self {
        Self {
            file: file.into(),
            rest: text,
            line: 0,
            errors: Vec::new(),
            more_errors: 0,
        }
    }

    /// The next line that is neither empty nor a comment.
    pub fn next_line(&mut self) -> Option<Line<'t>> {
        while !self.rest.is_empty() {
            let end = memchr::memchr(b'\n', self.rest);
            let (line, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
            self.rest = rest.get(1..).unwrap_or_default();
            self.line += 1;
            if line.len() > LONGEST {
                self.wrong(
                    self.line,
                    format!("the line has {} bytes; is this a table?", line.len()),
                );
                continue;
            }
            let Ok(text) = std::str::from_utf8(line) else {
                self.wrong(self.line, "the line is not UTF-8");
                continue;
            };
            if text.contains('\0') {
                self.wrong(self.line, "the line holds a NUL; is this a table?");
                continue;
            }
            let text = without_comment(text);
            if !text.trim().is_empty() {
                return Some(Line {
                    text: text.trim(),
                    number: self.line,
                    indented: text.starts_with([' ', '\t']),
                });
            }
        }
        None
    }

    /// The place of a line.
    pub fn place(&self, line: usize) -> Place {
        Place {
            file: self.file.clone(),
            line,
        }
    }

    /// Adds a mistake: what is wrong with the line, and what to do.
    pub fn wrong(&mut self, line: usize, problem: impl ToString) {
        if self.errors.len() == MOST_ERRORS {
            self.more_errors += 1;
            return;
        }
        self.errors.push(ConfigError {
            place: self.place(line),
            key: String::new(),
            problem: problem.to_string(),
        });
    }

    /// `value`, unless there were mistakes.
    pub fn finish<T>(mut self, value: T) -> Result<T, ConfigErrors> {
        if self.more_errors > 0 {
            self.errors.push(ConfigError {
                place: self.place(0),
                key: String::new(),
                problem: format!("{} more mistakes", self.more_errors),
            });
        }
        match self.errors.is_empty() {
            true => Ok(value),
            false => Err(ConfigErrors(self.errors)),
        }
    }
}

fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        if letter == '#' && before.is_whitespace() {
            return line.get(..at).unwrap_or(line);
        }
        before = letter;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_empty_lines_are_passed_over() {
        let mut table = Table::new(b"# first\n\na b # c\r\n   #x\n a#b\nlast", "t");
        let mut lines = Vec::new();
        while let Some(line) = table.next_line() {
            lines.push((line.number, line.text, line.indented));
        }
        assert_eq!(
            lines,
            [(3, "a b", false), (5, "a#b", true), (6, "last", false)]
        );
        assert_eq!(table.finish(7), Ok(7));
    }

    #[test]
    fn what_is_no_text_is_a_mistake_with_its_line() {
        let mut text = b"a\nb\0c\n\xff\n".to_vec();
        text.extend(vec![b'x'; LONGEST + 1]);
        let mut table = Table::new(&text, "t");
        while table.next_line().is_some() {}
        let errors = table.finish(()).unwrap_err().to_string();
        let lines: Vec<_> = errors.lines().collect();
        assert_eq!(lines.len(), 3, "{errors}");
        assert!(lines[0].starts_with("t:2: ") && lines[0].contains("NUL"));
        assert!(lines[1].starts_with("t:3: ") && lines[1].contains("UTF-8"));
        assert!(lines[2].starts_with("t:4: ") && lines[2].contains("65537 bytes"));
    }

    #[test]
    fn the_mistakes_of_a_large_file_are_counted() {
        let text = b"\0\n".repeat(MOST_ERRORS + 7);
        let mut table = Table::new(&text, "t");
        assert_eq!(table.next_line(), None);
        let errors = table.finish(()).unwrap_err();
        assert_eq!(errors.0.len(), MOST_ERRORS + 1);
        assert!(errors.to_string().ends_with("t: 7 more mistakes"));
    }
}
