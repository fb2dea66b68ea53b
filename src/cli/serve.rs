//! `signet serve`: the milter.

use std::process::ExitCode;
use std::sync::Arc;

use tracing::{error, info, warn};

use super::settings::Settings;
use super::{CommandResult, with_causes};
use crate::server::{self, Server, Shared, Signals};
use crate::snapshot::Snapshot;
use crate::telemetry;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: Settings,
}

pub fn run(args: &Args) -> CommandResult {
    let config = args.settings.config()?;
    telemetry::init(&config.log);
    let snapshot = Snapshot::load(config)?;
    describe(&snapshot);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let shared = Arc::new(Shared::new(snapshot));
    let result = runtime.block_on(serve(args, &shared));
    // A connection that outlived the grace must not hold the process.
    runtime.shutdown_background();
    result.map(|()| ExitCode::SUCCESS)
}

async fn serve(
    args: &Args,
    shared: &Arc<Shared>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let signals = Signals::catch()?;
    let mut listeners = Vec::new();
    for listener in &shared.snapshot().config().listen {
        let bound = server::bind(listener).await?;
        info!(listener = %bound, "listening");
        listeners.push(bound);
    }
    let reload = || match reload(&args.settings, shared) {
        Ok(()) => info!("reloaded"),
        Err(error) => {
            // Each mistake on a line of its own: a log line ends where the text does.
            for line in with_causes(&*error).lines() {
                error!("not reloaded: {line}");
            }
            error!("the old configuration and keys stay in force");
        }
    };
    Server::new(shared.clone(), listeners)
        .serve(signals.until_stop(reload))
        .await;
    Ok(())
}

fn reload(
    settings: &Settings,
    shared: &Shared,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let config = settings.config()?;
    let snapshot = Snapshot::load(config)?;
    describe(&snapshot);
    let old = shared.snapshot();
    if old.config().listen != snapshot.config().listen {
        warn!("listen has changed; that takes effect at the next restart");
    }
    shared.replace(snapshot);
    Ok(())
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
