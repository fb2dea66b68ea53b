//! The syntax of `opendkim.conf`: names, values, comments, `Include`.
//!
//! It knows which options there are and of which type, so that an unknown name or a
//! value of the wrong type is an error here as it is for OpenDKIM. What an option
//! means is none of its business.

use std::path::{Path, PathBuf};

use super::options::{self, Kind, Known, Treatment};
use crate::config::{ConfigError, Place};
use crate::import::lines::{self, Line};

/// How deep files may include one another, the first included one being level 1.
const DEEPEST: usize = 5;

/// One option that was set.
#[derive(Debug, Clone)]
pub struct Setting {
    pub known: &'static Known,
    /// As written, without the blanks around it; never empty.
    pub value: String,
    pub place: Place,
}

/// Every setting of a file and of those it includes, in the order of reading.
#[derive(Debug, Clone, Default)]
pub struct Conf {
    pub settings: Vec<Setting>,
}

impl Conf {
    /// Reads the file, and those it includes.
    ///
    /// # Errors
    /// Every line that OpenDKIM would refuse, and every file that cannot be read.
    pub fn read(path: &Path) -> Result<Self, Vec<ConfigError>> {
        let mut reader = Reader::default();
        reader.file(path);
        reader.done()
    }

    /// Reads the text of a file that includes none.
    ///
    /// # Errors
    /// As [`Conf::read`]; an `Include` is one.
    pub fn parse(text: &[u8], name: &str) -> Result<Self, Vec<ConfigError>> {
        let mut reader = Reader {
            depth: DEEPEST,
            ..Reader::default()
        };
        match lines::split(text, name) {
            Ok(lines) => reader.lines(lines),
            Err(error) => reader.errors.push(error),
        }
        reader.done()
    }

    /// The setting that counts: when an option is set more than once, the last.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        let mut settings = self.settings.iter().rev();
        settings.find(|setting| setting.known.name == name)
    }

    /// The options that the importer reads, as one file without `Include`, and without
    /// those named.
    pub fn without(&self, names: &[&str]) -> String {
        let settings = self.settings.iter().filter(|setting| {
            setting.known.treatment == Treatment::Read && !names.contains(&setting.known.name)
        });
        let line = |setting: &Setting| format!("{} {}\n", setting.known.name, setting.value);
        settings.map(line).collect()
    }

    /// An option of type Boolean; `default` when it is not set.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name)
            .and_then(|setting| boolean(&setting.value))
            .unwrap_or(default)
    }

    /// An option of type integer.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(|setting| integer(&setting.value))
    }
}

#[derive(Default)]
struct Reader {
    depth: usize,
    /// The files that are being read, to tell a cycle from a deep tree.
    open: Vec<PathBuf>,
    settings: Vec<Setting>,
    errors: Vec<ConfigError>,
}

impl Reader {
    fn done(self) -> Result<Conf, Vec<ConfigError>> {
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        let settings = self.settings;
        Ok(Conf { settings })
    }

    fn file(&mut self, path: &Path) {
        match lines::read(path, &path.to_string_lossy()) {
            Ok(lines) => {
                self.open.push(identity(path));
                self.lines(lines);
                self.open.pop();
            }
            Err(error) => self.errors.push(error),
        }
    }

    fn lines(&mut self, lines: Vec<Line>) {
        for Line { place, text } in lines {
            let (name, value) = match text.split_once([' ', '\t']) {
                Some((name, value)) => (name, value.trim_matches([' ', '\t'])),
                None => (text.as_str(), ""),
            };
            if name.eq_ignore_ascii_case("Include") {
                self.include(&place, value);
                continue;
            }
            match setting(name, value, &place) {
                Ok(setting) => self.settings.push(setting),
                Err(problem) => self.wrong(&place, name, problem),
            }
        }
    }

    fn include(&mut self, place: &Place, value: &str) {
        let path = Path::new(value);
        if value.is_empty() {
            self.wrong(place, "Include", "has no value".to_owned());
        } else if self.open.contains(&identity(path)) {
            let problem = format!("{value} is being read already; the files include one another");
            self.wrong(place, "Include", problem);
        } else if self.depth >= DEEPEST {
            let problem = format!("is nested more than {DEEPEST} levels deep");
            self.wrong(place, "Include", problem);
        } else {
            self.depth += 1;
            let before = self.errors.len();
            self.file(path);
            // A file that is not there is mended where it is named.
            if let Some(error) = self.errors.get_mut(before)
                && error.place.line == 0
            {
                let problem = format!("{}: {}", error.place.file, error.problem);
                error.place = place.clone();
                error.key = "Include".to_owned();
                error.problem = problem;
            }
            self.depth -= 1;
        }
    }

    fn wrong(&mut self, place: &Place, key: &str, problem: String) {
        self.errors.push(ConfigError {
            place: place.clone(),
            key: printable(key),
            problem,
        });
    }
}

