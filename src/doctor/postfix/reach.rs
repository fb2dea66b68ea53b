//! Whether Postfix reaches signet, and what it does when it does not.

use std::path::PathBuf;

use super::{Code, PostfixFacts, Section};
use crate::postfix::{Endpoint, milters};

/// One address of signet's as the services see it.
#[derive(Debug)]
pub struct SocketFact {
    pub address: String,
    pub endpoint: Endpoint,
    /// Of the services that use it: whether they run in the chroot.
    pub chroot: bool,
    /// Where the socket is for such a service; none for TCP.
    pub path: Option<PathBuf>,
    pub reached: Result<(), Unreached>,
}

/// Why a connection came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreached {
    /// There is no file; with a path where there is one, outside the chroot.
    Missing {
        outside: Option<PathBuf>,
    },
    /// There is a file that is no socket.
    NotASocket,
    /// The user postfix may not connect; at which directory or socket.
    Denied {
        at: PathBuf,
    },
    /// Nobody listens.
    Refused,
    /// Somebody listens who does not speak the milter protocol, or says nothing.
    NotAMilter,
    /// The name of the host has no address.
    NoAddress,
    Other(String),
}

pub(super) fn check(facts: &PostfixFacts, section: &mut Section) {
    for socket in &facts.sockets {
        let seen = match &socket.path {
            Some(path) => path.display().to_string(),
            None => socket.address.clone(),
        };
        let chroot = if socket.chroot { "in" } else { "outside" };
        match &socket.reached {
            Ok(()) => section.good.push(format!(
                "signet answers at {} (for services {chroot} the chroot)",
                socket.address
            )),
            Err(why) => {
                let (code, what, mend) = unreached(facts, socket, &seen, why);
                section.add(code, &socket.address, what, mend);
            }
        }
        if let Endpoint::Inet { host, .. } = &socket.endpoint
            && socket.chroot
            && !facts.chroot_hosts
            && host.parse::<std::net::IpAddr>().is_err()
        {
            let what = format!(
                "services in the chroot cannot look \"{host}\" up: there is no etc/hosts in it"
            );
            let right = socket.address.replace(host.as_str(), "127.0.0.1");
            let mend = renamed(facts, &socket.address, &right);
            section.add(Code::PostfixChrootHosts, &socket.address, what, mend);
        }
    }
    settings(facts, section);
}

fn unreached(
    facts: &PostfixFacts,
    socket: &SocketFact,
    seen: &str,
    why: &Unreached,
) -> (Code, String, Vec<String>) {
    let start = || match facts.listen.first() {
        Some(listen) => vec![
            "start it (systemctl start signet), or by hand:".to_owned(),
            format!(
                "signet serve --listen {}",
                crate::setup::quoted(&listen.to_string())
            ),
        ],
        None => vec!["systemctl start signet".to_owned()],
    };
    match why {
        Unreached::Missing {
            outside: Some(outside),
        } => (
            Code::PostfixSocketChroot,
            format!(
                "smtpd runs in the chroot and looks for {seen}, where nothing is; the socket is at {}",
                outside.display()
            ),
            relative(facts, &socket.address),
        ),
        Unreached::Missing { outside: None } => (
            Code::PostfixSocketMissing,
            format!("there is no {seen}: signet does not run, or listens somewhere else"),
            start(),
        ),
        Unreached::NotASocket => (
            Code::PostfixSocketFile,
            format!("{seen} is a file and no socket"),
            vec![
                format!("rm {}", crate::setup::quoted(seen)),
                "systemctl restart signet".to_owned(),
            ],
        ),
        Unreached::Denied { at } if Some(at) == socket.path.as_ref() => (
            Code::PostfixSocketDenied,
            format!("the user postfix may not connect to {seen}"),
            vec![format!("chgrp postfix {seen}"), format!("chmod 660 {seen}")],
        ),
        Unreached::Denied { at } => (
            Code::PostfixDirectoryDenied,
            format!("the user postfix may not enter {}", at.display()),
            vec![
                format!("chgrp postfix {}", super::super::word(at)),
                format!("chmod 750 {}", super::super::word(at)),
            ],
        ),
        Unreached::Refused => (
            Code::PostfixSocketRefused,
            format!("nobody listens at {seen}"),
            start(),
        ),
        Unreached::NotAMilter => (
            Code::PostfixNotAMilter,
            format!("what listens at {seen} does not answer as a milter does"),
            vec![format!(
                "ss -lpn | grep {}",
                crate::setup::quoted(seen.rsplit(':').next().unwrap_or(seen))
            )],
        ),
        Unreached::NoAddress => (
            Code::PostfixNoAddress,
            "the name of the host has no address".to_owned(),
            renamed(facts, &socket.address, "inet:127.0.0.1:8891"),
        ),
        Unreached::Other(error) => (
            Code::PostfixSocketRefused,
            format!("{seen} cannot be reached: {error}"),
            start(),
        ),
    }
}

