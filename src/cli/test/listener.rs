//! An SMTP server that takes one message and is gone: where the test mail arrives. It
//! relays nothing and keeps nothing.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// The largest message that is taken; the one that was sent has a kilobyte.
const LARGEST: usize = 10 << 20;

/// SMTP's own limit is 512; Postfix sends no longer command.
const LONGEST_COMMAND: u64 = 4096;

const PATIENCE: Duration = Duration::from_secs(30);

/// Where one message is expected; what arrives has CRLF line ends, and not the dots that
/// SMTP doubles.
pub struct Listener {
    arrivals: Receiver<Vec<u8>>,
    strangers: Arc<AtomicUsize>,
}

impl Listener {
    /// Listens from now on, for messages that hold `mark`.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn start(address: SocketAddr, eight_bit: bool, mark: String) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let (send, arrivals) = mpsc::channel();
        let strangers = Arc::new(AtomicUsize::new(0));
        let others = strangers.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Ok(Some(message)) = serve(&stream, eight_bit) else {
                    continue;
                };
                let found = memchr::memmem::find(&message, mark.as_bytes()).is_some();
                if !found {
                    others.fetch_add(1, Ordering::Relaxed);
                } else if send.send(message).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            arrivals,
            strangers,
        })
    }

    /// How many messages came that were not the one.
    pub fn strangers(&self) -> usize {
        self.strangers.load(Ordering::Relaxed)
    }

    /// The message, if it comes in time.
    pub fn wait(&self, time: Duration) -> Option<Vec<u8>> {
        self.arrivals.recv_timeout(time).ok()
    }
}

/// One session, to its end or to its first message.
fn serve(stream: &TcpStream, eight_bit: bool) -> io::Result<Option<Vec<u8>>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream);
    let say = |text: &str| {
        let mut stream = stream;
        stream.write_all(text.as_bytes())
    };
    say("220 signet-test.invalid ESMTP, for one message\r\n")?;
    let mut arrival = None;
    loop {
        let mut line = String::new();
        let limited = reader.by_ref().take(LONGEST_COMMAND).read_line(&mut line);
        if limited? == 0 {
            return Ok(arrival);
        }
        let upper = line.trim_end().to_ascii_uppercase();
        match upper.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" if eight_bit => say("250-signet-test.invalid\r\n250 8BITMIME\r\n")?,
            "EHLO" | "HELO" => say("250 signet-test.invalid\r\n")?,
            "MAIL" | "RCPT" | "RSET" | "NOOP" => say("250 2.0.0 Ok\r\n")?,
            "DATA" => {
                say("354 go on\r\n")?;
                let message = data(&mut reader)?;
                say("250 2.0.0 taken\r\n")?;
                arrival = Some(message);
            }
            "QUIT" => {
                say("221 2.0.0 bye\r\n")?;
                return Ok(arrival);
            }
            _ => say("502 5.5.1 not here\r\n")?,
        }
    }
}

fn data(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let mut line = Vec::new();
        let room = LARGEST.saturating_sub(message.len()) as u64;
        if reader.by_ref().take(room).read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(message);
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
