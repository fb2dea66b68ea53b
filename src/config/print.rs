//! A [`Config`] as a config file: every key with its value, defaults included.

use std::fmt::{Display, Write};

use super::raw::quoted;
use super::{Config, Listener, span};

/// Text that is written line by line. Writing to a `String` cannot fail.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, key: &str, value: impl Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn table(&mut self, name: &str) {
        let _ = writeln!(self.0, "\n{name}");
    }
}

pub fn config(config: &Config) -> String {
    let mut page = Page::default();
    page.line("listen", array(config.listen.iter().map(listener)));
    page.line("keys", quoted(&config.keys.to_string_lossy()));

    page.table("[trust]");
    page.line("networks", strings(&config.trust.networks));
    page.line("authenticated", config.trust.authenticated);
    page.line("daemon_names", strings(&config.trust.daemon_names));

    page.table("[signing]");
    let signing = &config.signing;
    page.line(
        "canonicalization",
        quoted(&signing.canonicalization.to_string()),
    );
    page.line("oversign", strings(signing.header_set.oversign()));
    page.line(
        "oversign_present",
        strings(signing.header_set.oversign_present()),
    );
    page.line("sign", strings(signing.header_set.sign()));
    let expiry = config.signing.expiry.map_or("never".to_owned(), span::text);
    page.line("expiry", quoted(&expiry));
    page.line("on_failure", quoted(config.signing.on_failure.as_str()));

    page.table("[limits]");
    page.line("packet_bytes", config.limits.packet_bytes);
    page.line("header_bytes", config.limits.header_bytes);
    page.line("recipients", config.limits.recipients);
    page.line("connections", config.limits.connections);
    page.line("idle", quoted(&span::text(config.limits.idle)));
    page.line("grace", quoted(&span::text(config.limits.grace)));

    page.table("[log]");
    page.line("level", quoted(config.log.level.as_str()));
    page.line("format", quoted(config.log.format.as_str()));
    page.0
}

fn array(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(", "))
}

fn strings<T: Display>(values: &[T]) -> String {
    array(values.iter().map(|value| quoted(&value.to_string())))
}

fn listener(listener: &Listener) -> String {
    let address = quoted(&listener.address.to_string());
    let details = [
        listener.mode.map(|mode| format!("mode = \"{mode:04o}\"")),
        listener
            .owner
            .as_ref()
            .map(|owner| format!("owner = {}", quoted(owner))),
        listener
            .group
            .as_ref()
            .map(|group| format!("group = {}", quoted(group))),
    ];
    if details.iter().all(Option::is_none) {
        return address;
    }
    let mut text = format!("{{ address = {address}");
    for detail in details.into_iter().flatten() {
        text.push_str(", ");
        text.push_str(&detail);
    }
    text.push_str(" }");
    text
}
