//! What runs this machine, and who is on it.

use std::fs;
use std::path::Path;

use crate::setup::Systemd;

/// Whether systemd runs the machine, and knows signet.
pub fn systemd() -> Systemd {
    if !Path::new("/run/systemd/system").exists() {
        return Systemd::Absent;
    }
    let has_unit = ["/etc", "/usr/lib", "/lib", "/run"].iter().any(|root| {
        Path::new(root)
            .join("systemd/system/signet.service")
            .exists()
    });
    if has_unit {
        Systemd::WithUnits
    } else {
        Systemd::Running
    }
}

/// SELinux is there and enforces.
pub fn selinux_enforces() -> bool {
    fs::read_to_string("/sys/fs/selinux/enforce").is_ok_and(|text| text.trim() == "1")
}

/// Whether `/etc/passwd` has this user.
pub fn has_user(name: &str) -> bool {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    users
        .lines()
        .any(|line| line.split(':').next() == Some(name))
}

/// The machine's own name.
pub fn host_name() -> Option<String> {
    let name = rustix::system::uname();
    name.nodename().to_str().ok().map(str::to_ascii_lowercase)
}
