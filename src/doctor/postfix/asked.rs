//! Whether Postfix asks signet: for mail by SMTP, for mail from this machine, in every
//! service, at the right place in the list.

use super::filter::signed_behind;
use super::list::{List, Place};
use super::{Code, PostfixFacts, Section};
use crate::postfix::{Service, milters};

pub(super) fn check(facts: &PostfixFacts, section: &mut Section) {
    let postfix = &facts.postfix;
    let asks = |service: &&Service| asks(facts, service);
    let smtp: Vec<&Service> = postfix.smtp_servers().collect();
    let asking: Vec<&Service> = smtp.iter().copied().filter(|s| asks(s)).collect();
    let local = lists(facts, postfix.value("non_smtpd_milters"));

    if asking.is_empty() && !local {
        let mut mend = facts.set("smtpd_milters", &appended(facts, "smtpd_milters"));
        mend.splice(
            ..0,
            facts
                .set("non_smtpd_milters", &appended(facts, "non_smtpd_milters"))
                .drain(..1),
        );
        let what = "neither smtpd_milters nor non_smtpd_milters has signet in it";
        section.add(Code::PostfixNotAsked, "main.cf", what, mend);
    } else {
        let in_main = lists(facts, postfix.value("smtpd_milters"));
        if !in_main && asking.is_empty() && !smtp.iter().any(|service| disabled(facts, service)) {
            let mend = facts.set("smtpd_milters", &appended(facts, "smtpd_milters"));
            let what = "signet is not in the list: mail by SMTP is not signed";
            section.add(Code::PostfixSmtpdMilters, "smtpd_milters", what, mend);
        }
        if !local {
            let mend = facts.set("non_smtpd_milters", &appended(facts, "non_smtpd_milters"));
            let what = "signet is not in the list: mail by the sendmail command is not signed";
            section.add(
                Code::PostfixNonSmtpdMilters,
                "non_smtpd_milters",
                what,
                mend,
            );
        }
        services(facts, &smtp, asking.is_empty() && in_main, section);
    }
    if !asking.is_empty() && local {
        let names: Vec<String> = asking.iter().map(|service| service.id()).collect();
        section.good.push(format!(
            "signet is asked about mail by {} and by the sendmail command",
            names.join(", ")
        ));
    }
    each_list(facts, &smtp, section);
    if !postfix.value("smtpd_milter_maps").is_empty() {
        let mend = vec![
            "look what the table says of clients that send:".to_owned(),
            facts.command("postconf", "smtpd_milter_maps"),
        ];
        let what = "for some clients other milters are asked, or none";
        section.add(Code::PostfixMilterMaps, "smtpd_milter_maps", what, mend);
    }
}

/// Services of master.cf that turn signet off although they take mail from people; with
/// `any` whatever they are called, since no other asks.
fn services(facts: &PostfixFacts, smtp: &[&Service], any: bool, section: &mut Section) {
    for service in smtp {
        if disabled(facts, service) {
            let own = service.override_of(OPTIONS).is_some();
            let id = service.id();
            let mend = match own {
                true => facts.set_of(&id, OPTIONS, &without_no_milters(options(facts, service))),
                false => facts.set(OPTIONS, &without_no_milters(options(facts, service))),
            };
            if !service.is_local() && !signed_behind(facts, service) {
                section.add(Code::PostfixNoMilters, &id, NO_MILTERS, mend);
            }
            continue;
        }
        let Some(own) = service.override_of("smtpd_milters") else {
            continue;
        };
        let concerns = service.is_submission() || (any && !service.is_local());
        let behind = signed_behind(facts, service);
        if concerns && !behind && !lists(facts, &facts.postfix.expanded(own)) {
            let what = format!(
                "master.cf gives it a list of its own, \"{own}\", without signet: what comes in there is not signed"
            );
            let value = joined(own, &facts.right_address());
            let mend = facts.set_of(&service.id(), "smtpd_milters", &value);
            section.add(Code::PostfixServiceOverride, service.id(), what, mend);
        }
    }
    // The one setting of its own that the way of the sendmail command may have.
    let mut pickup = facts.postfix.entrances();
    if let Some(pickup) = pickup.find(|service| service.program == "pickup")
        && pickup.override_of(OPTIONS).is_some()
        && disabled(facts, pickup)
        && !signed_behind(facts, pickup)
    {
        let options = without_no_milters(options(facts, pickup));
        let mend = facts.set_of(&pickup.id(), OPTIONS, &options);
        section.add(Code::PostfixNoMilters, pickup.id(), NO_MILTERS, mend);
    }
}

/// The lists in force, each once with all places that it is in.
fn each_list(facts: &PostfixFacts, smtp: &[&Service], section: &mut Section) {
    let main = ["smtpd_milters", "non_smtpd_milters"].map(|name| {
        let text = facts.postfix.value(name).to_owned();
        (Place::Main(name), facts.postfix.raw(name), text)
    });
    let own = smtp.iter().filter_map(|service| {
        let raw = service.override_of("smtpd_milters")?;
        let text = facts.postfix.expanded(raw);
        Some((Place::Service(service.id()), raw, text))
    });
    let mut found: Vec<(String, Vec<Place>)> = Vec::new();
    for (place, raw, text) in main.into_iter().chain(own) {
        match found.iter_mut().find(|(seen, _)| *seen == text) {
            // It is mended with the list that it names.
            Some(_) if names_the_list(raw) => {}
            Some((_, places)) => places.push(place),
            None => found.push((text, vec![place])),
        }
    }
    for (text, places) in &mut found {
        let list = List {
            facts,
            places: std::mem::take(places),
            text,
        };
        list.check(section);
    }
}

fn names_the_list(raw: &str) -> bool {
    let names = ["$smtpd_milters", "${smtpd_milters}", "$(smtpd_milters)"];
    names.contains(&raw.trim())
}

pub(super) fn lists(facts: &PostfixFacts, list: &str) -> bool {
    milters(list)
        .iter()
        .any(|entry| facts.is_ours(&entry.address))
}

/// Whether signet is asked about what comes in there.
pub(super) fn asks(facts: &PostfixFacts, service: &Service) -> bool {
    let name = match service.program.as_str() {
        "smtpd" => "smtpd_milters",
        _ => "non_smtpd_milters",
    };
    let list = facts.postfix.value_for(service, name);
    !disabled(facts, service) && lists(facts, &facts.postfix.expanded(list))
}

/// Milters are turned off for the service.
pub(super) fn disabled(facts: &PostfixFacts, service: &Service) -> bool {
    words(options(facts, service)).any(|option| option == "no_milters")
}

pub(super) const OPTIONS: &str = "receive_override_options";

const NO_MILTERS: &str =
    "receive_override_options has no_milters: what comes in there is not signed";

pub(super) fn options<'f>(facts: &'f PostfixFacts, service: &'f Service) -> &'f str {
    facts.postfix.value_for(service, OPTIONS)
}

pub(super) fn without_no_milters(options: &str) -> String {
    let kept: Vec<&str> = words(options)
        .filter(|word| *word != "no_milters")
        .collect();
    kept.join(",")
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ' ']).filter(|word| !word.is_empty())
}

fn appended(facts: &PostfixFacts, name: &str) -> String {
    joined(facts.postfix.raw(name), &facts.right_address())
}

pub(super) fn joined(list: &str, address: &str) -> String {
    match list.trim() {
        "" => address.to_owned(),
        list => format!("{list}, {address}"),
    }
}
