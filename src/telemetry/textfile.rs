//! A file for node_exporter's textfile collector, which sees the old one or the new one,
//! whole.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes the text beside `path`; to be persisted there.
///
/// # Errors
/// When the directory is missing or may not be written to, or the disk is full.
pub fn stage(path: &Path, text: &str) -> io::Result<NamedTempFile> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // The collector runs as another user, and takes no notice of names that do not end in
    // .prom.
    let mut file = tempfile::Builder::new()
        .prefix(".signet-")
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}
