//! `signet keygen`: makes a key and says what to publish.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use super::announce::{self, Announcement, Form};
use super::screen::Progress;
use super::settings;
use super::{CommandResult, with_causes};
use crate::dkim::SigningKey;
use crate::dns::record_name;
use crate::keys::{self, Algorithm, KeyEntry, RsaSize};
use crate::names::{DomainName, Selector};

#[derive(clap::Args)]
pub struct Args {
    /// The domain to sign for, as in the From: address
    #[arg(value_name = "DOMAIN")]
    domain: DomainName,

    /// The name of the key within the domain [default: "s" and the date, s20261122]
    #[arg(long, value_name = "SELECTOR")]
    selector: Option<Selector>,

    /// The kind of key
    #[arg(long, value_enum, default_value = "rsa")]
    algorithm: AlgorithmName,

    /// The size of an RSA key [default: 2048]
    #[arg(long, value_enum)]
    bits: Option<Bits>,

    /// The key directory; the key is written to DIR/DOMAIN/SELECTOR.pem [default: that
    /// of the config file, or /var/lib/signet/keys]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,

    /// Print the record in this form and nothing else (may be repeated); "list" names
    /// the forms
    #[arg(long, value_name = "FORMAT", value_parser = announce::form_parser())]
    format: Vec<Form>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum AlgorithmName {
    Rsa,
    Ed25519,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Bits {
    #[value(name = "2048")]
    Bits2048,
    #[value(name = "3072")]
    Bits3072,
    #[value(name = "4096")]
    Bits4096,
}

pub fn run(args: &Args) -> CommandResult {
    let Some(formats) = announce::formats(&args.format)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let algorithm = match (args.algorithm, args.bits) {
        (AlgorithmName::Ed25519, None) => Algorithm::Ed25519,
        (AlgorithmName::Ed25519, Some(_)) => {
            return Err("an Ed25519 key has one size only: leave out --bits".into());
        }
        (AlgorithmName::Rsa, None | Some(Bits::Bits2048)) => Algorithm::Rsa(RsaSize::Bits2048),
        (AlgorithmName::Rsa, Some(Bits::Bits3072)) => Algorithm::Rsa(RsaSize::Bits3072),
        (AlgorithmName::Rsa, Some(Bits::Bits4096)) => Algorithm::Rsa(RsaSize::Bits4096),
    };
    let selector = match &args.selector {
        Some(selector) => selector.clone(),
        None => selector_of_today()?,
    };
    let directory = settings::key_directory(args.keys.as_deref())?;
    // Before anything is on disk: a name that DNS cannot hold.
    record_name(&args.domain, &selector)?;

    let progress = Progress::start("making the key");
    let pem = keys::generate(algorithm)?;
    drop(progress);
    // The key is read as the daemon will read it, before it is kept.
    let key = SigningKey::from_pem(pem.as_bytes())?;
    let path = keys::write_new(&directory, &args.domain, &selector, &pem)?;
    let entry = KeyEntry {
        domain: args.domain.clone(),
        selector,
        path,
    };
    let made = entry.path.display().to_string();
    announce::print(&[Announcement::new(entry, &key)], &formats, true).map_err(|error| {
        format!(
            "the key is in {made}, but its record could not be printed ({}); \
             \"signet dns\" prints it again",
            with_causes(&error)
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn selector_of_today() -> Result<Selector, Box<dyn std::error::Error + Send + Sync>> {
    let now = jiff::Timestamp::try_from(SystemTime::now())?;
    Ok(Selector::parse(&now.strftime("s%Y%m%d").to_string())?)
}
