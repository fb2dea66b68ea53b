//! The end of Postfix's log: from the file it writes itself, from syslog's, or from the
//! journal. Says where it looked when there is nothing to be had.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::doctor::LogFacts;
use crate::postfix::Postfix;

/// So much of its end is read.
const MOST: u64 = 4 << 20;

/// Where syslog writes mail's lines, on Debian and on others.
const FILES: [&str; 2] = ["/var/log/mail.log", "/var/log/maillog"];

/// When the journal has lines so much newer than syslog's file, syslog is gone and has
/// left the file behind.
const LEFT_BEHIND: Duration = Duration::from_secs(60);

/// The log's end; none when it is not to be looked at.
///
/// # Errors
/// When the file that was named cannot be read.
pub fn read(named: Option<&Path>, postfix: Option<&Postfix>) -> io::Result<Option<LogFacts>> {
    if let Some(file) = named {
        return end_of(file).map(|(text, _)| Some(LogFacts::Text(text)));
    }
    let Some(postfix) = postfix else {
        return Ok(None);
    };
    let mut in_vain = Vec::new();
    let own = Some(postfix.value("maillog_file")).filter(|file| file.starts_with('/'));
    if let Some((text, _)) = first(own, &mut in_vain) {
        return Ok(Some(LogFacts::Text(text)));
    }
    let by_syslog = first(FILES, &mut in_vain);
    let text = match by_syslog {
        Some((text, written)) => match journal(Some(written + LEFT_BEHIND), 1) {
            Ok(_) => journal(None, 20_000).unwrap_or(text),
            Err(_) => text,
        },
        None => match journal(None, 20_000) {
            Ok(text) => text,
            Err(why) => {
                in_vain.push(why);
                return Ok(Some(LogFacts::Nowhere(in_vain)));
            }
        },
    };
    Ok(Some(LogFacts::Text(text)))
}

/// The first of these that has lines, and when it was last written to.
fn first<'f>(
    files: impl IntoIterator<Item = &'f str>,
    in_vain: &mut Vec<String>,
) -> Option<(String, SystemTime)> {
    files
        .into_iter()
        .find_map(|file| match end_of(Path::new(file)) {
            Ok((text, _)) if text.is_empty() => {
                in_vain.push(format!("{file} is empty"));
                None
            }
            Ok(found) => Some(found),
            Err(error) => {
                in_vain.push(format!("{file}: {error}"));
                None
            }
        })
}

/// The end of a file, and when it was last written to.
fn end_of(file: &Path) -> io::Result<(String, SystemTime)> {
    let mut file = File::open(file)?;
    let about = file.metadata()?;
    file.seek(SeekFrom::Start(about.len().saturating_sub(MOST)))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok((text, about.modified()?))
}

/// The last lines of Postfix in the journal, or why there are none.
fn journal(since: Option<SystemTime>, lines: u32) -> Result<String, String> {
    let Some(program) = super::postfix::find("journalctl") else {
        return Err("there is no journal".to_owned());
    };
    let since = since.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let since = since.map(|time| format!("--since=@{}", time.as_secs()));
    let output = Command::new(program)
        .args(["--quiet", "--no-pager", "--output=short"])
        .arg(format!("--lines={lines}"))
        .args(since)
        .args(["_COMM=smtpd", "+", "_COMM=cleanup", "+", "_COMM=master"])
        .output()
        .map_err(|error| format!("journalctl: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("journalctl: {}", said.trim()));
    }
    match text.is_empty() {
        true => Err("the journal shows no line of Postfix".to_owned()),
        false => Ok(text),
    }
}
