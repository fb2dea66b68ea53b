//! The verifiers: dkimpy, Mail::DKIM, and mail-auth by way of `signet verify`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::keys::{ED25519, Keys};

/// What one judge says of one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub judge: &'static str,
    pub domain: String,
    pub selector: String,
    pub passed: Opinion,
    pub why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opinion {
    Pass,
    Fail,
    /// The judge does not know the algorithm.
    None,
}

/// Every verdict of every judge on each of the messages, in their order.
pub fn judge(keys: &Keys, messages: &[&[u8]]) -> Vec<Vec<Verdict>> {
    let directory = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..messages.len())
        .map(|n| directory.path().join(n.to_string()))
        .collect();
    for (path, message) in paths.iter().zip(messages) {
        fs::write(path, message).unwrap();
    }
    let mut verdicts = vec![Vec::new(); messages.len()];
    for (judge, driver) in [("dkimpy", "dkimpy.py"), ("Mail::DKIM", "mail_dkim.pl")] {
        for (path, verdict) in ask_driver(judge, driver, keys, &paths) {
            verdicts[paths.iter().position(|each| *each == path).unwrap()].push(verdict);
        }
    }
    for (path, verdicts) in paths.iter().zip(&mut verdicts) {
        verdicts.extend(ask_mail_auth(keys, path));
    }
    verdicts
}

/// Asserts that all judges accept the signatures of each domain, one for each of the keys' selectors.
pub fn assert_verifies(keys: &Keys, message: &[u8], domains: &[&str]) {
    let verdicts = judge(keys, &[message]).remove(0);
    for domain in domains {
        if let Some(objection) = objection(keys, &verdicts, domain) {
            panic!(
                "{objection}\n{}",
                String::from_utf8_lossy(&message[..message.len().min(4000)])
            );
        }
    }
}

/// Why these verdicts are not those on a well signed message, if they are not.
pub fn objection(keys: &Keys, verdicts: &[Verdict], domain: &str) -> Option<String> {
    let mut opinions: HashMap<_, _> = verdicts
        .iter()
        .filter(|verdict| verdict.domain == domain)
        .map(|verdict| ((verdict.judge, verdict.selector.as_str()), verdict))
        .collect();
    for judge in ["dkimpy", "Mail::DKIM", "mail-auth"] {
        for selector in keys.selectors() {
            let Some(verdict) = opinions.remove(&(judge, *selector)) else {
                return Some(format!(
                    "{judge} found no signature by {selector}._domainkey.{domain}: {verdicts:#?}"
                ));
            };
            // Mail::DKIM before 1.20230630 knows no Ed25519; dkimpy and mail-auth always do.
            let excused =
                judge == "Mail::DKIM" && *selector == ED25519 && verdict.passed == Opinion::None;
            if verdict.passed != Opinion::Pass && !excused {
                return Some(format!(
                    "{judge} does not accept the signature: {verdict:#?}"
                ));
            }
        }
    }
    None
}

fn ask_driver(
    judge: &'static str,
    driver: &str,
    keys: &Keys,
    messages: &[PathBuf],
) -> Vec<(PathBuf, Verdict)> {
    let driver = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/verifiers")
        .join(driver);
    let output = Command::new(driver)
        .arg(keys.records())
        .args(messages)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{judge}: {complaint}");
    let text = String::from_utf8(output.stdout).unwrap();
    let verdict = |line: &str| {
        let columns: Vec<_> = line.split('\t').collect();
        let [path, domain, selector, _algorithm, opinion, why] = columns[..] else {
            panic!("{judge} printed {line:?}");
        };
        let passed = match opinion {
            "pass" => Opinion::Pass,
            "unsupported" => Opinion::None,
            _ => Opinion::Fail,
        };
        let verdict = Verdict {
            judge,
            domain: domain.into(),
            selector: selector.into(),
            passed,
            why: why.into(),
        };
        (path.into(), verdict)
    };
    text.lines().map(verdict).collect()
}

fn ask_mail_auth(keys: &Keys, message: &Path) -> Vec<Verdict> {
    let output = Command::new(env!("CARGO_BIN_EXE_signet"))
        .args(["verify", "--json", "--dns-file"])
        .arg(keys.zone())
        .arg(message)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("signet verify --json: {error}: {complaint}"));
    let signatures = report["signatures"]
        .as_array()
        .expect("a list of signatures");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    signatures
        .iter()
        .map(|signature| Verdict {
            judge: "mail-auth",
            domain: text(&signature["domain"]),
            selector: text(&signature["selector"]),
            passed: if signature["verdict"] == "pass" {
                Opinion::Pass
            } else {
                Opinion::Fail
            },
            why: signature["reason"].to_string(),
        })
        .collect()
}
