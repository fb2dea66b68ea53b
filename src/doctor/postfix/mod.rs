//! Postfix: whether it asks signet about every message, reaches it, and leaves what was
//! signed as it is.

use std::path::PathBuf;

use super::{Code, Section};
use crate::config::{ListenAddress, Trust};
use crate::names::FieldName;
use crate::postfix::{Endpoint, Postfix, without_blanks};

mod after;
mod asked;
mod beside;
mod filter;
mod known;
mod list;
mod list_host;
mod reach;

pub use after::tables;
pub use beside::{Beside, Settings};
pub use known::{Dialect, Habit, Known};
pub use reach::{SocketFact, Unreached};

/// Postfix and what is around it.
#[derive(Debug)]
pub struct PostfixFacts {
    pub postfix: Postfix,
    /// Postfix's configuration directory, when it is not the usual one.
    pub config: Option<PathBuf>,
    /// Where the daemon is configured to listen.
    pub listen: Vec<ListenAddress>,
    /// Addresses that look like signet's, and where another milter listens.
    pub taken: Vec<String>,
    /// Whose mail is signed.
    pub trust: Trust,
    /// The fields that may name the author.
    pub author_headers: Vec<FieldName>,
    /// Every milter address that is signet's, from in and outside the chroot.
    pub sockets: Vec<SocketFact>,
    /// The milters that stand in a list with signet.
    pub beside: Vec<Beside>,
    /// Whether there is a socket at the usual place in the queue directory, which systemd
    /// may have made, whatever the configuration says.
    pub usual_socket: bool,
    /// Whether the chroot has `etc/hosts`.
    pub chroot_hosts: bool,
    /// Those of [`tables`] that are text: what they are called, and what is in them.
    pub tables: Vec<(String, String)>,
    /// The text of the tables of aliases.
    pub aliases: String,
}

impl PostfixFacts {
    /// Whether an address of `smtpd_milters` is signet's: it leads to where the daemon
    /// listens, by some reading, or bears its name.
    pub fn is_ours(&self, address: &str) -> bool {
        if self.taken.iter().any(|taken| taken == address) {
            return false;
        }
        if address.contains("signet") {
            return true;
        }
        let endpoint = Endpoint::parse(address);
        self.listen.iter().any(|listen| match (listen, &endpoint) {
            (ListenAddress::Unix { path }, Ok(Endpoint::Unix { path: seen })) => {
                [true, false]
                    .iter()
                    .any(|chroot| self.postfix.socket_path(seen, *chroot) == *path)
                    || seen == path
            }
            (ListenAddress::Inet { port, .. }, Ok(Endpoint::Inet { port: seen, .. })) => {
                *seen == port.to_string()
            }
            (listen, Err(_)) => match listen {
                ListenAddress::Unix { path } => address.ends_with(&*path.to_string_lossy()),
                ListenAddress::Inet { port, .. } => address.contains(&port.to_string()),
            },
            _ => false,
        })
    }

    /// What Postfix should be told, in place of what is wrong.
    fn right_address(&self) -> String {
        let queue = self.postfix.queue_directory();
        match self.listen.first().filter(|_| !self.usual_socket) {
            Some(ListenAddress::Unix { path }) => match path.strip_prefix(queue) {
                Ok(inside) => format!("unix:{}", inside.display()),
                Err(_) => "unix:signet/signet.sock".to_owned(),
            },
            Some(address) => address.to_string(),
            None => "unix:signet/signet.sock".to_owned(),
        }
    }

    /// A command of Postfix, for its configuration.
    fn command(&self, program: &str, rest: &str) -> String {
        match &self.config {
            Some(directory) => format!("{program} -c {} {rest}", super::word(directory)),
            None => format!("{program} {rest}"),
        }
    }

    /// `postconf -e NAME=VALUE` and a reload.
    fn set(&self, name: &str, value: &str) -> Vec<String> {
        vec![self.edit(name, value), self.command("postfix", "reload")]
    }

    fn edit(&self, name: &str, value: &str) -> String {
        let setting = crate::setup::quoted(&format!("{name}={value}"));
        self.command("postconf", &format!("-e {setting}"))
    }

    /// The same for a service of master.cf.
    fn set_of(&self, service: &str, name: &str, value: &str) -> Vec<String> {
        vec![
            self.edit_of(service, name, value),
            self.command("postfix", "reload"),
        ]
    }

    fn edit_of(&self, service: &str, name: &str, value: &str) -> String {
        let value = without_blanks(value);
        let setting = crate::setup::quoted(&format!("{service}/{name}={value}"));
        self.command("postconf", &format!("-P {setting}"))
    }
}

pub(super) fn check(facts: Option<&Result<PostfixFacts, String>>) -> Section {
    let mut section = Section::new("Postfix");
    let facts = match facts {
        None => return section,
        Some(Ok(facts)) => facts,
        Some(Err(why)) => {
            let mend = vec!["postfix check".to_owned()];
            section.add(Code::PostfixUnreadable, "Postfix", why, mend);
            return section;
        }
    };
    section.good.push(format!(
        "Postfix {}, queue in {}",
        facts.postfix.version(),
        facts.postfix.queue_directory().display()
    ));
    asked::check(facts, &mut section);
    reach::check(facts, &mut section);
    after::check(facts, &mut section);
    filter::check(facts, &mut section);
    list_host::check(facts, &mut section);
    super::aliases::check(facts, &mut section);
    section
}
