//! `signet doctor`: what keeps mail from being signed and verified, and how to mend it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use super::screen::{self, Progress};
use super::settings::{Settings, SettingsError, name_server};
use super::streams;
use super::{CommandResult, with_causes};
use crate::config::Config;
use crate::dkim::HeaderSection;
use crate::dns::Publication;
use crate::dns::lookup::Lookup;
use crate::doctor::{self, Code, ConfigFacts, Facts, KeyFacts, PolicyFacts, Severity, ZoneFacts};
use crate::names::DomainName;
use crate::policy::{Decision, Origin};
use crate::postfix::Postfix;
use crate::probe;
use crate::probe::record::Servers;
use crate::snapshot::{Snapshot, SnapshotError};
use crate::telemetry::textfile;

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

    /// Postfix's configuration directory, when it is not the usual one
    #[arg(long, value_name = "DIR")]
    postfix_config: Option<PathBuf>,

    /// Leave Postfix and its log alone: it runs on another machine
    #[arg(long)]
    no_postfix: bool,

    /// Postfix's log [default: what maillog_file says, /var/log/mail.log, or the journal]
    #[arg(long, value_name = "FILE")]
    mail_log: Option<PathBuf>,

    /// An address that mail leaves from [default: those of Postfix's myhostname] (may be
    /// repeated)
    #[arg(long, value_name = "IP")]
    address: Vec<IpAddr>,

    /// Print one line of JSON
    #[arg(long)]
    json: bool,

    /// Write the result as metrics into this file as well, for node_exporter's textfile
    /// collector
    #[arg(long, value_name = "FILE")]
    textfile: Option<PathBuf>,

    /// Print what there is to know about a finding, and check nothing
    #[arg(long, value_name = "CODE")]
    explain: Option<Code>,
}

