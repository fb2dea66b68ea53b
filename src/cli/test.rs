//! `signet test`: one real mail through the local Postfix, and a look at what comes out
//! at the other end.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use super::CommandResult;
use super::screen::{self, Ink, Progress};
use super::settings::{Settings, name_server};
use super::streams;
use crate::dns::lookup::{Answer, Lookup};
use crate::doctor::journey::Journey;
use crate::names::Address;
use crate::postfix::Postfix;
use crate::probe;
use crate::verify::{self, Detail, Message, Records, Summary};

mod hand_in;
mod letter;
mod listener;
mod route;

use letter::Draft;
use listener::Listener;
use route::Route;

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// Exits with 0 when what arrived is signed and verifies, 1 when not, 2 when that could
/// not be found out.
#[derive(clap::Args)]
#[command(mut_arg("listen", |listen| listen.hide(true)))]
pub struct Args {
    /// Send it there, for you to look at, instead of to a listener of our own
    #[arg(value_name = "ADDRESS", value_parser = Address::parse)]
    address: Option<Address>,

    #[command(flatten)]
    settings: Settings,

    /// The author [default: postmaster at the first domain that has a key]
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    from: Option<Address>,

    /// Hand it in by SMTP here instead of by the sendmail command
    #[arg(long, value_name = "ADDRESS:PORT")]
    smtp: Option<SocketAddr>,

    /// Where our own listener waits for it [default: where transport_maps routes
    /// signet-test.invalid, or 127.83.73.71:25]
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "address")]
    sink: Option<SocketAddr>,

    /// A recipient that Postfix routes to the listener [default:
    /// test@signet-test.invalid if there is such a route, or test@[ADDRESS]]
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse, conflicts_with = "address")]
    to: Option<Address>,

    /// The text to send, instead of one of our own
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,

    /// Be a server that takes no 8-bit text
    #[arg(long)]
    seven_bit: bool,

    /// Postfix's configuration directory, when it is not the usual one
    #[arg(long, value_name = "DIR")]
    postfix_config: Option<PathBuf>,

    /// Look the key up here
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = name_server)]
    resolver: Option<SocketAddr>,

    /// How long to wait for the mail
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
}

pub fn run(args: &Args) -> CommandResult {
    let config = args.settings.config()?;
    let keys = probe::keys::read(&config, None);
    let from = match &args.from {
        Some(from) => from.clone(),
        None => {
            let first = keys.usable().next();
            let (key, _) = first.ok_or("there is no key to test; \"signet doctor\" says more")?;
            Address::parse(&format!("postmaster@{}", key.domain))?
        }
    };
    let draft = Draft::new(args.body.as_deref())?;
    if let Some(to) = &args.address {
        let message = draft.addressed(&from, &to.to_string())?;
        hand_in::send(args, &from.to_string(), &to.to_string(), &message)?;
        streams::print(elsewhere(&from, to, &draft))?;
        return Ok(ExitCode::SUCCESS);
    }
    let postfix = probe::postfix::read(args.postfix_config.as_deref())?;
    let route = Route::find(args, postfix.as_ref())?;
    let number = draft.number().to_owned();
    let listener = Listener::start(route.sink, !args.seven_bit, number)
        .map_err(|error| route.taken(&error, args, postfix.as_ref()))?;
    let message = draft.addressed(&from, &route.to)?;
    let began = Instant::now();
    let how = hand_in::send(args, &from.to_string(), &route.to, &message)?;
    streams::print(format_args!(
        "sent       from {from} to {}, {how}\n",
        route.to
    ))?;
    let progress = Progress::start("waiting for it");
    let Some(arrival) = listener.wait(Duration::from_secs(args.wait)) else {
        return Err(format!(
            "it has not arrived after {} seconds{}; \"postqueue -p\" and Postfix's log say where it is",
            args.wait,
            strangers(listener.strangers())
        )
        .into());
    };
    drop(progress);
    let seconds = began.elapsed().as_secs_f64();
    streams::print(format_args!("arrived    after {seconds:.1} s\n"))?;
    let letter = Letter {
        from: &from,
        sent: &message,
        arrived: &arrival,
    };
    report(args, &keys, postfix.as_ref(), &letter)
}

/// What to look for where the mail was sent to.
fn elsewhere(from: &Address, to: &Address, draft: &Draft) -> String {
    format!(
        "sent       from {from} to {to}\n\n\
         When it is there (its subject is {subject:?}), look at its source (Gmail: \"Show original\") for\n\n    \
         Message-ID: {id}\n    \
         Authentication-Results: ... dkim=pass ... header.d={domain} (or header.i=@{domain})\n\n\
         If it says something else, save the source and ask:\n\n    signet verify FILE\n",
        subject = draft.subject(),
        id = draft.id(from),
        domain = from.domain
    )
}

/// What is said of mail that came and was not the one awaited.
fn strangers(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", but another mail has, without the number of this test".to_owned(),
        more => format!(", but {more} others have, without the number of this test"),
    }
}

/// The mail at both ends.
struct Letter<'l> {
    from: &'l Address,
    sent: &'l [u8],
    arrived: &'l [u8],
}

fn report(
    args: &Args,
    keys: &crate::doctor::KeyFacts,
    postfix: Option<&Postfix>,
    letter: &Letter<'_>,
) -> CommandResult {
    let style = screen::out();
    let (from, arrived) = (letter.from, Message::read(letter.arrived));
    let (records, by_hand) = records(args, keys, &arrived)?;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs();
    let reports = verify::verify_message(&arrived, &records, now);
    let mut text = format!(
        "\n{}",
        verify::to_text(&arrived, &reports, Detail::Brief, style)
    );
    for name in by_hand {
        writeln!(
            text,
            "\n{name} is not in DNS yet: the key here was used in its place. \"signet doctor\" says more."
        )?;
    }
    let sent = Message::read(letter.sent);
    let journey = Journey {
        sent: letter.sent,
        arrived: letter.arrived,
        reports: &reports,
        origins: &verify::origins(&sent, &arrived, &records, now),
        postfix,
        eight_bit: !args.seven_bit,
    };
    writeln!(text, "\n{}", journey.to_text(style).trim_end())?;
    let summary = Summary::of(&reports);
    if summary == Summary::Unsigned {
        writeln!(
            text,
            "\n{} These say why:\n\n    signet explain --from {from}\n    signet doctor {}",
            style.paint(Ink::Bad, "It was not signed."),
            from.domain
        )?;
    }
    streams::print(text)?;
    Ok(match summary {
        Summary::Pass => ExitCode::SUCCESS,
        Summary::Fail | Summary::Unsigned => ExitCode::from(1),
        Summary::Unknown => ExitCode::from(2),
    })
}

/// The key records: from DNS, and for those that are not there yet from the keys here,
/// whose names come second.
fn records(
    args: &Args,
    keys: &crate::doctor::KeyFacts,
    message: &Message,
) -> Result<(Records, Vec<String>), Problem> {
    let mut records = Records::new();
    let mut by_hand = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let lookup = match args.resolver {
            Some(address) => Lookup::of_server(address),
            None => Lookup::of_system()?,
        };
        for name in verify::key_names(message) {
            let answer = lookup.txt(&name).await;
            let own = keys.usable().find(|(_, record)| record.name() == name);
            match (answer, own) {
                (Answer::Missing | Answer::Trouble(_), Some((_, own))) => {
                    records.insert(&name, own.record.to_string());
                    by_hand.push(name);
                }
                (answer, _) => records.set(&name, answer),
            }
        }
        Ok((records, by_hand))
    })
}
