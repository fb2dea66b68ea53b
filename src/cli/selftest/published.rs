//! The key records that the selftest judges with: read back out of the text that
//! `keygen` prints, or, where the private key is not at hand, from DNS.

use std::path::Path;

use super::{Failure, Report};
use crate::dns::format::{Format, Publication};
use crate::dns::lookup::Lookup;
use crate::dns::record::KeyRecord;
use crate::keys::KeyDirectory;
use crate::names::{DomainName, Selector};
use crate::verify::{Records, SignatureReport};

/// The records that these signatures need.
pub fn records(
    signatures: &[SignatureReport],
    keys: &Path,
    report: &mut Report,
) -> Result<Records, Failure> {
    let mut records = Records::new();
    for signature in signatures {
        let domain = DomainName::parse(&signature.domain)?;
        let selector = Selector::parse(&signature.selector)?;
        let name = format!("{selector}._domainkey.{domain}");
        if records.knows(&name) {
            continue;
        }
        match printed(keys, &domain, &selector)? {
            Some(text) => {
                records.extend(Records::from_text(&format!("{name} {text}"))?);
                let (bytes, strings) = (text.len(), text.split("\" \"").count());
                report.check(
                    text.split("\" \"").all(|string| string.trim_matches(['"', '\n']).len() <= 255),
                    &format!("the record for {name} was read back from the console's text ({bytes} bytes, {strings} strings of at most 255)"),
                )?;
            }
            None => {
                records.set(&name, looked_up(&name)?);
                report.check(true, &format!("the record for {name} was looked up in DNS"))?;
            }
        }
    }
    Ok(records)
}

/// What `signet dns --format quoted` prints for a key, if the key is here.
fn printed(
    keys: &Path,
    domain: &DomainName,
    selector: &Selector,
) -> Result<Option<String>, Failure> {
    let path = keys.join(domain.as_str()).join(format!("{selector}.pem"));
    if !path.exists() {
        return Ok(None);
    }
    let key = KeyDirectory::open(keys)?.load(&path)?;
    let publication = Publication {
        domain: domain.clone(),
        selector: selector.clone(),
        record: KeyRecord::new(&key.public_key()),
        ttl: crate::dns::format::DEFAULT_TTL,
    };
    let quoted: Format = "quoted".parse()?;
    Ok(Some(quoted.render(&[publication])))
}

fn looked_up(name: &str) -> Result<crate::dns::lookup::Answer, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async { Ok(Lookup::of_system()?.txt(name).await) })
}
