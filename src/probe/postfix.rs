//! Asks `postconf` how Postfix is set up.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::postfix::{Postfix, Printed};

/// Why Postfix could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error("{} could not be run", program.display())]
    Run { program: PathBuf, source: io::Error },
    #[error("postconf says: {0}")]
    Refused(String),
}

/// The Postfix of this machine, or with `config` the one of that directory; `None` when
/// there is no Postfix.
///
/// # Errors
/// When `postconf` is there and does not answer.
pub fn read(config: Option<&Path>) -> Result<Option<Postfix>, ProbeError> {
    let Some(program) = find("postconf") else {
        return Ok(None);
    };
    let ask = |option: &str| {
        let mut command = Command::new(&program);
        if let Some(config) = config {
            command.arg("-c").arg(config);
        }
        if !option.is_empty() {
            command.arg(option);
        }
        let output = command.output().map_err(|source| ProbeError::Run {
            program: program.clone(),
            source,
        })?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(ProbeError::Refused(said.trim().to_owned()))
        }
    };
    Ok(Some(Postfix::read(Printed {
        raw: &ask("")?,
        expanded: &ask("-x")?,
        set: &ask("-n")?,
        services: &ask("-M")?,
        overrides: &ask("-P")?,
    })))
}

/// A program in the directories of administrators, which need not be in `PATH`.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin"].map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}
