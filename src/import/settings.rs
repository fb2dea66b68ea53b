//! What an importer found, as the text of a config file of signet's.
//!
//! It writes what differs from signet's defaults, and everything that the other
//! program had a different default for. Nothing here knows the other program.

use std::collections::HashSet;
use std::fmt::{Display, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{Listener, OnFailure, quoted};
use crate::dkim::Canonicalization;
use crate::import::inline_key::InlineKey;
use crate::names::{DomainName, FieldName, Selector};

/// A key file with what it signs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// None stands for every domain.
    pub domain: Option<DomainName>,
    pub selector: Selector,
    pub file: PathBuf,
}

/// A key that is to become a file of the key directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnKey {
    pub domain: DomainName,
    pub selector: Selector,
    pub key: InlineKey,
}

impl OwnKey {
    /// Its file, as seen from the config.
    pub fn file(&self) -> PathBuf {
        let directory = Path::new(KEY_DIRECTORY).join(self.domain.as_str());
        directory.join(format!("{}.pem", self.selector))
    }
}

/// A rule of the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub pattern: String,
    /// None is the author's domain.
    pub domain: Option<DomainName>,
    pub selectors: Vec<Selector>,
    pub identity: Option<String>,
    /// Where the other program had it.
    pub origin: String,
    /// An author whose mail the rule is for.
    pub sample: String,
}

/// A config to be.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    pub listen: Option<Listener>,
    pub require_safe_keys: bool,
    pub networks: Vec<String>,
    pub except: Vec<String>,
    pub daemon_names: Vec<String>,
    /// `NAME` or `NAME=VALUE`.
    pub macros: Vec<String>,
    pub excluded_recipients: Vec<String>,
    pub excluded_domains: Vec<String>,
    pub author_headers: Vec<FieldName>,
    pub canonicalization: Canonicalization,
    pub sign: Vec<FieldName>,
    pub oversign: Vec<FieldName>,
    pub oversign_present: Vec<FieldName>,
    pub expiry: Option<Duration>,
    pub request_reports: bool,
    pub on_failure: OnFailure,
    pub header_bytes: Option<u64>,
    pub multiple: bool,
    pub keys: Vec<KeyFile>,
    pub own_keys: Vec<OwnKey>,
    pub rules: Vec<Rule>,
}

/// The key directory, beside the config file. It may stay empty.
pub const KEY_DIRECTORY: &str = "keys";

/// The rule table, beside the config file.
pub const RULE_TABLE: &str = "rules";

/// With more keys, or rules that a table can hold, they are not in the config: that is
/// for people to read.
const MOST_IN_CONFIG: usize = 1000;

impl Settings {
    /// The keys that the key directory is to have a link to.
    pub fn linked_keys(&self) -> impl Iterator<Item = (&DomainName, &KeyFile)> {
        let keys = self.keys.iter().filter(|_| self.has_many_keys());
        keys.filter_map(|key| Some((key.domain.as_ref()?, key)))
    }

    fn has_many_keys(&self) -> bool {
        self.keys.len() > MOST_IN_CONFIG
    }

    /// The text of the rule table, when there is to be one.
    pub fn rule_table(&self, heading: &str) -> Option<String> {
        let (_, rules) = self.rules_apart();
        if rules.is_empty() {
            return None;
        }
        let mut page = Page::headed(heading);
        for rule in rules {
            let domain = rule.domain.as_ref().map_or("%d", DomainName::as_str);
            let selectors: Vec<_> = rule.selectors.iter().map(Selector::as_str).collect();
            let selectors = selectors.join(",");
            page.text(format_args!("{} {domain} {selectors}", rule.pattern));
        }
        Some(page.0)
    }

    /// The rules of the config and those of the table, which come after them.
    fn rules_apart(&self) -> (Vec<&Rule>, Vec<&Rule>) {
        // The order of globs counts, so they stay together.
        let fits = |rule: &Rule| {
            rule.identity.is_none()
                && !rule.pattern.contains(['*', ' ', '\t', '#'])
                && !self.multiple
        };
        let (table, config): (Vec<_>, Vec<_>) = self.rules.iter().partition(|rule| fits(rule));
        // And so does that of two rules for one pattern.
        let patterns: HashSet<_> = config.iter().map(|rule| &rule.pattern).collect();
        let apart = !table.iter().any(|rule| patterns.contains(&rule.pattern));
        match table.len() > MOST_IN_CONFIG && apart {
            true => (config, table),
            false => (self.rules.iter().collect(), Vec::new()),
        }
    }

