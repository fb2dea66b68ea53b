//! One key record after the other, each published with one mistake.

use base64ct::{Base64, Encoding};

use crate::patient::{DOMAIN, Patient, bind, quoted, record, strings};

/// The key in the directory, and lines of the zone that publish it wrong; `SELECTOR` is its name.
struct Fault {
    code: &'static str,
    key: &'static str,
    zone: String,
}

fn faults() -> Vec<Fault> {
    let rsa = record("rsa");
    let p = rsa.split_once("p=").unwrap().1;
    let ed25519 = record("ed25519");
    let ed25519 = ed25519.split_once("p=").unwrap().1;
    let der = Base64::decode_vec(p).unwrap();
    // Behind the frame of 24 bytes lies the key by itself.
    let bare = Base64::encode_string(&der[24..]);
    let txt = |value: String| format!("SELECTOR._domainkey TXT {value}");
    let fault = |code, zone| Fault {
        code,
        key: "rsa",
        zone,
    };
    let with = |from: &str, to: &str| txt(quoted(&rsa.replace(from, to)));
    vec![
        fault("dns-missing", String::new()),
        // Without the dot at its end the name is inside the zone.
        fault(
            "dns-doubled-domain",
            format!("SELECTOR._domainkey.{DOMAIN} TXT {}", quoted(&rsa)),
        ),
        fault(
            "dns-cname-loop",
            "SELECTOR._domainkey CNAME there\nthere CNAME SELECTOR._domainkey".to_owned(),
        ),
        fault(
            "dns-cname-dangling",
            "SELECTOR._domainkey CNAME gone".to_owned(),
        ),
        fault(
            "dns-two-records",
            format!("{}\n{}", txt(quoted(&rsa)), txt(quoted(&record("other")))),
        ),
        fault(
            "dns-split-record",
            format!("{}\n{}", txt(quoted(&rsa[..255])), txt(quoted(&rsa[255..]))),
        ),
        fault("dns-revoked", txt(quoted("v=DKIM1; k=rsa; p="))),
        fault("dns-unquoted-semicolon", txt(rsa.clone())),
        fault("dns-quotes", txt(quoted(&quoted(&rsa)))),
        fault("dns-backslash", with(";", "\\;")),
        fault("dns-truncated", txt(quoted(&rsa[..255]))),
        fault(
            "dns-pem",
            txt(quoted(&format!(
                "-----BEGIN PUBLIC KEY----- {p} -----END PUBLIC KEY-----"
            ))),
        ),
        fault("dns-lower-case", txt(quoted(&rsa.to_lowercase()))),
        fault("dns-old-key", txt(quoted(&record("weak")))),
        fault("dns-other-selector", txt(quoted(&record("other")))),
        Fault {
            code: "dns-key-type",
            key: "ed25519",
            zone: txt(quoted(&format!("v=DKIM1; p={ed25519}"))),
        },
        fault("dns-hash", with("k=rsa", "h=sha1; k=rsa")),
        fault("dns-service", with("k=rsa", "s=tlsrpt; k=rsa")),
        fault("dns-version", with("v=DKIM1", "v=DKIM2")),
        fault("dns-not-a-key", txt(quoted("some-site-verification=abc"))),
        fault("dns-testing", with("k=rsa", "t=y; k=rsa")),
        fault("dns-unreadable", with("k=rsa; p=", "k=rsa; p=!")),
        fault(
            "dns-space-in-key",
            txt(format!(
                "{} {}",
                quoted(&(rsa[..200].to_owned() + " ")),
                strings(&rsa[200..], 255)
            )),
        ),
        fault("dns-bare-key", with(p, &bare)),
    ]
}

#[test]
fn every_classic_mistake_is_told_by_its_name() {
    let patient = Patient::new();
    let mut zone = format!("second._domainkey TXT {}\n", quoted(&record("other")));
    patient.give("other", DOMAIN, "second");
    zone += &format!("good._domainkey TXT {}\n", quoted(&record("rsa")));
    patient.give("rsa", DOMAIN, "good");
    for fault in faults() {
        // The selector is the fault's name.
        patient.give(fault.key, DOMAIN, fault.code);
        zone += &(fault.zone.replace("SELECTOR", fault.code) + "\n");
        zone = zone.replace("there", &format!("to-{}", fault.code));
    }
    let Some((server, _home)) = bind(&[(DOMAIN, Some(&zone))]) else {
        return;
    };
    let address = server.address;
    let found = patient.findings(DOMAIN, address, &[address]);
    assert_eq!(found.code, Some(1), "{}", found.text);
    let name = |selector: &str| format!("{selector}._domainkey.{DOMAIN}");
    for selector in ["good", "second"] {
        assert_eq!(found.about(&name(selector)), [""; 0], "{}", found.text);
    }
    for fault in faults() {
        let subject = name(fault.code);
        assert_eq!(found.about(&subject), [fault.code], "{subject}");
        let (_, _, mend) = &found.by_subject[&subject][0];
        assert!(mend.contains("signet dns"), "{subject}: {mend}");
    }
    // By the resolver alone the same is found.
    let alone = patient.findings(DOMAIN, address, &[]);
    assert_eq!(alone.by_subject, found.by_subject, "{}", alone.text);
}
