//! From the tree of a config file to a [`Config`]: one function a table.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::raw::{self, Table, Value};
use super::{
    Config, ConfigErrors, Limits, ListenAddress, Listener, Log, Network, Signing, Trust, span,
};
use crate::dkim::HeaderSet;
use crate::names::FieldName;

pub fn config(text: &str, file: &str) -> Result<Config, ConfigErrors> {
    let base = Path::new(file).parent().unwrap_or(Path::new(""));
    let (config, _) = raw::read(text, file, |root| {
        let default = Config::default();
        Config {
            listen: root
                .get("listen")
                .map_or(default.listen, |value| listeners(&value)),
            keys: root
                .get("keys")
                .and_then(|value| path(&value, base))
                .unwrap_or(default.keys),
            trust: root.inside("trust", trust),
            signing: root.inside("signing", signing),
            limits: root.inside("limits", limits),
            log: root.inside("log", log),
        }
    })?;
    Ok(config)
}

/// A path; a relative one is taken from the config file's directory.
fn path(value: &Value<'_>, base: &Path) -> Option<PathBuf> {
    let text = value.string()?;
    if text.is_empty() || text.contains('\0') {
        value.wrong("is not a path");
        return None;
    }
    Some(base.join(text))
}

fn listeners(value: &Value<'_>) -> Vec<Listener> {
    let elements = value.elements();
    if elements.is_empty() {
        value.wrong("names no address; write one, or leave the key out for inet:127.0.0.1:8891");
    }
    elements.iter().filter_map(listener).collect()
}

fn listener(value: &Value<'_>) -> Option<Listener> {
    if !value.is_table() {
        return Some(listen_address(value)?.into());
    }
    value.inside(|table| {
        let address = table.get("address");
        let mode = table.get("mode");
        let owner = table.get("owner");
        let group = table.get("group");
        let Some(address) = address else {
            value.wrong("has no address; add address = \"unix:PATH\"");
            return None;
        };
        let address = listen_address(&address)?;
        if let ListenAddress::Inet { .. } = address {
            for value in [&mode, &owner, &group].into_iter().flatten() {
                value.wrong("is for a Unix socket; remove it, or listen on unix:PATH");
            }
        }
        Some(Listener {
            address,
            mode: mode.and_then(|value| socket_mode(&value)),
            owner: owner.and_then(|value| account(&value)),
            group: group.and_then(|value| account(&value)),
        })
    })
}

fn listen_address(value: &Value<'_>) -> Option<ListenAddress> {
    let address: ListenAddress = value.parse()?;
    match &address {
        ListenAddress::Unix { path } if path.is_relative() => {
            let path = path.display();
            value.wrong(format!(
                "unix:{path} is relative, as Postfix wants it; write the full path here, \
                 as in unix:/var/spool/postfix/{path}"
            ));
            None
        }
        _ => Some(address),
    }
}

/// Permission bits in octal: `"0660"`, or `0o660`.
fn socket_mode(value: &Value<'_>) -> Option<u32> {
    let digits = match value.is_string() {
        true => u32::from_str_radix(value.string()?, 8).ok(),
        false => value.octal().and_then(|mode| u32::try_from(mode).ok()),
    };
    match digits {
        Some(mode) if mode <= 0o777 => Some(mode),
        _ => {
            value.wrong("is not a mode; write it in octal and in quotes, as in \"0660\"");
            None
        }
    }
}

/// A user or group: its name, or its number.
fn account(value: &Value<'_>) -> Option<String> {
    if value.is_integer() {
        return value.integer(0).map(|number| number.to_string());
    }
    let name = value.string()?;
    if name.is_empty() || name.contains(['\0', ':', '/']) {
        value.wrong("is not the name of a user or group");
        return None;
    }
    Some(name.to_owned())
}

/// The elements of an array of strings, each read by `T`.
fn list<T>(value: &Value<'_>, read: impl Fn(&Value<'_>) -> Option<T>) -> Vec<T> {
    value.elements().iter().filter_map(read).collect()
}

