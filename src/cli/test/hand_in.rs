//! Hands the test mail to Postfix, as a program on this machine does or by SMTP.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Args, Problem};

const SENDMAIL: &str = "/usr/sbin/sendmail";

/// Sends the message (line ends CRLF) and says how.
pub fn send(args: &Args, from: &str, to: &str, message: &[u8]) -> Result<String, Problem> {
    match args.smtp {
        Some(server) => {
            by_smtp(server, from, to, message)?;
            Ok(format!("by SMTP at {server}"))
        }
        None => {
            by_command(args, from, to, message)?;
            Ok(format!("by {SENDMAIL}"))
        }
    }
}

fn by_command(args: &Args, from: &str, to: &str, message: &[u8]) -> Result<(), Problem> {
    let mut command = Command::new(SENDMAIL);
    if let Some(config) = &args.postfix_config {
        command.arg("-C").arg(config);
    }
    let mut child = command
        .args(["-i", "-f", from, "--", to])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{SENDMAIL} cannot be run: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        let text = String::from_utf8_lossy(message).replace("\r\n", "\n");
        input.write_all(text.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{SENDMAIL} does not take the mail: {}", said.trim()).into())
}

fn by_smtp(server: SocketAddr, from: &str, to: &str, message: &[u8]) -> Result<(), Problem> {
    let patience = Duration::from_secs(60);
    let mut stream = TcpStream::connect_timeout(&server, patience)
        .map_err(|error| format!("cannot connect to {server}: {error}"))?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let mut replies = BufReader::new(stream.try_clone()?);
    let mut said = |expected: char| -> Result<(), Problem> {
        loop {
            let mut line = String::new();
            if replies.read_line(&mut line)? == 0 {
                return Err(format!("{server} closed the connection").into());
            }
            if line.get(3..4) == Some("-") {
                continue;
            }
            return match line.starts_with(expected) {
                true => Ok(()),
                false => Err(format!("{server} does not take the mail: {}", line.trim()).into()),
            };
        }
    };
    said('2')?;
    for (command, expected) in [
        ("EHLO signet-test.invalid".to_owned(), '2'),
        (format!("MAIL FROM:<{from}> BODY=8BITMIME"), '2'),
        (format!("RCPT TO:<{to}>"), '2'),
        ("DATA".to_owned(), '3'),
    ] {
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        said(expected)?;
    }
    let text = String::from_utf8_lossy(message).replace("\r\n.", "\r\n..");
    stream.write_all(format!("{text}.\r\n").as_bytes())?;
    said('2')?;
    stream.write_all(b"QUIT\r\n")?;
    Ok(())
}
