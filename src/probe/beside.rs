//! The milters beside signet in Postfix's lists: which program each is, what it asks
//! Postfix for, and the settings that say whether it signs.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::{listener, socket};
use crate::doctor::{Beside, Dialect, Habit, Known, Settings};
use crate::import::opendkim::Conf;
use crate::import::rspamd::ucl::{Section, Value};
use crate::postfix::{Endpoint, Postfix};

/// Where packages of rspamd keep keys.
const RSPAMD_KEYS: &str = "/var/lib/rspamd/dkim";

/// The milter at one address, for services in or outside the chroot.
pub fn read(postfix: &Postfix, address: &str, chroot: bool) -> Beside {
    let mut beside = Beside {
        address: address.to_owned(),
        command: None,
        actions: socket::actions(postfix, address, chroot),
        settings: None,
    };
    let mut here = true;
    if let Ok(endpoint) = Endpoint::parse(address) {
        let path = match &endpoint {
            Endpoint::Unix { path } => Some(postfix.socket_path(path, chroot)),
            Endpoint::Inet { .. } => None,
        };
        beside.command = listener::command(&endpoint, path.as_deref());
        here = beside.command.is_some() || is_of_this_machine(&endpoint);
    }
    beside.settings = match beside.known().map(|known| known.habit) {
        Some(Habit::Signs(_)) if !here => Some(Err("it is on another machine".to_owned())),
        Some(Habit::Signs(Dialect::OpenDkim)) => Some(opendkim(&beside)),
        Some(Habit::Signs(Dialect::Dkimpy)) => Some(dkimpy(&beside)),
        Some(Habit::Signs(Dialect::Rspamd)) => Some(rspamd()),
        _ => None,
    };
    beside
}

fn is_of_this_machine(endpoint: &Endpoint) -> bool {
    match endpoint {
        Endpoint::Unix { .. } => true,
        Endpoint::Inet { host, .. } => {
            let address = host.parse::<IpAddr>();
            host == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
    }
}

/// Whether another milter that has a name is seen to listen at a port.
pub fn holds(address: &str) -> bool {
    let Ok(endpoint @ Endpoint::Inet { .. }) = Endpoint::parse(address) else {
        return false;
    };
    let command = listener::command(&endpoint, None);
    command.is_some_and(|command| Known::find(address, Some(&command)).is_some())
}

fn opendkim(beside: &Beside) -> Result<Settings, String> {
    let named = beside.option("-x").unwrap_or("/etc/opendkim.conf");
    // systemd starts it in /.
    let file = Path::new("/").join(named);
    let conf = Conf::read(&file).map_err(|errors| {
        let first = errors.first().map(ToString::to_string);
        first.unwrap_or_else(|| format!("{} cannot be read", file.display()))
    })?;
    let options = conf.settings.iter();
    Ok(Settings {
        from: file.display().to_string(),
        options: options
            .map(|setting| (setting.known.name.to_owned(), setting.value.clone()))
            .collect(),
    })
}

fn dkimpy(beside: &Beside) -> Result<Settings, String> {
    let words = beside.command.iter().flatten();
    let named = words.skip(1).find(|word| word.ends_with(".conf"));
    let file = named.map_or("/etc/dkimpy-milter/dkimpy-milter.conf", String::as_str);
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let option = |line: &str| {
        let line = line.split('#').next().unwrap_or_default().trim();
        let (name, value) = line.split_once([' ', '\t'])?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    Ok(Settings {
        from: file.to_owned(),
        options: text.lines().filter_map(option).collect(),
    })
}

/// What the administrator's files say: the defaults name no key. rspamd's own
/// `rspamadm` would tell, and would write into its caches.
fn rspamd() -> Result<Settings, String> {
    let root = Path::new("/etc/rspamd");
    let read = |name: &str| {
        let file = root.join(name);
        match std::fs::read_to_string(&file) {
            Ok(text) => Ok((file, text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((file, String::new())),
            Err(error) => Err(format!("{}: {error}", file.display())),
        }
    };
    if !root.join("rspamd.conf").exists() {
        return Err(format!("there is no {}/rspamd.conf", root.display()));
    }
    let mut options = Vec::new();
    // The later ones win.
    for name in [
        "local.d/dkim_signing.conf",
        "override.d/dkim_signing.conf",
        "local.d/actions.conf",
        "override.d/actions.conf",
    ] {
        let (file, text) = read(name)?;
        let items =
            Section::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        options.extend(items.0.into_iter().map(|item| {
            let value = match item.value {
                Value::Text(text) => text,
                Value::List(_) | Value::Section(_) => String::new(),
            };
            (item.key, value)
        }));
    }
    for name in ["rspamd.conf.local", "rspamd.conf.override"] {
        let (file, text) = read(name)?;
        if text.contains("dkim_signing") {
            return Err(format!("{} has settings of dkim_signing", file.display()));
        }
    }
    match has_keys(Path::new(RSPAMD_KEYS)) {
        Some(true) => options.push(("default_key".to_owned(), RSPAMD_KEYS.to_owned())),
        Some(false) => {}
        None => options.push(("hidden_keys".to_owned(), RSPAMD_KEYS.to_owned())),
    }
    Ok(Settings {
        from: root.display().to_string(),
        options,
    })
}

/// Whether there are keys in a directory; none when this user may not look.
fn has_keys(directory: &Path) -> Option<bool> {
    let files = match std::fs::read_dir(directory) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return None,
        Err(_) => return Some(false),
    };
    let mut paths = files.flatten().map(|file| file.path());
    Some(paths.any(|path: PathBuf| path.extension().is_some_and(|end| end == "key")))
}