fn trust(table: &Table<'_>) -> Trust {
    let default = Trust::default();
    Trust {
        networks: table.get("networks").map_or(default.networks, |value| {
            list(&value, |value| value.parse_with(Network::parse))
        }),
        authenticated: table
            .get("authenticated")
            .and_then(|value| value.boolean())
            .unwrap_or(default.authenticated),
        daemon_names: table
            .get("daemon_names")
            .map_or(default.daemon_names, |value| {
                list(&value, |value| match value.string()? {
                    "" => {
                        value.wrong("is empty; write the milter_macro_daemon_name of the service");
                        None
                    }
                    name => Some(name.to_owned()),
                })
            }),
    }
}

fn signing(table: &Table<'_>) -> Signing {
    let default = Signing::default();
    Signing {
        canonicalization: table
            .get("canonicalization")
            .and_then(|value| value.parse())
            .unwrap_or(default.canonicalization),
        header_set: header_set(table, &default.header_set),
        expiry: table
            .get("expiry")
            .map_or(default.expiry, |value| expiry(&value)),
        on_failure: table
            .get("on_failure")
            .and_then(|value| value.parse())
            .unwrap_or(default.on_failure),
    }
}

/// The three lists of names. A list that is left out keeps its default; a name in two
/// lists gets the stronger mark.
fn header_set(table: &Table<'_>, default: &Arc<HeaderSet>) -> Arc<HeaderSet> {
    let names = |key| Some(list(&table.get(key)?, field_name));
    let sign = names("sign");
    let oversign_present = names("oversign_present");
    let oversign = names("oversign");
    if sign.is_none() && oversign_present.is_none() && oversign.is_none() {
        return default.clone();
    }
    let set = HeaderSet::new(
        sign.unwrap_or_else(|| default.sign().to_vec()),
        oversign_present.unwrap_or_else(|| default.oversign_present().to_vec()),
        oversign.unwrap_or_else(|| default.oversign().to_vec()),
    );
    // Each name was already tried alone, where a mistake has its line.
    set.map_or_else(|_| default.clone(), Arc::new)
}

/// A name that may be signed.
fn field_name(value: &Value<'_>) -> Option<FieldName> {
    let name = value.parse_with(FieldName::parse)?;
    match HeaderSet::new(vec![name.clone()], Vec::new(), Vec::new()) {
        Ok(_) => Some(name),
        Err(error) => {
            value.wrong(error);
            None
        }
    }
}

/// A span of time, or `"never"`.
fn expiry(value: &Value<'_>) -> Option<std::time::Duration> {
    match value.is_string() && value.string() == Some("never") {
        true => None,
        false => time_span(value),
    }
}

fn time_span(value: &Value<'_>) -> Option<std::time::Duration> {
    if value.is_integer() {
        let seconds = value.integer(1)?.to_string();
        return span::parse(&seconds)
            .map_err(|error| value.wrong(error))
            .ok();
    }
    value.parse_with(span::parse)
}

fn limits(table: &Table<'_>) -> Limits {
    let default = Limits::default();
    let size = |key, at_least: u64, default: usize| {
        let number = table.get(key).and_then(|value| value.integer(at_least));
        number
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(default)
    };
    Limits {
        // Postfix sends header fields of up to 60000 bytes and body chunks of 65535.
        packet_bytes: size("packet_bytes", 65_541, default.packet_bytes),
        header_bytes: size("header_bytes", 1_024, default.header_bytes),
        recipients: size("recipients", 1, default.recipients),
        connections: size("connections", 1, default.connections),
        idle: table
            .get("idle")
            .and_then(|value| time_span(&value))
            .unwrap_or(default.idle),
        grace: table
            .get("grace")
            .and_then(|value| time_span(&value))
            .unwrap_or(default.grace),
    }
}

fn log(table: &Table<'_>) -> Log {
    let default = Log::default();
    Log {
        level: table
            .get("level")
            .and_then(|value| value.parse())
            .unwrap_or(default.level),
        format: table
            .get("format")
            .and_then(|value| value.parse())
            .unwrap_or(default.format),
    }
}
