//! `signet check`.

use super::CommandResult;

#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: &Args) -> CommandResult {
    Err("this command is not built yet".into())
}
