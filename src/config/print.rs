//! A [`Config`] as a config file: every key with its value, defaults included.

use std::fmt::{Display, Write};

use super::raw::quoted;
use super::{Config, Listener, Rule, SendAs, Signing, span};

/// Text that is written line by line. Writing to a `String` cannot fail.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, key: &str, value: impl Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    /// A key that has no default: without a value an example stands in a comment.
    fn choice(&mut self, key: &str, value: Option<impl Display>, example: &str) {
        match value {
            Some(value) => self.line(key, quoted(&value.to_string())),
            None => self.line(&format!("# {key}"), quoted(example)),
        }
    }

    fn table(&mut self, name: &str) {
        let _ = writeln!(self.0, "\n{name}");
    }
}

impl Page {
    /// Every key; of a rule those that differ from `[signing]`.
    fn signing(&mut self, signing: &Signing, default: Option<&Signing>) {
        let differs = |differs: fn(&Signing, &Signing) -> bool| {
            default.is_none_or(|default| differs(signing, default))
        };
        if differs(|a, b| a.canonicalization != b.canonicalization) {
            let pair = signing.canonicalization.to_string();
            self.line("canonicalization", quoted(&pair));
        }
        if differs(|a, b| a.header_set != b.header_set) {
            let set = &signing.header_set;
            self.line("oversign", strings(set.oversign()));
            self.line("oversign_present", strings(set.oversign_present()));
            self.line("sign", strings(set.sign()));
        }
        if differs(|a, b| a.expiry != b.expiry) {
            let expiry = signing.expiry.map_or("never".to_owned(), span::text);
            self.line("expiry", quoted(&expiry));
        }
        if differs(|a, b| a.request_reports != b.request_reports) {
            self.line("request_reports", signing.request_reports);
        }
        if differs(|a, b| a.on_failure != b.on_failure) {
            self.line("on_failure", quoted(signing.on_failure.as_str()));
        }
    }

    fn rule(&mut self, rule: &Rule, default: &Signing) {
        self.table("[[rule]]");
        self.line("pattern", quoted(&rule.pattern.to_string()));
        let domain = rule.domain.as_ref().map_or("%d", |domain| domain.as_str());
        self.line("domain", quoted(domain));
        if !rule.selectors.is_empty() {
            self.line("selectors", strings(&rule.selectors));
        }
        if let Some(identity) = &rule.identity {
            self.line("identity", quoted(&identity.to_string()));
        }
        self.line("multiple", rule.multiple);
        self.signing(&rule.signing, Some(default));
    }

    fn send_as(&mut self, send_as: &SendAs) {
        self.table("[send_as]");
        self.line("tables", array(send_as.tables.iter().map(|p| path(p))));
        self.line("on_mismatch", quoted(send_as.on_mismatch.as_str()));
        self.line("recipient_delimiter", quoted(&send_as.recipient_delimiter));
        self.table("[send_as.logins]");
        for (login, patterns) in &send_as.logins {
            self.line(&quoted(login), strings(patterns));
        }
    }
}

pub fn config(config: &Config) -> String {
    let mut page = Page::default();
    page.line("listen", array(config.listen.iter().map(listener)));
    page.line("keys", path(&config.keys));
    page.line("require_safe_keys", config.require_safe_keys);

    page.line("author_headers", strings(&config.author_headers));
    page.line(
        "rule_tables",
        array(config.rule_tables.iter().map(|p| path(p))),
    );
    page.choice("user", config.user.as_ref(), "signet");
    page.choice("group", config.group.as_ref(), "signet");
    page.line("confine", config.confine);

    page.table("[trust]");
    page.line("networks", strings(config.trust.networks.patterns()));
    page.line("authenticated", config.trust.authenticated);
    page.line("daemon_names", strings(&config.trust.daemon_names));
    page.line("macros", strings(&config.trust.macros));
    page.line("except", strings(config.trust.except.patterns()));

    page.table("[exclude]");
    page.line("recipients", strings(&config.exclude.recipients));
    page.line("domains", strings(&config.exclude.domains));

    if let Some(send_as) = &config.send_as {
        page.send_as(send_as);
    }

    page.table("[signing]");
    page.signing(&config.signing, None);
    page.line("batch", quoted(config.batch.mode.as_str()));
    if let Some(library) = &config.batch.library {
        page.line("batch_library", path(library));
    }

    page.table("[limits]");
    page.line("packet_bytes", config.limits.packet_bytes);
    page.line("header_bytes", config.limits.header_bytes);
    page.line("header_fields", config.limits.header_fields);
    page.line("recipients", config.limits.recipients);
    page.line("connections", config.limits.connections);
    match config.limits.connections_per_peer {
        Some(count) => page.line("connections_per_peer", count),
        None => page.line("# connections_per_peer", 200),
    }
    page.line("signing_queue", config.limits.signing_queue);
    page.line("idle", quoted(&span::text(config.limits.idle)));
    page.line("message", quoted(&span::text(config.limits.message)));
    page.line("write", quoted(&span::text(config.limits.write)));
    page.line("grace", quoted(&span::text(config.limits.grace)));

    page.table("[log]");
    page.line("level", quoted(config.log.level.as_str()));
    page.line("format", quoted(config.log.format.as_str()));
    page.line("journal_socket", path(&config.log.journal_socket));

    page.table("[metrics]");
    page.choice("listen", config.metrics.listen, "127.0.0.1:9891");
    let textfile = config.metrics.textfile.as_ref();
    page.choice(
        "textfile",
        textfile.map(|path| path.to_string_lossy()),
        "/var/lib/prometheus/node-exporter/signet.prom",
    );

    for key in &config.key_files {
        page.table("[[key]]");
        let domain = key.domain.as_ref().map_or("*", |domain| domain.as_str());
        page.line("domain", quoted(domain));
        page.line("selector", quoted(key.selector.as_str()));
        page.line("file", path(&key.file));
    }
    for rule in &config.rules {
        page.rule(rule, &config.signing);
    }
    page.0
}

fn path(path: &std::path::Path) -> String {
    quoted(&path.to_string_lossy())
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
