//! `signet check`: what the configuration comes to, and whether it is usable.

use std::process::ExitCode;

use super::screen::{self, Ink};
use super::settings::{Settings, SettingsError};
use super::streams;
use super::{CommandResult, with_causes};
use crate::server;
use crate::snapshot::{Severity, Snapshot, SnapshotError};

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
        Err(error @ SettingsError::Unreadable { .. }) => return Err(error.into()),
        Err(SettingsError::Mistakes(errors)) => return Ok(unusable(&errors.0)),
        Err(error) => return Ok(unusable(&[error])),
    };
    let source = match args.settings.file() {
        Some(file) => format!("# from {}, flags, and defaults", file.display()),
        None => "# from flags and defaults; there is no config file".to_owned(),
    };
    streams::print(format_args!("{source}\n{}", config.to_toml()))?;
    let batched = match server::accelerator(&config.batch) {
        Ok(accelerator) => format!("on, {accelerator}"),
        Err(error) => format!("off, {error}"),
    };
    let snapshot = match Snapshot::load(config) {
        Ok(snapshot) => snapshot,
        Err(SnapshotError::Tables(errors)) => return Ok(unusable(&errors.0)),
        Err(error) => return Ok(unusable(&[with_causes(&error)])),
    };
    let problems = snapshot.every_problem();
    for problem in &problems {
        let ink = match problem.severity {
            Severity::Error => Ink::Bad,
            Severity::Warning => Ink::Warning,
            Severity::Note => Ink::Note,
        };
        let severity = screen::err().paint(ink, &format!("{}:", problem.severity));
        streams::tell(format_args!("{severity} {problem}\n"));
    }
    let (keys, domains) = (snapshot.key_count(), snapshot.domain_count());
    streams::tell(format_args!("batched RSA: {batched}\n"));
    if keys == 0 {
        return Ok(unusable(&[
            "nothing would be signed; \"signet keygen DOMAIN\" makes a key",
        ]));
    }
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    streams::tell(format_args!(
        "{keys} key{} for {domains} domain{}\n",
        plural(keys),
        plural(domains)
    ));
    let usable = problems
        .iter()
        .all(|problem| problem.severity < Severity::Error);
    Ok(ExitCode::from(u8::from(!usable)))
}

fn unusable(errors: &[impl std::fmt::Display]) -> ExitCode {
    for error in errors {
        let word = screen::err().paint(Ink::Bad, "error:");
        streams::tell(format_args!("{word} {error}\n"));
    }
    ExitCode::from(1)
}
