//! Postfix with what is around it: its sockets as its services see them, the tables
//! that edit mail.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::config::{ListenAddress, Trust};
use crate::doctor::{PostfixFacts, tables};
use crate::names::FieldName;
use crate::postfix::milters;

use super::postfix::ProbeError;
use super::{beside, socket};

/// Of a table so much is read.
const LARGEST_TABLE: u64 = 1 << 20;

/// Everything about the Postfix of this machine, or of the directory `config`.
///
/// # Errors
/// When `postconf` is there and does not answer.
pub fn read(
    config: Option<&Path>,
    listen: Vec<ListenAddress>,
    trust: Trust,
    author_headers: Vec<FieldName>,
) -> Result<Option<PostfixFacts>, ProbeError> {
    let Some(postfix) = super::postfix::read(config)? else {
        return Ok(None);
    };
    let tables = tables(&postfix).into_iter();
    let tables = tables.filter_map(|(name, value)| Some((name, contents(&value)?)));
    let mut facts = PostfixFacts {
        tables: tables.collect(),
        aliases: ["virtual_alias_maps", "alias_maps"]
            .iter()
            .filter_map(|name| contents(postfix.value(name)))
            .collect(),
        usual_socket: postfix
            .queue_directory()
            .join("signet/signet.sock")
            .exists(),
        chroot_hosts: postfix.queue_directory().join("etc/hosts").exists(),
        config: config.map(Path::to_owned),
        sockets: Vec::new(),
        beside: Vec::new(),
        listen,
        taken: Vec::new(),
        trust,
        author_headers,
        postfix,
    };
    let mut tried: Vec<(String, bool)> = Vec::new();
    let mut others: Vec<(String, bool)> = Vec::new();
    let postfix = &facts.postfix;
    let by_smtp = postfix
        .smtp_servers()
        .map(|service| (postfix.value_for(service, "smtpd_milters"), service.chroot));
    let local = postfix
        .cleanup()
        .map(|service| (postfix.value("non_smtpd_milters"), service.chroot));
    let lists: Vec<Vec<(String, bool)>> = by_smtp
        .chain(local)
        .map(|(list, chroot)| {
            let entries = milters(&postfix.expanded(list)).into_iter();
            entries.map(|entry| (entry.address, chroot)).collect()
        })
        .collect();
    // The port that signet has by default is OpenDKIM's, too.
    let taken = lists.iter().flatten().map(|(address, _)| address);
    let taken = taken.filter(|address| facts.is_ours(address) && beside::holds(address));
    facts.taken = taken.cloned().collect();
    let postfix = &facts.postfix;
    for list in lists {
        let is_ours = |place: &(String, bool)| facts.is_ours(&place.0);
        let (ours, beside): (Vec<_>, Vec<_>) = list.into_iter().partition(is_ours);
        // A list without signet is none of its business.
        if !ours.is_empty() {
            others.extend(beside);
        }
        tried.extend(ours);
    }
    for places in [&mut tried, &mut others] {
        let mut seen = Vec::new();
        places.retain(|place| {
            let new = !seen.contains(place);
            seen.push(place.clone());
            new
        });
    }
    others.dedup_by(|one, before| one.0 == before.0);
    let reached = tried
        .iter()
        .filter_map(|(address, chroot)| socket::reach(postfix, address, *chroot));
    facts.sockets = reached.collect();
    let others = others.iter();
    facts.beside = others
        .map(|(address, chroot)| beside::read(postfix, address, *chroot))
        .collect();
    Ok(Some(facts))
}

/// The text of the tables that a setting names, `regexp:/etc/postfix/checks`; none when
/// one of them is no text that can be read.
fn contents(value: &str) -> Option<String> {
    let mut all = String::new();
    let tables = value.split([',', ' ']).filter(|table| !table.is_empty());
    for table in tables {
        let (_, path) = table.split_once(':')?;
        let file = File::open(path).ok()?;
        file.take(LARGEST_TABLE).read_to_string(&mut all).ok()?;
    }
    (!all.is_empty()).then_some(all)
}
