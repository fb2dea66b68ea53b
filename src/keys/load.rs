//! Reading one private key from its file, if the file is fit to hold one.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::dkim::{KeyError, SigningKey};

/// The most bytes a key file may have. A key of 16384 bits has 13 KiB, and OpenSSL may
/// have put its description around it.
pub const FILE_LIMIT: u64 = 64 * 1024;

/// Why one key file gives no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    #[error("{} does not exist", path.display())]
    Missing { path: PathBuf },
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("{} is not a regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error(
        "{path} can be read or changed by others (mode {mode:04o}){}; run: chmod 600 {path}",
        whose(*owner), path = path.display()
    )]
    TooOpen {
        path: PathBuf,
        /// The permission bits.
        mode: u32,
        /// The user id of the file's owner, when that is neither root nor ourselves.
        owner: Option<u32>,
    },
    #[error("{} has more than {FILE_LIMIT} bytes, too many for a key", path.display())]
    TooLarge { path: PathBuf },
    #[error("{} holds no usable key", path.display())]
    NotAKey {
        path: PathBuf,
        #[source]
        source: KeyError,
    },
}

fn whose(owner: Option<u32>) -> String {
    owner.map(belongs).unwrap_or_default()
}

fn belongs(uid: u32) -> String {
    let ourselves = rustix::process::geteuid().as_raw();
    format!(" (it belongs to user id {uid}, this is user id {ourselves})")
}

/// Why `path` cannot be read, and what mends it. Keys made as root and read by the
/// daemon's user are the usual case, so a refusal says whose the file is.
pub(super) fn why_unreadable(path: &Path, error: &io::Error) -> String {
    if error.kind() != io::ErrorKind::PermissionDenied {
        return error.to_string();
    }
    let shown = path.display();
    let user = rustix::process::geteuid().as_raw();
    match std::fs::metadata(path).map(|metadata| metadata.uid()) {
        // Landlock says the same as file modes do.
        Ok(owner) if owner == user => format!(
            "{error}; run: chmod u+r {shown}, or restart a daemon that has confined itself (confine)"
        ),
        Ok(owner) => format!("{error}{}; run: chown {user} {shown}", belongs(owner)),
        Err(_) => format!("{error}; see which directory refuses: namei -l {shown}"),
    }
}

/// Reads a key. Symbolic links are followed, since that is how secrets are mounted.
/// With `require_safe`, a file that its group or others can read or change is refused.
pub(super) fn load(path: &Path, require_safe: bool) -> Result<SigningKey, KeyFileError> {
    let pem = read(path, require_safe)?;
    SigningKey::from_pem(&pem).map_err(|source| KeyFileError::NotAKey {
        path: path.into(),
        source,
    })
}

pub(super) fn read(path: &Path, require_safe: bool) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let unreadable = |error: io::Error| KeyFileError::Unreadable {
        path: path.into(),
        reason: why_unreadable(path, &error),
    };
    // Opening a FIFO would wait for its writer; O_NONBLOCK does not.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => KeyFileError::Missing { path: path.into() },
            _ => unreadable(error),
        })?;
    // Asked of the open file, so that what is checked is what is read.
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(KeyFileError::NotAFile { path: path.into() });
    }
    let mode = metadata.mode() & 0o7777;
    if require_safe && mode & 0o077 != 0 {
        return Err(KeyFileError::TooOpen {
            path: path.into(),
            mode,
            owner: stranger(metadata.uid()),
        });
    }
    if metadata.len() > FILE_LIMIT {
        return Err(KeyFileError::TooLarge { path: path.into() });
    }
    contents(file)
        .map_err(unreadable)?
        .ok_or_else(|| KeyFileError::TooLarge { path: path.into() })
}

/// All of the file, None when it has more than [`FILE_LIMIT`] bytes. The buffer never
/// grows: a buffer that moved would leave a copy of the key behind.
fn contents(mut file: File) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let limit = usize::try_from(FILE_LIMIT).unwrap_or(usize::MAX);
    let mut buffer = Zeroizing::new(vec![0; limit + 1]);
    let mut filled = 0;
    loop {
        let free = buffer.get_mut(filled..).unwrap_or_default();
        match file.read(free) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if filled > limit {
        return Ok(None);
    }
    buffer.truncate(filled);
    Ok(Some(buffer))
}

/// Whether a file's owner is worth a word: neither root nor the user we run as.
fn stranger(uid: u32) -> Option<u32> {
    (uid != 0 && uid != rustix::process::geteuid().as_raw()).then_some(uid)
}
