//! `signet serve`: the milter.

use std::process::ExitCode;
use std::sync::Arc;

use tokio::task::JoinSet;
use tracing::{error, info, warn};

use super::settings::Settings;
use super::{CommandResult, with_causes};
use crate::config::Batch;
use crate::server::status::{StatusListener, Textfile};
use crate::server::{
    self, Inherited, NoBatches, Server, Shared, Signals, Signing, descriptors, notify,
};
use crate::snapshot::Snapshot;
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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let signing = signing(&snapshot.config().batch);
    let shared = Arc::new(Shared::with_signing(snapshot, signing));
    let result = runtime.block_on(serve(args, inherited, &shared));
    // A connection that outlived the grace must not hold the process.
    runtime.shutdown_background();
    result.map(|()| ExitCode::SUCCESS)
}

async fn serve(
    args: &Args,
    inherited: Inherited,
    shared: &Arc<Shared>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let signals = Signals::catch()?;
    // A socket that was passed in replaces those of the config.
    let passed_in = !inherited.is_empty();
    let mut listeners = inherited.into_bound()?;
    if !passed_in {
        for listener in &shared.snapshot().config().listen {
            listeners.push(server::bind(listener).await?);
        }
    }
    for listener in &listeners {
        info!(%listener, passed_in, "listening");
    }
    let mut observers = observers(shared).await;
    observers.spawn(notify::keep_telling(shared.clone()));
    let reload = || {
        notify::reloading();
        if let Err(error) = reload(&args.settings, shared) {
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
    Server::new(shared.clone(), listeners).serve(stop).await;
    observers.shutdown().await;
    Ok(())
}

/// Starts what shows the status, until the result is dropped. Mail matters more: where
/// it cannot be shown the daemon says so and signs.
async fn observers(shared: &Arc<Shared>) -> JoinSet<()> {
    let mut observers = JoinSet::new();
    let snapshot = shared.snapshot();
    let metrics = &snapshot.config().metrics;
    if let Some(address) = metrics.listen {
        match StatusListener::bind(address).await {
            Ok(listener) => {
                let address = listener.address();
                info!("status on http://{address}/");
                if !address.ip().is_loopback() {
                    warn!(%address, "whoever reaches this address reads the names of your domains (metrics.listen)");
                }
                observers.spawn(listener.serve(shared.clone()));
            }
            Err(error) => error!("{}", with_causes(&error)),
        }
    }
    if let Some(path) = &metrics.textfile {
        observers.spawn(Textfile::new(path.clone()).keep(shared.clone()));
    }
    observers
}

fn reload(
    settings: &Settings,
    shared: &Shared,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let config = settings.config()?;
    let snapshot = Snapshot::load(config)?;
    describe(&snapshot);
    let old = shared.snapshot();
    let (old, new) = (old.config(), snapshot.config());
    for (key, changed) in [
        ("listen", old.listen != new.listen),
        ("metrics", old.metrics != new.metrics),
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
