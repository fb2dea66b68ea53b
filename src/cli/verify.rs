//! `signet verify`: checks every DKIM signature of a message and says why one fails.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use super::CommandResult;
use super::message_file::{ReadError, read_message};
use super::screen::{self, Progress};
use super::settings::name_server;
use super::streams;
use crate::dns::lookup::Lookup;
use crate::verify::{self, Detail, Message, Records, Summary};

/// Exits with 0 when all signatures pass, 1 when one fails or there is none, 2 when it
/// could not be told.
#[derive(clap::Args)]
pub struct Args {
    /// The message; standard input when it is left out or "-"
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// Take key records from a file instead of DNS: a zone file, or what keygen prints
    /// (may be repeated)
    #[arg(long, value_name = "FILE")]
    dns_file: Vec<PathBuf>,

    /// Ask this name server; with --dns-file, only for names that are not in the file
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = name_server)]
    resolver: Option<SocketAddr>,

    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> CommandResult {
    let mut records = Records::new();
    for path in &args.dns_file {
        records.extend(read_records(path)?);
    }
    let message = Message::read(&read_message(args.file.as_deref())?);
    if args.dns_file.is_empty() || args.resolver.is_some() {
        look_up(&message, args.resolver, &mut records)?;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let reports = verify::verify_message(&message, &records, now);
    let text = if args.json {
        verify::to_json(&message, &reports)
    } else {
        verify::to_text(&message, &reports, Detail::Full, screen::out())
    };
    streams::print(text)?;
    Ok(match Summary::of(&reports) {
        Summary::Pass => ExitCode::SUCCESS,
        Summary::Fail | Summary::Unsigned => ExitCode::from(1),
        Summary::Unknown => ExitCode::from(2),
    })
}

/// Looks up the key records that are not known yet. A message without a signature, or
/// with records enough, asks nobody.
fn look_up(
    message: &Message,
    server: Option<SocketAddr>,
    records: &mut Records,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut names = verify::key_names(message);
    names.retain(|name| !records.knows(name));
    if names.is_empty() {
        return Ok(());
    }
    let _progress = Progress::start("asking DNS for the keys");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let lookup = match server {
            Some(address) => Lookup::of_server(address),
            None => Lookup::of_system()?,
        };
        for name in names {
            records.set(&name, lookup.txt(&name).await);
        }
        Ok(())
    })
}

fn read_records(path: &Path) -> Result<Records, Box<dyn std::error::Error + Send + Sync>> {
    let text = fs::read(path).map_err(|source| ReadError::new(path, source))?;
    let text = String::from_utf8_lossy(&text);
    Records::from_text(&text).map_err(|error| format!("{}: {error}", path.display()).into())
}
