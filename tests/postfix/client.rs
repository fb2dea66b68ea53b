//! The mail client: an SMTP session with Postfix, command by command, so that a test can do it wrong on purpose.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

use base64ct::{Base64, Encoding};

use crate::accounts::PASSWORD;
use crate::process::DEADLINE;

/// An answer of the server: the code of its last line, and all its text.
#[derive(Clone, Debug)]
pub struct Reply {
    pub code: u16,
    pub text: String,
}

/// One SMTP session.
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects and says EHLO.
    pub fn connect(address: SocketAddr) -> Self {
        let mut client = Self::connect_silently(address);
        client.expect(250, "EHLO client.example");
        client
    }

    /// Connects, reads the greeting, and says nothing yet.
    pub fn connect_silently(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut client = Self {
            stream: BufReader::new(stream),
        };
        let greeting = client.reply();
        assert_eq!(greeting.code, 220, "{}", greeting.text);
        client
    }

    /// Becomes another client in Postfix's eyes: `XCLIENT ADDR=192.0.2.7 NAME=client.example`.
    pub fn connect_as(address: SocketAddr, attributes: &str) -> Self {
        let mut client = Self::connect(address);
        client.expect(220, &format!("XCLIENT {attributes}"));
        client.expect(250, "EHLO client.example");
        client
    }

    /// AUTH PLAIN (RFC 4616), with the password that `Accounts` gives everybody.
    pub fn log_in(&mut self, login: &str) {
        let words = Base64::encode_string(format!("\0{login}\0{PASSWORD}").as_bytes());
        self.expect(235, &format!("AUTH PLAIN {words}"));
    }

    pub fn command(&mut self, line: &str) -> Reply {
        self.write(format!("{line}\r\n").as_bytes());
        self.reply()
    }

    /// A command whose answer must have this code.
    pub fn expect(&mut self, code: u16, line: &str) -> Reply {
        let reply = self.command(line);
        assert_eq!(reply.code, code, "answer to {line}: {}", reply.text);
        reply
    }

    /// A whole transaction that must succeed; `sender` may carry parameters: `<a@example.org> BODY=8BITMIME`.
    pub fn send(&mut self, sender: &str, recipient: &str, message: &[u8]) -> Reply {
        self.expect(250, &format!("MAIL FROM:{sender}"));
        self.expect(250, &format!("RCPT TO:<{recipient}>"));
        let reply = self.data(message);
        assert_eq!(reply.code, 250, "answer to the message: {}", reply.text);
        reply
    }

    /// DATA, the message, the dot.
    pub fn data(&mut self, message: &[u8]) -> Reply {
        self.expect(354, "DATA");
        self.write(&stuffed(message));
        self.reply()
    }

    /// The message in BDAT chunks of `size` bytes.
    pub fn bdat(&mut self, message: &[u8], size: usize) -> Reply {
        let mut chunks = message.chunks(size).peekable();
        while let Some(chunk) = chunks.next() {
            let last = if chunks.peek().is_none() { " LAST" } else { "" };
            self.write(format!("BDAT {}{last}\r\n", chunk.len()).as_bytes());
            self.write(chunk);
            if !last.is_empty() {
                break;
            }
            let reply = self.reply();
            assert_eq!(reply.code, 250, "answer to a chunk: {}", reply.text);
        }
        self.reply()
    }

    pub fn quit(mut self) {
        self.expect(221, "QUIT");
    }

    /// Bytes as they are, without waiting for an answer.
    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// Answers to commands already written, with these codes.
    pub fn expect_replies(&mut self, codes: &[u16]) {
        for code in codes {
            let reply = self.reply();
            assert_eq!(reply.code, *code, "{}", reply.text);
        }
    }

    pub fn reply(&mut self) -> Reply {
        let mut text = String::new();
        loop {
            let start = text.len();
            let read = self.stream.read_line(&mut text).unwrap();
            assert!(
                read > 0,
                "the server closed the connection; so far it said {text:?}"
            );
            let line = &text[start..];
            if line.as_bytes().get(3) != Some(&b'-') {
                let code = line.get(..3).and_then(|code| code.parse().ok());
                return Reply {
                    code: code.unwrap_or_else(|| panic!("not an SMTP answer: {line:?}")),
                    text,
                };
            }
        }
    }
}

/// The message as DATA wants it: dots doubled at the start of lines, whatever ends them, and a dot at the end.
pub fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 64);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !message.is_empty() && !message.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}
