//! What there is to say: a client, an envelope, a message. And what became of the
//! message when the filter's edits were carried out.

use std::net::SocketAddr;

use thiserror::Error;

use super::dialogue::Edit;

/// An SMTP client, or the mail system itself for mail that did not come by SMTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its name, or its address in brackets.
    pub hostname: String,
    /// `None` is sent as Postfix sends a client that it does not know.
    pub address: Option<SocketAddr>,
    pub helo: String,
    /// Macros known at every stage, with names without braces. `j`, `v`,
    /// `client_addr` and the like.
    pub macros: Vec<(String, String)>,
}

impl Client {
    /// A client of a Postfix called `mx.example.com`, with the macros that Postfix has
    /// of it.
    pub fn new(hostname: &str, address: SocketAddr) -> Self {
        let ip = address.ip().to_string();
        let macros = [
            ("j", "mx.example.com"),
            ("v", "Postfix 3.7.11"),
            ("_", &*format!("{hostname} [{ip}]")),
            ("daemon_name", "mx.example.com"),
            ("daemon_addr", "127.0.0.1"),
            ("client_addr", &*ip),
            ("client_name", hostname),
            ("client_port", &*address.port().to_string()),
        ];
        Self {
            hostname: hostname.into(),
            address: Some(address),
            helo: hostname.into(),
            macros: macros
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
        }
    }
}

/// The envelope of one message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Without `<` and `>`; empty is the null sender.
    pub sender: String,
    /// ESMTP parameters of MAIL.
    pub parameters: Vec<String>,
    pub recipients: Vec<String>,
    /// Mechanism and name, when the client has authenticated.
    pub login: Option<(String, String)>,
    pub queue_id: String,
    /// Mail from `sendmail`: addresses come without brackets, the queue id at MAIL.
    pub not_by_smtp: bool,
    /// Macros known from MAIL on, with names without braces; they win over those that
    /// follow from the rest of the envelope.
    pub macros: Vec<(String, String)>,
}

/// A message as Postfix shows it to a filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// Names, and values with everything behind the colon; folds are a bare LF with
    /// white space.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// Lines end in CRLF, the last one too.
    pub body: Vec<u8>,
}

/// A filter's edit that [`Message::edited`] does not carry out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the filter edits the message by '{}', which is not followed here", char::from(*.0))]
pub struct UnknownEdit(pub u8);

impl Message {
    /// Splits a message as Postfix does: lines end in CRLF or LF, the first line that
    /// is no field ends the header section and begins the body, white space before a
    /// colon is dropped, a value ends at a NUL, a last line without an end gets one.
    pub fn parse(text: &[u8]) -> Self {
        let mut fields: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut lines = text.split_inclusive(|byte| *byte == b'\n').peekable();
        while let Some(raw) = lines.peek() {
            let line = strip_line_end(raw);
            if line.is_empty() {
                lines.next();
                break;
            }
            if let (true, Some((_, value))) = (starts_white(line), fields.last_mut()) {
                value.push(b'\n');
                value.extend_from_slice(line);
            } else if let Some((name, value)) = split_field(line) {
                fields.push((name.to_vec(), value.to_vec()));
            } else {
                break;
            }
            lines.next();
        }
        for (_, value) in &mut fields {
            if let Some(at) = memchr::memchr(0, value) {
                value.truncate(at);
            }
        }
        let mut body = Vec::new();
        for line in lines {
            body.extend_from_slice(strip_line_end(line));
            body.extend_from_slice(b"\r\n");
        }
        Self { fields, body }
    }

    /// The message with a filter's edits carried out, in their order and as Postfix
    /// carries them out. `leading_space` is what was agreed on.
    ///
    /// # Errors
    /// For edits other than inserting and appending fields.
    pub fn edited(&self, edits: &[Edit], leading_space: bool) -> Result<Self, UnknownEdit> {
        let written = |value: &[u8]| {
            let space: &[u8] = if leading_space { b"" } else { b" " };
            [space, value].concat()
        };
        let mut message = self.clone();
        for edit in edits {
            match edit {
                Edit::Insert { index, name, value } => {
                    let index = (*index as usize).min(message.fields.len());
                    let field = (name.clone(), written(value));
                    message.fields.insert(index, field);
                }
                Edit::Append { name, value } => {
                    message.fields.push((name.clone(), written(value)));
                }
                Edit::Other(code) => return Err(UnknownEdit(*code)),
            }
        }
        Ok(message)
    }

    /// The bytes as they are delivered: every line ends in CRLF.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in &self.fields {
            out.extend_from_slice(name);
            out.push(b':');
            for (at, line) in value.split(|byte| *byte == b'\n').enumerate() {
                if at > 0 {
                    out.extend_from_slice(b"\r\n");
                }
                out.extend_from_slice(line);
            }
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
        out
    }
}

fn strip_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn starts_white(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

/// Name and value of a field's first line; `None` when it is no field (RFC 5322 §3.6.8
/// for the name).
fn split_field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let (name, rest) = line.split_at_checked(colon)?;
    let name = name.trim_ascii_end();
    let fits = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    fits.then_some((name, rest.strip_prefix(b":")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(message: &Message) -> Vec<(&str, &str)> {
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        message
            .fields
            .iter()
            .map(|(name, value)| (text(name.as_slice()), text(value.as_slice())))
            .collect()
    }

    #[test]
    fn a_message_is_split_as_postfix_splits_it() {
        let message = Message::parse(b"A: 1\r\n 2\r\nB:\r\nC : 3\nnot a field\r\n\r\nend");
        assert_eq!(fields(&message), [("A", " 1\n 2"), ("B", ""), ("C", " 3")]);
        assert_eq!(message.body, b"not a field\r\n\r\nend\r\n");
        assert_eq!(
            message.to_bytes(),
            b"A: 1\r\n 2\r\nB:\r\nC: 3\r\n\r\nnot a field\r\n\r\nend\r\n"
        );
        assert_eq!(Message::parse(b""), Message::default());
    }

    #[test]
    fn edits_are_carried_out_one_after_the_other() {
        let message = Message::parse(b"A: 1\r\n\r\n");
        let insert = |index, name: &str| Edit::Insert {
            index,
            name: name.into(),
            value: b" v\n\tw".to_vec(),
        };
        let edits = [
            insert(0, "S1"),
            insert(0, "S2"),
            insert(9, "S3"),
            Edit::Append {
                name: b"S4".to_vec(),
                value: b" v".to_vec(),
            },
        ];
        let edited = message.edited(&edits, true).unwrap();
        let names: Vec<_> = fields(&edited).iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["S2", "S1", "A", "S3", "S4"]);
        assert!(edited.to_bytes().starts_with(b"S2: v\r\n\tw\r\nS1: v"));
        assert_eq!(
            message.edited(&[Edit::Other(b'b')], true),
            Err(UnknownEdit(b'b'))
        );
    }
}
