//! Every message of `tests/messages/` through a real Postfix: who signs it, or why nobody does, and that what arrives verifies.

use std::fs;
use std::path::Path;

use crate::client::Client;
use crate::instance::Setup;
use crate::judges::{self, Opinion};
use crate::keys::{ED25519, Keys, RSA};
use crate::milter::Milter;
use crate::sink::Delivery;
use crate::stand::{DOMAIN, SENDER, Stand};

/// What is to become of a message.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// Signed by this domain; it verifies.
    Signed(&'static str),
    /// Signed, but a line has more than 998 bytes, and Postfix's smtp client breaks such lines after the milter has signed. It verifies
    /// where that is switched off, with `smtp_line_length_limit = 0`, and does not by default.
    LongLine,
    /// Not signed, for this reason, and untouched.
    Unsigned(&'static str),
}
use Fate::{LongLine, Signed, Unsigned};

const SUBDOMAIN: &str = "mail.deep.sub.example.org";

const FATES: &[(&str, Fate)] = &[
    ("body_8bit_in_declared_7bit", Signed(DOMAIN)),
    ("body_bare_cr", Signed(DOMAIN)),
    ("body_bare_lf_cr", Signed(DOMAIN)),
    ("body_chunk_split_in_ws_run", Signed(DOMAIN)),
    ("body_empty_with_separator", Signed(DOMAIN)),
    ("body_leading_empty_lines", Signed(DOMAIN)),
    ("body_line_2048", LongLine),
    ("body_line_998_trailing_dot", LongLine),
    ("body_no_trailing_newline", Signed(DOMAIN)),
    ("body_qp_soft_breaks", Signed(DOMAIN)),
    ("body_trailing_ws_every_line", Signed(DOMAIN)),
    ("from_bare_cr", Signed(DOMAIN)),
    ("from_domain_literal", Unsigned("from-unparsable")),
    ("from_empty", Unsigned("from-unparsable")),
    ("from_fold_ws_lines", Signed(DOMAIN)),
    ("from_group_mixed", Unsigned("from-multiple")),
    // Postfix completes the mail of local clients: the From it adds is the envelope sender.
    ("from_missing", Signed(DOMAIN)),
    ("from_no_space_after_colon", Signed(DOMAIN)),
    ("from_quoted_local_space", Signed(DOMAIN)),
    ("from_subdomain", Signed(SUBDOMAIN)),
    ("from_triplicate", Unsigned("from-repeated")),
    ("from_utf8_name", Signed(DOMAIN)),
    ("hdr_60k_folded_references", Signed(DOMAIN)),
    ("hdr_bare_cr_eol", Signed(DOMAIN)),
    ("hdr_empty_values", Signed(DOMAIN)),
    ("hdr_line_1500_unfolded_subject", LongLine),
    ("hdr_name_case_mix", Signed(DOMAIN)),
    ("hdr_nul_in_value", Signed(DOMAIN)),
    ("hdr_subject_duplicate", Signed(DOMAIN)),
    ("hdr_subject_tab", Signed(DOMAIN)),
    ("hdr_utf8_fold_mid", Signed(DOMAIN)),
    ("rand_00", LongLine),
    ("rand_05", Signed(DOMAIN)),
    ("rand_10", LongLine),
    ("rand_15", Signed(DOMAIN)),
    ("rand_20", LongLine),
    ("rand_25", Signed(DOMAIN)),
    ("rand_30", LongLine),
    ("rand_35", Signed(DOMAIN)),
    ("sender_and_from_differ", Signed(DOMAIN)),
    ("sig_existing_malformed", Signed(DOMAIN)),
];

#[test]
fn the_table_names_every_message() {
    let mut found: Vec<_> = fs::read_dir(directory())
        .unwrap()
        .filter_map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()?
                .strip_suffix(".eml")
                .map(str::to_owned)
        })
        .collect();
    found.sort();
    let named: Vec<_> = FATES.iter().map(|(name, _)| *name).collect();
    assert_eq!(named, found);
}

#[test]
fn every_message_meets_its_fate_relaxed() {
    meet("relaxed/relaxed");
}

#[test]
fn every_message_meets_its_fate_simple() {
    meet("simple/simple");
}

