//! What happened to a message on its way, in words: the servers that took it, where it
//! was signed, what was changed and between which of them. Says of a change what can be
//! known: a signature tells whether the change is older or younger than itself, and the
//! Received fields tell who had the message then.

use std::fmt::Write as _;

mod blame;
mod changes;
mod hops;

use blame::Blame;

use crate::paint::{Ink, Style};
use crate::postfix::Postfix;
use crate::verify::{Origin, SignatureReport};

/// A message that was sent, and as it arrived.
#[derive(Debug)]
pub struct Journey<'j> {
    pub sent: &'j [u8],
    pub arrived: &'j [u8],
    /// The verdict on each signature of what arrived.
    pub reports: &'j [SignatureReport],
    /// What each signature was made over.
    pub origins: &'j [Origin],
    /// The Postfix of this machine.
    pub postfix: Option<&'j Postfix>,
    /// Whether the last server, where it arrived, offers 8BITMIME.
    pub eight_bit: bool,
}

impl Journey<'_> {
    pub fn to_text(&self, style: Style) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text, style);
        text
    }

    fn write(&self, text: &mut String, style: Style) -> std::fmt::Result {
        let hops = hops::hops(self.arrived);
        writeln!(text, "{}", style.paint(Ink::Heading, "the way it took"))?;
        for (at, hop) in hops.iter().enumerate() {
            writeln!(text, "  {}  {}", at + 1, described(hop))?;
            let signed: Vec<String> = hop
                .signatures
                .iter()
                .filter_map(|place| self.reports.get(*place))
                .map(|report| format!("d={} s={}", report.domain, report.selector))
                .collect();
            if !signed.is_empty() {
                let words = format!("signed here: {}", signed.join(", "));
                writeln!(text, "     {}", style.paint(Ink::Note, &words))?;
            }
        }
        let offers = match self.eight_bit {
            true => "which offers 8BITMIME",
            false => "which does not offer 8BITMIME",
        };
        writeln!(text, "  {}  this test, {offers}", hops.len() + 1)?;
        writeln!(
            text,
            "\n{}",
            style.paint(Ink::Heading, "changed on the way")
        )?;
        let changes = changes::changes(self.sent, self.arrived);
        if changes.is_empty() {
            writeln!(text, "  nothing")?;
        }
        let blame = Blame {
            hops: &hops,
            reports: self.reports,
            origins: self.origins,
            postfix: self.postfix,
            eight_bit: self.eight_bit,
        };
        for change in &changes {
            let verdict = blame.of(&change.place);
            let ink = match verdict.harm {
                true => Ink::Bad,
                false => Ink::Warning,
            };
            writeln!(text, "  {}", style.paint(ink, &change.what))?;
            for line in verdict.lines {
                writeln!(text, "    {line}")?;
            }
        }
        Ok(())
    }
}

fn described(hop: &hops::Hop) -> String {
    let mut text = hop.name().to_owned();
    match (&hop.from, &hop.user) {
        (Some(from), _) => text += &format!(", from {from}"),
        (None, Some(user)) => text += &format!(", from a program of user {user}"),
        (None, None) => {}
    }
    if let Some(protocol) = &hop.protocol {
        text += &format!(" by {protocol}");
    }
    if let Some(id) = &hop.id {
        text += &format!(", id {id}");
    }
    text
}