    /// The config file, for this directory. `heading` says where it comes from, line by
    /// line.
    pub fn to_toml(&self, directory: &Path, heading: &str) -> String {
        let mut page = Page::headed(heading);
        let (rules, table) = self.rules_apart();
        if let Some(listener) = &self.listen {
            page.key("listen", format_args!("[{}]", listen(listener)));
        }
        let path = |name: &str| quoted(&directory.join(name).to_string_lossy());
        page.key("keys", path(KEY_DIRECTORY));
        if !table.is_empty() {
            page.key("rule_tables", path(RULE_TABLE));
        }
        if !self.require_safe_keys {
            page.key("require_safe_keys", false);
        }
        if !self.author_headers.is_empty() {
            page.key("author_headers", strings(&self.author_headers));
        }

        page.text("\n[trust]");
        page.key("networks", strings(&self.networks));
        page.list("except", &self.except);
        page.list("daemon_names", &self.daemon_names);
        page.list("macros", &self.macros);
        if !self.excluded_recipients.is_empty() || !self.excluded_domains.is_empty() {
            page.text("\n[exclude]");
            page.list("recipients", &self.excluded_recipients);
            page.list("domains", &self.excluded_domains);
        }

        page.text("\n[signing]");
        page.key(
            "canonicalization",
            quoted(&self.canonicalization.to_string()),
        );
        page.key("sign", strings(&self.sign));
        page.key("oversign_present", strings(&self.oversign_present));
        page.key("oversign", strings(&self.oversign));
        if let Some(expiry) = self.expiry {
            page.key("expiry", quoted(&format!("{}s", expiry.as_secs())));
        }
        if self.request_reports {
            page.key("request_reports", true);
        }
        page.key("on_failure", quoted(self.on_failure.as_str()));

        if let Some(bytes) = self.header_bytes {
            page.text("\n[limits]");
            page.key("header_bytes", bytes);
        }
        let linked = |key: &&KeyFile| self.has_many_keys() && key.domain.is_some();
        for key in self.keys.iter().filter(|key| !linked(key)) {
            page.text("\n[[key]]");
            let domain = key.domain.as_ref().map_or("*", DomainName::as_str);
            page.key("domain", quoted(domain));
            page.key("selector", quoted(key.selector.as_str()));
            page.key("file", quoted(&key.file.to_string_lossy()));
        }
        for rule in rules {
            page.text("");
            page.comment(&rule.origin);
            page.text("[[rule]]");
            page.key("pattern", quoted(&rule.pattern));
            if let Some(domain) = &rule.domain {
                page.key("domain", quoted(domain.as_str()));
            }
            page.key("selectors", strings(&rule.selectors));
            if let Some(identity) = &rule.identity {
                page.key("identity", quoted(identity));
            }
            if self.multiple {
                page.key("multiple", true);
            }
        }
        page.0
    }
}

/// Text that is written line by line. Writing to a `String` cannot fail.
#[derive(Default)]
struct Page(String);

impl Page {
    fn headed(heading: &str) -> Self {
        let mut page = Self::default();
        for line in heading.lines() {
            page.comment(line);
        }
        page.text("");
        page
    }

    fn text(&mut self, text: impl Display) {
        let _ = writeln!(self.0, "{text}");
    }

    /// A file name may hold anything, the end of a line too.
    fn comment(&mut self, text: &str) {
        let text: String = text
            .chars()
            .map(|c| if c.is_control() { '?' } else { c })
            .collect();
        self.text(format_args!("# {text}"));
    }

    fn key(&mut self, key: &str, value: impl Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn list<T: Display>(&mut self, key: &str, values: &[T]) {
        if !values.is_empty() {
            self.key(key, strings(values));
        }
    }
}

fn strings<T: Display>(values: &[T]) -> String {
    let values: Vec<_> = values.iter().map(|v| quoted(&v.to_string())).collect();
    format!("[{}]", values.join(", "))
}

fn listen(listener: &Listener) -> String {
    let address = quoted(&listener.address.to_string());
    match listener.mode {
        Some(mode) => format!("{{ address = {address}, mode = \"{mode:04o}\" }}"),
        None => address,
    }
}
