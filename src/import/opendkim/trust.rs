//! Whose mail is signed, and which mail is left alone.

use super::conf::Setting;
use super::dataset::{DataSet, Matching, leak};
use super::hosts;
use super::work::{Work, shown};
use crate::config::{Pattern, TrustedMacro};
use crate::import::report::Outcome::{Dropped, NeedsYou, Same};
use crate::names::{Address, DomainName};

pub fn read(work: &mut Work) {
    internal(work);
    peers(work);
    daemons(work);
    macros(work);
    recipients(work);
    domains(work);
}

fn internal(work: &mut Work) {
    if let Some((setting, set)) = work.data_set("InternalHosts") {
        let hosts = hosts::read("InternalHosts", &set, &mut work.report);
        hosts::remarks("InternalHosts", &setting.place, &hosts, &mut work.report);
        forgotten_type(&setting, &set, work);
        work.tell(Same, &setting, "trust.networks");
        work.settings.networks = hosts.entries;
    } else if work.setting("InternalHosts").is_none() {
        work.settings.networks = vec!["127.0.0.1".to_owned(), "::1".to_owned()];
        let why = "OpenDKIM's default, 127.0.0.1 and ::1, is kept. Clients that log in are trusted \
                   as before (trust.authenticated)";
        work.tell_default(Same, "InternalHosts", why);
    }
    if let Some(setting) = work.setting("ExternalIgnoreList") {
        let why = "silences a log line of OpenDKIM's. signet logs one line a message, at info";
        work.tell(Dropped, &setting, why);
    }
}

/// A path without a type before it is a list of one for OpenDKIM.
fn forgotten_type(setting: &Setting, set: &DataSet, work: &mut Work) {
    if let [only] = set.entries.as_slice()
        && set.matching == Matching::Exact
        && setting.value == only.key
        && (only.key.contains('/') || work.path(&only.key).is_file())
        && only.key.parse::<ipnet::IpNet>().is_err()
    {
        let file = only.key.clone();
        let why = format!(
            "is a list of one host called \"{file}\", for OpenDKIM too; write file:{file} if the \
             file is meant"
        );
        work.tell(NeedsYou, setting, why);
    }
}

fn peers(work: &mut Work) {
    if let Some((setting, set)) = work.data_set("PeerList") {
        let hosts = hosts::read("PeerList", &set, &mut work.report);
        forgotten_type(&setting, &set, work);
        work.tell(
            Same,
            &setting,
            "trust.except: mail of these clients is left alone",
        );
        work.settings.except = hosts.entries;
    }
}

fn daemons(work: &mut Work) {
    let Some((setting, set)) = work.data_set("MTA") else {
        return;
    };
    for entry in &set.entries {
        if entry.key.contains('*') && set.matching == Matching::Pattern {
            work.wrong(&setting, "is a list of patterns; write the names in full");
        } else {
            work.settings.daemon_names.push(entry.key.clone());
        }
    }
    let why = "trust.daemon_names: the milter_macro_daemon_name of these services of Postfix";
    work.tell(Same, &setting, why);
}

fn macros(work: &mut Work) {
    let Some((setting, set)) = work.data_set("MacroList") else {
        return;
    };
    if set.matching == Matching::Pattern {
        work.wrong(
            &setting,
            "is of type refile, with which OpenDKIM does not start",
        );
        return;
    }
    for entry in &set.entries {
        let name = entry.key.trim_matches(['{', '}']);
        let values = entry.value.split('|').map(str::trim);
        let values: Vec<_> = values.filter(|value| !value.is_empty()).collect();
        let texts = match values.is_empty() {
            true => vec![name.to_owned()],
            false => values
                .iter()
                .map(|value| format!("{name}={value}"))
                .collect(),
        };
        for text in texts {
            match text.parse::<TrustedMacro>() {
                Ok(_) => work.settings.macros.push(text),
                Err(error) => {
                    let option = format!("MacroList {}", shown(&entry.key));
                    let why = format!("{error}. OpenDKIM never sees it set");
                    work.report.add(NeedsYou, &entry.place, option, why);
                }
            }
        }
    }
    let why = "trust.macros: Postfix sends such a macro when it stands in milter_mail_macros or \
               milter_connect_macros";
    work.tell(Same, &setting, why);
}

fn recipients(work: &mut Work) {
    let Some((setting, set)) = work.data_set("DontSignMailTo") else {
        return;
    };
    for entry in &set.entries {
        let key = entry.key.to_lowercase();
        let option = format!("DontSignMailTo {}", shown(&entry.key));
        if key == "." {
            continue;
        }
        let pattern = match set.matching {
            Matching::Pattern => match leak(&key) {
                Some(leak) => Err(leak),
                None => Ok(recipient_glob(&key)),
            },
            Matching::Exact if Address::parse(&key).is_ok() && !key.contains('*') => Ok(key),
            Matching::Exact => Err(
                "OpenDKIM compares whole addresses here, so it never matches; \
                                    write it into exclude.recipients if it is meant"
                    .to_owned(),
            ),
        };
        let pattern = pattern.and_then(|text| match text.parse::<Pattern>() {
            Ok(_) => Ok(text),
            Err(error) => Err(error.to_string()),
        });
        match pattern {
            Ok(text) => work.settings.excluded_recipients.push(text),
            Err(why) => work.report.add(NeedsYou, &entry.place, option, why),
        }
    }
    let why = "exclude.recipients: one such recipient leaves the whole message unsigned";
    work.tell(Same, &setting, why);
}

/// `*@example.org` is the domain; other patterns stay as they are.
fn recipient_glob(pattern: &str) -> String {
    match pattern.strip_prefix("*@") {
        Some(host) if DomainName::parse(host).is_ok_and(|d| d.as_str() == host) => host.to_owned(),
        _ => pattern.to_owned(),
    }
}

fn domains(work: &mut Work) {
    let Some((setting, set)) = work.data_set("ExemptDomains") else {
        return;
    };
    for entry in &set.entries {
        let key = entry.key.to_lowercase();
        let option = format!("ExemptDomains {}", shown(&entry.key));
        let below = key
            .strip_prefix("*.")
            .filter(|_| set.matching == Matching::Pattern);
        match (DomainName::parse(&key), below.map(DomainName::parse)) {
            _ if key == "." => {}
            (Ok(domain), _) if !key.starts_with('.') => {
                work.settings.excluded_domains.push(domain.to_string());
            }
            (_, Some(Ok(parent))) => work.settings.excluded_domains.push(format!(".{parent}")),
            _ => {
                let why = "matches no domain for OpenDKIM; write DOMAIN, or .DOMAIN for those below \
                           it, into exclude.domains if it is meant";
                work.report.add(NeedsYou, &entry.place, option, why);
            }
        }
    }
    work.tell(
        Same,
        &setting,
        "exclude.domains: mail of these authors is left alone",
    );
}
