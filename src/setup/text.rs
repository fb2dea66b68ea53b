//! A plan as text for a terminal: commands stand alone on lines of four spaces, so that
//! they can be taken as they are.

use std::fmt::Write as _;

use super::{Machine, Plan, Provider, Systemd};
use crate::paint::{Ink, Style, wrapped};

/// Of the words of a step, so that they are no command.
const INDENT: usize = 3;

impl Plan {
    pub fn to_text(&self, style: Style) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text, style);
        text
    }

    fn write(&self, f: &mut String, style: Style) -> std::fmt::Result {
        let heading = |text: &str| style.paint(Ink::Heading, text);
        writeln!(
            f,
            "{} What was found:\n",
            heading("Nothing has been changed.")
        )?;
        for line in &self.found {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "\nRun these as root, in this order:")?;
        for (place, step) in self.steps.iter().enumerate() {
            let title = format!("{}. {}:", place + 1, step.title);
            let why = wrapped(&format!("{}.", step.why), title.len() + 1, INDENT);
            writeln!(f, "\n{} {why}", heading(&title))?;
            if !step.commands.is_empty() {
                writeln!(f)?;
            }
            for command in &step.commands {
                writeln!(f, "    {}", style.paint(Ink::Command, command))?;
            }
        }
        writeln!(
            f,
            "\nThen \"signet doctor {}\" says what others see of it, and \"signet test\" sends a\n\
             real mail and verifies what arrives.",
            self.domain
        )?;
        if !self.notes.is_empty() {
            writeln!(f, "\n{}\n", heading("To know:"))?;
            for note in &self.notes {
                writeln!(f, "* {}", wrapped(note, 2, 2))?;
            }
        }
        Ok(())
    }
}

pub(super) fn found(machine: &Machine) -> Vec<String> {
    let mut lines = Vec::new();
    match &machine.postfix {
        None => lines.push("Postfix:  none on this machine".to_owned()),
        Some(postfix) => {
            lines.push(format!(
                "Postfix:  {}, queue in {}",
                postfix.version(),
                postfix.queue_directory().display()
            ));
            let servers: Vec<String> = postfix
                .smtp_servers()
                .map(|service| {
                    let where_ = if service.chroot { "in" } else { "not in" };
                    format!("{} ({where_} the chroot)", service.id())
                })
                .collect();
            lines.push(format!("Services: {}", servers.join(", ")));
            for name in ["smtpd_milters", "non_smtpd_milters"] {
                let value = Some(postfix.value(name)).filter(|value| !value.is_empty());
                lines.push(format!("{name}: {}", value.unwrap_or("none")));
            }
        }
    }
    lines.push(match machine.systemd {
        Systemd::Absent => "systemd:  does not run this machine".to_owned(),
        Systemd::Running => "systemd:  yes, without a unit for signet".to_owned(),
        Systemd::WithUnits => "systemd:  yes, with units for signet".to_owned(),
    });
    if machine.selinux {
        lines.push("SELinux:  enforcing, so signet and Postfix meet over TCP".to_owned());
    }
    lines.push(zone(machine));
    lines
}

fn zone(machine: &Machine) -> String {
    let zone = &machine.zone;
    if let Some(trouble) = &zone.trouble {
        return format!("DNS:      not found out: {trouble}");
    }
    let servers = zone.name_servers.join(", ");
    match Provider::of(&zone.name_servers, zone.here).name {
        Some(name) => format!("DNS:      {name} ({servers})"),
        None => format!("DNS:      {servers}"),
    }
}
