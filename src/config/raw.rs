//! The text of a config file as a tree whose every value knows its line.
//!
//! This is the one file that knows TOML. It asks for keys by name, reports each
//! wrong type, and each key that nobody asked for with the nearest one that
//! somebody did. It walks the parser's own tree and not a `serde` structure,
//! because `serde` stops at the first mistake and a tired administrator wants all
//! of them at once. It refuses to know what any key means.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, ConfigErrors, Place};

/// Reads `text` with `build`, which asks the root table for what it knows.
///
/// `file` is the name that the errors show.
///
/// # Errors
/// Every mistake of syntax; or when there is none, every unknown key, wrong type,
/// and whatever `build` reported.
pub fn read<T>(
    text: &str,
    file: &str,
    build: impl FnOnce(&Table<'_>) -> T,
) -> Result<T, ConfigErrors> {
    let document = Document::new(text, file);
    let (root, mistakes) = DeTable::parse_recoverable(text);
    let built = if mistakes.is_empty() {
        let table = Table {
            document: &document,
            path: String::new(),
            span: root.span(),
            entries: Some(root.get_ref()),
            asked: RefCell::default(),
        };
        let value = build(&table);
        table.finish();
        Some(value)
    } else {
        for mistake in &mistakes {
            let span = mistake.span().unwrap_or_default();
            document.report(span, "", mistake.message().replace('\n', ", "));
        }
        None
    };
    let mut errors = document.errors.into_inner();
    match built {
        Some(value) if errors.is_empty() => Ok(value),
        _ => {
            errors.sort_by_key(|error| error.place.line);
            errors.dedup();
            Err(ConfigErrors(errors))
        }
    }
}

/// Where a key, `trust.networks`, stands in `text`; the table when only that does.
pub fn place_of(text: &str, file: &str, key: &str) -> Option<Place> {
    let (root, _) = DeTable::parse_recoverable(text);
    let mut entries = root.get_ref();
    let mut found = None;
    for part in key.split('.') {
        let (name, value) = entries.iter().find(|(name, _)| *name.get_ref() == part)?;
        found = Some(Document::new(text, file).place(&name.span()));
        match value.get_ref() {
            DeValue::Table(table) => entries = table,
            _ => break,
        }
    }
    found
}

/// The full name of every key that `build` asks for while it reads `text`.
pub fn keys<T>(text: &str, build: impl FnOnce(&Table<'_>) -> T) -> BTreeSet<String> {
    let mut asked = BTreeSet::new();
    // Mistakes are no matter here.
    let _ = read(text, "", |root| {
        build(root);
        asked = root.document.asked.take();
    });
    asked
}

/// `text` as a TOML basic string on one line, fit for a key too.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            _ if letter.is_control() => out.push_str(&format!("\\u{:04X}", letter as u32)),
            _ => out.push(letter),
        }
    }
    out.push('"');
    out
}

#[derive(Debug)]
struct Document {
    file: Arc<str>,
    line_starts: Vec<usize>,
    errors: RefCell<Vec<ConfigError>>,
    asked: RefCell<BTreeSet<String>>,
}

impl Document {
    fn new(text: &str, file: &str) -> Self {
        let starts = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        Self {
            file: file.into(),
            line_starts: std::iter::once(0).chain(starts).collect(),
            errors: RefCell::default(),
            asked: RefCell::default(),
        }
    }

    fn place(&self, span: &Range<usize>) -> Place {
        Place {
            file: self.file.clone(),
            line: self
                .line_starts
                .partition_point(|start| *start <= span.start),
        }
    }

    fn report(&self, span: Range<usize>, key: &str, problem: impl Display) {
        self.errors.borrow_mut().push(ConfigError {
            place: self.place(&span),
            key: key.to_owned(),
            problem: problem.to_string(),
        });
    }
}

