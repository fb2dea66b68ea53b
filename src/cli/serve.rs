//! `signet serve`: the milter.

use std::fs::File;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::task::JoinSet;
use tracing::{error, info, warn};

use super::settings::Settings;
use super::{CommandResult, with_causes};
use crate::config::{Batch, Config};
use crate::dkim;
use crate::server::status::{StatusListener, Textfile};
use crate::server::{
    self, BindError, Bound, Confinement, Inherited, NoBatches, Server, Shared, Signals, Signing,
    descriptors, notify, privileges,
};
use crate::snapshot::{KeyState, Snapshot};
use crate::telemetry;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: Settings,
}

pub fn run(args: &Args) -> CommandResult {
    let inherited = Inherited::take()?;
    let config = args.settings.config()?;
    telemetry::init(&config.log);
    telemetry::log_panics();
    descriptors::allow(config.limits.connections);
    let snapshot = Snapshot::load(config)?;
    describe(&snapshot);
    let config = snapshot.config();
    let signing = signing(&config.batch);
    let sockets = Sockets::bind(config, inherited)?;
    // What needs root is done, and there is no second thread yet.
    privileges::give_up(config)?;
    warn_of_unreadable(&snapshot);
    let confinement = Confinement::impose(&snapshot, args.settings.file().as_deref());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    // Beside all that follows; before this there must be no second thread.
    runtime.spawn_blocking(dkim::gather_randomness);
    let shared = Arc::new(Shared::with_signing(snapshot, signing));
    let result = runtime.block_on(serve(args, sockets, &confinement, &shared));
    // A connection that outlived the grace must not hold the process.
    runtime.shutdown_background();
    result.map(|()| ExitCode::SUCCESS)
}

/// The sockets of the daemon, bound and silent.
struct Sockets {
    milter: Vec<Bound>,
    passed_in: bool,
    status: Option<StatusListener>,
}

impl Sockets {
    fn bind(config: &Config, inherited: Inherited) -> Result<Self, BindError> {
        // A socket that was passed in replaces those of the config.
        let passed_in = !inherited.is_empty();
        let mut milter = inherited.into_bound();
        if !passed_in {
            for listener in &config.listen {
                milter.push(server::bind(listener)?);
            }
        }
        // Mail matters more: where the status cannot be shown the daemon says so, and
        // signs.
        let status = config.metrics.listen.and_then(|address| {
            let listener = StatusListener::bind(address);
            listener
                .inspect_err(|error| error!("{}", with_causes(error)))
                .ok()
        });
        Ok(Self {
            milter,
            passed_in,
            status,
        })
    }
}

/// Warns of keys that could be read as root and cannot be by the daemon's user: they
/// sign until the next reload.
fn warn_of_unreadable(snapshot: &Snapshot) {
    for report in snapshot.key_reports() {
        if matches!(report.state, KeyState::Usable(_))
            && let Err(error) = File::open(&report.path)
        {
            warn!(
                "{}: {error}; it signs until the next reload or start; give the key to the daemon's user (chown)",
                report.path.display()
            );
        }
    }
}

async fn serve(
    args: &Args,
    sockets: Sockets,
    confinement: &Confinement,
    shared: &Arc<Shared>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // Before anybody can connect, or a SIGHUP would end the daemon.
    let signals = Signals::catch()?;
    let passed_in = sockets.passed_in;
    let addresses: Vec<_> = sockets.milter.iter().map(Bound::address).collect();
    let server = Server::new(shared.clone(), sockets.milter)?;
    for listener in addresses {
        info!(%listener, passed_in, "listening");
    }
    let mut observers = observers(sockets.status, shared);
    observers.spawn(notify::keep_telling(shared.clone()));
    let reload = || {
        notify::reloading();
        if let Err(error) = reload(&args.settings, confinement, shared) {
            let why = with_causes(&*error);
            // Each mistake on a line of its own: a log line ends where the text does.
            for line in why.lines() {
                error!("not reloaded: {line}");
            }
            shared.reload_failed(why);
            error!("the old configuration and keys stay in force");
        } else {
            info!("reloaded");
        }
        notify::ready(shared);
    };
    let stop = async {
        signals.until_stop(reload).await;
        notify::stopping();
    };
    notify::ready(shared);
    server.serve(stop).await;
    observers.shutdown().await;
    Ok(())
}

/// Starts what shows the status, until the result is dropped.
fn observers(listener: Option<StatusListener>, shared: &Arc<Shared>) -> JoinSet<()> {
    let mut observers = JoinSet::new();
    if let Some(listener) = listener {
        let address = listener.address();
        info!("status on http://{address}/");
        if !address.ip().is_loopback() {
            warn!(%address, "whoever reaches this address reads the names of your domains (metrics.listen)");
        }
        observers.spawn(listener.serve(shared.clone()));
    }
    let snapshot = shared.snapshot();
    let metrics = &snapshot.config().metrics;
    if let Some(path) = &metrics.textfile {
        observers.spawn(Textfile::new(path.clone()).keep(shared.clone()));
    }
    observers
}

fn reload(
    settings: &Settings,
    confinement: &Confinement,
    shared: &Shared,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let config = settings.config()?;
    confinement.admits(&config, settings.file().as_deref())?;
    let snapshot = Snapshot::load(config)?;
    describe(&snapshot);
    let old = shared.snapshot();
    let (old, new) = (old.config(), snapshot.config());
    for (key, changed) in [
        ("listen", old.listen != new.listen),
        ("metrics", old.metrics != new.metrics),
        (
            "user or group",
            (&old.user, &old.group) != (&new.user, &new.group),
        ),
        ("confine", old.confine != new.confine),
        (
            "log.format or log.journal_socket",
            (old.log.format, &old.log.journal_socket) != (new.log.format, &new.log.journal_socket),
        ),
        ("signing.batch or its library", old.batch != new.batch),
        (
            "limits.connections",
            old.limits.connections != new.limits.connections,
        ),
    ] {
        if changed {
            warn!("{key} has changed; that takes effect at the next restart");
        }
    }
    telemetry::set_level(new.log.level);
    shared.replace(snapshot);
    Ok(())
}

/// With the accelerator where there is one, and a word about it.
fn signing(batch: &Batch) -> Signing {
    match server::accelerator(batch) {
        Ok(accelerator) => {
            info!("batched RSA: on, {accelerator}");
            Signing::with_accelerator(accelerator)
        }
        Err(error) => {
            // Nobody misses what nobody asked for.
            match batch.library.is_some() && error != NoBatches::Off {
                true => warn!("batched RSA: off, {error}"),
                false => info!("batched RSA: off, {error}"),
            }
            Signing::default()
        }
    }
}

/// Says at start and after a reload what will be signed, and every key that will
/// not sign with the command that mends it.
fn describe(snapshot: &Snapshot) {
    for problem in snapshot.problems() {
        warn!("{problem}");
    }
    let (domains, keys) = (snapshot.domain_count(), snapshot.key_count());
    let directory = snapshot.config().keys.display();
    if keys == 0 {
        warn!(
            %directory,
            "there is no key, so nothing will be signed; make one with `signet keygen DOMAIN`"
        );
    } else {
        info!(domains, keys, %directory, "keys loaded");
    }
}
