//! The recorded conversations of `tests/transcripts/`.

use std::fs;
use std::path::{Path, PathBuf};

/// One packet: its command and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    pub command: u8,
    pub payload: Vec<u8>,
}

impl Packet {
    pub fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(1 + self.payload.len()).unwrap();
        [&length.to_be_bytes()[..], &[self.command], &self.payload].concat()
    }
}

/// One connection of a recording.
#[derive(Debug, Default)]
pub struct Connection {
    pub from_mta: Vec<Packet>,
    pub from_filter: Vec<Packet>,
}

pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

/// The names of all recordings.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "hex"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

pub fn load(name: &str) -> Vec<Connection> {
    let text = fs::read_to_string(directory().join(format!("{name}.hex"))).unwrap();
    let mut connections = Vec::new();
    for line in text.lines() {
        if line.starts_with("## ") {
            connections.push(Connection::default());
        } else if let Some(hex) = line.strip_prefix("> ") {
            let packets = packets(hex);
            assert_eq!(packets.len(), 1, "{name}: one packet a line");
            connections.last_mut().unwrap().from_mta.extend(packets);
        } else if let Some(hex) = line.strip_prefix("< ") {
            let connection = connections.last_mut().unwrap();
            connection.from_filter.extend(packets(hex));
        }
    }
    assert!(!connections.is_empty(), "{name} holds no connection");
    connections
}

fn packets(hex: &str) -> Vec<Packet> {
    let bytes: Vec<u8> = (0..hex.trim().len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    let mut rest = &bytes[..];
    let mut packets = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let (packet, behind) = behind.split_at(u32::from_be_bytes(*length) as usize);
        packets.push(Packet {
            command: packet[0],
            payload: packet[1..].to_vec(),
        });
        rest = behind;
    }
    assert!(rest.is_empty(), "half a packet in a recording");
    packets
}
