//! The end of Postfix's log: from the file it writes itself, from syslog's, or from the
//! journal.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::postfix::Postfix;

/// So much of its end is read.
const MOST: u64 = 4 << 20;

/// Where syslog writes mail's lines, on Debian and on others.
const FILES: [&str; 2] = ["/var/log/mail.log", "/var/log/maillog"];

/// The log's end; none when there is none that can be read.
///
/// # Errors
/// When the file that was named cannot be read.
pub fn read(named: Option<&Path>, postfix: Option<&Postfix>) -> io::Result<Option<String>> {
    if let Some(file) = named {
        return end_of(file).map(Some);
    }
    let Some(postfix) = postfix else {
        return Ok(None);
    };
    let own = Some(postfix.value("maillog_file")).filter(|file| file.starts_with('/'));
    let files = own.into_iter().chain(FILES).map(PathBuf::from);
    let found = files.filter_map(|file| end_of(&file).ok()).next();
    Ok(found.or_else(journal))
}

fn end_of(file: &Path) -> io::Result<String> {
    let mut file = File::open(file)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MOST)))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn journal() -> Option<String> {
    let program = super::postfix::find("journalctl")?;
    let output = Command::new(program)
        .args(["--quiet", "--no-pager", "--output=short", "--lines=20000"])
        .args(["_COMM=smtpd", "+", "_COMM=cleanup", "+", "_COMM=master"])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
