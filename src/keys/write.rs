//! Putting a new key on disk: whole or not at all, for its owner's eyes alone, and
//! never over another key.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::load;
use super::scan::{KeyDirectory, ScanError};
use crate::names::{DomainName, Selector};

/// Why a key was not written. Nothing of it is on disk then.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error(
        "there is a key for {domain} with this selector already, {}, and it stays as it is; choose another --selector, or move that file away if nothing signs with it",
        path.display()
    )]
    Exists { domain: DomainName, path: PathBuf },
    #[error("the directory {} could not be made", path.display())]
    Directory {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the key could not be written to {}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Writes `DIRECTORY/DOMAIN/SELECTOR.pem` and returns its path. The file has mode 0600,
/// directories that are made have 0700, those that are there stay as they are. What
/// root makes below another user's directory belongs to that user, or the daemon could
/// not read it.
///
/// # Errors
/// When there is such a key already, in whatever case, or writing fails.
pub fn write_new(
    directory: &Path,
    domain: &DomainName,
    selector: &Selector,
    pem: &str,
) -> Result<PathBuf, WriteError> {
    match present(directory, domain, selector) {
        Some(path) => Err(WriteError::Exists {
            domain: domain.clone(),
            path,
        }),
        None => write(directory, domain, selector, pem),
    }
}

/// As [`write_new`], for keys that come from elsewhere, by the thousand: the same key may
/// lie there already, and other names of the file, in other case, are not looked for.
///
/// # Errors
/// When another key lies there, or writing fails.
pub fn write_moved(
    directory: &Path,
    domain: &DomainName,
    selector: &Selector,
    pem: &str,
) -> Result<PathBuf, WriteError> {
    match write(directory, domain, selector, pem) {
        Err(WriteError::Exists { path, .. }) if holds(&path, pem) => Ok(path),
        written => written,
    }
}

fn holds(path: &Path, pem: &str) -> bool {
    let text = load::read(path, false);
    text.is_ok_and(|text| text.as_slice() == pem.as_bytes())
}

/// Makes `DIRECTORY/DOMAIN/SELECTOR.pem` a symbolic link to a key that stays where it
/// is. A link that is there already gives way, a key does not.
///
/// # Errors
/// When a key lies there, or the link cannot be made.
pub fn link(
    directory: &Path,
    domain: &DomainName,
    selector: &Selector,
    file: &Path,
) -> Result<(), WriteError> {
    let parent = directory.join(domain.as_str());
    let path = parent.join(format!("{selector}.pem"));
    let failed = |source| WriteError::File {
        path: path.clone(),
        source,
    };
    match fs::read_link(&path) {
        Ok(known) if known == file => return Ok(()),
        Ok(_) => fs::remove_file(&path).map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A link that is lost in a crash is made again: nothing waits for the disk.
            create_directory(&parent).map_err(|source| WriteError::Directory {
                path: parent.clone(),
                source,
            })?;
        }
        Err(_) => {
            return Err(WriteError::Exists {
                domain: domain.clone(),
                path,
            });
        }
    }
    symlink(file, &path).map_err(failed)
}

fn write(
    directory: &Path,
    domain: &DomainName,
    selector: &Selector,
    pem: &str,
) -> Result<PathBuf, WriteError> {
    let exists = |path: PathBuf| WriteError::Exists {
        domain: domain.clone(),
        path,
    };
    let parent = directory.join(domain.as_str());
    make_directory(&parent).map_err(|source| WriteError::Directory {
        path: parent.clone(),
        source,
    })?;
    let path = parent.join(format!("{selector}.pem"));
    let failed = |source| WriteError::File {
        path: path.clone(),
        source,
    };
    // The temporary file removes itself on every way out of here but the last.
    let file = temporary(&parent, pem).map_err(failed)?;
    match file.persist_noclobber(&path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(exists(path));
        }
        Err(error) => return Err(failed(error.error)),
    }
    // Only now does the name survive a crash of the machine.
    if let Err(source) = sync_directory(&parent) {
        let _ = fs::remove_file(&path);
        return Err(failed(source));
    }
    Ok(path)
}

/// The file that has this name already, whatever the case of its letters.
fn present(directory: &Path, domain: &DomainName, selector: &Selector) -> Option<PathBuf> {
    let scan = KeyDirectory::open(directory).ok()?.scan();
    let key = scan
        .keys
        .into_iter()
        .find(|key| key.domain == *domain && key.selector == *selector)
        .map(|key| key.path);
    key.or_else(|| {
        scan.problems
            .into_iter()
            .find(|problem| {
                problem.domain.as_ref() == Some(domain)
                    && problem.selector.as_ref() == Some(selector)
            })
            .and_then(|problem| match problem.error {
                ScanError::Duplicate { first, .. } => Some(first),
                _ => None,
            })
    })
}

fn temporary(parent: &Path, pem: &str) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix(".signet-")
        .suffix(".tmp")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(parent)?;
    file.write_all(pem.as_bytes())?;
    give_to_owner_of(parent, file.as_file())?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Makes a directory and those above it that are missing, and keeps them.
fn make_directory(path: &Path) -> io::Result<()> {
    match create_directory(path)? {
        true => sync_directory(above(path)),
        false => Ok(()),
    }
}

/// Makes a directory and those above it that are missing; whether it was.
fn create_directory(path: &Path) -> io::Result<bool> {
    let create = || DirBuilder::new().mode(0o700).create(path);
    let made = match create() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match path.parent() {
                Some(parent) if parent != Path::new("") => make_directory(parent)?,
                _ => return Err(error),
            }
            // Once more and no oftener: below /proc there is never such a place.
            create()
        }
        made => made,
    };
    match made {
        // Somebody else may make it at the same time; a file in its place is an error.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {
            return Ok(false);
        }
        made => made?,
    }
    give_to_owner_of(above(path), &File::open(path)?)?;
    Ok(true)
}

fn above(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// What root makes below a directory of the daemon's user is that user's.
fn give_to_owner_of(parent: &Path, file: &File) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = fs::metadata(parent)?;
    if owner.uid() == 0 {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(owner.uid()), Some(owner.gid()))
}

fn sync_directory(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        // Some file systems have nothing to sync for a directory.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        done => done,
    }
}
