//! What Postfix does to a message after signet has signed it.

use std::iter::repeat;

use super::{Code, PostfixFacts, Section};
use crate::postfix::{Postfix, Service};

/// Settings that edit header fields or bodies as mail is sent.
const EDITS_AS_SENT: [(&str, Code); 8] = [
    ("smtp_header_checks", Code::PostfixHeaderChecks),
    ("smtp_mime_header_checks", Code::PostfixHeaderChecks),
    ("smtp_nested_header_checks", Code::PostfixHeaderChecks),
    ("smtp_body_checks", Code::PostfixBodyChecks),
    ("lmtp_header_checks", Code::PostfixHeaderChecks),
    ("lmtp_body_checks", Code::PostfixBodyChecks),
    ("smtp_generic_maps", Code::PostfixGenericMaps),
    ("milter_header_checks", Code::PostfixMilterHeaderChecks),
];

/// Settings that leave keywords of servers' greetings unseen, and tables of the same by
/// the server's address.
const DISCARDS: [(&str, &str); 2] = [
    (
        "smtp_discard_ehlo_keywords",
        "smtp_discard_ehlo_keyword_address_maps",
    ),
    (
        "lmtp_discard_lhlo_keywords",
        "lmtp_discard_lhlo_keyword_address_maps",
    ),
];

/// SMTP allows lines of 998 bytes.
const LINE: u32 = 998;

pub(super) fn check(facts: &PostfixFacts, section: &mut Section) {
    edits(facts, section);
    sending(facts, section);
    own_mail(facts, section);
}

/// A parameter as it is set in one place.
struct Setting<'f> {
    /// The service of master.cf that sets it; otherwise main.cf does.
    service: Option<&'f Service>,
    name: &'static str,
    value: String,
}

impl<'f> Setting<'f> {
    /// The parameter in main.cf and in each service of master.cf where it counts.
    fn all(postfix: &'f Postfix, name: &'static str) -> Vec<Self> {
        let of = postfix.settings_of(program(name), name).into_iter();
        of.map(|(service, value)| Self {
            service,
            name,
            value,
        })
        .collect()
    }

    /// As `postconf` names it: `smtp_generic_maps`, `relay/unix/smtp_generic_maps`.
    fn place(&self) -> String {
        match self.service {
            Some(service) => format!("{}/{}", service.id(), self.name),
            None => self.name.to_owned(),
        }
    }

    /// The commands that give a parameter another value in the same place.
    fn set(&self, facts: &PostfixFacts, name: &str, value: &str) -> Vec<String> {
        match self.service {
            Some(service) => facts.set_of(&service.id(), name, value),
            None => facts.set(name, value),
        }
    }
}

/// Whether 8BITMIME stands in the text.
fn names_eight_bit(text: &str) -> bool {
    let mut words = text.split([',', ' ', '\t', '\n']);
    words.any(|word| word.eq_ignore_ascii_case("8bitmime"))
}

/// The program whose parameter that is.
fn program(name: &str) -> &str {
    match name.split_once('_') {
        Some((program @ ("smtp" | "lmtp"), _)) => program,
        // milter_header_checks
        _ => "cleanup",
    }
}

/// Every table whose text says whether it changes mail: what it is called, as `postconf`
/// names it, and its value.
pub fn tables(postfix: &Postfix) -> Vec<(String, String)> {
    let names = EDITS_AS_SENT.map(|(name, _)| name).into_iter();
    let names = names.chain(DISCARDS.map(|(_, table)| table));
    let settings = names.flat_map(|name| Setting::all(postfix, name));
    let named = settings.map(|setting| (setting.place(), setting.value));
    named.collect()
}

fn text_of<'f>(facts: &'f PostfixFacts, setting: &Setting<'_>) -> Option<&'f str> {
    let place = setting.place();
    let table = facts.tables.iter().find(|(table, _)| *table == place);
    table.map(|(_, text)| text.as_str())
}

fn edits(facts: &PostfixFacts, section: &mut Section) {
    let all = EDITS_AS_SENT.into_iter().flat_map(|(name, code)| {
        Setting::all(&facts.postfix, name)
            .into_iter()
            .zip(repeat(code))
    });
    for (setting, code) in all {
        let value = &setting.value;
        if value.is_empty() {
            continue;
        }
        if let Some(text) = text_of(facts, &setting)
            && code != Code::PostfixGenericMaps
            && !text.lines().any(alters)
        {
            continue;
        }
        let what = match code {
            Code::PostfixGenericMaps => {
                format!("\"{value}\" rewrites addresses, in signed fields too, as mail is sent")
            }
            Code::PostfixMilterHeaderChecks => {
                format!("\"{value}\" edits what milters add: it may change or remove the signature")
            }
            _ => format!("\"{value}\" edits mail as it is sent, after it was signed"),
        };
        let mut mend = vec![
            "do the same before signing, with header_checks, body_checks or canonical_maps; then:"
                .to_owned(),
        ];
        mend.extend(setting.set(facts, setting.name, ""));
        section.add(code, setting.place(), what, mend);
    }
}

/// Whether a line of a table of checks changes mail.
fn alters(line: &str) -> bool {
    let line = line.trim_start();
    !line.starts_with('#')
        && ["REPLACE", "PREPEND", "IGNORE", "STRIP"]
            .iter()
            .any(|action| line.to_uppercase().contains(action))
}

fn sending(facts: &PostfixFacts, section: &mut Section) {
    for (keywords, table) in DISCARDS {
        for setting in Setting::all(&facts.postfix, keywords) {
            if names_eight_bit(&setting.value) {
                let what = "it discards 8BITMIME: text beyond ASCII is made quoted-printable after it was signed";
                eight_bit(facts, &setting, what, section);
            }
        }
        for setting in Setting::all(&facts.postfix, table) {
            if text_of(facts, &setting).is_some_and(names_eight_bit) {
                let what = "for some servers it discards 8BITMIME: text beyond ASCII is made quoted-printable after it was signed";
                eight_bit(facts, &setting, what, section);
            }
        }
    }
    for name in ["smtp_line_length_limit", "lmtp_line_length_limit"] {
        for setting in Setting::all(&facts.postfix, name) {
            if let Ok(limit @ 1..LINE) = setting.value.parse::<u32>() {
                let mend = setting.set(facts, name, &LINE.to_string());
                let what =
                    format!("lines of more than {limit} bytes are broken after they were signed");
                section.add(Code::PostfixLineLength, setting.place(), what, mend);
            }
        }
    }
}

fn eight_bit(facts: &PostfixFacts, setting: &Setting<'_>, what: &str, section: &mut Section) {
    const CONVERSION: &str = "disable_mime_output_conversion";
    let disabled = match setting.service {
        Some(service) => facts.postfix.value_for(service, CONVERSION),
        None => facts.postfix.value(CONVERSION),
    };
    if disabled != "yes" {
        let mend = setting.set(facts, CONVERSION, "yes");
        section.add(Code::PostfixEightBit, setting.place(), what, mend);
    }
}

fn own_mail(facts: &PostfixFacts, section: &mut Section) {
    let postfix = &facts.postfix;
    let classes = postfix.value("internal_mail_filter_classes");
    let mend = vec![
        "if DMARC asks receivers to refuse mail, bounces should be signed too:".to_owned(),
        facts.command("postconf", "-e internal_mail_filter_classes=bounce"),
        facts.command("postfix", "reload"),
    ];
    if classes.is_empty() {
        let what = "it is empty: bounces that this machine sends are not signed";
        section.add(
            Code::PostfixBounces,
            "internal_mail_filter_classes",
            what,
            mend,
        );
    }
}
