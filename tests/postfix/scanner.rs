//! A content filter, as amavis is one: takes mail from Postfix by SMTP, changes it or not, and hands it to a second smtpd, in one session.
//! It serves behind the queue (`content_filter`) and before it (`smtpd_proxy_filter`).

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, OnceLock};
use std::thread;

use crate::client::stuffed;

/// What it does to a message; line ends are CRLF.
pub type Edit = fn(&mut Vec<u8>);

/// A footer below the message.
pub fn footer(message: &mut Vec<u8>) {
    message.extend_from_slice(b"-- \r\nScanned.\r\n");
}

/// A running filter. Its threads end with their connections; the listening one ends with the test process.
pub struct Scanner {
    address: SocketAddr,
    back: Arc<OnceLock<SocketAddr>>,
}

impl Scanner {
    pub fn start(edit: Edit) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let back = Arc::<OnceLock<SocketAddr>>::default();
        let leads = Arc::clone(&back);
        thread::spawn(move || {
            for postfix in listener.incoming().flatten() {
                let Some(back) = leads.get().copied() else {
                    continue;
                };
                thread::spawn(move || serve(&postfix, back, edit));
            }
        });
        Self { address, back }
    }

    /// Where it hands mail to, from now on.
    pub fn leads_to(&self, smtpd: SocketAddr) {
        self.back.set(smtpd).unwrap();
    }

    /// As `content_filter` wants it.
    pub fn queued(&self) -> String {
        format!("content_filter=smtp:[127.0.0.1]:{}", self.address.port())
    }

    /// As `smtpd_proxy_filter` wants it.
    pub fn proxy(&self) -> String {
        format!("smtpd_proxy_filter={}", self.address)
    }
}

fn serve(postfix: &TcpStream, back: SocketAddr, edit: Edit) -> io::Result<()> {
    let mut smtpd = TcpStream::connect(back)?;
    smtpd.set_nodelay(true)?;
    let (mut answers, mut to) = (smtpd.try_clone()?, postfix.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut answers, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let mut reader = BufReader::new(postfix.try_clone()?);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        smtpd.write_all(&line)?;
        if line.eq_ignore_ascii_case(b"DATA\r\n") {
            let mut message = read_message(&mut reader)?;
            edit(&mut message);
            smtpd.write_all(&stuffed(&message))?;
        }
        line.clear();
    }
    smtpd.shutdown(Shutdown::Write)
}

/// Up to the dot, without it, and with dots unstuffed.
fn read_message(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        if line == b".\r\n" {
            return Ok(message);
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        line.clear();
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}
