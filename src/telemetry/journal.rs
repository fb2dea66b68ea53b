//! Log lines for systemd's journal in its own protocol, with each field a field of the
//! entry: `journalctl SIGNET_REASON=no-rule`.
//!
//! The journal gets a datagram a line. What it does not take goes to standard error,
//! so that no line is lost, and mail never waits for it longer than a second.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// A datagram is at most as large as the system's send buffer; a line is never near it.
const LONGEST_VALUE: usize = 16 << 10;

/// Writes to the journal.
pub(super) struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journal {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(Duration::from_secs(1)))?;
        // Whether somebody listens; later each line finds the journal anew, which may
        // have been restarted.
        UnixDatagram::unbound()?.connect(path)?;
        Ok(Self {
            socket,
            path: path.to_owned(),
        })
    }
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        let entry = line.entry(*event.metadata().level());
        if let Err(error) = self.socket.send_to(&entry, &self.path) {
            // Where that cannot be written either, nobody is left to tell.
            let _ = writeln!(
                io::stderr(),
                "{} (the journal took no line: {error})",
                line.message()
            );
        }
    }
}

/// What an event says.
#[derive(Default)]
struct Line {
    text: String,
    fields: Vec<(&'static str, String)>,
}

impl Line {
    /// As the text format has it, for people who read the message alone.
    fn message(&self) -> String {
        let mut message = self.text.clone();
        for (name, value) in &self.fields {
            // Writing to a `String` cannot fail.
            let _ = write!(message, " {name}={value}");
        }
        message
    }

    /// The datagram, https://systemd.io/JOURNAL_NATIVE_PROTOCOL.
    fn entry(&self, level: Level) -> Vec<u8> {
        let priority = match level {
            Level::ERROR => "3",
            Level::WARN => "4",
            Level::INFO => "6",
            Level::DEBUG | Level::TRACE => "7",
        };
        let mut entry = Vec::with_capacity(512);
        append(&mut entry, "PRIORITY", priority);
        append(&mut entry, "SYSLOG_IDENTIFIER", "signet");
        append(&mut entry, "MESSAGE", &self.message());
        for (name, value) in &self.fields {
            let name = name.to_ascii_uppercase().replace('.', "_");
            append(&mut entry, &format!("SIGNET_{name}"), value);
        }
        entry
    }
}

fn append(entry: &mut Vec<u8>, name: &str, value: &str) {
    let mut end = value.len().min(LONGEST_VALUE);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    let value = value.get(..end).unwrap_or_default().as_bytes();
    entry.extend_from_slice(name.as_bytes());
    if value.contains(&b'\n') {
        entry.push(b'\n');
        entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend_from_slice(value);
    entry.push(b'\n');
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.text = format!("{value:?}"),
            name => self.fields.push((name, format!("{value:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_the_fields_and_the_line_as_people_read_it() {
        let line = Line {
            text: "not signed".to_owned(),
            fields: vec![
                ("reason", "no-rule".to_owned()),
                ("detail", "two\nlines".to_owned()),
            ],
        };
        let expected = [
            &b"PRIORITY=6\nSYSLOG_IDENTIFIER=signet\n"[..],
            b"MESSAGE\n\x2a\0\0\0\0\0\0\0not signed reason=no-rule detail=two\nlines\n",
            b"SIGNET_REASON=no-rule\n",
            b"SIGNET_DETAIL\n\x09\0\0\0\0\0\0\0two\nlines\n",
        ];
        let entry = line.entry(Level::INFO);
        assert_eq!(
            String::from_utf8_lossy(&entry),
            String::from_utf8_lossy(&expected.concat())
        );
    }

    #[test]
    fn a_value_has_an_end() {
        let mut entry = Vec::new();
        append(&mut entry, "A", &"ä".repeat(LONGEST_VALUE));
        assert_eq!(entry.len(), "A=\n".len() + LONGEST_VALUE);
    }
}
