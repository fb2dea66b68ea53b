//! What the daemon gives up once it has opened its sockets and read its keys: root,
//! capabilities, core dumps, and nearly all of the file system.
//!
//! All of it belongs to a thread and to those that it starts, so it is done before
//! there is a second one. What the system does not allow is said and does not keep the
//! daemon from signing; only a user that it was told to become and cannot is an error.

use std::io;

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{
    DumpableBehavior, Gid, Resource, Rlimit, Uid, geteuid, getrlimit, set_dumpable_behavior,
    setrlimit,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};
use tracing::{info, warn};

use super::accounts::{self, User};
use crate::config::Config;

/// Why the daemon cannot become its user.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    #[error("there is no {kind} {name} on this system ({kind} in the config file)")]
    NoSuchName { kind: &'static str, name: String },
    #[error("cannot become the user {name} (user in the config file)")]
    Refused {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("root is not given up: another thread runs already; please report it")]
    Threads,
}

/// Becomes the configured user and gives up what nobody needs. To be called after the
/// sockets are bound and the keys are read, and before there is a second thread.
///
/// # Errors
/// When the daemon is root and cannot become the configured user.
pub fn give_up(config: &Config) -> Result<(), PrivilegeError> {
    let no_core = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let mut held = vec![
        told("no core dumps", || setrlimit(Resource::Core, no_core)),
        lock_memory(),
    ];
    match (&config.user, geteuid().is_root()) {
        (Some(name), true) => {
            let user = wanted(name, config.group.as_deref())?;
            become_user(&user)?;
            info!(user = %user.name, uid = user.uid, "became the user of the config file");
        }
        (Some(name), false) => {
            let uid = geteuid().as_raw();
            if accounts::user_id(name) != Some(uid) {
                warn!("cannot become the user {name}: that takes root; going on as uid {uid}");
            }
        }
        (None, true) => warn!(
            "running as root; name an unprivileged user that owns the keys (user = \"signet\")"
        ),
        (None, false) => {}
    }
    if !geteuid().is_root() {
        held.push(told("no capabilities", drop_capabilities));
    }
    // Becoming another user sets it anew, so it comes last.
    held.push(told("no debuggers", || {
        set_dumpable_behavior(DumpableBehavior::NotDumpable)
    }));
    held.push(told("no new privileges", || set_no_new_privs(true)));
    let held: Vec<_> = held.into_iter().flatten().collect();
    info!("held to: {}", held.join(", "));
    Ok(())
}

/// Does it, and returns its name; warns where the system does not allow it.
fn told(name: &'static str, act: impl FnOnce() -> rustix::io::Result<()>) -> Option<&'static str> {
    match act() {
        Ok(()) => Some(name),
        Err(error) => {
            warn!(%error, "the system does not allow: {name}");
            None
        }
    }
}

/// Keeps all memory, and so the keys wherever the libraries have put them, out of the
/// swap. Only without a limit on it: with one, memory would end at the limit.
fn lock_memory() -> Option<&'static str> {
    let unlimited = Rlimit {
        current: None,
        maximum: None,
    };
    if getrlimit(Resource::Memlock).current.is_some()
        && setrlimit(Resource::Memlock, unlimited).is_err()
    {
        info!(
            "keys may be swapped to disk: locked memory is limited (LimitMEMLOCK=infinity in the systemd unit)"
        );
        return None;
    }
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    told("locked memory", || mlockall(flags))
}

fn wanted(name: &str, group: Option<&str>) -> Result<User, PrivilegeError> {
    let missing = |kind, name: &str| PrivilegeError::NoSuchName {
        kind,
        name: name.to_owned(),
    };
    let mut user = accounts::user(name).ok_or_else(|| missing("user", name))?;
    if let Some(group) = group {
        user.gid = accounts::group_id(group).ok_or_else(|| missing("group", group))?;
    }
    Ok(user)
}

fn become_user(user: &User) -> Result<(), PrivilegeError> {
    if std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > 1) {
        return Err(PrivilegeError::Threads);
    }
    let change = || {
        empty_bounding_set();
        let groups: Vec<_> = user.groups.iter().copied().map(Gid::from_raw).collect();
        set_thread_groups(&groups)?;
        let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
        set_thread_res_gid(gid, gid, gid)?;
        set_thread_res_uid(uid, uid, uid)
    };
    change().map_err(|source| PrivilegeError::Refused {
        name: user.name.clone(),
        source: source.into(),
    })
}

/// No program that is started could get a capability back. Without CAP_SETPCAP it
/// cannot be done, and without that no harm comes of it: no new privileges.
fn empty_bounding_set() {
    for capability in CapabilitySet::all().iter() {
        let _ = remove_capability_from_bounding_set(capability);
    }
}

fn drop_capabilities() -> rustix::io::Result<()> {
    // A kernel before 4.3 has no such set.
    let _ = clear_ambient_capability_set();
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    // Whoever has none may be forbidden to ask for it, as in our systemd unit.
    match capabilities(None)? == none {
        true => Ok(()),
        false => set_capabilities(None, none),
    }
}
