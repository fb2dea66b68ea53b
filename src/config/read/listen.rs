//! The `listen` key: one address, several, or tables that say more.

use crate::config::raw::Value;
use crate::config::{ListenAddress, Listener};

pub(super) fn listeners(value: &Value<'_>) -> Vec<Listener> {
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
pub(super) fn account(value: &Value<'_>) -> Option<String> {
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
