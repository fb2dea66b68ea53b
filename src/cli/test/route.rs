//! How the mail comes back to the test: the address where it waits, the recipient that
//! leads there, and where neither is free, the commands that make a way.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{Args, Problem};
use crate::postfix::Postfix;
use crate::setup::quoted;

/// An address of this machine that no Postfix takes for its own.
const SINK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 83, 73, 71)), 25);

/// A domain that nobody can have (RFC 2606 section 2), for a route of Postfix.
const DOMAIN: &str = "signet-test.invalid";

/// Where that route leads when we print it.
const ROUTED: &str = "smtp:[127.83.73.71]:2525";

/// Where the test waits, and for mail to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub sink: SocketAddr,
    pub to: String,
}

impl Route {
    /// What the flags say, or a route that Postfix has for the test, or an address of
    /// this machine.
    ///
    /// # Errors
    /// When mail would go elsewhere.
    pub fn find(args: &Args, postfix: Option<&Postfix>) -> Result<Self, Problem> {
        if let Some(to) = &args.to {
            return Ok(Self {
                sink: args.sink.unwrap_or(SINK),
                to: to.to_string(),
            });
        }
        if let Some(routed) = postfix.and_then(routed)
            && args.sink.is_none_or(|sink| sink == routed)
        {
            return Ok(Self {
                sink: routed,
                to: format!("test@{DOMAIN}"),
            });
        }
        let sink = args.sink.unwrap_or(SINK);
        if sink.port() != 25 {
            return Err(format!(
                "nothing leads to {sink}: Postfix brings mail to port 25 of an address; \
                 name with --to a recipient whom transport_maps routes there"
            )
            .into());
        }
        if let Some(postfix) = postfix {
            let relay = postfix.value("relayhost");
            if !relay.is_empty() {
                let why = format!(
                    "Postfix gives all mail to its relayhost {relay}, so a test would not come back here"
                );
                return Err(way(&why, args, postfix).into());
            }
        }
        Ok(Self {
            sink,
            to: format!("test@[{}]", sink.ip()),
        })
    }

    /// Why the test cannot wait there, and what to do.
    pub fn taken(&self, error: &io::Error, args: &Args, postfix: Option<&Postfix>) -> Problem {
        let sink = self.sink;
        match (error.kind(), postfix) {
            (ErrorKind::AddrInUse, Some(postfix)) if sink.port() == 25 && args.to.is_none() => {
                let why = format!(
                    "port 25 of {} is taken, most likely by Postfix itself, which listens at every address",
                    sink.ip()
                );
                way(&why, args, postfix).into()
            }
            (ErrorKind::AddrInUse, _) => format!(
                "cannot listen at {sink}: {error}; another program does, or another signet test"
            )
            .into(),
            _ => format!(
                "cannot listen at {sink}: {error}; run it as root, or name another place with --sink"
            )
            .into(),
        }
    }
}

/// Where Postfix routes the domain of the test, when it does as we print it.
fn routed(postfix: &Postfix) -> Option<SocketAddr> {
    let (_, behind) = postfix
        .value("transport_maps")
        .split_once(&format!("{DOMAIN}=smtp:["))?;
    let (host, behind) = behind.split_once("]:")?;
    let end = behind.find(|c: char| !c.is_ascii_digit());
    let port = behind.get(..end.unwrap_or(behind.len()))?;
    Some(SocketAddr::new(host.parse().ok()?, port.parse().ok()?))
}

/// The commands that route one domain to the test.
fn way(why: &str, args: &Args, postfix: &Postfix) -> String {
    let of_postfix = |program: &str| match &args.postfix_config {
        Some(directory) => format!("{program} -c {}", directory.display()),
        None => program.to_owned(),
    };
    let (set, reload) = (of_postfix("postconf"), of_postfix("postfix"));
    let old = postfix.raw("transport_maps");
    let added = format!("inline:{{ {DOMAIN}={ROUTED} }}");
    let maps = match old {
        "" => added,
        old => format!("{added}, {old}"),
    };
    let back = match postfix.sets("transport_maps") {
        true => format!("{set} -e {}", quoted(&format!("transport_maps={old}"))),
        false => format!("{set} -X transport_maps"),
    };
    format!(
        "{why}.\nRoute one domain, which nobody can have, to the test:\n\n    \
         {set} -e {}\n    {reload} reload\n\n\
         and run it again. The route does no harm and may stay; this takes it back:\n\n    \
         {back}\n    {reload} reload",
        quoted(&format!("transport_maps={maps}"))
    )
}
