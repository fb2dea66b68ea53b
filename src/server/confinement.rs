//! Which files the running daemon can reach at all: Landlock, landlock(7).
//!
//! From its start on it reads the directories of its config, tables and keys, and
//! writes where the metrics go; every other file is out of reach, whoever may come to
//! control it. A kernel without Landlock is told of and changes nothing else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, path_beneath_rules,
};
use tracing::{info, warn};

use crate::config::{Config, ListenAddress};
use crate::snapshot::Snapshot;

/// What the status page and the runtime look at.
const SYSTEM: [&str; 2] = ["/proc", "/sys/fs/cgroup"];

/// What can be reached since the daemon confined itself.
#[derive(Debug, Default)]
pub struct Confinement {
    /// None when everything can.
    reach: Option<Reach>,
}

/// Directories, each with all that lies below it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Reach {
    read: BTreeSet<PathBuf>,
    write: BTreeSet<PathBuf>,
    /// Where the daemon's sockets are removed at its end.
    remove: BTreeSet<PathBuf>,
}

impl Reach {
    /// What a configuration needs. `file` is the config file.
    fn of(config: &Config, file: Option<&Path>) -> Self {
        let mut reach = Self::default();
        let tables = config.send_as.iter().flat_map(|send_as| &send_as.tables);
        let files = file.into_iter().map(Path::to_owned);
        let files = files
            .chain(config.rule_tables.iter().cloned())
            .chain(tables.cloned())
            .chain(config.key_files.iter().map(|key| key.file.clone()));
        // A file that is replaced is another file, in the same directory.
        for file in files {
            add_parents(&mut reach.read, &file);
        }
        add_directory(&mut reach.read, &config.keys);
        if let Some(textfile) = &config.metrics.textfile {
            add_parents(&mut reach.write, textfile);
        }
        for listener in &config.listen {
            if let ListenAddress::Unix { path } = &listener.address {
                add_parents(&mut reach.remove, path);
            }
        }
        reach
    }

    /// Adds where symbolic links in the key directory lead.
    fn add_keys(&mut self, snapshot: &Snapshot) {
        for report in snapshot.key_reports() {
            add_parents(&mut self.read, &report.path);
        }
        // Most lie in the key directory, one directory a domain.
        let keys: Vec<_> = resolved(&snapshot.config().keys).into_iter().collect();
        self.read.retain(|path| {
            !keys
                .iter()
                .any(|keys| path != keys && path.starts_with(keys))
        });
    }

    fn impose(&self) -> Result<RulesetStatus, RulesetError> {
        let all = AccessFs::from_all(ABI::V5);
        let read: BitFlags<_> = AccessFs::ReadFile | AccessFs::ReadDir;
        let write = read
            | AccessFs::WriteFile
            | AccessFs::MakeReg
            | AccessFs::RemoveFile
            | AccessFs::Truncate;
        let status = Ruleset::default()
            .handle_access(all)?
            .create()?
            .add_rules(path_beneath_rules(SYSTEM, read))?
            .add_rules(path_beneath_rules(&self.read, read))?
            .add_rules(path_beneath_rules(&self.write, write))?
            .add_rules(path_beneath_rules(&self.remove, AccessFs::RemoveFile))?
            .restrict_self()?;
        Ok(status.ruleset)
    }
}

impl Confinement {
    /// Confines this thread and those that it will start, where the kernel can. `file`
    /// is the config file.
    pub fn impose(snapshot: &Snapshot, file: Option<&Path>) -> Self {
        let config = snapshot.config();
        if !config.confine {
            return Self::default();
        }
        let mut reach = Reach::of(config, file);
        reach.add_keys(snapshot);
        match reach.impose() {
            Ok(RulesetStatus::NotEnforced) => {
                info!("there is no Landlock here; the daemon sees all files that its user may");
                Self::default()
            }
            Ok(_) => {
                let paths = reach.read.iter().chain(&reach.write);
                let paths: Vec<_> = paths.map(|path| path.display().to_string()).collect();
                info!("confined to: {}", paths.join(", "));
                Self { reach: Some(reach) }
            }
            Err(error) => {
                warn!(%error, "the daemon could not be confined; it sees all files that its user may");
                Self::default()
            }
        }
    }

    /// What a new configuration needs and cannot reach before a restart.
    ///
    /// # Errors
    /// Names the directories, and says what to do.
    pub fn admits(&self, config: &Config, file: Option<&Path>) -> Result<(), OutOfReach> {
        let Some(reach) = &self.reach else {
            return Ok(());
        };
        let needed = Reach::of(config, file);
        let within = |path: &PathBuf| {
            let mut known = reach.read.iter().chain(&reach.write);
            known.any(|known| path.starts_with(known))
        };
        let missing = needed.read.into_iter().filter(|path| !within(path));
        let paths: Vec<_> = missing.map(|path| path.display().to_string()).collect();
        match paths.is_empty() {
            true => Ok(()),
            false => Err(OutOfReach(paths.join(", "))),
        }
    }
}

/// A configuration that only a daemon that starts anew can read.
#[derive(Debug, thiserror::Error)]
#[error(
    "the running daemon has confined itself to the directories of its start and cannot read {0}; \
     restart it, or say confine = false"
)]
pub struct OutOfReach(String);

/// The directory of a file, by name and where the name leads.
fn add_parents(paths: &mut BTreeSet<PathBuf>, file: &Path) {
    paths.extend(file.parent().and_then(resolved));
    paths.extend(
        resolved(file)
            .as_deref()
            .and_then(Path::parent)
            .map(Path::to_owned),
    );
}

/// A directory that may be replaced by another of its name later on.
fn add_directory(paths: &mut BTreeSet<PathBuf>, directory: &Path) {
    paths.extend(resolved(directory));
    let whole = std::path::absolute(directory).ok();
    let above = whole.as_deref().and_then(Path::parent).and_then(resolved);
    // All files of the system would be too much to ask.
    paths.extend(above.filter(|above| above.parent().is_some()));
}

fn resolved(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}
