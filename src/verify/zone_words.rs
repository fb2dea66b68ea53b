//! Cutting the text of a zone file (RFC 1035 §5.1) into entries and words:
//! quotation marks, escapes, parentheses over several lines, comments. Knows nothing
//! of records.

use super::record_file::RecordFileError;

/// One word; `bytes` is what it says once escapes are resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub bytes: Vec<u8>,
    pub quoted: bool,
}

impl Word {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn is(&self, word: &str) -> bool {
        !self.quoted && self.bytes.eq_ignore_ascii_case(word.as_bytes())
    }

    pub fn starts_with(&self, first: char) -> bool {
        !self.quoted && self.text().starts_with(first)
    }

    pub fn starts_with_digit(&self) -> bool {
        self.bytes.first().is_some_and(u8::is_ascii_digit)
    }

    /// Whether the word could be a record type: `A`, `NS`, `TYPE65`.
    pub fn is_record_type(&self) -> bool {
        const TYPES: [&str; 24] = [
            "A",
            "AAAA",
            "CAA",
            "CDNSKEY",
            "CDS",
            "CNAME",
            "DNAME",
            "DNSKEY",
            "DS",
            "HINFO",
            "HTTPS",
            "LOC",
            "MX",
            "NAPTR",
            "NS",
            "NSEC",
            "NSEC3",
            "NSEC3PARAM",
            "PTR",
            "RRSIG",
            "SOA",
            "SRV",
            "SSHFP",
            "TLSA",
        ];
        TYPES.iter().any(|known| self.is(known))
            || ["SPF", "SVCB", "URI", "RP"]
                .iter()
                .any(|known| self.is(known))
            || (!self.quoted && self.text().to_ascii_uppercase().starts_with("TYPE"))
    }
}

/// The words of one record, which can go over several lines.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// Where it begins, from 1.
    pub line: usize,
    /// It begins with white space: it has the name of the one before.
    pub indented: bool,
    pub words: Vec<Word>,
}

/// Entries that have words.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, RecordFileError> {
    let mut entries = Vec::new();
    let mut open: Option<Entry> = None;
    let mut depth = 0usize;
    for (at, line) in text.lines().enumerate() {
        let mut entry = match open.take() {
            Some(entry) => entry,
            None if line.starts_with('#') => continue,
            None => Entry {
                line: at + 1,
                indented: line.starts_with([' ', '\t']),
                words: Vec::new(),
            },
        };
        let fresh = depth == 0 && !entry.indented;
        match bare_record(line).filter(|_| fresh) {
            Some((name, text)) => entry.words.extend([
                Word {
                    bytes: name.into(),
                    quoted: false,
                },
                Word {
                    bytes: text.into(),
                    quoted: true,
                },
            ]),
            None => words(line, &mut entry.words, &mut depth)
                .map_err(|problem| RecordFileError::new(at + 1, problem))?,
        }
        if depth > 0 {
            open = Some(entry);
        } else if !entry.words.is_empty() {
            entries.push(entry);
        }
    }
    match open {
        Some(entry) => Err(RecordFileError::new(
            entry.line,
            "the \"(\" of this record is never closed",
        )),
        None => Ok(entries),
    }
}

/// `NAME v=DKIM1; ...`: no quotation marks, and the semicolons belong to the text.
fn bare_record(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_once([' ', '\t'])?;
    let rest = rest.trim();
    let (tag, _) = rest.split_once('=')?;
    let is_tag = matches!(
        tag.trim_end(),
        "v" | "k" | "p" | "h" | "s" | "t" | "n" | "g"
    );
    (is_tag && !name.contains(['"', '='])).then_some((name, rest))
}

/// The words of one line; `depth` counts the open parentheses.
fn words(line: &str, words: &mut Vec<Word>, depth: &mut usize) -> Result<(), String> {
    let mut word: Option<Word> = None;
    let mut inside = false;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                let byte = escaped(&mut rest)?;
                word.get_or_insert_default().bytes.extend(byte);
            }
            '"' if inside => {
                inside = false;
                words.extend(word.take());
            }
            '"' => {
                words.extend(word.take());
                inside = true;
                word = Some(Word {
                    bytes: Vec::new(),
                    quoted: true,
                });
            }
            _ if inside => push(&mut word, c),
            ';' => break,
            '(' => {
                words.extend(word.take());
                *depth += 1;
            }
            ')' => {
                words.extend(word.take());
                *depth = depth
                    .checked_sub(1)
                    .ok_or("there is a \")\" without its \"(\"")?;
            }
            c if c.is_whitespace() => words.extend(word.take()),
            c => push(&mut word, c),
        }
    }
    if inside {
        return Err("a quotation mark is never closed".to_owned());
    }
    words.extend(word);
    Ok(())
}

fn push(word: &mut Option<Word>, c: char) {
    let mut buffer = [0; 4];
    let bytes = c.encode_utf8(&mut buffer).as_bytes();
    word.get_or_insert_default().bytes.extend_from_slice(bytes);
}

/// What follows a backslash: three decimal digits are a byte, anything else is itself.
fn escaped(rest: &mut std::str::Chars<'_>) -> Result<Vec<u8>, String> {
    let mut digits = String::new();
    let mut ahead = rest.clone();
    while let (0..3, Some(c @ '0'..='9')) = (digits.len(), ahead.next()) {
        digits.push(c);
    }
    if digits.len() == 3 {
        rest.nth(2);
        let byte: Result<u8, _> = digits.parse();
        return byte
            .map(|byte| vec![byte])
            .map_err(|_| format!("\\{digits} is not a byte (\\000 to \\255)"));
    }
    match rest.next() {
        Some(c) => Ok(c.to_string().into_bytes()),
        None => Err("a backslash ends the line".to_owned()),
    }
}
