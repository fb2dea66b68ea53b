//! What doctor says of DMARC, against the verdict of a verifier that nobody here wrote: mail that signet signed, in domains whose
//! records are made up.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::dmarc::{Policy, Psd};
use mail_auth::{
    AuthenticatedMessage, DkimResult, DmarcOutput, DmarcResult, MessageAuthenticator, SpfOutput,
};

use crate::patient::{Findings, Patient, bind, quoted, record};
use crate::place::{SIGNET, stdout};
use crate::tools::{Server, run};

/// Each in a top-level domain of its own.
const TREES: usize = 25;

/// Names with a record, or without. The last two are too long for every name on the way to be asked for, and the longer of them is left out.
const PLACES: [&str; 7] = [
    "",
    "o",
    "b.o",
    "a.b.o",
    "x.b.o",
    "4.5.6.7.8.o",
    "3.4.5.6.7.8.o",
];

/// Who writes. Nothing is known of `gone`.
const AUTHORS: [&str; 4] = ["o", "a.b.o", "gone.b.o", "1.2.3.4.5.6.7.8.o"];

const SIGNERS: [&str; 4] = ["o", "b.o", "x.b.o", "7.8.o"];

/// A choice as good as any, and the same in every run.
struct Dice(u64);

impl Dice {
    fn choose<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        // Knuth's numbers.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let place = usize::try_from(self.0 >> 33).unwrap() % choices.len();
        choices[place]
    }

    fn record(&mut self) -> String {
        let p = self.choose(&["none", "quarantine", "reject"]);
        let sp = self.choose(&["", "", "; sp=none", "; sp=reject"]);
        let np = self.choose(&["", "", "; np=none", "; np=quarantine"]);
        let psd = self.choose(&["", "", "", "; psd=u", "; psd=n", "; psd=y"]);
        let strict = self.choose(&["", "", "", "; adkim=s"]);
        format!("v=DMARC1; p={p}{sp}{np}{psd}{strict}")
    }
}

/// The full name of a place in a tree.
fn name(place: &str, top: &str) -> String {
    match place {
        "" => top.to_owned(),
        _ => format!("{place}.{top}"),
    }
}

/// The zone of a tree.
fn tree(dice: &mut Dice) -> String {
    let mut zone = String::new();
    for place in AUTHORS.iter().filter(|author| !author.starts_with("gone")) {
        let _ = writeln!(zone, "{place} A 192.0.2.1");
    }
    let key = quoted(&record("ed25519"));
    for signer in SIGNERS {
        let _ = writeln!(zone, "s1._domainkey.{signer} TXT {key}");
    }
    for place in PLACES {
        if dice.choose(&["", "record"]) == "record" {
            let at = name("_dmarc", place);
            let _ = writeln!(
                zone,
                "{} TXT \"{}\"",
                at.trim_end_matches('.'),
                dice.record()
            );
        }
    }
    zone
}

/// What mail-auth makes of a message.
fn verified(server: &Server, message: &str) -> DmarcOutput {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.address.port();
        connection
    });
    let asked = NameServerConfig::new(server.address.ip(), true, connections.to_vec());
    let config = ResolverConfig::from_name_servers(vec![asked]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let authenticator = MessageAuthenticator::new(config, ResolverOpts::default()).unwrap();
        let message = AuthenticatedMessage::parse(message.as_bytes()).unwrap();
        let signatures = authenticator.verify_dkim(&message).await;
        assert_eq!(signatures.len(), 1);
        assert_eq!(signatures[0].result(), &DkimResult::Pass, "{signatures:?}");
        let spf = SpfOutput::default();
        let parameters = DmarcParameters::new(&message, &signatures, "elsewhere.example", &spf);
        authenticator.verify_dmarc(parameters).await
    })
}

/// Asserts that doctor has found what the verdict is about.
fn agree(found: &Findings, verdict: &DmarcOutput, author: &str) {
    let about = format!("{author}: {verdict:?} {}", found.text);
    let codes = found.codes_of(&["dmarc-"]);
    let has = |code: &str| codes.contains(&code);
    assert!(!has("dmarc-unknown") && !has("dmarc-syntax"), "{about}");
    let Some(record) = verdict.dmarc_record() else {
        assert_eq!(codes, ["dmarc-missing"], "{about}");
        assert!(!found.text.contains("go by that of"), "{about}");
        return;
    };
    let aligned = verdict.dkim_result() == &DmarcResult::Pass;
    assert_eq!(aligned, !has("dmarc-alignment"), "{about}");
    // The record of a public suffix above is the only one that is not the domain's own affair.
    let of_suffix = has("dmarc-missing");
    assert!(!of_suffix || record.psd == Psd::Yes, "{about}");
    let policy = verdict.policy();
    if !of_suffix {
        assert_eq!(policy == Policy::None, has("dmarc-none"), "{about}");
    }
    let gone = author.starts_with("gone");
    assert_eq!(gone, has("dmarc-no-domain"), "{about}");
    if gone {
        let words = match policy {
            Policy::Reject => "=reject counts",
            Policy::Quarantine => "=quarantine counts",
            _ => "=none counts",
        };
        assert!(found.text.contains(words), "{about}");
    }
}

#[test]
fn doctor_and_a_foreign_verifier_agree_on_made_up_domains() {
    let mut dice = Dice(9989);
    let tops: Vec<String> = (0..TREES).map(|number| format!("t{number}")).collect();
    let trees: Vec<String> = tops.iter().map(|_| tree(&mut dice)).collect();
    let zones = tops.iter().zip(&trees);
    let zones: Vec<_> = zones
        .map(|(top, zone)| (top.as_str(), Some(zone.as_str())))
        .collect();
    let Some((server, _home)) = bind(&zones) else {
        return;
    };
    let patient = Patient::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (top, zone) in tops.iter().zip(&trees) {
        for author in AUTHORS {
            let author = name(author, top);
            let signer = name(dice.choose(&SIGNERS), top);
            patient.give("ed25519", &signer, "s1");
            let file = patient.place.directory.path().join("signet.toml");
            let rule = format!("[[rule]]\npattern = \"{author}\"\ndomain = \"{signer}\"\n");
            fs::write(&file, rule).unwrap();
            let message = patient.place.directory.path().join("message");
            let text = format!(
                "From: me@{author}\nDate: Mon, 23 Nov 2026 12:00:00 +0000\nSubject: hello\n\nHello\n"
            );
            fs::write(&message, text).unwrap();
            let mut sign = Command::new(SIGNET);
            sign.arg("sign").arg(&message).arg("--config").arg(&file);
            let signed = stdout(&run(sign.arg("--keys").arg(patient.place.keys())));
            let verdict = verified(&server, &signed.replace('\n', "\r\n"));
            let arguments = format!("{author} --config {}", file.display());
            let found = patient.findings(&arguments, server.address, &[]);
            println!("{author} signed by {signer} of\n{zone}");
            agree(&found, &verdict, &author);
            let place = found.codes_of(&["dmarc-"]).join(" ");
            *seen.entry(place).or_default() += 1;
        }
    }
    for outcome in [
        "",
        "dmarc-missing",
        "dmarc-missing dmarc-alignment",
        "dmarc-none dmarc-alignment",
        "dmarc-no-domain",
    ] {
        assert!(
            seen.contains_key(outcome),
            "never seen: {outcome}: {seen:#?}"
        );
    }
}
