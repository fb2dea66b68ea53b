//! `signet doctor`: what keeps mail from being signed and verified, and how to mend it.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use super::CommandResult;
use super::settings::{Settings, SettingsError, name_server};
use crate::config::Config;
use crate::dns::Publication;
use crate::dns::lookup::Lookup;
use crate::doctor::{self, Code, ConfigFacts, Facts, KeyFacts, Severity, Style, ZoneFacts};
use crate::names::DomainName;
use crate::probe;
use crate::probe::record::Servers;
use crate::snapshot::Snapshot;

/// Changes nothing. Exits with 0 when there is no fault (warnings are none), 1 when
/// there are faults, 2 when the checks could not be run.
#[derive(clap::Args)]
pub struct Args {
    /// The domain to look at [default: every domain that has a key]
    #[arg(value_name = "DOMAIN")]
    domain: Option<DomainName>,

    #[command(flatten)]
    settings: Settings,

    /// Ask this resolver instead of the system's
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = name_server)]
    resolver: Option<SocketAddr>,

    /// Ask these name servers instead of those that the zone names (may be repeated)
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = name_server)]
    name_server: Vec<SocketAddr>,

    /// Print one line of JSON
    #[arg(long)]
    json: bool,

    /// Print what there is to know about a finding, and check nothing
    #[arg(long, value_name = "CODE")]
    explain: Option<Code>,
}

pub fn run(args: &Args) -> CommandResult {
    let mut out = io::stdout().lock();
    if let Some(code) = args.explain {
        writeln!(out, "{}", doctor::page::section(code))?;
        return Ok(ExitCode::SUCCESS);
    }
    let sections = doctor::examine(&facts(args)?);
    let text = match args.json {
        true => doctor::to_json(&sections),
        false => doctor::to_text(&sections, style()),
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    let faults = doctor::count(&sections, Severity::Fault);
    Ok(ExitCode::from(u8::from(faults > 0)))
}

/// Colours are for a terminal whose user wants them (no-color.org).
fn style() -> Style {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if io::stdout().is_terminal() && !unwanted {
        Style::Coloured
    } else {
        Style::Plain
    }
}

fn facts(args: &Args) -> Result<Facts, Box<dyn std::error::Error + Send + Sync>> {
    let (config_facts, config) = configuration(&args.settings)?;
    let keys = config
        .as_ref()
        .map(|config| probe::keys::read(config, args.domain.as_ref()));
    let zones = match &keys {
        Some(keys) => zones(args, keys)?,
        None => Vec::new(),
    };
    Ok(Facts {
        domain: args.domain.clone(),
        config: config_facts,
        keys,
        zones,
    })
}

/// What the configuration says, and what is wrong with it apart from single keys.
fn configuration(settings: &Settings) -> Result<(ConfigFacts, Option<Config>), SettingsError> {
    let mut facts = ConfigFacts {
        file: settings.file(),
        ..ConfigFacts::default()
    };
    let config = match settings.config() {
        Ok(config) => config,
        Err(SettingsError::Mistakes(errors)) => {
            facts.mistakes = errors.0.iter().map(ToString::to_string).collect();
            return Ok((facts, None));
        }
        Err(error @ SettingsError::Unreadable { .. }) => return Err(error),
        Err(error) => {
            facts.mistakes.push(error.to_string());
            return Ok((facts, None));
        }
    };
    match Snapshot::load(config.clone()) {
        Ok(snapshot) => {
            // Keys are judged one by one.
            let keys = config.keys.display().to_string();
            let problems = snapshot.every_problem().into_iter();
            facts.problems = problems
                .map(|problem| (problem.severity, problem.to_string()))
                .filter(|(_, text)| !text.contains(&keys))
                .collect();
        }
        Err(crate::snapshot::SnapshotError::Tables(errors)) => {
            facts.mistakes = errors.0.iter().map(ToString::to_string).collect();
        }
        // The key directory has a finding of its own.
        Err(crate::snapshot::SnapshotError::Keys(_)) => {}
    }
    Ok((facts, Some(config)))
}

fn zones(
    args: &Args,
    keys: &KeyFacts,
) -> Result<Vec<ZoneFacts>, Box<dyn std::error::Error + Send + Sync>> {
    let mut domains: Vec<&DomainName> = keys.usable().map(|(key, _)| &key.domain).collect();
    domains.sort();
    domains.dedup();
    if domains.is_empty() {
        return Ok(Vec::new());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (lookup, resolvers) = match args.resolver {
            Some(address) => (Lookup::of_server(address)?, vec![address]),
            None => (Lookup::of_system()?, Lookup::servers_of_system()?),
        };
        let servers = Servers {
            lookup: &lookup,
            resolvers: &resolvers,
            authoritative: &args.name_server,
        };
        let mut zones = Vec::new();
        for domain in domains {
            progress(&format!("asking DNS about {domain}"));
            let of_domain: Vec<&Publication> = keys
                .usable()
                .filter(|(key, _)| key.domain == *domain)
                .map(|(_, record)| record)
                .collect();
            zones.push(probe::record::read(&servers, domain, &of_domain).await);
        }
        Ok(zones)
    })
}

/// Tells a person at a terminal what takes time.
fn progress(what: &str) {
    if io::stderr().is_terminal() {
        eprintln!("{what} ...");
    }
}
