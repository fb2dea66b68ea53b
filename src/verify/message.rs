//! A message as a verifier sees it: header fields and a body, all lines ended by
//! CRLF. Splits, and does no more: it decodes nothing and judges nothing. It shares
//! no code with the signer, so that one cannot hide a mistake of the other.

use std::fmt;

/// One header field. `name` is everything before the colon, `value` everything after
/// it, the CRLF at its end included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub name: Vec<u8>,
    pub value: Vec<u8>,
}

impl Field {
    /// The name without the white space that some programs put before the colon.
    pub fn bare_name(&self) -> &[u8] {
        self.name.trim_ascii_end()
    }

    pub fn is(&self, name: &str) -> bool {
        self.bare_name().eq_ignore_ascii_case(name.as_bytes())
    }
}

/// What was unusual about the file; none of it is a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Every line ended in LF, as Unix files do.
    LineEnds,
    /// So many lines ended in LF, the others in CRLF.
    MixedLineEnds(usize),
    /// The first line was the `From ` line of a mailbox file.
    MailboxLine,
    /// This line is not a header field; the body was taken to begin with it.
    NotAField(String),
    /// So many `From:` fields; RFC 5322 allows one.
    FromFields(usize),
}

impl Note {
    /// A name for programs; it does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Note::LineEnds => "line-ends",
            Note::MixedLineEnds(_) => "mixed-line-ends",
            Note::MailboxLine => "mailbox-line",
            Note::NotAField(_) => "not-a-field",
            Note::FromFields(_) => "from-fields",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::LineEnds => f.write_str(
                "the lines of the file end in LF; they were read as CRLF, which is what mail has",
            ),
            Note::MixedLineEnds(count) => write!(
                f,
                "some lines of the file ({count}) end in LF and the others in CRLF; all were read \
                 as CRLF"
            ),
            Note::MailboxLine => {
                f.write_str("the first line, a mailbox file's \"From \" line, was left out")
            }
            Note::NotAField(line) => write!(
                f,
                "the line \"{}\" is not a header field; the body was taken to begin there",
                line.escape_debug()
            ),
            Note::FromFields(0) => f.write_str("the message has no From field"),
            Note::FromFields(count) => write!(
                f,
                "the message has {count} From fields, where one is allowed (RFC 5322 §3.6)"
            ),
        }
    }
}

/// A message, split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub(super) fields: Vec<Field>,
    pub(super) body: Vec<u8>,
    notes: Vec<Note>,
}

impl Message {
    /// Splits a message as it is in a file or on the wire. Every input is some
    /// message; what was odd about it is in [`Message::notes`].
    pub fn read(bytes: &[u8]) -> Self {
        let mut notes = Vec::new();
        let text = with_crlf(bytes, &mut notes);
        let mut rest: &[u8] = &text;
        if rest.starts_with(b"From ") {
            notes.push(Note::MailboxLine);
            rest = after_line(rest).1;
        }
        let mut fields: Vec<Field> = Vec::new();
        loop {
            let (line, tail) = after_line(rest);
            let folded = matches!(line.first(), Some(b' ' | b'\t'));
            if line == b"\r\n" || line.is_empty() {
                rest = tail;
                break;
            } else if let (true, Some(field)) = (folded, fields.last_mut()) {
                field.value.extend_from_slice(line);
            } else if let Some((name, value)) = split_field(line) {
                fields.push(Field {
                    name: name.to_vec(),
                    value: value.to_vec(),
                });
            } else {
                // As Postfix does: what is no header field begins the body.
                let shown = String::from_utf8_lossy(line.trim_ascii());
                notes.push(Note::NotAField(shown.chars().take(60).collect()));
                break;
            }
            rest = tail;
        }
        if let Some(last) = fields.last_mut()
            && !last.value.ends_with(b"\r\n")
        {
            last.value.extend_from_slice(b"\r\n");
        }
        match fields.iter().filter(|field| field.is("from")).count() {
            1 => {}
            count => notes.push(Note::FromFields(count)),
        }
        Self {
            fields,
            body: rest.to_vec(),
            notes,
        }
    }

    /// What was unusual about the file.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The same header section without the body.
    pub(super) fn header_only(&self) -> Self {
        Self {
            fields: self.fields.clone(),
            body: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The `DKIM-Signature` fields from the top down, with their places in `fields`.
    pub(super) fn signature_fields(&self) -> impl Iterator<Item = (usize, &Field)> {
        let numbered = self.fields.iter().enumerate();
        numbered.filter(|(_, field)| field.is("dkim-signature"))
    }
}

/// Every LF that no CR precedes becomes CRLF.
fn with_crlf(bytes: &[u8], notes: &mut Vec<Note>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    let (mut bare, mut whole) = (0, 0);
    for &byte in bytes {
        if byte == b'\n' && out.last() != Some(&b'\r') {
            out.push(b'\r');
            bare += 1;
        } else if byte == b'\n' {
            whole += 1;
        }
        out.push(byte);
    }
    match (bare, whole) {
        (0, _) => {}
        (_, 0) => notes.push(Note::LineEnds),
        _ => notes.push(Note::MixedLineEnds(bare)),
    }
    out
}

/// The first line with its CRLF, and what follows it.
fn after_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
    bytes.split_at_checked(end).unwrap_or((bytes, &[]))
}

/// Name and value of a line that begins a field (RFC 5322 §2.2, and white space
/// before the colon as in §4.5.8).
fn split_field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = line.split_at_checked(memchr::memchr(b':', line)?)?;
    let bare = name.trim_ascii_end();
    let legal = !bare.is_empty() && bare.iter().all(|b| (33..=126).contains(b));
    legal.then_some((name, value.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_folds_and_the_body_its_bytes() {
        let message = Message::read(b"A: b\r\n c\r\nFrom : x\r\n\r\nbody\r\n \r\n");
        assert_eq!(message.fields[0].value, b" b\r\n c\r\n");
        assert_eq!(message.fields[1].bare_name(), b"From");
        assert_eq!(message.body, b"body\r\n \r\n");
        assert_eq!(message.notes(), []);
    }

    #[test]
    fn a_unix_file_is_read_as_mail() {
        let message = Message::read(b"From x Mon Jan 1 00:00:00 2026\nFrom: x\n\nbody\n");
        assert_eq!(message.body, b"body\r\n");
        assert_eq!(message.notes(), [Note::LineEnds, Note::MailboxLine]);
    }

    #[test]
    fn the_last_field_counts_without_a_line_end() {
        let message = Message::read(b"To: a\r\nFrom: x");
        assert_eq!(message.fields[1].value, b" x\r\n");
        assert_eq!(message.body, b"");
    }

    #[test]
    fn a_line_that_is_no_field_begins_the_body() {
        let message = Message::read(b"From: x\r\nhello\r\n\r\nthere\r\n");
        assert_eq!(message.body, b"hello\r\n\r\nthere\r\n");
        assert_eq!(message.notes(), [Note::NotAField("hello".into())]);
    }
}
