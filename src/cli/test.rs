//! `signet test`: one real mail through the local Postfix, and a look at what comes out
//! at the other end.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use super::CommandResult;
use super::message_file::read_message;
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
mod listener;

use listener::Listener;

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// An address of this machine that no Postfix takes for its own.
const SINK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(127, 83, 73, 71)), 25);

/// Everything that is easily broken on the way: text beyond ASCII, space at the end of a
/// line, a dot and a From at its start.
const BODY: &str = "This mail tests signet.\r\n\r\nText beyond ASCII: Grüße, 你好.\r\n\
    A line that ends in two spaces  \r\n.A line that begins with a dot.\r\n\
    From the start of a line.\r\n\r\n-- \r\nsignet\r\n";

/// Exits with 0 when what arrived is signed and verifies, 1 when not, 2 when that could
/// not be found out.
#[derive(clap::Args)]
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

    /// Where our own listener waits for it [default: 127.83.73.71:25]
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "address")]
    sink: Option<SocketAddr>,

    /// A recipient that Postfix routes to the listener [default: test@[ADDRESS]]
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
    let mark = mark()?;
    let body = body(args.body.as_deref())?;
    if let Some(to) = &args.address {
        let message = message(&from, &to.to_string(), &mark, &body)?;
        hand_in::send(args, &from.to_string(), &to.to_string(), &message)?;
        streams::print(elsewhere(&from, to, &mark))?;
        return Ok(ExitCode::SUCCESS);
    }
    let postfix = probe::postfix::read(args.postfix_config.as_deref())?;
    if let Some(postfix) = postfix.as_ref().filter(|_| args.to.is_none()) {
        comes_back(args, postfix)?;
    }
    let sink = args.sink.unwrap_or(SINK);
    let listener = Listener::start(sink, !args.seven_bit, mark.clone()).map_err(|error| {
        format!(
            "cannot listen at {sink}: {error}; run it as root, or name another place with --sink"
        )
    })?;
    let to = match &args.to {
        Some(to) => to.to_string(),
        None => format!("test@[{}]", listener.address().ip()),
    };
    let message = message(&from, &to, &mark, &body)?;
    let began = Instant::now();
    let how = hand_in::send(args, &from.to_string(), &to, &message)?;
    streams::print(format_args!("sent       from {from} to {to}, {how}\n"))?;
    let progress = Progress::start("waiting for it");
    let Some(arrival) = listener.wait(Duration::from_secs(args.wait)) else {
        return Err(format!(
            "it has not arrived after {} seconds; \"postqueue -p\" and Postfix's log say where it is",
            args.wait
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

/// A word that no other message has.
fn mark() -> Result<String, Problem> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(format!(
        "signet-test-{}-{}",
        std::process::id(),
        now.as_nanos()
    ))
}

/// The text, with the line ends of mail.
fn body(file: Option<&Path>) -> Result<String, Problem> {
    let Some(file) = file else {
        return Ok(BODY.to_owned());
    };
    let text = read_message(Some(file))?;
    let text = String::from_utf8(text)
        .map_err(|_| format!("{} is not UTF-8, as the test mail is", file.display()))?;
    let lines = text.lines().map(|line| format!("{line}\r\n"));
    Ok(lines.collect())
}

fn message(from: &Address, to: &str, mark: &str, body: &str) -> Result<Vec<u8>, Problem> {
    let date = jiff::Timestamp::try_from(SystemTime::now())?;
    let date = date.strftime("%a, %d %b %Y %H:%M:%S +0000");
    let domain = &from.domain;
    let head = format!(
        "Date: {date}\r\nFrom: <{from}>\r\nTo: <{to}>\r\nSubject: A test of signet\r\n\
         Message-ID: <{mark}@{domain}>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    );
    Ok((head + body).into_bytes())
}

/// Refuses when Postfix would give the mail to somebody else.
fn comes_back(args: &Args, postfix: &Postfix) -> Result<(), Problem> {
    let relay = postfix.value("relayhost");
    if relay.is_empty() {
        return Ok(());
    }
    let of_postfix = |program: &str| match &args.postfix_config {
        Some(directory) => format!("{program} -c {}", directory.display()),
        None => program.to_owned(),
    };
    let (set, reload) = (of_postfix("postconf"), of_postfix("postfix"));
    let old = postfix.raw("transport_maps");
    let added = "inline:{ signet-test.invalid=smtp:[127.83.73.71]:2525 }";
    let maps = match old {
        "" => added.to_owned(),
        old => format!("{added}, {old}"),
    };
    Err(format!(
        "Postfix gives all mail to its relayhost {relay}, so a test would not come back here; route one \
         domain to the test, and take that back afterwards:\n\n    \
         {set} -e 'transport_maps={maps}'\n    {reload} reload\n    \
         signet test --sink 127.83.73.71:2525 --to test@signet-test.invalid\n    \
         {set} -e 'transport_maps={old}'\n    {reload} reload"
    )
    .into())
}

/// What to look for where the mail was sent to.
fn elsewhere(from: &Address, to: &Address, mark: &str) -> String {
    format!(
        "sent       from {from} to {to}\n\n\
         When it is there, look at its source (Gmail: \"Show original\") for\n\n    \
         Message-ID: <{mark}@{domain}>\n    \
         Authentication-Results: ... dkim=pass ... header.d={domain} (or header.i=@{domain})\n\n\
         If it says something else, save the source and ask:\n\n    signet verify FILE\n",
        domain = from.domain
    )
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