pub fn run(args: &Args) -> CommandResult {
    if let Some(code) = args.explain {
        streams::print(format_args!("{}\n", doctor::page::section(code)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let facts = facts(args)?;
    let sections = doctor::examine(&facts);
    if let Some(file) = &args.textfile {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_secs());
        textfile::stage(file, &doctor::to_metrics(&facts, &sections, now))
            .and_then(|staged| Ok(staged.persist(file).map(|_| ())?))
            .map_err(|error| format!("{}: cannot be written: {error}", file.display()))?;
    }
    let text = match args.json {
        true => doctor::to_json(&sections),
        false => doctor::to_text(&sections, screen::out()),
    };
    streams::print(text)?;
    let faults = doctor::count(&sections, Severity::Fault);
    Ok(ExitCode::from(u8::from(faults > 0)))
}

fn facts(args: &Args) -> Result<Facts, Box<dyn std::error::Error + Send + Sync>> {
    let (config_facts, config, snapshot) = configuration(&args.settings)?;
    let keys = config
        .as_ref()
        .map(|config| probe::keys::read(config, args.domain.as_ref()));
    let (listen, trust, authors) = config.map_or_else(Default::default, |config| {
        let listeners = config.listen.into_iter();
        let addresses: Vec<_> = listeners.map(|listener| listener.address).collect();
        (addresses, config.trust, config.author_headers)
    });
    let postfix = match args.no_postfix {
        true => None,
        false => probe::mail::read(args.postfix_config.as_deref(), listen, trust, authors)
            .map_err(|error| with_causes(&error))
            .transpose(),
    };
    let known = postfix.as_ref().and_then(|postfix| postfix.as_ref().ok());
    let known = known.map(|facts| &facts.postfix);
    let log = probe::log::read(args.mail_log.as_deref(), known)?;
    let mut policy = PolicyFacts {
        domains: domains(args, keys.as_ref())
            .into_iter()
            .map(|domain| {
                let signers = snapshot.as_ref().map(|snapshot| signers(snapshot, &domain));
                (domain, signers.unwrap_or_default())
            })
            .collect(),
        host: known.map(host),
        given: args.address.clone(),
        answers: doctor::Answers::default(),
    };
    let zones = ask(args, keys.as_ref(), &mut policy)?;
    Ok(Facts {
        domain: args.domain.clone(),
        config: config_facts,
        keys,
        zones,
        postfix,
        log,
        policy,
    })
}

/// The domains that are looked at.
fn domains(args: &Args, keys: Option<&KeyFacts>) -> Vec<DomainName> {
    if let Some(domain) = &args.domain {
        return vec![domain.clone()];
    }
    let usable = keys.into_iter().flat_map(KeyFacts::usable);
    let mut domains: Vec<_> = usable.map(|(key, _)| key.domain.clone()).collect();
    domains.sort();
    domains.dedup();
    domains
}

/// The domains that sign for authors of a domain who write from this machine.
fn signers(snapshot: &Snapshot, domain: &DomainName) -> Vec<DomainName> {
    let mut section = HeaderSection::new();
    section.push(b"From", format!(" <postmaster@{domain}>").as_bytes());
    let origin = Origin {
        client: Some(Ipv4Addr::LOCALHOST.into()),
        client_name: None,
        login: None,
        auth_type: None,
        daemon_name: None,
        macros: None,
    };
    match snapshot.decide(&origin, &[] as &[&str], &section) {
        Decision::Sign { requests, .. } => {
            requests.into_iter().map(|request| request.domain).collect()
        }
        _ => Vec::new(),
    }
}

/// The name that Postfix greets other servers with.
fn host(postfix: &Postfix) -> String {
    let name = postfix.value("smtp_helo_name");
    match name.is_empty() {
        true => postfix.value("myhostname").to_owned(),
        false => name.to_owned(),
    }
}

/// What the configuration says, and what is wrong with it apart from single keys.
fn configuration(
    settings: &Settings,
) -> Result<(ConfigFacts, Option<Config>, Option<Snapshot>), SettingsError> {
    let mut facts = ConfigFacts {
        file: settings.file(),
        ..ConfigFacts::default()
    };
    let config = match settings.config() {
        Ok(config) => config,
        Err(SettingsError::Mistakes(errors)) => {
            facts.mistakes = errors.0.iter().map(ToString::to_string).collect();
            return Ok((facts, None, None));
        }
        Err(error @ SettingsError::Unreadable { .. }) => return Err(error),
        Err(error) => {
            facts.mistakes.push(error.to_string());
            return Ok((facts, None, None));
        }
    };
    let snapshot = match Snapshot::load(config.clone()) {
        Ok(snapshot) => Some(snapshot),
        Err(SnapshotError::Tables(errors)) => {
            facts.mistakes = errors.0.iter().map(ToString::to_string).collect();
            None
        }
        // The key directory has a finding of its own.
        Err(SnapshotError::Keys(_)) => None,
    };
    if let Some(snapshot) = &snapshot {
        // Keys are judged one by one.
        let keys = config.keys.display().to_string();
        let problems = snapshot.every_problem().into_iter();
        facts.problems = problems
            .map(|problem| (problem.severity, problem.to_string()))
            .filter(|(_, text)| !text.contains(&keys))
            .collect();
    }
    Ok((facts, Some(config), snapshot))
}

/// Asks DNS about the key records, and about what else receivers look at.
fn ask(
    args: &Args,
    keys: Option<&KeyFacts>,
    policy: &mut PolicyFacts,
) -> Result<Vec<ZoneFacts>, Box<dyn std::error::Error + Send + Sync>> {
    let progress = Progress::start("asking DNS");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let lookup = match args.resolver {
            Some(address) => Lookup::of_server(address),
            None => Lookup::of_system()?,
        };
        let servers = Servers {
            lookup: &lookup,
            authoritative: &args.name_server,
        };
        let mut zones = Vec::new();
        for (domain, _) in &policy.domains {
            let usable = keys.into_iter().flat_map(KeyFacts::usable);
            let of_domain: Vec<&Publication> = usable
                .filter(|(key, _)| key.domain == *domain)
                .map(|(_, record)| record)
                .collect();
            if !of_domain.is_empty() {
                progress.now(format!("asking DNS about the keys of {domain}"));
                zones.push(probe::record::read(&servers, domain, &of_domain).await);
            }
        }
        progress.now("asking DNS about SPF, DMARC and this host");
        probe::sender::read(&servers, policy).await;
        Ok(zones)
    })
}
