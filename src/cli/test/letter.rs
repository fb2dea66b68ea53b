//! The mail that is sent: its text, and the number that tells it from every other one.
//!
//! The number stands in the Message-ID, the Subject and the text, because servers on the
//! way may rewrite or drop any of them. It does not stand in a text of the user's.

use std::path::Path;
use std::time::SystemTime;

use super::Problem;
use crate::cli::message_file::read_message;
use crate::names::Address;

/// Everything that is easily broken on the way: text beyond ASCII, space at the end of a
/// line, a dot and a From at its start.
const TEXT: &str = "Text beyond ASCII: Grüße, 你好.\r\n\
    A line that ends in two spaces  \r\n.A line that begins with a dot.\r\n\
    From the start of a line.\r\n\r\n-- \r\nsignet\r\n";

/// The mail before it is addressed.
pub struct Draft {
    number: String,
    body: String,
}

impl Draft {
    /// With the text of a file, or our own.
    ///
    /// # Errors
    /// When the file is no text.
    pub fn new(file: Option<&Path>) -> Result<Self, Problem> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let number = format!("{:x}", now.as_nanos());
        let body = match file {
            Some(file) => from_file(file)?,
            None => format!("This mail tests signet. Its number is {number}.\r\n\r\n{TEXT}"),
        };
        Ok(Self { number, body })
    }

    /// A word that no other message has.
    pub fn number(&self) -> &str {
        &self.number
    }

    pub fn subject(&self) -> String {
        format!("A test of signet, number {}", self.number)
    }

    pub fn id(&self, from: &Address) -> String {
        format!("<signet-test-{}@{}>", self.number, from.domain)
    }

    /// The message, with line ends CRLF.
    pub fn addressed(&self, from: &Address, to: &str) -> Result<Vec<u8>, Problem> {
        let date = jiff::Timestamp::try_from(SystemTime::now())?;
        let date = date.strftime("%a, %d %b %Y %H:%M:%S +0000");
        Ok(format!(
            "Date: {date}\r\nFrom: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n\
             Message-ID: {id}\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}",
            subject = self.subject(),
            id = self.id(from),
            body = self.body,
        )
        .into_bytes())
    }
}

fn from_file(file: &Path) -> Result<String, Problem> {
    let text = String::from_utf8(read_message(Some(file))?)
        .map_err(|_| format!("{} is not UTF-8, as the test mail is", file.display()))?;
    let lines = text.lines().map(|line| format!("{line}\r\n"));
    Ok(lines.collect())
}
