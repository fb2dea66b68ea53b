//! What Postfix does to a message after signet has signed it.

use super::{Code, PostfixFacts, Section};

/// Settings that edit header fields or bodies as mail is sent.
pub const EDITS_AS_SENT: [(&str, Code); 8] = [
    ("smtp_header_checks", Code::PostfixHeaderChecks),
    ("smtp_mime_header_checks", Code::PostfixHeaderChecks),
    ("smtp_nested_header_checks", Code::PostfixHeaderChecks),
    ("smtp_body_checks", Code::PostfixBodyChecks),
    ("lmtp_header_checks", Code::PostfixHeaderChecks),
    ("lmtp_body_checks", Code::PostfixBodyChecks),
    ("smtp_generic_maps", Code::PostfixGenericMaps),
    ("milter_header_checks", Code::PostfixMilterHeaderChecks),
];

/// SMTP allows lines of 998 bytes.
const LINE: u32 = 998;

pub(super) fn check(facts: &PostfixFacts, section: &mut Section) {
    edits(facts, section);
    sending(facts, section);
    own_mail(facts, section);
}

fn edits(facts: &PostfixFacts, section: &mut Section) {
    for (name, code) in EDITS_AS_SENT {
        let value = facts.postfix.value(name);
        if value.is_empty() {
            continue;
        }
        let text = facts.tables.iter().find(|(table, _)| table == name);
        if let Some((_, text)) = text
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
        let mend = vec![
            "do the same before signing, with header_checks, body_checks or canonical_maps; then:"
                .to_owned(),
            facts.command("postconf", &format!("-e {name}=")),
            facts.command("postfix", "reload"),
        ];
        section.add(code, name, what, mend);
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
    let postfix = &facts.postfix;
    let converts = postfix.value("disable_mime_output_conversion") != "yes";
    for name in ["smtp_discard_ehlo_keywords", "lmtp_discard_ehlo_keywords"] {
        let discarded = postfix.value(name).to_lowercase();
        if converts && discarded.split([',', ' ']).any(|word| word == "8bitmime") {
            let mend = facts.set("disable_mime_output_conversion", "yes");
            let what = "it discards 8BITMIME: text beyond ASCII is made quoted-printable after it was signed";
            section.add(Code::PostfixEightBit, name, what, mend);
        }
    }
    for name in ["smtp_line_length_limit", "lmtp_line_length_limit"] {
        if let Ok(limit @ 1..LINE) = postfix.value(name).parse::<u32>() {
            let mend = facts.set(name, &LINE.to_string());
            let what =
                format!("lines of more than {limit} bytes are broken after they were signed");
            section.add(Code::PostfixLineLength, name, what, mend);
        }
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