fn meet(canonicalization: &str) {
    let setup = Setup {
        main_cf: vec![
            "relay_domains = sink.test, unbroken.test".to_owned(),
            "transport_maps = inline:{unbroken.test=unbroken:$relayhost}".to_owned(),
        ],
        master_cf: vec!["unbroken unix - - y - - smtp -o smtp_line_length_limit=0".to_owned()],
        ..Setup::default()
    };
    let config = format!("[signing]\ncanonicalization = \"{canonicalization}\"\n");
    let domains = [DOMAIN, SUBDOMAIN];
    let Some(stand) = Stand::with(&setup, &domains, &[RSA, ED25519], &config) else {
        return;
    };
    for (name, _) in FATES {
        let message = read(name);
        for service in ["signed", "plain"] {
            for domain in ["sink.test", "unbroken.test"] {
                let mut client = Client::connect(stand.postfix.service(service));
                client.send(SENDER, &recipient(name, service, domain), &message);
                client.quit();
            }
        }
    }
    let arrived = |name, service, domain| {
        stand
            .postfix
            .sink
            .wait_for(&recipient(name, service, domain))
    };
    let pairs = |domain| -> Vec<(Delivery, Delivery)> {
        let pair = |name| {
            (
                arrived(name, "signed", domain),
                arrived(name, "plain", domain),
            )
        };
        FATES.iter().map(|(name, _)| pair(*name)).collect()
    };
    let mut objections = objections_by_default(&stand.keys, &stand.milter, &pairs("sink.test"));
    objections.extend(objections_unbroken(&stand.keys, &pairs("unbroken.test")));
    assert!(
        objections.is_empty(),
        "{canonicalization}:\n{}",
        objections.join("\n")
    );
}

/// What speaks against the messages as an ordinary Postfix delivers them.
fn objections_by_default(
    keys: &Keys,
    milter: &Milter,
    pairs: &[(Delivery, Delivery)],
) -> Vec<String> {
    let messages: Vec<_> = pairs
        .iter()
        .map(|(signed, _)| &signed.message[..])
        .collect();
    let verdicts = judges::judge(keys, &messages);
    let mut objections = Vec::new();
    for (((name, fate), (signed, plain)), verdicts) in FATES.iter().zip(pairs).zip(verdicts) {
        let parts = signed.parts();
        parts.assert_same_message(&plain.parts(), &read(name));
        let expected = if matches!(fate, Unsigned(_)) {
            0
        } else {
            keys.selectors().len()
        };
        if parts.signatures.len() != expected || !parts.strange.is_empty() {
            objections.push(format!(
                "{name}: {} signatures, not {expected}",
                parts.signatures.len()
            ));
            continue;
        }
        let objection = match fate {
            Signed(domain) => judges::objection(keys, &verdicts, domain),
            // Should Postfix stop breaking lines, or signet find a way, this table has to say so.
            LongLine => verdicts
                .iter()
                .any(|verdict| verdict.domain == DOMAIN && verdict.passed == Opinion::Pass)
                .then(|| format!("broken lines verify: {verdicts:#?}")),
            Unsigned(reason) => {
                let line = milter.line_about(&parts.queue_id);
                (!line.contains(reason)).then_some(line)
            }
        };
        objections.extend(objection.map(|objection| format!("{name}: {objection}")));
    }
    objections
}

/// What speaks against them where Postfix leaves long lines alone: there, every signature verifies.
fn objections_unbroken(keys: &Keys, pairs: &[(Delivery, Delivery)]) -> Vec<String> {
    let messages: Vec<_> = pairs
        .iter()
        .map(|(signed, _)| &signed.message[..])
        .collect();
    let verdicts = judges::judge(keys, &messages);
    let mut objections = Vec::new();
    for (((name, fate), (signed, plain)), verdicts) in FATES.iter().zip(pairs).zip(verdicts) {
        signed
            .parts()
            .assert_same_message(&plain.parts(), &read(name));
        let objection = match fate {
            Signed(domain) => judges::objection(keys, &verdicts, domain),
            LongLine => judges::objection(keys, &verdicts, DOMAIN),
            Unsigned(_) => None,
        };
        objections
            .extend(objection.map(|objection| format!("{name}, lines unbroken: {objection}")));
    }
    objections
}

fn recipient(name: &str, service: &str, domain: &str) -> String {
    format!("{name}.{service}@{domain}")
}

fn directory() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages")
}

fn read(name: &str) -> Vec<u8> {
    fs::read(directory().join(format!("{name}.eml"))).unwrap()
}
