//! A milter that changes every message in one way, as spam filters, disclaimers and list tools do.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use bytes::BytesMut;
use signet::milter::frame::{self, Frame};

/// What it does at the end of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    AddsAField,
    Subject,
    Footer,
}

impl Change {
    /// The bit of the negotiation that it asks Postfix for: `SMFIF_ADDHDRS`, `SMFIF_CHGHDRS`, `SMFIF_CHGBODY`.
    fn right(self) -> u32 {
        match self {
            Self::AddsAField => 0x1,
            Self::Subject => 0x10,
            Self::Footer => 0x2,
        }
    }

    /// What it leaves in the message.
    pub fn trace(self) -> &'static str {
        match self {
            Self::AddsAField => "X-Checked: yes",
            Self::Subject => "Subject: [EXT] A subject",
            Self::Footer => "-- \r\nConfidential.\r\n",
        }
    }
}

/// A running milter. Its threads end with their connections; the listening one ends with the test process.
pub struct Altering {
    address: SocketAddr,
}

impl Altering {
    pub fn start(change: Change) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for postfix in listener.incoming().flatten() {
                thread::spawn(move || serve(postfix, change));
            }
        });
        Self { address }
    }

    /// As main.cf has it.
    pub fn inet(&self) -> String {
        format!("inet:{}", self.address)
    }
}

fn serve(mut postfix: TcpStream, change: Change) {
    let mut received = BytesMut::new();
    let mut chunk = [0; 16384];
    let mut body = Vec::new();
    while let Ok(length @ 1..) = postfix.read(&mut chunk) {
        received.extend_from_slice(&chunk[..length]);
        while let Some(command) = frame::decode(&mut received, frame::DEFAULT_LIMIT).unwrap() {
            if postfix
                .write_all(&answer(&command, change, &mut body))
                .is_err()
            {
                return;
            }
        }
    }
}

/// What a milter owes for a packet.
fn answer(command: &Frame, change: Change, body: &mut Vec<u8>) -> Vec<u8> {
    let go_on = packet(b'c', &[]);
    match command.command {
        b'O' => {
            let words = [6, change.right(), 0].map(u32::to_be_bytes);
            packet(b'O', &[words.as_flattened()])
        }
        // Macros, and the end of a session.
        b'D' | b'Q' => Vec::new(),
        b'A' => {
            body.clear();
            Vec::new()
        }
        b'B' => {
            body.extend_from_slice(&command.payload);
            go_on
        }
        b'E' => {
            body.extend_from_slice(&command.payload);
            let edit = match change {
                Change::AddsAField => packet(b'h', &[b"X-Checked\0yes\0"]),
                Change::Subject => {
                    let first = 1_u32.to_be_bytes();
                    packet(b'm', &[&first, b"Subject\0[EXT] A subject\0"])
                }
                Change::Footer => packet(b'b', &[body, change.trace().as_bytes()]),
            };
            body.clear();
            [edit, go_on].concat()
        }
        _ => go_on,
    }
}

fn packet(letter: u8, parts: &[&[u8]]) -> Vec<u8> {
    let payload = parts.concat();
    let length = u32::try_from(payload.len() + 1).unwrap();
    [&length.to_be_bytes()[..], &[letter], &payload].concat()
}
