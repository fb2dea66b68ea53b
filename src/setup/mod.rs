//! From what a machine and its DNS look like to the numbered commands that end with
//! signed mail.
//!
//! Nothing is run and nothing is changed here: a [`Plan`] is text. What is there
//! already is not done again, and milters that Postfix has keep their place.

use std::path::{Path, PathBuf};

use crate::config::ListenAddress;
use crate::names::{DomainName, Selector};
use crate::postfix::Postfix;

mod daemon;
mod milter_lines;
mod provider;
#[cfg(test)]
mod tests;
mod text;

pub use provider::Provider;

/// The address that Postfix and the daemon meet at when nothing says otherwise.
const SOCKET: &str = "signet/signet.sock";

/// What was found.
#[derive(Debug, Clone)]
pub struct Machine {
    pub domain: DomainName,
    /// For a key that is still to be made.
    pub selector: Selector,
    /// Keys of the domain that are there.
    pub keys: Vec<Selector>,
    pub key_directory: PathBuf,
    /// Whether the commands must name the key directory.
    pub name_keys: bool,
    /// `None` when there is no Postfix.
    pub postfix: Option<Postfix>,
    /// Postfix's configuration directory, when it is not the usual one.
    pub postfix_config: Option<PathBuf>,
    /// Where the daemon is told to listen; `None` lets the plan choose.
    pub listen: Option<ListenAddress>,
    pub systemd: Systemd,
    /// SELinux keeps Postfix from sockets that have no label for it.
    pub selinux: bool,
    /// The user that the daemon runs as, and whether there is one of that name.
    pub user: String,
    pub user_exists: bool,
    pub zone: Zone,
}

/// Whether systemd runs this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Systemd {
    Absent,
    /// It does, and does not know signet.
    Running,
    /// It does, and has signet's units.
    WithUnits,
}

/// What DNS says about the domain's zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Zone {
    /// The zone that the domain lies in.
    pub apex: Option<String>,
    pub name_servers: Vec<String>,
    /// One of them is this machine.
    pub here: bool,
    /// Why nothing was found out.
    pub trouble: Option<String>,
}

/// What to do, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub domain: DomainName,
    /// What was found, a line each.
    pub found: Vec<String>,
    pub steps: Vec<Step>,
    /// What to know beside the steps.
    pub notes: Vec<String>,
}

/// Commands that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub title: &'static str,
    /// One line of why.
    pub why: String,
    /// For a shell of root; none when there is nothing left to do.
    pub commands: Vec<String>,
}

impl Plan {
    pub fn of(machine: &Machine) -> Self {
        let mut plan = Self {
            domain: machine.domain.clone(),
            found: text::found(machine),
            steps: Vec::new(),
            notes: Vec::new(),
        };
        plan.steps.push(daemon::permissions(machine));
        plan.steps.push(key(machine));
        plan.steps.push(record(machine, &mut plan.notes));
        plan.steps.push(daemon::start(machine, &mut plan.notes));
        if let Some(postfix) = &machine.postfix {
            let step = milter_lines::step(machine, postfix, &mut plan.notes);
            let changed = !step.commands.is_empty();
            plan.steps.push(step);
            if changed {
                plan.steps.push(reload(machine));
            }
        }
        plan.steps.push(check(machine));
        plan
    }
}

impl Machine {
    /// Where the daemon listens.
    fn listener(&self) -> ListenAddress {
        if let Some(address) = &self.listen {
            return address.clone();
        }
        match &self.postfix {
            Some(postfix) if !self.selinux => ListenAddress::Unix {
                path: postfix.queue_directory().join(SOCKET),
            },
            _ => ListenAddress::Inet {
                host: "127.0.0.1".to_owned(),
                port: 8891,
            },
        }
    }

    /// The same as Postfix is told: relative to the queue directory, so that it is right
    /// in the chroot and outside.
    fn milter_address(&self, postfix: &Postfix) -> String {
        match self.listener() {
            ListenAddress::Unix { path } => {
                let inside = path.strip_prefix(postfix.queue_directory());
                format!("unix:{}", inside.unwrap_or(&path).display())
            }
            address => address.to_string(),
        }
    }

    fn selector_in_use(&self) -> &Selector {
        self.keys.last().unwrap_or(&self.selector)
    }

    /// `signet COMMAND`, with the key directory where it must be named.
    fn signet(&self, command: &str) -> String {
        let keys = if self.name_keys {
            format!(" --keys {}", word(&self.key_directory))
        } else {
            String::new()
        };
        format!("signet {command}{keys}")
    }

    /// A command of Postfix, for its configuration.
    fn of_postfix(&self, program: &str) -> String {
        match &self.postfix_config {
            Some(directory) => format!("{program} -c {}", word(directory)),
            None => program.to_owned(),
        }
    }
}

/// A path as one word of a shell.
fn word(path: &Path) -> String {
    quoted(&path.display().to_string())
}

pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

fn key(machine: &Machine) -> Step {
    let domain = &machine.domain;
    let (why, commands) = if machine.keys.is_empty() {
        let command = format!("keygen {domain} --selector {}", machine.selector);
        (
            "the private key that signs; it stays on this machine".to_owned(),
            vec![machine.signet(&command)],
        )
    } else {
        let keys: Vec<String> = machine.keys.iter().map(ToString::to_string).collect();
        (
            format!("there is one already: {}", keys.join(", ")),
            Vec::new(),
        )
    };
    Step {
        title: "Make the key",
        why,
        commands,
    }
}

fn record(machine: &Machine, notes: &mut Vec<String>) -> Step {
    let zone = &machine.zone;
    let provider = Provider::of(&zone.name_servers, zone.here);
    if let Some(apex) = zone
        .apex
        .as_deref()
        .filter(|apex| *apex != machine.domain.as_str())
    {
        notes.push(format!(
            "{} has no zone of its own, it lies in {apex}: in a console that adds the zone's name, the record is called {}._domainkey.{}.",
            machine.domain,
            machine.selector_in_use(),
            machine
                .domain
                .as_str()
                .strip_suffix(apex)
                .unwrap_or_default()
                .trim_end_matches('.')
        ));
    }
    let command = format!(
        "dns {} --selector {} --format {}",
        machine.domain,
        machine.selector_in_use(),
        provider.format
    );
    Step {
        title: "Publish the record",
        why: match provider.name {
            Some(name) => format!("the zone is at {name}: {}", provider.how),
            None => provider.how.to_owned(),
        },
        commands: vec![machine.signet(&command)],
    }
}

fn reload(machine: &Machine) -> Step {
    Step {
        title: "Reload Postfix",
        why: "smtpd reads its settings again; no mail is lost".to_owned(),
        commands: vec![format!("{} reload", machine.of_postfix("postfix"))],
    }
}

fn check(machine: &Machine) -> Step {
    let socket = quoted(&machine.listener().to_string());
    let command = format!(
        "selftest --socket {socket} --from postmaster@{}",
        machine.domain
    );
    Step {
        title: "Check",
        why: "a message goes to the daemon as Postfix would send it, and the signature is verified"
            .to_owned(),
        commands: vec![machine.signet(&command)],
    }
}
