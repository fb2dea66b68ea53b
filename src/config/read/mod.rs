//! From the tree of a config file to a [`Config`]: one function a table.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::raw::{self, Table, Value};
use super::{
    Batch, BatchMode, ClientList, Config, ConfigErrors, Exclude, Limits, Log, LoginPattern,
    Metrics, Pattern, SendAs, Trust, TrustedMacro,
};
use crate::names::FieldName;

mod key_file;
mod listen;
mod rule;
mod signing;

pub fn config(text: &str, file: &str) -> Result<Config, ConfigErrors> {
    let base = Path::new(file).parent().unwrap_or(Path::new(""));
    raw::read(text, file, |root| everything(root, base))
}

/// Every key there is.
pub fn keys() -> BTreeSet<String> {
    // Tables of which there may be none are asked only when they are there.
    let text = "listen = { address = \"\" }\n[[rule]]\n[[key]]\n";
    raw::keys(text, |root| everything(root, Path::new("")))
}

fn everything(root: &Table<'_>, base: &Path) -> Config {
    let default = Config::default();
    let (signing, batch) = root.inside("signing", |table| {
        let signing = signing::signing(table, &default.signing);
        (Arc::new(signing), batch(table, base))
    });
    Config {
        listen: root.or("listen", default.listen, |value| {
            Some(listen::listeners(value))
        }),
        keys: root.or("keys", default.keys, |value| path(value, base)),
        require_safe_keys: root.or(
            "require_safe_keys",
            default.require_safe_keys,
            Value::boolean,
        ),
        key_files: key_file::key_files(root, base),
        author_headers: root.or("author_headers", default.author_headers, author_headers),
        trust: root.inside("trust", trust),
        exclude: root.inside("exclude", exclude),
        send_as: root.present("send_as", |table| send_as(table, base)),
        rules: root.each("rule", |table| rule::rule(table, &signing)),
        rule_tables: root.or("rule_tables", Vec::new(), |value| paths(value, base)),
        signing,
        batch,
        limits: root.inside("limits", limits),
        user: root.or("user", None, |value| listen::account(value).map(Some)),
        group: root.or("group", None, |value| listen::account(value).map(Some)),
        confine: root.or("confine", default.confine, Value::boolean),
        log: root.inside("log", |table| log(table, base)),
        metrics: root.inside("metrics", |table| metrics(table, base)),
    }
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

fn paths(value: &Value<'_>, base: &Path) -> Option<Vec<PathBuf>> {
    list(value, |value| path(value, base))
}

/// The elements of an array, each read by `T`. One value stands for an array of one.
fn list<'d, T>(value: &Value<'d>, read: impl Fn(&Value<'d>) -> Option<T>) -> Option<Vec<T>> {
    Some(value.elements().iter().filter_map(read).collect())
}

fn clients(value: &Value<'_>) -> Option<ClientList> {
    Some(ClientList::new(list(value, Value::parse)?))
}

fn batch(table: &Table<'_>, base: &Path) -> Batch {
    Batch {
        mode: table.or("batch", BatchMode::default(), Value::parse),
        library: table.or("batch_library", None, |value| path(value, base).map(Some)),
    }
}

fn trust(table: &Table<'_>) -> Trust {
    let default = Trust::default();
    Trust {
        networks: table.or("networks", default.networks, clients),
        authenticated: table.or("authenticated", default.authenticated, Value::boolean),
        daemon_names: table.or("daemon_names", default.daemon_names, |value| {
            list(value, |value| match value.string()? {
                "" => {
                    value.wrong("is empty; write the milter_macro_daemon_name of the service");
                    None
                }
                name => Some(name.to_owned()),
            })
        }),
        macros: table.or("macros", default.macros, |value| {
            list(value, Value::parse::<TrustedMacro>)
        }),
        except: table.or("except", default.except, clients),
    }
}

fn author_headers(value: &Value<'_>) -> Option<Vec<FieldName>> {
    let names = list(value, |value| value.parse_with(FieldName::parse))?;
    if names.is_empty() {
        value.wrong("names no field; write [\"From\"], or leave the key out");
        return None;
    }
    Some(names)
}

fn exclude(table: &Table<'_>) -> Exclude {
    let default = Exclude::default();
    Exclude {
        recipients: table.or("recipients", default.recipients, |value| {
            list(value, Value::parse::<Pattern>)
        }),
        domains: table.or("domains", default.domains, |value| {
            list(value, |value| match value.parse()? {
                Pattern::Address(_) => {
                    value.wrong("is an address; write a domain, or .DOMAIN for its subdomains");
                    None
                }
                pattern => Some(pattern),
            })
        }),
    }
}

fn send_as(table: &Table<'_>, base: &Path) -> SendAs {
    let default = SendAs::default();
    SendAs {
        logins: table.words("logins", |value| list(value, Value::parse::<LoginPattern>)),
        tables: table.or("tables", default.tables, |value| paths(value, base)),
        on_mismatch: table.or("on_mismatch", default.on_mismatch, Value::parse),
        recipient_delimiter: table.or("recipient_delimiter", String::new(), |value| {
            let delimiters = value.string()?;
            if delimiters.contains(|c: char| c.is_alphanumeric() || c == '@') {
                value
                    .wrong("holds a letter, a digit or \"@\"; write what Postfix has, as in \"+\"");
                return None;
            }
            Some(delimiters.to_owned())
        }),
    }
}

fn limits(table: &Table<'_>) -> Limits {
    let default = Limits::default();
    let size =
        |at_least: u64| move |value: &Value<'_>| usize::try_from(value.integer(at_least)?).ok();
    Limits {
        // Postfix sends header fields of up to 60000 bytes and body chunks of 65535.
        packet_bytes: table.or("packet_bytes", default.packet_bytes, size(65_541)),
        header_bytes: table.or("header_bytes", default.header_bytes, size(1_024)),
        header_fields: table.or("header_fields", default.header_fields, size(100)),
        recipients: table.or("recipients", default.recipients, size(1)),
        connections: table.or("connections", default.connections, size(1)),
        connections_per_peer: table.or("connections_per_peer", None, |value| {
            size(1)(value).map(Some)
        }),
        signing_queue: table.or("signing_queue", default.signing_queue, size(1)),
        idle: table.or("idle", default.idle, signing::time_span),
        message: table.or("message", default.message, signing::time_span),
        write: table.or("write", default.write, signing::time_span),
        grace: table.or("grace", default.grace, signing::time_span),
    }
}

fn log(table: &Table<'_>, base: &Path) -> Log {
    let default = Log::default();
    Log {
        level: table.or("level", default.level, Value::parse),
        format: table.or("format", default.format, Value::parse),
        journal_socket: table.or("journal_socket", default.journal_socket, |value| {
            path(value, base)
        }),
    }
}

fn metrics(table: &Table<'_>, base: &Path) -> Metrics {
    let listen = |value: &Value<'_>| value.parse_with(super::metrics::parse_listen).map(Some);
    Metrics {
        listen: table.or("listen", None, listen),
        textfile: table.or("textfile", None, |value| path(value, base).map(Some)),
    }
}
