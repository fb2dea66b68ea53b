//! A milter of the selftest's own, in this process, on a Unix socket and a TCP port
//! that the system chooses.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Failure, streams};
use crate::config::{Config, ListenAddress, Listener};
use crate::server::{self, Server, Shared};
use crate::snapshot::{Severity, Snapshot};

/// A milter that runs until it is stopped or dropped.
pub struct Running {
    runtime: Runtime,
    serving: JoinHandle<()>,
    stop: oneshot::Sender<()>,
    addresses: Vec<ListenAddress>,
}

/// Starts the milter that `config` describes, on sockets of our own.
pub fn start(mut config: Config, socket: &Path) -> Result<Running, Failure> {
    let tcp = ListenAddress::Inet {
        host: "127.0.0.1".to_owned(),
        port: 0,
    };
    let unix = ListenAddress::Unix {
        path: socket.to_owned(),
    };
    config.listen = vec![Listener::from(unix), Listener::from(tcp)];
    let snapshot = Snapshot::load(config)?;
    for problem in snapshot.problems() {
        if problem.severity > Severity::Note {
            streams::print(format_args!("  {}: {problem}\n", problem.severity))?;
        }
    }
    let mut listeners = Vec::new();
    for listener in &snapshot.config().listen {
        listeners.push(server::bind(listener)?);
    }
    let addresses = listeners.iter().map(server::Bound::address).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let shared = Arc::new(Shared::new(snapshot));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = {
        let _inside = runtime.enter();
        Server::new(shared, listeners)?
    };
    let serving = runtime.spawn(server.serve(async {
        // An error means that the other end is gone, which is an end as well.
        let _ = stopped.await;
    }));
    Ok(Running {
        runtime,
        serving,
        stop,
        addresses,
    })
}

impl Running {
    pub fn addresses(&self) -> &[ListenAddress] {
        &self.addresses
    }

    pub fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.runtime.block_on(self.serving);
    }
}
