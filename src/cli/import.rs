//! `signet import`: move in from another signer, and prove that the move is right.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::CommandResult;
use super::screen::{self, Ink, Progress};
use super::streams;
use crate::config::ConfigErrors;
use crate::import::{self, Import};
use crate::snapshot::Snapshot;

use replay::Judge;

mod judge;
mod output;
mod replay;
mod sample;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    source: Source,
}

#[derive(clap::Subcommand)]
enum Source {
    /// Read opendkim.conf and its tables; write a config, a report, and sign a sample
    /// for each rule with both programs
    Opendkim(OpenDkim),

    /// Read rspamd's dkim_signing.conf and its maps; write a config and a report
    Rspamd(Rspamd),
}

#[derive(clap::Args)]
struct Rspamd {
    /// The dkim_signing.conf, from local.d or override.d
    #[arg(value_name = "CONF")]
    conf: PathBuf,

    #[command(flatten)]
    out: Out,
}

#[derive(clap::Args)]
struct OpenDkim {
    /// The opendkim.conf. Relative paths in it are taken from the current directory, as
    /// OpenDKIM does
    #[arg(value_name = "CONF")]
    conf: PathBuf,

    #[command(flatten)]
    out: Out,
}

#[derive(clap::Args)]
struct Out {
    /// Where signet.toml and report.txt are written
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Exit code 0 when a config was written and every sample is signed alike, 1 when a
/// sample is not, 2 when nothing was written.
pub fn run(args: &Args) -> CommandResult {
    match &args.source {
        Source::Opendkim(args) => opendkim(args),
        Source::Rspamd(args) => rspamd(args),
    }
}

fn rspamd(args: &Rspamd) -> CommandResult {
    let progress = Progress::start("reading the tables");
    let imported = import::rspamd::import(&args.conf).map_err(ConfigErrors)?;
    finish(&imported, &args.conf, &args.out.out, progress, |_| {
        Judge::Nobody("rspamd is not asked to sign the same: compare a message of your own")
    })
}

fn opendkim(args: &OpenDkim) -> CommandResult {
    let directory = std::env::current_dir()?;
    let progress = Progress::start("reading the tables");
    let imported = import::opendkim::import(&args.conf, &directory).map_err(ConfigErrors)?;
    finish(
        &imported,
        &args.conf,
        &args.out.out,
        progress,
        |imported| match judge::OpenDkim::start(imported, &args.conf, &directory) {
            Some(Ok(judge)) => Judge::OpenDkim(Box::new(judge)),
            Some(Err(why)) => Judge::Failed(why),
            None => Judge::Nobody("OpenDKIM is not installed here: nothing to compare with"),
        },
    )
}

/// Writes, signs a sample for each rule, and tells.
fn finish(
    imported: &Import,
    conf: &Path,
    out: &Path,
    progress: Progress,
    judge: impl FnOnce(&Import) -> Judge,
) -> CommandResult {
    progress.now("writing the config and the keys");
    let config = output::write(&imported.settings, conf, out)?;
    let mut report = imported.report.to_string();
    let snapshot = Snapshot::load(config)?;
    progress.now("signing a sample for each rule");
    let replay = replay::run(&imported.settings.rules, &snapshot, judge(imported));
    report.push_str(&replay.text);
    fs::write(out.join("report.txt"), &report)?;
    drop(progress);
    let next = format!("signet check --config {}/signet.toml", out.display());
    streams::print(format_args!(
        "{report}\nwritten: {0}/signet.toml and {0}/report.txt\nnext: {1}\n",
        out.display(),
        screen::out().paint(Ink::Command, &next)
    ))?;
    Ok(ExitCode::from(u8::from(!replay.alike)))
}
