//! The table files that a config names, read whole.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::config::login_table::{self, LoginEntry};
use crate::config::{Config, ConfigError, ConfigErrors, Place, Rule, rule_table};

/// The largest table, in bytes: a million rules take a tenth of it.
const LARGEST: u64 = 1 << 30;

/// The rules of the config and of every table, in order.
///
/// # Errors
/// Every mistake in every table.
pub fn rules(config: &Config) -> Result<Vec<Rule>, ConfigErrors> {
    let mut rules = config.rules.clone();
    let read = |text: &[u8], name: &str| rule_table::parse(text, name, &config.signing);
    rules.extend(tables(&config.rule_tables, "rule_tables", read)?);
    Ok(rules)
}

/// The entries of every table of `send_as`, in order.
///
/// # Errors
/// Every mistake in every table.
pub fn logins(files: &[PathBuf]) -> Result<Vec<LoginEntry>, ConfigErrors> {
    tables(files, "send_as.tables", login_table::parse)
}

fn tables<T>(
    files: &[PathBuf],
    key: &str,
    parse: impl Fn(&[u8], &str) -> Result<Vec<T>, ConfigErrors>,
) -> Result<Vec<T>, ConfigErrors> {
    let mut all = Vec::new();
    let mut errors = Vec::new();
    for file in files {
        let name = file.to_string_lossy();
        let parsed = match contents(file) {
            Ok(text) => parse(&text, &name),
            Err(problem) => Err(ConfigError {
                place: Place {
                    file: name.as_ref().into(),
                    line: 0,
                },
                key: key.to_owned(),
                problem,
            }
            .into()),
        };
        match parsed {
            Ok(entries) if all.is_empty() => all = entries,
            Ok(entries) => all.extend(entries),
            Err(found) => errors.extend(found.0),
        }
    }
    match errors.is_empty() {
        true => Ok(all),
        false => Err(ConfigErrors(errors)),
    }
}

fn contents(file: &Path) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let read = |text: &mut Vec<u8>| -> io::Result<()> {
        let opened = File::open(file)?;
        if opened.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        opened.take(LARGEST + 1).read_to_end(text).map(drop)
    };
    match read(&mut text) {
        Err(error) => Err(format!(
            "the table cannot be read: {error}; name a file that signet's user can read"
        )),
        Ok(()) if text.len() as u64 > LARGEST => Err(format!(
            "the table is larger than {LARGEST} bytes; is it a table?"
        )),
        Ok(()) => Ok(text),
    }
}
