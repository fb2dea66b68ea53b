//! `signet selftest`: proof in one command that signing works.
//!
//! Without arguments everything is made for the occasion: a key, the milter, a
//! message. The verdict comes from `verify`, which shares no canonicalization with
//! the signer, over a key record read back out of the text that `keygen` prints for a
//! console.

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use super::playback::{Played, Socket, play};
use super::screen::{self, Ink};
use super::settings::Settings;
use super::streams::{self, PrintError};
use super::{CommandResult, with_causes};
use crate::config::{Config, ListenAddress};
use crate::keys::{self, Algorithm, KeyDirectory, RsaSize};
use crate::milter::mta::{Envelope, Verdict as Answer};
use crate::names::{Address, DomainName, Selector};
use crate::verify::{self, Records, Verdict};

mod milter;
mod published;
mod specimen;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(clap::Args)]
#[command(mut_arg("listen", |listen| listen.hide(true)))]
pub struct Args {
    #[command(flatten)]
    settings: Settings,

    /// Test the milter that listens here, inet:HOST:PORT or unix:PATH, instead of one
    /// of our own
    #[arg(long, value_name = "ADDR", conflicts_with = "listen")]
    socket: Option<ListenAddress>,

    /// The author of the test message [default: postmaster@ the first domain that has a
    /// key]
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    from: Option<Address>,
}

pub fn run(args: &Args) -> CommandResult {
    let style = screen::out();
    let heading = style.paint(Ink::Heading, "signet selftest");
    streams::print(format_args!("{heading}\n\n"))?;
    let mut report = Report { failed: false };
    if let Err(error) = test(args, &mut report) {
        let mark = style.paint(Ink::Warning, "??");
        streams::print(format_args!(
            "  {mark}    {}\n\n\
             This does not tell whether signing works; mend the above and run it again.\n",
            with_causes(&*error)
        ))?;
        return Ok(ExitCode::from(2));
    }
    if report.failed {
        let verdict = style.paint(Ink::Bad, "Signing does NOT work.");
        streams::print(format_args!(
            "\n{verdict} The first line that failed says where to look.\n"
        ))?;
        return Ok(ExitCode::from(1));
    }
    let verdict = style.paint(Ink::Good, "Signing works.");
    streams::print(format_args!("\n{verdict}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// The lines of the report as they come.
struct Report {
    failed: bool,
}

impl Report {
    fn check(&mut self, good: bool, what: &str) -> Result<(), PrintError> {
        let (ink, word) = match good {
            true => (Ink::Good, "ok  "),
            false => (Ink::Bad, "FAIL"),
        };
        self.failed |= !good;
        let word = screen::out().paint(ink, word);
        streams::print(format_args!("  {word}  {what}\n"))
    }
}

fn test(args: &Args, report: &mut Report) -> Result<(), Failure> {
    let own = args.settings.keys.is_some() || args.settings.config.is_some();
    if let Some(address) = &args.socket {
        let config = args.settings.config()?;
        let author = author(args, &config.keys)?;
        return examine(address, &author, &config.keys, report);
    }
    let home = tempfile::tempdir()?;
    let mut config = if own {
        args.settings.config()?
    } else {
        Config::default()
    };
    if !own {
        config.keys = home.path().join("keys");
        let domain = match &args.from {
            Some(author) => author.domain.clone(),
            None => DomainName::parse("selftest.example")?,
        };
        make_key(&config.keys, &domain)?;
        report.check(true, "a 2048-bit RSA key was made")?;
    }
    let author = author(args, &config.keys)?;
    let keys = config.keys.clone();
    let socket = home.path().join("signet.sock");
    let milter = milter::start(config, &socket)?;
    for address in milter.addresses() {
        examine(address, &author, &keys, report)?;
        if report.failed {
            break;
        }
    }
    milter.stop();
    Ok(())
}

fn make_key(directory: &Path, domain: &DomainName) -> Result<(), Failure> {
    let pem = keys::generate(Algorithm::Rsa(RsaSize::Bits2048))?;
    let selector = Selector::parse("selftest")?;
    keys::write_new(directory, domain, &selector, &pem)?;
    Ok(())
}

fn author(args: &Args, keys: &Path) -> Result<Address, Failure> {
    if let Some(author) = &args.from {
        return Ok(author.clone());
    }
    let scan = KeyDirectory::open(keys)?.scan();
    let first = scan.keys.into_iter().next().ok_or_else(|| {
        let keys = keys.display();
        format!("there is no key in {keys}; say with --from ADDRESS whose mail to test")
    })?;
    Ok(Address {
        local: "postmaster".into(),
        domain: first.domain,
    })
}

/// Plays the message to one milter and has the result judged.
fn examine(
    address: &ListenAddress,
    author: &Address,
    keys: &Path,
    report: &mut Report,
) -> Result<(), Failure> {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs();
    let message = specimen::message(author, now);
    let envelope = Envelope {
        sender: author.to_string(),
        recipients: vec!["grace@recipient.example".to_owned()],
        queue_id: "SELFTEST".to_owned(),
        ..Envelope::default()
    };
    let Played {
        message, outcome, ..
    } = play(&mut Socket::connect(address)?, &envelope, &message)?;
    let signed = message.to_bytes();
    let reports = verify::verify(&signed, &Records::new(), now);
    let count = reports.len();
    report.check(
        count > 0,
        &match count {
            0 => match outcome.verdict {
                Answer::Continue | Answer::Accept => format!(
                    "{address}: the message came back unsigned; \"signet explain --from {author}\", with the same flags, says why"
                ),
                answer => format!(
                    "{address}: the message was not taken ({answer:?}); the daemon's log says why"
                ),
            },
            1 => format!("{address}: the milter added a DKIM-Signature"),
            _ => format!("{address}: the milter added {count} DKIM-Signatures"),
        },
    )?;
    if count == 0 {
        return Ok(());
    }
    let records = published::records(&reports, keys, report)?;
    for found in verify::verify(&signed, &records, now) {
        let (domain, selector, algorithm) = (&found.domain, &found.selector, &found.algorithm);
        let name = format!("d={domain} s={selector} a={algorithm}");
        match found.verdict {
            Verdict::Pass => {
                report.check(true, &format!("{name}: an independent verifier accepts it"))?;
            }
            Verdict::Fail(why) => report.check(false, &format!("{name}: {why}"))?,
            Verdict::Unknown(why) => return Err(format!("{name}: {why}").into()),
        }
    }
    for (what, altered) in specimen::alterations(&message) {
        let reports = verify::verify(&altered.to_bytes(), &records, now);
        let noticed = reports.len() == count && reports.iter().all(|r| !r.verdict.is_pass());
        report.check(noticed, &format!("{what} makes it fail"))?;
    }
    Ok(())
}
