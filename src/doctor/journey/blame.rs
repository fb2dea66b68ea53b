//! Between which servers a change was made, and what there can do that. A signature that
//! fits what was sent is older than the change, one that fits what arrived is younger;
//! what lies between them did it. Accuses nobody beyond that.

use super::changes::{Kind, Place};
use super::hops::Hop;
use crate::postfix::Postfix;
use crate::verify::{BodyOrigin, Origin, SignatureReport};

pub struct Blame<'b> {
    pub hops: &'b [Hop],
    pub reports: &'b [SignatureReport],
    pub origins: &'b [Origin],
    pub postfix: Option<&'b Postfix>,
    pub eight_bit: bool,
}

/// What is known about who made a change.
pub struct Found {
    /// A signature does not verify because of it.
    pub harm: bool,
    pub lines: Vec<String>,
}

/// How a change lies to a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    /// The signature was made over what was sent.
    Younger,
    /// It was made over what arrived.
    Older,
    /// It was made over something else.
    Both,
    /// It fits both.
    Forgiven,
    /// It does not cover the field.
    Uncovered,
    Unknown,
}

impl Blame<'_> {
    pub fn of(&self, place: &Place) -> Found {
        let ages: Vec<Age> = self
            .origins
            .iter()
            .zip(self.reports)
            .map(|(origin, report)| age(origin, report, place))
            .collect();
        let with = |wanted: Age| -> Vec<usize> {
            let is_wanted = |at: &usize| ages.get(*at) == Some(&wanted);
            let hops = self.hops.iter().enumerate();
            hops.filter(|(_, hop)| hop.signatures.iter().any(is_wanted))
                .map(|(at, _)| at)
                .collect()
        };
        let harm = ages.contains(&Age::Younger) || ages.contains(&Age::Both);
        let after = with(Age::Younger).last().copied();
        let mut older = with(Age::Older).into_iter();
        let before = older.find(|before| after.is_none_or(|after| *before > after));
        let lines = match (after, before) {
            (Some(after), before) => self.between(after, before, place),
            (None, Some(before)) => vec![format!(
                "before it was signed at {}, so it does no harm",
                before + 1
            )],
            (None, None) if ages.contains(&Age::Forgiven) => {
                vec!["the signature forgives it".to_owned()]
            }
            (None, None) if ages.contains(&Age::Uncovered) => {
                vec!["the signature does not cover it".to_owned()]
            }
            (None, None) if ages.contains(&Age::Both) => {
                vec!["it was changed before it was signed, and once more after that".to_owned()]
            }
            (None, None) => Vec::new(),
        };
        Found { harm, lines }
    }

    /// A change after the signature of hop `after`, and before that of hop `before`.
    fn between(&self, after: usize, before: Option<usize>, place: &Place) -> Vec<String> {
        let name = |at: usize| self.hops.get(at).map_or("this test", Hop::name);
        let last = before.unwrap_or(self.hops.len());
        let mut line = format!("after it was signed at {}", after + 1);
        if let Some(before) = before {
            line += &format!(", and before it was signed at {}", before + 1);
        }
        let first = format!(
            "by {} ({}), behind signet or as it sent the mail",
            name(after),
            after + 1
        );
        let others: Vec<String> = (after + 1..last.min(self.hops.len()))
            .chain(before)
            .map(|at| format!("{} ({})", name(at), at + 1))
            .collect();
        line += &match others.as_slice() {
            [] => format!(", {first}"),
            others => format!(
                ": {first}; or on its way to {}, or there",
                others.join(", ")
            ),
        };
        let mut lines = vec![line];
        lines.extend(self.lacks_eight_bit(after, last, place));
        if (after..=last).any(|at| self.is_here(at)) {
            lines.extend(self.causes(place));
        }
        lines
    }

    /// The server that gives cause to encode text anew, where that can be told.
    fn lacks_eight_bit(&self, after: usize, last: usize, place: &Place) -> Option<String> {
        if *place != Place::Body(Kind::Encoded) {
            return None;
        }
        let plain = (after + 1..=last).find(|at| match self.hops.get(*at) {
            Some(hop) => hop.takes_no_extensions(),
            None => !self.eight_bit,
        })?;
        Some(match self.hops.get(plain) {
            Some(hop) => format!(
                "{} ({}) was greeted with HELO, so it takes no 8-bit text",
                hop.name(),
                plain + 1
            ),
            None => format!("this test ({}) does not offer 8BITMIME", plain + 1),
        })
    }

    fn is_here(&self, at: usize) -> bool {
        let here = self.postfix.map(|postfix| postfix.value("myhostname"));
        let hop = self.hops.get(at).and_then(|hop| hop.by.as_deref());
        here.is_some() && hop == here
    }

    /// What the Postfix of this machine is set to do, as far as it does such things.
    fn causes(&self, place: &Place) -> Vec<String> {
        let Some(postfix) = self.postfix else {
            return Vec::new();
        };
        let names: &[&str] = match place {
            Place::Field(name) if is_mime(name) => {
                &["smtp_header_checks", "smtp_mime_header_checks"]
            }
            Place::Field(name) if holds_addresses(name) => {
                &["smtp_generic_maps", "smtp_header_checks"]
            }
            Place::Field(_) => &["smtp_header_checks"],
            Place::Body(Kind::Wrapped) => &["smtp_line_length_limit"],
            Place::Body(Kind::Encoded) => &["disable_mime_output_conversion"],
            Place::Body(Kind::LinesAdded | Kind::Edited) => &["smtp_body_checks"],
        };
        let mut causes: Vec<String> = names
            .iter()
            .map(|name| (*name, postfix.value(name)))
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("Postfix here has {name} = {value}"))
            .collect();
        if matches!(place, Place::Body(Kind::LinesAdded | Kind::Edited)) {
            let filters = postfix.smtp_servers().map(|service| {
                let filter = postfix.value_for(service, "content_filter");
                (service.id(), filter)
            });
            let filters = filters.filter(|(_, filter)| !filter.is_empty());
            causes.extend(filters.map(|(service, filter)| {
                format!("Postfix here has content_filter = {filter} for {service}")
            }));
        }
        causes
    }
}

fn age(origin: &Origin, report: &SignatureReport, place: &Place) -> Age {
    let signed = &report.coverage.signed;
    let covers = |name: &String| {
        signed
            .iter()
            .any(|signed| signed.eq_ignore_ascii_case(name))
    };
    match (place, &origin.fields) {
        (Place::Field(name), _) if !covers(name) => Age::Uncovered,
        (Place::Field(name), _) if origin.forgiven.contains(name) => Age::Forgiven,
        (Place::Body(_), _) => match origin.body {
            BodyOrigin::AsArrived => Age::Older,
            BodyOrigin::AsSent => Age::Younger,
            BodyOrigin::Neither => Age::Both,
            BodyOrigin::Forgiven => Age::Forgiven,
            BodyOrigin::Unknown => Age::Unknown,
        },
        (Place::Field(name), Some(fields)) if fields.contains(name) => Age::Younger,
        (Place::Field(_), Some(_)) => Age::Older,
        (Place::Field(_), None) => Age::Unknown,
    }
}

fn is_mime(name: &str) -> bool {
    name.starts_with("content-") || name == "mime-version"
}

fn holds_addresses(name: &str) -> bool {
    ["from", "sender", "reply-to", "to", "cc"].contains(&name)
}
