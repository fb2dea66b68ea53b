//! What a Postfix is set to: its parameters, its services, the milters of each, and
//! where a milter's socket lies for a service in the chroot and outside.
//!
//! Reads what `postconf` prints and runs nothing. A parameter of a service is what
//! master.cf says with `-o`, or else what main.cf or the default says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

mod endpoint;
mod filters;
mod milters;
#[cfg(test)]
mod tests;

pub use endpoint::{Endpoint, EndpointError};
pub use filters::Filter;
pub use milters::{MilterEntry, milters, without_blanks};

/// A Postfix as `postconf` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Postfix {
    /// Every parameter with its value, `$name` expanded.
    values: BTreeMap<String, String>,
    /// The same as they are written.
    raw: BTreeMap<String, String>,
    /// The names of those that main.cf sets.
    set: BTreeSet<String>,
    pub services: Vec<Service>,
}

/// A line of master.cf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// `smtp`, `submission`, `127.0.0.1:10025`
    pub name: String,
    /// `inet`, `unix`, `pass`, ...
    pub kind: String,
    pub chroot: bool,
    /// The daemon's name: `smtpd`, `cleanup`.
    pub program: String,
    overrides: BTreeMap<String, String>,
}

impl Service {
    /// As `postconf` writes it: `smtp/inet`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.name, self.kind)
    }

    /// The value that master.cf gives a parameter for this service.
    pub fn override_of(&self, name: &str) -> Option<&str> {
        self.overrides.get(name).map(String::as_str)
    }
}

/// What `postconf` printed for its options; each text is a line a parameter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Printed<'p> {
    /// `postconf`
    pub raw: &'p str,
    /// `postconf -x`
    pub expanded: &'p str,
    /// `postconf -n`
    pub set: &'p str,
    /// `postconf -M`
    pub services: &'p str,
    /// `postconf -P`
    pub overrides: &'p str,
}

impl Postfix {
    pub fn read(printed: Printed<'_>) -> Self {
        let mut postfix = Self {
            values: parameters(printed.expanded),
            raw: parameters(printed.raw),
            set: parameters(printed.set).into_keys().collect(),
            services: Vec::new(),
        };
        let overrides = parameters(printed.overrides);
        let modern = postfix.compatibility_level() >= 1;
        postfix.services = printed
            .services
            .lines()
            .filter_map(|line| service(line, &overrides, modern))
            .collect();
        postfix
    }

    /// The expanded value of a parameter; empty when there is none.
    pub fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// The value as it is written, with its `$name`.
    pub fn raw(&self, name: &str) -> &str {
        self.raw.get(name).map_or("", String::as_str)
    }

    /// Whether main.cf sets the parameter.
    pub fn sets(&self, name: &str) -> bool {
        self.set.contains(name)
    }

    /// What counts for one service.
    pub fn value_for<'s>(&'s self, service: &'s Service, name: &str) -> &'s str {
        service
            .override_of(name)
            .unwrap_or_else(|| self.value(name))
    }

    /// Every value that a parameter has for the daemons of this program: that of main.cf
    /// (`None`) unless each of their services has one of its own, and those of services.
    pub fn settings_of(&self, program: &str, name: &str) -> Vec<(Option<&Service>, String)> {
        let services = || {
            let all = self.services.iter();
            all.filter(|service| service.program == program)
        };
        let own: Vec<_> = services()
            .filter_map(|service| Some((service, service.override_of(name)?)))
            .collect();
        let general = own.is_empty() || own.len() < services().count();
        let general = general.then(|| (None, self.value(name).to_owned()));
        let own = own.into_iter();
        let own = own.map(|(service, value)| (Some(service), self.expanded(value)));
        general.into_iter().chain(own).collect()
    }

    /// A value of master.cf with each `$name` in it replaced by what main.cf says.
    pub fn expanded(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('$') {
            out.push_str(before);
            let inside = behind.trim_start_matches(['{', '(']);
            let end = inside
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(inside.len());
            let (name, behind_name) = inside.split_at(end);
            out.push_str(self.value(name));
            rest = match inside.len() < behind.len() {
                true => behind_name.get(1..).unwrap_or_default(),
                false => behind_name,
            };
        }
        out + rest
    }

    /// The services that take mail by SMTP.
    pub fn smtp_servers(&self) -> impl Iterator<Item = &Service> {
        self.services
            .iter()
            .filter(|service| service.program == "smtpd")
    }

    /// The service that hands over to milters what does not come by SMTP.
    pub fn cleanup(&self) -> Option<&Service> {
        self.services
            .iter()
            .find(|service| service.program == "cleanup" && service.name == "cleanup")
    }

    pub fn version(&self) -> &str {
        self.value("mail_version")
    }

    pub fn queue_directory(&self) -> &Path {
        Path::new(self.value("queue_directory"))
    }

    /// Where the file at `path` in a milter's address lies for this machine, when a
    /// service connects to it: below the queue directory in the chroot, and outside
    /// too when the path is relative.
    pub fn socket_path(&self, path: &Path, chroot: bool) -> PathBuf {
        let queue = self.queue_directory();
        match path.strip_prefix("/") {
            Ok(inside) if chroot => queue.join(inside),
            Ok(_) => path.to_owned(),
            Err(_) => queue.join(path),
        }
    }

    fn compatibility_level(&self) -> u32 {
        let level = self.value("compatibility_level");
        let major = level.split('.').next().unwrap_or_default();
        major.trim().parse().unwrap_or(0)
    }
}

/// Lines of `name = value`.
fn parameters(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

fn service(line: &str, overrides: &BTreeMap<String, String>, modern: bool) -> Option<Service> {
    let mut words = line.split_whitespace();
    let (name, kind) = (words.next()?, words.next()?);
    let (_private, _unprivileged, chroot) = (words.next()?, words.next()?, words.next()?);
    let (_wakeup, _limit, program) = (words.next()?, words.next()?, words.next()?);
    let start = format!("{name}/{kind}/");
    Some(Service {
        name: name.to_owned(),
        kind: kind.to_owned(),
        // "-" is the default, which compatibility level 1 turned to "n".
        chroot: chroot == "y" || (chroot == "-" && !modern),
        program: program.to_owned(),
        overrides: overrides
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix(&start)?.to_owned(), value.clone())))
            .collect(),
    })
}
