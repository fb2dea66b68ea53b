//! `signet setup`: the commands from here to signed mail, without running any of them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use super::screen::{self, Progress};
use super::settings::{Settings, name_server};
use super::streams;
use super::{CommandResult, keygen};
use crate::config::DEFAULT_KEYS;
use crate::dns::lookup::Lookup;
use crate::keys::KeyDirectory;
use crate::names::{DomainName, Selector};
use crate::probe;
use crate::setup::{Machine, Plan, Zone};

/// Changes nothing: looks at the machine and at DNS, and prints the commands to run.
#[derive(clap::Args)]
pub struct Args {
    /// The domain to sign for, as in the From: address
    #[arg(value_name = "DOMAIN")]
    domain: DomainName,

    #[command(flatten)]
    settings: Settings,

    /// The name of the key to make [default: "s" and the date, s20261122]
    #[arg(long, value_name = "SELECTOR")]
    selector: Option<Selector>,

    /// The user that signet runs as
    #[arg(long, value_name = "USER", default_value = "signet")]
    user: String,

    /// Postfix's configuration directory, when it is not the usual one
    #[arg(long, value_name = "DIR")]
    postfix_config: Option<PathBuf>,

    /// Ask this name server
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = name_server)]
    resolver: Option<SocketAddr>,
}

pub fn run(args: &Args) -> CommandResult {
    let settings = &args.settings;
    let config = settings.config()?;
    let has_listener = settings.file().is_some() || !settings.listen.is_empty();
    let keys = KeyDirectory::open(&config.keys)
        .map(|directory| directory.scan().keys)
        .unwrap_or_default();
    let machine = Machine {
        domain: args.domain.clone(),
        selector: match &args.selector {
            Some(selector) => selector.clone(),
            None => keygen::selector_of_today()?,
        },
        keys: keys
            .into_iter()
            .filter(|key| key.domain == args.domain)
            .map(|key| key.selector)
            .collect(),
        name_keys: settings.keys.is_some()
            && settings.keys.as_deref() != Some(DEFAULT_KEYS.as_ref()),
        key_directory: config.keys,
        postfix: probe::postfix::read(args.postfix_config.as_deref())?,
        postfix_config: args.postfix_config.clone(),
        listen: config
            .listen
            .into_iter()
            .next()
            .filter(|_| has_listener)
            .map(|listener| listener.address),
        systemd: probe::system::systemd(),
        selinux: probe::system::selinux_enforces(),
        user_exists: probe::system::has_user(&args.user),
        user: args.user.clone(),
        zone: zone(args)?,
    };
    streams::print(Plan::of(&machine).to_text(screen::out()))?;
    Ok(ExitCode::SUCCESS)
}

fn zone(args: &Args) -> Result<Zone, Box<dyn std::error::Error + Send + Sync>> {
    let _progress = Progress::start("asking DNS who serves the zone");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(async {
        let lookup = match args.resolver {
            Some(address) => Ok(Lookup::of_server(address)),
            None => Lookup::of_system(),
        };
        match lookup {
            Ok(lookup) => probe::zone::find(&lookup, &args.domain).await,
            Err(error) => Zone {
                trouble: Some(super::with_causes(&error)),
                ..Zone::default()
            },
        }
    }))
}