/// The path that is right in the chroot and outside.
fn relative(facts: &PostfixFacts, wrong: &str) -> Vec<String> {
    let socket = facts.postfix.queue_directory().join("signet/signet.sock");
    let mut mend = vec![
        "put the socket into the chroot, and name it without the slash:".to_owned(),
        format!("signet serve --listen unix:{}", socket.display()),
    ];
    mend.extend(renamed(facts, wrong, "unix:signet/signet.sock"));
    mend
}

/// Every list that names the address `wrong` with `right` in its place; the milters
/// beside it stay.
fn renamed(facts: &PostfixFacts, wrong: &str, right: &str) -> Vec<String> {
    let postfix = &facts.postfix;
    let list = |text: &str| {
        let mut entries = milters(&postfix.expanded(text));
        let mut found = false;
        for entry in entries.iter_mut().filter(|entry| entry.address == wrong) {
            right.clone_into(&mut entry.address);
            found = true;
        }
        let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
        found.then(|| entries.join(", "))
    };
    let mut mend: Vec<String> = ["smtpd_milters", "non_smtpd_milters"]
        .into_iter()
        .filter_map(|name| {
            let setting = format!("{name}={}", list(postfix.value(name))?);
            Some(facts.command(
                "postconf",
                &format!("-e {}", crate::setup::quoted(&setting)),
            ))
        })
        .collect();
    mend.extend(postfix.smtp_servers().filter_map(|service| {
        let value = list(service.override_of("smtpd_milters")?)?;
        Some(facts.edit_of(&service.id(), "smtpd_milters", &value))
    }));
    mend.push(facts.command("postfix", "reload"));
    mend
}

fn settings(facts: &PostfixFacts, section: &mut Section) {
    let postfix = &facts.postfix;
    let action = postfix.value("milter_default_action");
    match action {
        "accept" => {
            let mend = facts.set("milter_default_action", "tempfail");
            let what = "it is \"accept\": when signet does not answer, mail leaves unsigned";
            section.add(
                Code::PostfixDefaultAction,
                "milter_default_action",
                what,
                mend,
            );
        }
        "tempfail" | "reject" | "quarantine" | "shutdown" | "" => {}
        other => {
            let mend = facts.set("milter_default_action", "tempfail");
            let what = format!("\"{other}\" is no action: Postfix refuses every message");
            section.add(
                Code::PostfixActionUnknown,
                "milter_default_action",
                what,
                mend,
            );
        }
    }
    match postfix.value("milter_protocol") {
        "6" | "" => {}
        old @ ("2" | "3" | "4") => {
            let mend = facts.set("milter_protocol", "6");
            let what = format!("it is {old}: Postfix hides the white space of header fields");
            section.add(Code::PostfixProtocolOld, "milter_protocol", what, mend);
        }
        other => {
            let mend = facts.set("milter_protocol", "6");
            let what = format!("\"{other}\" is no version: Postfix refuses every message");
            section.add(Code::PostfixProtocolUnknown, "milter_protocol", what, mend);
        }
    }
}
