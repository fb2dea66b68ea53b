//! The lines that make Postfix ask the daemon: at the end of the milters that are
//! there already, for mail by SMTP and for mail from this machine, and for the services
//! that have a list of their own.

use super::{Machine, Step, quoted};
use crate::postfix::{Postfix, Service, milters};

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
    for service in postfix.smtp_servers() {
        let Some(own) = service.override_of("smtpd_milters") else {
            continue;
        };
        if own.trim().is_empty() {
            notes.push(format!(
                "{} has milters turned off in master.cf (-o smtpd_milters=), and this is left so: what comes in there is not signed. That is right for mail that a content filter hands back.",
                service.id()
            ));
        } else if !holds(own, &ours) && !own.contains("$smtpd_milters") {
            kept = true;
            commands.push(command_for(machine, service, own, &ours));
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

fn command_for(machine: &Machine, service: &Service, own: &str, ours: &str) -> String {
    let value = format!("{}/smtpd_milters={}", service.id(), appended(own, ours));
    format!("{} -P {}", machine.of_postfix("postconf"), quoted(&value))
}

fn holds(list: &str, address: &str) -> bool {
    milters(list).iter().any(|entry| entry.address == address)
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
            "OpenDKIM is among the milters: both would sign. \"signet import opendkim\" takes its keys and tables over; then take it out of the lists.".to_owned(),
        );
    }
    if postfix.value("milter_default_action") == "accept" {
        notes.push(
            "milter_default_action is \"accept\": when signet does not answer, mail leaves unsigned. With \"tempfail\" it waits.".to_owned(),
        );
    }
    if !postfix.value("content_filter").is_empty() {
        notes.push(
            "content_filter hands mail out and takes it back by another service: only one of the two may have signet, the second one, or a message is signed twice.".to_owned(),
        );
    }
}
