//! A relay between Postfix and the milter that can strike at a chosen packet: the only way to hit a milter in the midst of a header
//! section or a body, which Postfix streams in one go.

use std::fs;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::BytesMut;
use signet::milter::frame::{self, Frame};

use crate::instance::account;

/// What happens when the packet passes.
type Strike = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Trap(Mutex<Option<Armed>>);

struct Armed {
    command: u8,
    /// So many more of these packets pass first.
    pass: usize,
    strike: Strike,
}

/// A running relay. Its threads end with their connections; the listening one ends with the test process.
pub struct Relay {
    trap: Arc<Trap>,
}

impl Relay {
    /// Listens on `path`, where Postfix looks for the milter, and passes on to the milter's own socket.
    pub fn start(path: &Path, milter: PathBuf) -> Self {
        let listener = listen(path);
        let trap = Arc::<Trap>::default();
        let relay = Self {
            trap: Arc::clone(&trap),
        };
        thread::spawn(move || {
            for postfix in listener.incoming().flatten() {
                // Without a milter Postfix sees its connection close.
                let Ok(milter) = UnixStream::connect(&milter) else {
                    continue;
                };
                let (from, to) = (milter.try_clone().unwrap(), postfix.try_clone().unwrap());
                thread::spawn(move || pass_back(from, to));
                let trap = Arc::clone(&trap);
                thread::spawn(move || pass_on(postfix, milter, &trap));
            }
        });
        relay
    }

    /// Once, when the packet with this letter comes that has `pass` like it before it, does `strike` before passing it on.
    pub fn strike_at(&self, command: u8, pass: usize, strike: impl FnOnce() + Send + 'static) {
        *self.trap.0.lock().unwrap() = Some(Armed {
            command,
            pass,
            strike: Box::new(strike),
        });
    }

    /// Whether the packet has come.
    pub fn has_struck(&self) -> bool {
        self.trap.0.lock().unwrap().is_none()
    }
}

impl Trap {
    fn spring(&self, command: u8) {
        let mut armed = self.0.lock().unwrap();
        let due = armed.take_if(|armed| {
            let of_these = armed.command == command;
            let due = of_these && armed.pass == 0;
            armed.pass -= usize::from(of_these && !due);
            due
        });
        if let Some(armed) = due {
            (armed.strike)();
        }
    }
}

/// A socket that Postfix, and nobody else, may connect to.
pub fn listen(path: &Path) -> UnixListener {
    let listener = UnixListener::bind(path).unwrap();
    chown(path, None, Some(account("group", "postfix"))).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o660)).unwrap();
    listener
}

fn pass_on(mut postfix: UnixStream, mut milter: UnixStream, trap: &Trap) {
    let mut received = BytesMut::new();
    let mut chunk = [0; 16384];
    while let Ok(length @ 1..) = postfix.read(&mut chunk) {
        received.extend_from_slice(&chunk[..length]);
        while let Some(frame) = frame::decode(&mut received, frame::DEFAULT_LIMIT).unwrap() {
            trap.spring(frame.command);
            if write(&mut milter, &frame).is_err() {
                let _ = postfix.shutdown(Shutdown::Both);
                return;
            }
        }
    }
    let _ = milter.shutdown(Shutdown::Both);
}

fn pass_back(mut milter: UnixStream, mut postfix: UnixStream) {
    let _ = io::copy(&mut milter, &mut postfix);
    let _ = postfix.shutdown(Shutdown::Both);
}

fn write(milter: &mut UnixStream, frame: &Frame) -> io::Result<()> {
    let length = u32::try_from(frame.payload.len() + 1).unwrap();
    milter.write_all(&length.to_be_bytes())?;
    milter.write_all(&[frame.command])?;
    milter.write_all(&frame.payload)
}
