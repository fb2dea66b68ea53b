//! `signet import`: move in from another signer, and prove that the move is right.

use std::fs::{self, DirBuilder};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::CommandResult;
use crate::config::{Config, ConfigErrors};
use crate::import::{self, Import};
use crate::snapshot::Snapshot;

use replay::Judge;

mod judge;
mod replay;
mod sample;

/// The first words of a config file that was made here and may be made again.
const MARK: &str = "Made by \"signet import\"";

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
    let imported = import::rspamd::import(&args.conf).map_err(ConfigErrors)?;
    finish(&imported, &args.conf, &args.out.out, |_| {
        Judge::Nobody("rspamd is not asked to sign the same: compare a message of your own")
    })
}

fn opendkim(args: &OpenDkim) -> CommandResult {
    let directory = std::env::current_dir()?;
    let imported = import::opendkim::import(&args.conf, &directory).map_err(ConfigErrors)?;
    finish(
        &imported,
        &args.conf,
        &args.out.out,
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
    judge: impl FnOnce(&Import) -> Judge,
) -> CommandResult {
    let heading = format!(
        "{MARK} from {}. report.txt beside it says what\nbecame of every option.",
        conf.display()
    );
    let (config, mut report) = write(imported, out, &heading)?;
    let snapshot = Snapshot::load(config)?;
    let replay = replay::run(&imported.settings.rules, &snapshot, judge(imported));
    report.push_str(&replay.text);
    fs::write(out.join("report.txt"), &report)?;
    print!("{report}");
    println!(
        "\nwritten: {0}/signet.toml and {0}/report.txt\nnext: signet check --config {0}/signet.toml",
        out.display()
    );
    Ok(ExitCode::from(u8::from(!replay.alike)))
}

/// Writes the config file, and returns what it means and the text of the report.
fn write(
    imported: &Import,
    out: &Path,
    heading: &str,
) -> Result<(Config, String), Box<dyn std::error::Error + Send + Sync>> {
    let out = std::path::absolute(out)?;
    let file = out.join("signet.toml");
    if !may_be_replaced(&file)? {
        let file = file.display();
        return Err(format!("{file} is there already and was not made by an import; move it away, or name another --out").into());
    }
    let mut settings = imported.settings.clone();
    settings.key_directory = out.join("keys");
    let text = settings.to_toml(heading);
    // Before anything is written: a config that signet refuses helps nobody.
    let config = Config::from_toml(&text, &file.to_string_lossy())
        .map_err(|errors| format!("the config would have mistakes\n{errors}"))?;
    fs::create_dir_all(&out).map_err(|error| format!("cannot make {}: {error}", out.display()))?;
    let keys = &settings.key_directory;
    match DirBuilder::new().mode(0o700).create(keys) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(format!("cannot make {}: {error}", keys.display()).into());
        }
        _ => {}
    }
    fs::write(&file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    Ok((config, imported.report.to_string()))
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
