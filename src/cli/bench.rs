//! `signet bench`: puts load on any milter as Postfix would, and measures what comes
//! back and what it cost.
//!
//! It speaks for measuring only: it changes nothing, and it verifies no signature
//! (`signet selftest --socket` does). An answer without a DKIM-Signature counts as
//! unsigned and is reported as such.

use std::process::ExitCode;
use std::time::Duration;

use super::{CommandResult, streams};
use crate::config::ListenAddress;
use crate::names::Address;

mod exchange;
mod idle;
mod load;
mod message;
mod primitive;
mod process;
mod report;
mod statistics;

use exchange::{ExchangeError, Plan};
use load::{Extent, Load};
use process::{ProcessError, Processes};

#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["socket", "primitive"]))]
pub struct Args {
    /// The milter: inet:HOST:PORT or unix:PATH
    #[arg(long, value_name = "ADDRESS")]
    socket: Option<String>,

    /// Connections at once
    #[arg(long, value_name = "N", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(1..=50_000))]
    connections: u32,

    /// Bytes of each message, header section and body (suffixes KiB and MiB)
    #[arg(long, value_name = "BYTES", default_value = "4KiB", value_parser = size)]
    size: usize,

    /// How long to measure
    #[arg(long, value_name = "S", default_value_t = 10.0, value_parser = positive)]
    seconds: f64,

    /// How long to send before measuring
    #[arg(long, value_name = "S", default_value_t = 1.0, conflicts_with = "messages",
          value_parser = not_negative)]
    warm_up: f64,

    /// Send this many messages in all instead of sending for a time
    #[arg(long, value_name = "N", conflicts_with = "seconds",
          value_parser = clap::value_parser!(u64).range(1..))]
    messages: Option<u64>,

    /// Let messages fall due at random, so many a second on average, instead of
    /// sending as fast as the milter answers
    #[arg(long, value_name = "R", value_parser = positive)]
    rate: Option<f64>,

    /// With --rate: at even intervals instead, so that no message has to wait for
    /// another where the milter keeps up
    #[arg(long, requires = "rate")]
    evenly: bool,

    /// Open this many connections, measure what they cost idle, and send one message
    /// over each; needs --pid
    #[arg(long, value_name = "N", requires = "pid",
          conflicts_with_all = ["connections", "seconds", "messages", "rate", "warm_up"],
          value_parser = clap::value_parser!(u32).range(1..=50_000))]
    idle: Option<u32>,

    /// The milter's process, to measure its processor time and memory (repeatable)
    #[arg(long, value_name = "PID")]
    pid: Vec<u32>,

    /// Author and envelope sender (repeatable: each message is by the next one)
    #[arg(long, value_name = "ADDRESS", default_value = "ada@bench.example")]
    from: Vec<String>,

    /// Instead of loading a milter, measure one bare operation in this process
    #[arg(long, value_name = "NAME")]
    primitive: Option<primitive::Primitive>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error(transparent)]
    Process(#[from] ProcessError),
}

pub fn run(args: &Args) -> CommandResult {
    if let Some(primitive) = args.primitive {
        let price = primitive::price(primitive)?;
        print(args.json, &price)?;
        return Ok(ExitCode::SUCCESS);
    }
    let socket = args.socket.as_deref().unwrap_or_default();
    let address = ListenAddress::parse(socket)?;
    // Only to refuse what no milter could sign.
    for from in &args.from {
        Address::parse(from)?;
    }
    let plan = Plan::new(address, &args.from, args.size);
    let processes = Processes::new(&args.pid);
    let connections = args.idle.unwrap_or(args.connections) as usize;
    permit_sockets(connections as u64);
    // One thread, so that the generator stays on one core and the milter has the others.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if args.idle.is_some() {
        let report = runtime.block_on(idle::run(&plan, connections, &processes))?;
        print(args.json, &report)?;
        return Ok(ExitCode::SUCCESS);
    }
    let extent = match args.messages {
        Some(count) => Extent::Messages(count),
        None => Extent::Time {
            warm_up: Duration::from_secs_f64(args.warm_up),
            measured: Duration::from_secs_f64(args.seconds),
        },
    };
    let report = runtime.block_on(load::run(Load {
        plan,
        connections,
        extent,
        rate: args.rate.map(|per_second| load::Rate {
            per_second,
            evenly: args.evenly,
        }),
        processes,
    }))?;
    print(args.json, &report)?;
    Ok(match report.is_clean() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(1),
    })
}

fn print(json: bool, report: &(impl serde::Serialize + std::fmt::Display)) -> CommandResult {
    match json {
        true => streams::print(serde_json::to_string_pretty(report)? + "\n")?,
        false => streams::print(format_args!("{report}\n"))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Raises the limit on open files when the connections would not fit under it.
/// Where that is refused, connecting fails later and says so.
fn permit_sockets(connections: u64) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let wanted = connections + 64;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

/// Processor time of this process, all threads.
fn generator_time() -> Duration {
    clock(rustix::time::ClockId::ProcessCPUTime)
}

fn clock(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

fn size(text: &str) -> Result<usize, String> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let factor = match unit {
        "" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        _ => None,
    };
    let bytes: Option<usize> = number.parse().ok();
    match bytes
        .zip(factor)
        .map(|(bytes, factor)| bytes.saturating_mul(factor))
    {
        Some(bytes @ 1..=0x4000_0000) => Ok(bytes),
        Some(_) => Err("from 1 byte to 1024MiB".to_owned()),
        None => Err("a number of bytes, or like 4KiB or 25MiB".to_owned()),
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0.0 && number <= 1e6 => Ok(number),
        _ => Err("a number above 0".to_owned()),
    }
}

fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.0..=1e6).contains(&number) => Ok(number),
        _ => Err("a number, 0 or above".to_owned()),
    }
}

#[cfg(test)]
mod tests;
