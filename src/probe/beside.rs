//! The milters beside signet in Postfix's lists: which program each is, what it asks
//! Postfix for, and the settings that say whether it signs.

use std::path::{Path, PathBuf};
use std::process::Command;

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
    if let Ok(endpoint) = Endpoint::parse(address) {
        let path = match &endpoint {
            Endpoint::Unix { path } => Some(postfix.socket_path(path, chroot)),
            Endpoint::Inet { .. } => None,
        };
        beside.command = listener::command(&endpoint, path.as_deref());
    }
    beside.settings = match beside.known().map(|known| known.habit) {
        Some(Habit::Signs(Dialect::OpenDkim)) => Some(opendkim(&beside)),
        Some(Habit::Signs(Dialect::Dkimpy)) => Some(dkimpy(&beside)),
        Some(Habit::Signs(Dialect::Rspamd)) => Some(rspamd()),
        _ => None,
    };
    beside
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

/// What rspamd itself makes of its files, the two sections that matter.
fn rspamd() -> Result<Settings, String> {
    let program = super::postfix::find("rspamadm").ok_or("there is no rspamadm")?;
    let mut options = Vec::new();
    for section in ["dkim_signing", "actions"] {
        let mut command = Command::new(&program);
        let output = command.args(["configdump", section]).output();
        let output = output.map_err(|error| format!("rspamadm cannot be run: {error}"))?;
        if !output.status.success() {
            return Err(format!("\"rspamadm configdump {section}\" fails"));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let inside: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with("***"))
            .collect();
        let items = Section::parse(&inside.join("\n"))
            .map_err(|error| format!("\"rspamadm configdump {section}\": {error}"))?;
        options.extend(items.0.into_iter().map(|item| {
            let value = match item.value {
                Value::Text(text) => text,
                Value::List(_) | Value::Section(_) => String::new(),
            };
            (item.key, value)
        }));
    }
    if has_keys(Path::new(RSPAMD_KEYS)) {
        options.push(("default_key".to_owned(), RSPAMD_KEYS.to_owned()));
    }
    Ok(Settings {
        from: "rspamadm configdump".to_owned(),
        options,
    })
}

fn has_keys(directory: &Path) -> bool {
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths = files.map(|file| file.path());
    paths.any(|path: PathBuf| path.extension().is_some_and(|end| end == "key"))
}
