//! `signet check`.

use std::process::ExitCode;

use super::CommandResult;
use super::settings::{Settings, SettingsError};
use crate::snapshot::{Severity, Snapshot, in_words};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: Settings,
}

/// Exit code 0 when everything that is configured will sign, 1 when something will
/// not, 2 when that could not be found out.
pub fn run(args: &Args) -> CommandResult {
    let config = match args.settings.config() {
        Ok(config) => config,
        Err(SettingsError::Mistakes(errors)) => {
            eprintln!("{errors}");
            return Ok(ExitCode::from(1));
        }
        Err(error) => return Err(error.into()),
    };
    match args.settings.file() {
        Some(file) => println!("# from {}, flags, and defaults", file.display()),
        None => println!("# from flags and defaults; there is no config file"),
    }
    print!("{}", config.to_toml());
    let snapshot = match Snapshot::load(config) {
        Ok(snapshot) => snapshot,
        Err(error) => {
            eprintln!("error: {}", in_words(&error));
            return Ok(ExitCode::from(1));
        }
    };
    let problems = snapshot.every_problem();
    for problem in &problems {
        eprintln!("{}: {problem}", problem.severity);
    }
    let (keys, domains) = (snapshot.key_count(), snapshot.domain_count());
    eprintln!("{keys} keys for {domains} domains");
    if keys == 0 {
        eprintln!("error: nothing would be signed; \"signet keygen DOMAIN\" makes a key");
    }
    let usable = keys > 0 && problems.iter().all(|p| p.severity < Severity::Error);
    Ok(ExitCode::from(u8::from(!usable)))
}
