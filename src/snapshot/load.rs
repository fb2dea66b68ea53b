//! The table files that a config names, read whole.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::config::login_table::{self, LoginEntry};
use crate::config::{Config, ConfigError, ConfigErrors, Place, Rule, rule_table};

/// The largest table, in bytes: a million rules take a tenth of it.
const LARGEST: u64 = 1 << 30;

/// What a config and its tables say.
pub struct Tables {
    /// The rules of the config, then those of each table.
    pub rules: Vec<Rule>,
    /// The entries of each table of `send_as`.
    pub logins: Vec<LoginEntry>,
}

/// Reads every table.
///
/// # Errors
/// Every mistake in every table.
pub fn tables(config: &Config) -> Result<Tables, ConfigErrors> {
    let mut errors = Vec::new();
    let mut tables = Tables {
        rules: config.rules.clone(),
        logins: Vec::new(),
    };
    let parse = |text: &[u8], name: &str| rule_table::parse(text, name, &config.signing);
    let files = (config.rule_tables.as_slice(), "rule_tables");
    read(files, parse, &mut tables.rules, &mut errors);
    if let Some(send_as) = &config.send_as {
        let files = (send_as.tables.as_slice(), "send_as.tables");
        read(files, login_table::parse, &mut tables.logins, &mut errors);
    }
    match errors.is_empty() {
        true => Ok(tables),
        false => Err(ConfigErrors(errors)),
    }
}

/// Reads the files that a key names into `all`, mistakes into `errors`.
fn read<T>(
    (files, key): (&[PathBuf], &str),
    parse: impl Fn(&[u8], &str) -> Result<Vec<T>, ConfigErrors>,
    all: &mut Vec<T>,
    errors: &mut Vec<ConfigError>,
) {
    for file in files {
        let name = file.to_string_lossy();
        let unreadable = |problem| {
            let place = Place {
                file: name.as_ref().into(),
                line: 0,
            };
            ConfigErrors::from(ConfigError {
                place,
                key: key.to_owned(),
                problem,
            })
        };
        let text = contents(file).map_err(unreadable);
        match text.and_then(|text| parse(&text, &name)) {
            // The one large table is not copied.
            Ok(entries) if all.is_empty() => *all = entries,
            Ok(entries) => all.extend(entries),
            Err(found) => errors.extend(found.0),
        }
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
