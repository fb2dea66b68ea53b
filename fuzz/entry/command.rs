//! A command is read without a panic, and loses and invents nothing.

use bytes::Bytes;
use signet::milter::Event;
use signet::milter::command::Command;
use signet::milter::frame::Frame;

/// The first byte is the command, the rest its payload.
pub fn run(data: &[u8]) {
    let Some((command, payload)) = data.split_first() else {
        return;
    };
    let frame = Frame {
        command: *command,
        payload: Bytes::copy_from_slice(payload),
    };
    match Command::parse(&frame) {
        Ok(Command::Event(event)) => check(&event, payload),
        Ok(_) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn check(event: &Event<'_>, payload: &[u8]) {
    match event {
        Event::Header { name, value } => {
            assert_eq!([*name, b"\0", *value, b"\0"].concat(), payload);
        }
        Event::Helo(name) => assert_eq!([*name, b"\0"].concat(), payload),
        Event::Body(data) | Event::EndOfMessage(data) => assert_eq!(*data, payload),
        Event::Mail(path) | Event::Recipient(path) => {
            let behind: Vec<u8> = path
                .parameters
                .clone()
                .flat_map(|parameter| [parameter, b"\0"].concat())
                .collect();
            let brackets = if payload.starts_with(&[path.address, b"\0"].concat()) {
                [path.address, b"\0"].concat()
            } else {
                [b"<", path.address, b">\0"].concat()
            };
            assert_eq!([brackets, behind].concat(), payload);
        }
        Event::Connect(connect) => assert!(payload.starts_with(connect.hostname)),
        _ => {}
    }
}
