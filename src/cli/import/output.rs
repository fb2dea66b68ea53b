//! What an import writes: the config, and beside it the report, a table of rules when
//! there are many, and the key directory. A key that lies there is never replaced.

use std::fs::{self, DirBuilder};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::cli::settings::LARGEST;
use crate::config::Config;
use crate::import::settings::{KEY_DIRECTORY, RULE_TABLE, Settings};
use crate::keys::{self, WriteError};

/// The first words of a file that was made here and may be made again.
const MARK: &str = "Made by \"signet import\"";

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Writes config, rule table and keys into `out`, and returns what they mean. `conf` is
/// the file that was imported.
pub fn write(settings: &Settings, conf: &Path, out: &Path) -> Result<Config, Error> {
    let out = std::path::absolute(out)?;
    let heading = format!(
        "{MARK} from {}. report.txt beside it says what\nbecame of every option.",
        conf.display()
    );
    let file = out.join("signet.toml");
    let table = settings.rule_table(&heading);
    let text = settings.to_toml(&out, &heading);
    let mut files = vec![(file.clone(), text.as_str())];
    files.extend(table.as_deref().map(|table| (out.join(RULE_TABLE), table)));
    for (file, _) in &files {
        if !may_be_replaced(file)? {
            let file = file.display();
            return Err(format!("{file} is there already and was not made by an import; move it away, or name another --out").into());
        }
    }
    // Before anything is written: a config that signet refuses helps nobody.
    if text.len() as u64 > LARGEST {
        let size = text.len();
        return Err(format!("the config would have {size} bytes, and signet reads {LARGEST} at most; use fewer signers and globs in the tables").into());
    }
    let config = Config::from_toml(&text, &file.to_string_lossy())
        .map_err(|errors| format!("the config would have mistakes\n{errors}"))?;
    fs::create_dir_all(&out).map_err(|error| format!("cannot make {}: {error}", out.display()))?;
    write_keys(settings, &out.join(KEY_DIRECTORY))?;
    for (file, text) in files {
        fs::write(&file, text)
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    Ok(config)
}

fn write_keys(settings: &Settings, directory: &Path) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(format!("cannot make {}: {error}", directory.display()).into());
        }
        _ => {}
    }
    for own in &settings.own_keys {
        keys::write_moved(directory, &own.domain, &own.selector, own.key.pem())
            .map_err(not_written)?;
    }
    for (domain, key) in settings.linked_keys() {
        keys::link(directory, domain, &key.selector, &key.file).map_err(not_written)?;
    }
    Ok(())
}

fn not_written(error: WriteError) -> Error {
    match error {
        WriteError::Exists { path, .. } => {
            let path = path.display();
            format!("{path} is there already and is another key; it stays. Move it away, or name another --out").into()
        }
        error => error.into(),
    }
}

/// Whether there is no such file, or one that an import has made.
fn may_be_replaced(file: &Path) -> io::Result<bool> {
    let opened = match fs::File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        opened => opened?,
    };
    let mut first = String::new();
    // Somebody's file; it need not be text.
    let read = BufReader::new(io::Read::take(opened, 4096)).read_line(&mut first);
    Ok(read.is_ok() && first.trim_start_matches("# ").starts_with(MARK))
}
