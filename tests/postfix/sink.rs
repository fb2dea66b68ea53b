//! The next hop: a small SMTP server that keeps what Postfix hands it, byte for byte.
//!
//! It announces 8BITMIME and SMTPUTF8, so that Postfix has no cause to convert anything, and no CHUNKING. A recipient whose address begins
//! with `refused` is refused for good, one that begins with `deferred` for now.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use crate::process::DEADLINE;

/// One transaction as it arrived.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What followed `MAIL FROM:`, parameters included.
    pub mail: String,
    /// What followed each accepted `RCPT TO:`, without angle brackets and parameters.
    pub recipients: Vec<String>,
    /// The message, dots unstuffed, CRLF line ends, without the final dot.
    pub message: Vec<u8>,
}

/// A running sink. Its threads end with their connections; the listening one ends with the test process.
pub struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    deliveries: Mutex<Vec<Delivery>>,
    arrived: Condvar,
}

impl Sink {
    /// Listens. An error means that the address is taken.
    pub fn start(address: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&accepting);
                thread::spawn(move || {
                    let _ = serve(&stream, &shared);
                });
            }
        });
        Ok(Self { address, shared })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first message for `recipient`; waits for it.
    pub fn wait_for(&self, recipient: &str) -> Delivery {
        let deadline = Instant::now() + DEADLINE;
        let mut deliveries = self.shared.deliveries.lock().unwrap();
        loop {
            if let Some(delivery) = deliveries
                .iter()
                .find(|delivery| delivery.is_for(recipient))
            {
                return delivery.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "no message for {recipient} arrived within {DEADLINE:?}"
            );
            deliveries = self
                .shared
                .arrived
                .wait_timeout(deliveries, left)
                .unwrap()
                .0;
        }
    }

    /// How many messages for `recipient` have arrived so far.
    pub fn count_for(&self, recipient: &str) -> usize {
        self.shared
            .deliveries
            .lock()
            .unwrap()
            .iter()
            .filter(|delivery| delivery.is_for(recipient))
            .count()
    }
}

impl Delivery {
    fn is_for(&self, recipient: &str) -> bool {
        self.recipients.iter().any(|each| each == recipient)
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let answer = |text: &str| (&mut &*stream).write_all(format!("{text}\r\n").as_bytes());
    let mut mail = String::new();
    let mut recipients = Vec::new();
    answer("220 sink.test ESMTP")?;
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        match line.get(..4).map(str::to_ascii_uppercase).as_deref() {
            Some("EHLO") => {
                answer("250-sink.test\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 PIPELINING")?
            }
            Some("MAIL") => {
                mail = argument(&line).to_owned();
                recipients.clear();
                answer("250 2.1.0 sender ok")?;
            }
            Some("RCPT") => {
                let recipient = argument(&line)
                    .split(['<', '>'])
                    .nth(1)
                    .unwrap_or_default()
                    .to_owned();
                if recipient.starts_with("refused") {
                    answer("550 5.1.1 no such mailbox")?;
                } else if recipient.starts_with("deferred") {
                    answer("450 4.2.1 come back later")?;
                } else {
                    recipients.push(recipient);
                    answer("250 2.1.5 recipient ok")?;
                }
            }
            Some("DATA") if recipients.is_empty() => answer("554 5.5.1 no valid recipients")?,
            Some("DATA") => {
                answer("354 end with a dot")?;
                let message = read_message(&mut reader)?;
                let delivery = Delivery {
                    mail: mail.clone(),
                    recipients: std::mem::take(&mut recipients),
                    message,
                };
                shared.deliveries.lock().unwrap().push(delivery);
                shared.arrived.notify_all();
                answer("250 2.0.0 taken")?;
            }
            Some("QUIT") => return answer("221 2.0.0 bye"),
            Some("HELO" | "RSET" | "NOOP") => answer("250 2.0.0 ok")?,
            _ => answer("502 5.5.2 unknown command")?,
        }
    }
}

/// What stands after the colon of MAIL FROM: or RCPT TO:.
fn argument(line: &str) -> &str {
    line.split_once(':')
        .map_or("", |(_, argument)| argument.trim())
}

fn read_message(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let start = message.len();
        if reader.read_until(b'\n', &mut message)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if message[start..] == *b".\r\n" {
            message.truncate(start);
            return Ok(message);
        }
        if message[start] == b'.' {
            message.remove(start);
        }
    }
}
