//! The lines that make Postfix ask the daemon: at the end of the milters that are
//! there already, for mail by SMTP and for mail from this machine, and for the services
//! that have a list of their own.

use super::{Machine, Step, quoted};
use crate::postfix::{Postfix, Service, milters, without_blanks};

const BOTH: [&str; 2] = ["smtpd_milters", "non_smtpd_milters"];

pub(super) fn step(machine: &Machine, postfix: &Postfix, notes: &mut Vec<String>) -> Step {
    let ours = machine.milter_address(postfix);
    let mut commands = Vec::new();
    let mut kept = false;
    for name in BOTH {
        let raw = postfix.raw(name);
        // "$smtpd_milters" gets ours with the other line.
        let follows = name == "non_smtpd_milters"
            && matches!(
                raw.trim(),
                "$smtpd_milters" | "${smtpd_milters}" | "$(smtpd_milters)"
            );
        if follows || holds(postfix.value(name), &ours) {
            continue;
        }
        kept |= !raw.is_empty();
        commands.push(format!(
            "{} -e {}",
            machine.of_postfix("postconf"),
            quoted(&format!("{name}={}", appended(raw, &ours)))
        ));
    }
    // What comes back from a filter looks local, strangers' mail too.
    let dangerous = match postfix.filters_strangers() {
        true => postfix.handing_back(),
        false => Vec::new(),
    };
    for service in postfix.smtp_servers() {
        let own = service.override_of("smtpd_milters");
        if dangerous.contains(&service) {
            let off = postfix.value_for(service, "receive_override_options");
            if own.is_none() && !off.contains("no_milters") {
                let list = without(postfix.raw("smtpd_milters"), &ours);
                commands.push(command_for(machine, service, &list));
            }
            notes.push(format!(
                "{} takes mail back from a content filter, strangers' mail too, and signet would take all of it for yours: it is kept out there, and signs before the filter. \"signet doctor --explain postfix-filter-shared\" says what to do if the filter changes what people send.",
                service.id()
            ));
            continue;
        }
        let Some(own) = own else { continue };
        if own.trim().is_empty() {
            notes.push(format!(
                "{} has milters turned off in master.cf (-o smtpd_milters=), and this is left so: what comes in there is not signed. That is right for mail that a content filter hands back.",
                service.id()
            ));
        } else if !holds(own, &ours) && !own.contains("$smtpd_milters") {
            kept = true;
            commands.push(command_for(machine, service, &appended(own, &ours)));
        }
    }
    tell_of_others(postfix, notes);
    Step {
        title: "Let Postfix ask signet",
        why: if commands.is_empty() {
            "it does already".to_owned()
        } else if kept {
            "signet comes last, after the milters that are there: it signs what they made of the message".to_owned()
        } else {
            "the first line is for mail by SMTP, the second for mail from the sendmail command"
                .to_owned()
        },
        commands,
    }
}

fn command_for(machine: &Machine, service: &Service, list: &str) -> String {
    let value = format!("{}/smtpd_milters={}", service.id(), without_blanks(list));
    format!("{} -P {}", machine.of_postfix("postconf"), quoted(&value))
}

fn holds(list: &str, address: &str) -> bool {
    milters(list).iter().any(|entry| entry.address == address)
}

fn without(list: &str, address: &str) -> String {
    let entries = milters(list);
    let others = entries.iter().filter(|entry| entry.address != address);
    others
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn appended(list: &str, address: &str) -> String {
    let list = list.trim().trim_end_matches(',');
    if list.is_empty() {
        address.to_owned()
    } else {
        format!("{list}, {address}")
    }
}

fn tell_of_others(postfix: &Postfix, notes: &mut Vec<String>) {
    let lists = BOTH.map(|name| postfix.value(name)).join(" ");
    if milters(&lists)
        .iter()
        .any(|entry| entry.address.to_lowercase().contains("opendkim"))
    {
        notes.push(
            "OpenDKIM is among the milters: unless it only verifies (Mode v), both would sign. \"signet import opendkim\" takes its keys and tables over; then take it out of the lists, or have it only verify.".to_owned(),
        );
    }
    if postfix.value("milter_default_action") == "accept" {
        notes.push(
            "milter_default_action is \"accept\": when signet does not answer, mail leaves unsigned. With \"tempfail\" it waits.".to_owned(),
        );
    }
    let filtered = postfix
        .entrances()
        .any(|service| postfix.filter_of(service).is_some());
    if filtered && !postfix.filters_strangers() {
        notes.push(
            "mail goes out to a content filter and comes back by another service: only one of the two may have signet, the second one, or what the filter changes is signed twice.".to_owned(),
        );
    }
}
