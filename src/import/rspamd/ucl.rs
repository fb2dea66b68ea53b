//! The part of UCL that `dkim_signing.conf` is written in: keys with values, sections,
//! arrays, comments.
//!
//! Macros (`.include`), variables in braces and heredocs are refused: what they stand
//! for is not in the file.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

/// How deep sections may lie in one another.
const DEEPEST: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string, number or boolean, as written and without quotes.
    Text(String),
    List(Vec<Value>),
    Section(Section),
}

/// Keys with their values and lines, in the order of the file; a key may be repeated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section(pub Vec<Item>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub key: String,
    pub value: Value,
    pub line: usize,
}

/// What cannot be read, and on which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UclError {
    pub line: usize,
    pub problem: String,
}

impl fmt::Display for UclError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl Section {
    /// Reads a file's text.
    ///
    /// # Errors
    /// The first thing that cannot be read.
    pub fn parse(text: &str) -> Result<Self, UclError> {
        let mut parser = Parser {
            rest: text.chars().peekable(),
            line: 1,
        };
        let section = parser.section(0)?;
        match parser.rest.peek() {
            None => Ok(section),
            Some(_) => Err(parser.wrong("a \"}\" closes nothing")),
        }
    }

    /// The last value of a key.
    pub fn get(&self, key: &str) -> Option<&Item> {
        self.0.iter().rev().find(|item| item.key == key)
    }
}

impl Value {
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::List(_) | Self::Section(_) => None,
        }
    }
}

struct Parser<'t> {
    rest: Peekable<Chars<'t>>,
    line: usize,
}

impl Parser<'_> {
    fn wrong(&self, problem: impl Into<String>) -> UclError {
        UclError {
            line: self.line,
            problem: problem.into(),
        }
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    /// Passes over white space, comments, and the separators given.
    fn blank(&mut self, separators: &str) -> Result<(), UclError> {
        while let Some(&next) = self.rest.peek() {
            match next {
                '#' => {
                    while self.rest.peek().is_some_and(|c| *c != '\n') {
                        self.next();
                    }
                }
                '/' => {
                    let mut ahead = self.rest.clone();
                    ahead.next();
                    if ahead.next() != Some('*') {
                        return Ok(());
                    }
                    self.comment()?;
                }
                c if c.is_whitespace() || separators.contains(c) => {
                    self.next();
                }
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    fn comment(&mut self) -> Result<(), UclError> {
        let opened = self.wrong("the comment that begins here does not end");
        self.next();
        let mut before = ' ';
        self.next();
        loop {
            match self.next() {
                Some('/') if before == '*' => return Ok(()),
                Some(c) => before = c,
                None => return Err(opened),
            }
        }
    }

    fn section(&mut self, depth: usize) -> Result<Section, UclError> {
        let mut section = Section::default();
        loop {
            self.blank(";,")?;
            match self.rest.peek() {
                None | Some('}') => return Ok(section),
                Some('.') => {
                    let problem = "a macro (.include and the like): put its file's text here";
                    return Err(self.wrong(problem));
                }
                Some(_) => {}
            }
            let line = self.line;
            let key = self.word("={}[]:;, \t\n")?;
            if key.is_empty() {
                return Err(self.wrong("there is no key where one is expected"));
            }
            self.blank("=:")?;
            let value = self.value(depth)?;
            section.0.push(Item { key, value, line });
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, UclError> {
        if depth >= DEEPEST {
            return Err(self.wrong(format!("sections lie more than {DEEPEST} deep")));
        }
        match self.rest.peek() {
            Some('{') => {
                let opened = self.wrong("the section that begins here does not end");
                self.next();
                let section = self.section(depth + 1)?;
                match self.next() {
                    Some('}') => Ok(Value::Section(section)),
                    _ => Err(opened),
                }
            }
            Some('[') => {
                let opened = self.wrong("the array that begins here does not end");
                self.next();
                let mut list = Vec::new();
                loop {
                    self.blank(",;")?;
                    match self.rest.peek() {
                        Some(']') => {
                            self.next();
                            return Ok(Value::List(list));
                        }
                        None => return Err(opened),
                        Some(_) => list.push(self.value(depth + 1)?),
                    }
                }
            }
            _ => {
                let text = self.word(";,}]\n")?;
                if text.is_empty() {
                    return Err(self.wrong("there is no value where one is expected"));
                }
                if text.contains("${") || text.starts_with("<<") {
                    let problem = "a variable or heredoc; write what it stands for";
                    return Err(self.wrong(problem));
                }
                Ok(Value::Text(text))
            }
        }
    }

    /// Text in quotes, or up to one of the characters in `ends`.
    fn word(&mut self, ends: &str) -> Result<String, UclError> {
        let mut text = String::new();
        if let Some(&quote @ ('"' | '\'')) = self.rest.peek() {
            let opened = self.wrong("the quotation mark that opens here is not closed");
            self.next();
            loop {
                match self.next() {
                    Some(c) if c == quote => return Ok(text),
                    Some('\\') => match self.next() {
                        Some('n') => text.push('\n'),
                        Some('t') => text.push('\t'),
                        Some(c) => text.push(c),
                        None => return Err(opened),
                    },
                    Some(c) => text.push(c),
                    None => return Err(opened),
                }
            }
        }
        while let Some(&c) = self.rest.peek() {
            if ends.contains(c) || (c == '#' && text.ends_with([' ', '\t'])) {
                break;
            }
            text.push(c);
            self.next();
        }
        Ok(text.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sections_arrays_and_comments_are_read() {
        let text = "# comment\npath = \"/keys/$domain.$selector.key\";\nselector: dkim; /* x */\n\
                    domain {\n  example.com {\n    selectors [\n      { path: /a; selector = s1 },\n\
                    { selector \"s2\" }\n    ]\n  }\n}\nuse_esld = false # no\n";
        let section = Section::parse(text).unwrap();
        let keys: Vec<_> = section
            .0
            .iter()
            .map(|item| (item.key.as_str(), item.line))
            .collect();
        assert_eq!(
            keys,
            [
                ("path", 2),
                ("selector", 3),
                ("domain", 4),
                ("use_esld", 12)
            ]
        );
        assert_eq!(
            section.get("path").unwrap().value.text(),
            Some("/keys/$domain.$selector.key")
        );
        assert_eq!(section.get("use_esld").unwrap().value.text(), Some("false"));
        let Value::Section(domain) = &section.get("domain").unwrap().value else {
            panic!()
        };
        let Value::Section(example) = &domain.get("example.com").unwrap().value else {
            panic!()
        };
        let Value::List(selectors) = &example.get("selectors").unwrap().value else {
            panic!()
        };
        assert_eq!(selectors.len(), 2);
    }

    #[test]
    fn what_cannot_be_read_names_its_line() {
        let problem = |text| Section::parse(text).unwrap_err().to_string();
        assert!(problem("a = 1\n.include \"x\"\n").starts_with("line 2: a macro"));
        assert_eq!(
            problem("a {\n b = 1\n"),
            "line 1: the section that begins here does not end"
        );
        assert_eq!(
            problem("a = [1,\n2"),
            "line 1: the array that begins here does not end"
        );
        assert_eq!(problem("}"), "line 1: a \"}\" closes nothing");
        assert!(problem("a = \"x").contains("not closed"));
        assert!(problem("a = ${X}").contains("variable"));
        assert!(problem("a = ;").contains("no value"));
        assert!(problem("/* x").contains("does not end"));
        assert!(problem(&"a {".repeat(10_000)).contains("more than 16 deep"));
    }
}
