//! `signet status`: what the running daemon says of itself, in a terminal.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::CommandResult;
use super::screen::{self, Ink, Style};
use super::settings::{DEFAULT_CONFIG, Settings};
use super::streams;
use crate::server::status::{Status, algorithm, words};

/// The daemon is on this machine, and answers at once or not at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// Of an answer so much is read; a thousand keys take a third of a mebibyte.
const LARGEST: u64 = 16 << 20;

#[derive(clap::Args)]
pub struct Args {
    /// Where the daemon shows its status [default: metrics.listen of the config file]
    #[arg(long, value_name = "ADDRESS:PORT")]
    at: Option<SocketAddr>,

    /// The config file [default: /etc/signet/signet.toml if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// Why the daemon could not be asked.
#[derive(Debug, thiserror::Error)]
enum StatusError {
    #[error(
        "{} does not say where the daemon shows its status; write listen = \"127.0.0.1:9891\" \
         under [metrics] there and restart it, or name the place with --at", file.display()
    )]
    NoPlace { file: PathBuf },
    #[error("no answer from {address}: either no daemon runs, or its metrics.listen is another")]
    NoAnswer {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("what answers at {address} is not signet's status")]
    Stranger { address: SocketAddr },
}

/// Exit code 0 when everything that is to be signed can be, 1 when not, 2 when the
/// daemon could not be asked.
pub fn run(args: &Args) -> CommandResult {
    let address = match args.at {
        Some(address) => address,
        None => {
            let settings = Settings {
                config: args.config.clone(),
                ..Settings::default()
            };
            let file = settings.file().unwrap_or_else(|| DEFAULT_CONFIG.into());
            let listen = settings.config()?.metrics.listen;
            listen.ok_or(StatusError::NoPlace { file })?
        }
    };
    let body = fetch(address).map_err(|source| StatusError::NoAnswer { address, source })?;
    let stranger = StatusError::Stranger { address };
    let body = body.ok_or(StatusError::Stranger { address })?;
    let status: Status = serde_json::from_str(&body).map_err(|_| stranger)?;
    let text = match args.json {
        true => body.into_bytes(),
        false => {
            let mut text = Vec::new();
            print(&mut text, &status, screen::out())?;
            text
        }
    };
    streams::write(&text)?;
    Ok(ExitCode::from(u8::from(!status.ready)))
}

/// The body of the answer; none when it is not what a status server says.
fn fetch(address: SocketAddr) -> io::Result<Option<String>> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // With version 1.0 the answer ends where the connection does.
    write!(
        stream,
        "GET /status.json HTTP/1.0\r\nHost: {address}\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(LARGEST).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.split_once("\r\n\r\n").and_then(|(head, body)| {
        let mut status_line = head.lines().next()?.split(' ');
        (status_line.next()?.starts_with("HTTP/1.") && status_line.next()? == "200")
            .then(|| body.to_owned())
    }))
}

fn print(out: &mut impl Write, status: &Status, style: Style) -> io::Result<()> {
    let now = status.now;
    let running = words::span(now.saturating_sub(status.started));
    let ready = match (status.stopping, status.ready) {
        (true, _) => style.paint(Ink::Warning, "stopping"),
        (_, true) => style.paint(Ink::Good, "ready"),
        (_, false) => style.paint(Ink::Bad, "NOT READY"),
    };
    writeln!(
        out,
        "signet {}: {ready}, running for {running}",
        status.version
    )?;
    for trouble in &status.troubles {
        writeln!(out, "  {}", style.paint(Ink::Bad, trouble))?;
    }
    writeln!(
        out,
        "configuration loaded {}",
        words::ago(now, status.reload.loaded)
    )?;
    if let Some(failure) = &status.reload.failed {
        writeln!(
            out,
            "the last reload, {}, failed:",
            words::ago(now, failure.at)
        )?;
        for line in failure.why.lines() {
            writeln!(out, "  {line}")?;
        }
    }
    let connections = &status.connections;
    writeln!(
        out,
        "connections: {} of {}",
        connections.open, connections.limit
    )?;

    let messages = &status.messages;
    let counts: Vec<_> = messages
        .results
        .iter()
        .map(|result| format!("{} {}", result.count, result.name))
        .collect();
    writeln!(out, "\nmessages: {}", counts.join(", "))?;
    for reason in &messages.not_signed {
        writeln!(out, "  {:>10}  {}", reason.count, reason.name)?;
    }
    if let Some(last) = messages.last {
        writeln!(out, "last message {}", words::ago(now, last))?;
    }
    if let Some(half) = messages.p50_seconds {
        let half = words::milliseconds(half);
        let most = messages.p99_seconds;
        let most = most.map_or("over 50 ms".to_owned(), words::milliseconds);
        writeln!(out, "signed within {half} (p50), {most} (p99)")?;
    }
    keys(out, status, style)
}

fn keys(out: &mut impl Write, status: &Status, style: Style) -> io::Result<()> {
    let when =
        |at: Option<u64>, none: &str| at.map_or(none.to_owned(), |at| words::ago(status.now, at));
    let head = [
        "domain",
        "selector",
        "algorithm",
        "written",
        "last used",
        "signed",
        "fingerprint",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    for key in &status.keys.listed {
        let trouble = key.trouble.as_ref();
        let last = trouble.map(|words| format!("UNUSABLE: {words}"));
        rows.push([
            key.domain.clone(),
            key.selector.clone(),
            algorithm(key),
            when(key.written, "–"),
            when(key.last_used, "never"),
            key.signed
                .map_or("–".to_owned(), |signed| signed.to_string()),
            last.or_else(|| key.fingerprint.clone())
                .unwrap_or_else(|| "read with its first message".to_owned()),
        ]);
    }
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    writeln!(out)?;
    for (place, row) in rows.iter().enumerate() {
        let cells: Vec<_> = std::iter::zip(row, widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        let line = cells.join("  ");
        let unusable = row.iter().any(|cell| cell.starts_with("UNUSABLE"));
        let line = match (place, unusable) {
            (0, _) => style.paint(Ink::Heading, line.trim_end()),
            (_, true) => style.paint(Ink::Bad, line.trim_end()),
            _ => line.trim_end().to_owned(),
        };
        writeln!(out, "{line}")?;
    }
    let all = status.keys.usable + status.keys.unusable + status.keys.unread;
    match all.saturating_sub(status.keys.listed.len() as u64) {
        0 => Ok(()),
        more => writeln!(out, "and {}", words::many(more, "more key")),
    }
}