/// A table, or the place of one that the file leaves out.
#[derive(Debug)]
pub struct Table<'d> {
    document: &'d Document,
    path: String,
    span: Range<usize>,
    entries: Option<&'d DeTable<'d>>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'d> Table<'d> {
    fn new(document: &'d Document, path: String, value: Option<&Value<'d>>) -> Self {
        Self {
            document,
            path,
            span: value.map_or(0..0, |value| value.value.span()),
            entries: value.and_then(Value::entries),
            asked: RefCell::default(),
        }
    }

    /// The full name of a key of this table.
    fn full(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }

    /// The value of `key`, which is a known key from now on.
    pub fn get(&self, key: &'static str) -> Option<Value<'d>> {
        self.asked.borrow_mut().push(key);
        self.document.asked.borrow_mut().insert(self.full(key));
        let value = self.entries?.get(key)?;
        Some(Value {
            document: self.document,
            key: self.full(key),
            value,
        })
    }

    /// The value of `key` as `read` makes it out; `default` when the file leaves it out
    /// or `read` has reported a mistake.
    pub fn or<T>(
        &self,
        key: &'static str,
        default: T,
        read: impl FnOnce(&Value<'d>) -> Option<T>,
    ) -> T {
        self.get(key)
            .and_then(|value| read(&value))
            .unwrap_or(default)
    }

    /// Reads the table `key` with `build`; a table that the file leaves out is empty.
    pub fn inside<T>(&self, key: &'static str, build: impl FnOnce(&Table<'d>) -> T) -> T {
        let table = Table::new(self.document, self.full(key), self.get(key).as_ref());
        let built = build(&table);
        table.finish();
        built
    }

    /// As [`Table::inside`], for a table that means something by being there.
    pub fn present<T>(&self, key: &'static str, build: impl FnOnce(&Table<'d>) -> T) -> Option<T> {
        let built = self.inside(key, build);
        let there = self
            .entries
            .is_some_and(|entries| entries.contains_key(key));
        there.then_some(built)
    }

    /// Reads each table of the array `key` with `build`.
    pub fn each<T>(&self, key: &'static str, build: impl Fn(&Table<'d>) -> Option<T>) -> Vec<T> {
        let elements = self.get(key).map(|value| value.elements());
        let tables = elements.unwrap_or_default();
        let read = |value: &Value<'d>| match value.is_table() {
            true => value.inside(&build),
            false => value.wrong_type(&format!("a table, [[{}]]", value.key)),
        };
        tables.iter().filter_map(read).collect()
    }

    /// Reads the table `key`, whose keys are the operator's own words, in their order.
    pub fn words<T>(
        &self,
        key: &'static str,
        read: impl Fn(&Value<'d>) -> Option<T>,
    ) -> Vec<(String, T)> {
        let entries = self.get(key).and_then(|value| value.entries());
        let entry = |(word, value): (&'d Spanned<Cow<'d, str>>, &'d Spanned<DeValue<'d>>)| {
            let value = Value {
                document: self.document,
                key: format!("{}.{}", self.full(key), quoted(word.get_ref())),
                value,
            };
            Some((word.get_ref().to_string(), read(&value)?))
        };
        entries.into_iter().flatten().filter_map(entry).collect()
    }

    /// Where the table was written.
    pub fn place(&self) -> Place {
        self.document.place(&self.span)
    }

    /// Reports a mistake in the table as a whole.
    pub fn wrong(&self, problem: impl Display) {
        self.document.report(self.span.clone(), &self.path, problem);
    }

    fn finish(&self) {
        let asked = self.asked.borrow();
        if asked.is_empty() {
            return;
        }
        for (key, _) in self.entries.into_iter().flatten() {
            let name: &str = key.get_ref();
            if !asked.contains(&name) {
                let problem = format!("is not a key that signet knows; {}", nearest(name, &asked));
                self.document.report(key.span(), &self.full(name), problem);
            }
        }
    }
}

/// The known key that the operator most likely meant, or all of them.
fn nearest(name: &str, known: &[&'static str]) -> String {
    let alike = |key: &&&str| strsim::damerau_levenshtein(name, key);
    match known.iter().min_by_key(alike) {
        Some(key) if alike(&key) <= 1 + key.len() / 3 => format!("did you mean \"{key}\"?"),
        _ => format!("the keys here are {}", known.join(", ")),
    }
}

/// A value with its line and the full name of its key.
#[derive(Debug, Clone)]
pub struct Value<'d> {
    document: &'d Document,
    key: String,
    value: &'d Spanned<DeValue<'d>>,
}

impl<'d> Value<'d> {
    /// Reports a mistake in this value: what is wrong, and what to do.
    pub fn wrong(&self, problem: impl Display) {
        self.document.report(self.value.span(), &self.key, problem);
    }

    fn wrong_type<T>(&self, wanted: &str) -> Option<T> {
        let found = self.value.get_ref().type_str();
        self.wrong(format!("is of type {found}; write {wanted}"));
        None
    }

    pub fn string(&self) -> Option<&'d str> {
        let text = self.value.get_ref().as_str();
        text.or_else(|| self.wrong_type("a string in quotes"))
    }

    /// A string that `T` can read; what it says against it is reported.
    pub fn parse<T: FromStr<Err: Display>>(&self) -> Option<T> {
        self.parse_with(T::from_str)
    }

    /// As [`Value::parse`], with a function of the caller's.
    pub fn parse_with<T, E: Display>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        parse(self.string()?)
            .map_err(|problem| self.wrong(problem))
            .ok()
    }

    pub fn boolean(&self) -> Option<bool> {
        let flag = self.value.get_ref().as_bool();
        flag.or_else(|| self.wrong_type("true or false, without quotes"))
    }

    /// A number of `at_least` or more.
    pub fn integer(&self, at_least: u64) -> Option<u64> {
        let Some(integer) = self.value.get_ref().as_integer() else {
            return self.wrong_type("a whole number, without quotes");
        };
        match u64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) if number >= at_least && number <= i64::MAX as u64 => Some(number),
            _ => {
                self.wrong(format!(
                    "is {integer}; write a whole number of at least {at_least}"
                ));
                None
            }
        }
    }

    /// The number as it is written in octal (`0o660`); none if it is not.
    pub fn octal(&self) -> Option<u64> {
        let integer = self.value.get_ref().as_integer()?;
        let octal = (integer.radix() == 8).then_some(integer.as_str())?;
        u64::from_str_radix(octal, 8).ok()
    }

    pub fn is_string(&self) -> bool {
        self.value.get_ref().is_str()
    }

    pub fn is_integer(&self) -> bool {
        self.value.get_ref().is_integer()
    }

    pub fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    fn entries(&self) -> Option<&'d DeTable<'d>> {
        let entries = self.value.get_ref().as_table();
        entries.or_else(|| self.wrong_type(&format!("a table, [{}]", self.key)))
    }

    /// Reads this value as a table.
    pub fn inside<T>(&self, build: impl FnOnce(&Table<'d>) -> T) -> T {
        let table = Table::new(self.document, self.key.clone(), Some(self));
        let built = build(&table);
        table.finish();
        built
    }

    /// The elements of an array, each with its own line; a value that is none stands
    /// for an array of one.
    pub fn elements(&self) -> Vec<Value<'d>> {
        let DeValue::Array(elements) = self.value.get_ref() else {
            return vec![self.clone()];
        };
        let element = |value| Value {
            document: self.document,
            key: self.key.clone(),
            value,
        };
        elements.iter().map(element).collect()
    }
}
