//! What is signed, and for whom: `sign_headers`, `sign_networks` and the flags beside.

use super::Work;
use super::ucl::Value;
use crate::config::ClientPattern;
use crate::dkim::HeaderSet;
use crate::import::report::Outcome::{Changed, NeedsYou, Same};
use crate::names::FieldName;

/// The options that are read here.
pub const KEYS: &[&str] = &[
    "sign_headers",
    "sign_networks",
    "sign_local",
    "sign_authenticated",
    "auth_only",
];

pub fn read(work: &mut Work<'_>) {
    headers(work);
    networks(work);
}

/// `(o)` oversigns, `(x)` oversigns what is there.
fn headers(work: &mut Work<'_>) {
    let Some((text, line)) = work.text("sign_headers") else {
        let set = HeaderSet::default();
        work.settings.sign = set.sign().to_vec();
        work.settings.oversign = set.oversign().to_vec();
        work.settings.oversign_present = set.oversign_present().to_vec();
        let why = "signet's own lists, which cover what rspamd's do";
        work.tell(Same, 0, "sign_headers", why);
        return;
    };
    for field in text
        .split(':')
        .map(str::trim)
        .filter(|field| !field.is_empty())
    {
        let (list, name) = if let Some(name) = field.strip_prefix("(o)") {
            (&mut work.settings.oversign, name)
        } else if let Some(name) = field.strip_prefix("(x)") {
            (&mut work.settings.oversign_present, name)
        } else {
            (&mut work.settings.sign, field)
        };
        let name = FieldName::parse(name).map_err(|error| error.to_string());
        let name = name.and_then(|name| {
            let set = HeaderSet::new(vec![name.clone()], Vec::new(), Vec::new());
            set.map(|_| name).map_err(|error| error.to_string())
        });
        match name {
            Ok(name) => list.push(name),
            Err(why) => work.tell(Changed, line, "sign_headers", why),
        }
    }
    work.tell(
        Same,
        line,
        "sign_headers",
        "signing.sign, signing.oversign and signing.oversign_present",
    );
}

fn networks(work: &mut Work<'_>) {
    let mut networks = Vec::new();
    if work.flag("sign_local", true) {
        networks.extend(["127.0.0.0/8".to_owned(), "::1".to_owned()]);
        let why = "trust.networks is this machine. rspamd also takes local_addrs (in options.inc, the \
                   private networks by default) for local: add those whose mail you sign";
        work.tell(NeedsYou, 0, "sign_local", why);
    }
    if let Some(item) = work.section.get("sign_networks").cloned() {
        let entries = match &item.value {
            Value::Text(text) => vec![text.clone()],
            Value::List(list) => list
                .iter()
                .filter_map(Value::text)
                .map(str::to_owned)
                .collect(),
            Value::Section(_) => Vec::new(),
        };
        let mut taken = true;
        for entry in entries {
            match entry.parse::<ClientPattern>() {
                Ok(_) => networks.push(entry),
                Err(error) => {
                    taken = false;
                    let why = format!("{error}; if it is a map, write its entries here");
                    work.tell(NeedsYou, item.line, "sign_networks", why);
                }
            }
        }
        if taken {
            work.tell(Same, item.line, "sign_networks", "trust.networks");
        }
    }
    work.settings.networks = networks;
    if !work.flag("sign_authenticated", true) {
        let why = "set trust.authenticated = false: the import leaves it at true";
        work.tell(NeedsYou, 0, "sign_authenticated", why);
    }
}
