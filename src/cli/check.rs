//! `signet check`.

use std::process::ExitCode;

use super::CommandResult;
use super::settings::Settings;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: Settings,
}

pub fn run(args: &Args) -> CommandResult {
    let config = args.settings.config()?;
    print!("{}", config.to_toml());
    Ok(ExitCode::SUCCESS)
}
