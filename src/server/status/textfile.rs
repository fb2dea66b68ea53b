//! The metrics as a file for node_exporter's textfile collector.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::warn;

use super::super::Shared;
use super::Status;
use crate::telemetry::{exposition, textfile};

/// Prometheus asks once in 15 seconds by habit.
const EVERY: Duration = Duration::from_secs(15);

/// The file, which is removed when this is dropped: the metrics of a daemon that is
/// gone would look like those of one that has nothing to do.
#[derive(Debug)]
pub struct Textfile {
    file: Arc<File>,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    /// Set when it was removed; a write that is late must not bring it back.
    gone: Mutex<bool>,
}

impl Textfile {
    pub fn new(path: PathBuf) -> Self {
        let gone = Mutex::new(false);
        Self {
            file: Arc::new(File { path, gone }),
        }
    }

    /// Writes the file again and again. A failure is told once, until it works again.
    pub async fn keep(self, shared: Arc<Shared>) {
        let mut failing = false;
        loop {
            let (file, shared) = (self.file.clone(), shared.clone());
            let written = tokio::task::spawn_blocking(move || {
                let gauges = Status::gather(&shared).gauges();
                file.write(&exposition(shared.metrics(), &gauges))
            });
            match written.await.unwrap_or_else(|error| Err(error.into())) {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    failing = true;
                    let path = self.file.path.display();
                    warn!(%path, %error, "cannot write the metrics; trying again (metrics.textfile)");
                }
                Err(_) => {}
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}

impl Drop for Textfile {
    fn drop(&mut self) {
        let gone = self.file.gone.lock();
        *gone.unwrap_or_else(PoisonError::into_inner) = true;
        // Nothing is lost when it stays: its age tells.
        let _ = std::fs::remove_file(&self.file.path);
    }
}

impl File {
    fn write(&self, text: &str) -> io::Result<()> {
        let file = textfile::stage(&self.path, text)?;
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        if !*gone {
            file.persist(&self.path).map_err(|error| error.error)?;
        }
        Ok(())
    }
}