/// What two names of one file have in common.
fn identity(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn setting(name: &str, value: &str, place: &Place) -> Result<Setting, String> {
    let Some(known) = options::find(name) else {
        let nearest = options::nearest(name);
        return Err(match nearest {
            Some(nearest) => format!("is not an option of OpenDKIM; did you mean {nearest}?"),
            None => "is not an option of OpenDKIM; take the line out".to_owned(),
        });
    };
    if value.is_empty() {
        return Err("has no value; OpenDKIM does not start with this line".to_owned());
    }
    let value = value.to_owned();
    let fits = match known.kind {
        Kind::Boolean => boolean(&value).is_some(),
        Kind::Integer => integer(&value).is_some(),
        Kind::Text => true,
    };
    if !fits {
        let wanted = match known.kind {
            Kind::Boolean => "yes or no",
            _ => "a number (in decimal, 0octal or 0xhexadecimal)",
        };
        let value = printable(&value);
        return Err(format!("\"{value}\" is not {wanted}"));
    }
    let place = place.clone();
    Ok(Setting {
        known,
        value,
        place,
    })
}

/// OpenDKIM looks at the first byte alone.
pub fn boolean(value: &str) -> Option<bool> {
    match value.as_bytes().first()? {
        b't' | b'T' | b'y' | b'Y' | b'1' => Some(true),
        b'f' | b'F' | b'n' | b'N' | b'0' => Some(false),
        _ => None,
    }
}

/// A number as C's `strtol` reads it with base 0, of 32 bits: `10`, `010` is 8, `0x10`
/// is 16.
pub fn integer(value: &str) -> Option<i64> {
    let (negative, digits) = match value.strip_prefix(['-', '+']) {
        Some(digits) => (value.starts_with('-'), digits),
        None => (false, value),
    };
    let (digits, base) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    // A second sign would satisfy `from_str_radix`.
    if !digits.starts_with(|first: char| first.is_ascii_hexdigit()) {
        return None;
    }
    let number = i64::from(i32::from_str_radix(digits, base).ok()?);
    Some(if negative { -number } else { number })
}

/// At most 60 characters of `text`, control characters escaped.
pub fn printable(text: &str) -> String {
    let mut out: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> String {
        let errors = Conf::parse(text.as_bytes(), "o.conf").unwrap_err();
        let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
        lines.join("\n")
    }

    #[test]
    fn names_have_no_case_and_the_last_value_counts() {
        let text = b"# comment\n  canonicalization\t relaxed/simple  # why\nUMASK 007\numask 7\n";
        let conf = Conf::parse(text, "o.conf").unwrap();
        let canonicalization = conf.get("Canonicalization").unwrap();
        assert_eq!(canonicalization.value, "relaxed/simple");
        assert_eq!(canonicalization.place.to_string(), "o.conf:2");
        assert_eq!(conf.number("UMask"), Some(7));
        assert_eq!(conf.settings.len(), 3);
    }

    #[test]
    fn numbers_are_read_as_c_does() {
        for (text, number) in [("10", 10), ("010", 8), ("0x1f", 31), ("-1", -1), ("0", 0)] {
            assert_eq!(integer(text), Some(number), "{text}");
        }
        for text in ["", "-", "08", "0x", "1k", "--1", "+-1", "99999999999", "é"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_first_byte_of_a_boolean_counts() {
        let text = b"Syslog true\nLogWhy nope\nSubDomains 1\n";
        let conf = Conf::parse(text, "o.conf").unwrap();
        assert!(conf.flag("Syslog", false));
        assert!(!conf.flag("LogWhy", true));
        assert!(conf.flag("SubDomains", false));
        assert!(conf.flag("RequireSafeKeys", true));
    }

    #[test]
    fn what_opendkim_refuses_is_refused_by_line_and_name() {
        assert_eq!(
            errors("Selctor test\nSyslog maybe\nUMask 0o7\nDomain\nFrobnicate 1\n"),
            "o.conf:1: Selctor: is not an option of OpenDKIM; did you mean Selector?\n\
             o.conf:2: Syslog: \"maybe\" is not yes or no\n\
             o.conf:3: UMask: \"0o7\" is not a number (in decimal, 0octal or 0xhexadecimal)\n\
             o.conf:4: Domain: has no value; OpenDKIM does not start with this line\n\
             o.conf:5: Frobnicate: is not an option of OpenDKIM; take the line out"
        );
    }

    #[test]
    fn files_include_files_but_not_themselves() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let write = |name: &str, text: String| std::fs::write(path(name), text).unwrap();
        let include = |name: &str| format!("Include {}\n", path(name).display());
        write(
            "a",
            format!("Selector a\n{}Domain a.example\n", include("b")),
        );
        write("b", "Selector b\nDomain b.example\n".to_owned());
        let conf = Conf::read(&path("a")).unwrap();
        assert_eq!(conf.get("Selector").unwrap().value, "b");
        assert_eq!(conf.get("Domain").unwrap().value, "a.example");

        write("b", include("a"));
        let error = Conf::read(&path("a")).unwrap_err().remove(0);
        assert_eq!((error.place.line, error.key.as_str()), (1, "Include"));
        assert!(error.problem.ends_with("the files include one another"));

        write("b", include("c"));
        let error = Conf::read(&path("a")).unwrap_err().remove(0);
        assert!(error.place.file.ends_with("/b"), "{error}");
        assert!(error.problem.ends_with("/c: there is no such file"));

        for level in 1..=6 {
            write(
                &format!("deep{level}"),
                include(&format!("deep{}", level + 1)),
            );
        }
        write("deep7", "Selector deep\n".to_owned());
        assert!(Conf::read(&path("deep2")).is_ok());
        let error = Conf::read(&path("deep1")).unwrap_err().remove(0);
        assert_eq!(error.problem, "is nested more than 5 levels deep");
    }
}
