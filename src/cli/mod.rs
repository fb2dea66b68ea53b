//! The command line: one file a command. Nothing else in the program knows clap.
//!
//! A command answers with an exit code: 0 yes, 1 no, 2 could not tell (also every
//! error that reaches `main`).

use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};

mod announce;
mod bench;
mod check;
mod dns;
mod doctor;
mod explain;
mod import;
mod keygen;
mod message_file;
mod playback;
mod screen;
mod selftest;
mod serve;
mod settings;
mod setup;
mod sign;
mod status;
mod streams;
mod test;
mod verify;

/// What a command returns; an `Err` is printed with its causes and exits with 2.
pub type CommandResult = Result<ExitCode, Box<dyn std::error::Error + Send + Sync>>;

pub use crate::config::DEFAULT_KEYS;

#[derive(Parser)]
#[command(name = "signet", version, about = "A DKIM-signing milter for Postfix")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the commands that set up signing on this machine
    Setup(setup::Args),
    /// Make a key and print the DNS record to publish
    Keygen(keygen::Args),
    /// Print the DNS record of a key again
    Dns(dns::Args),
    /// Find what keeps mail from being signed and verified
    Doctor(doctor::Args),
    /// Run the milter
    Serve(serve::Args),
    /// Print the effective configuration and say whether it is usable
    Check(check::Args),
    /// Print what the running daemon signs for, has done, and is in trouble with
    Status(status::Args),
    /// Sign a message from a file or standard input, as the milter would
    Sign(sign::Args),
    /// Say whether a message would be signed, and why
    Explain(explain::Args),
    /// Check every DKIM signature of a message
    Verify(verify::Args),
    /// Prove in one command that signing works
    Selftest(selftest::Args),
    /// Send a real mail through the local Postfix and verify what comes out
    Test(test::Args),
    /// Put load on a milter, as Postfix would, and measure it
    Bench(bench::Args),
    /// Move in from another signer: its files as a config, with a report and a proof
    Import(import::Args),
}

/// The command line as clap knows it, for what is made of it: manual pages and the
/// shells' completions.
pub fn command() -> clap::Command {
    Cli::command()
}

/// An error and what caused it, on one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Prints an error and its causes, once, for a person.
pub fn complain(error: &dyn std::error::Error) {
    let name = screen::err().paint(screen::Ink::Bad, "signet:");
    streams::tell(format_args!("{name} {}\n", with_causes(error)));
}

/// The command line. The parser's own words have colours where all others have; clap by
/// itself paints a dumb terminal too where `CI` is set.
fn parse() -> Cli {
    let colours = match screen::colours_are_unwanted() {
        true => ColorChoice::Never,
        false => ColorChoice::Auto,
    };
    let matches = Cli::command().color(colours).get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Parses the command line and runs the command it names.
pub fn run() -> CommandResult {
    match parse().command {
        Command::Setup(args) => setup::run(&args),
        Command::Keygen(args) => keygen::run(&args),
        Command::Dns(args) => dns::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Sign(args) => sign::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Selftest(args) => selftest::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Import(args) => import::run(&args),
    }
}
