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

/// A user as the system knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub user: u32,
    pub group: u32,
    /// All groups that the user is in.
    pub groups: Vec<u32>,
}

/// The user of this name in `/etc/passwd`.
pub fn account(name: &str) -> Option<Account> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let fields = |line: &str| -> Vec<String> { line.split(':').map(str::to_owned).collect() };
    let entry = users
        .lines()
        .map(fields)
        .find(|entry| entry.first().is_some_and(|first| first == name))?;
    let (user, group) = (entry.get(2)?.parse().ok()?, entry.get(3)?.parse().ok()?);
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let of_user = groups.lines().map(fields).filter_map(|entry| {
        let members = entry.get(3)?;
        let is_in = members.split(',').any(|member| member == name);
        entry.get(2)?.parse().ok().filter(|_| is_in)
    });
    Some(Account {
        user,
        group,
        groups: std::iter::once(group).chain(of_user).collect(),
    })
}
