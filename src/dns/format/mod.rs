//! The ways of writing a key record down: for a console, a zone file, an API.
//!
//! A format is one file with one `FORMAT` in it, a golden file in `golden/`, and one
//! word in the list below. Formats are text only: nothing here publishes anything.

use std::fmt;
use std::str::FromStr;

use super::record::{KeyRecord, character_strings};
use crate::dkim::PublicKey;
use crate::names::{DomainName, NameError, Selector};

#[cfg(test)]
mod golden;
mod quoting;
mod size;

pub use size::AnswerSize;

/// How long resolvers may keep a record, in seconds. Short, because a record that was
/// published wrong is seen by the world for this long after it is mended.
pub const DEFAULT_TTL: u32 = 300;

/// A key record and the name it is to be published under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    pub domain: DomainName,
    pub selector: Selector,
    pub record: KeyRecord,
    /// Seconds.
    pub ttl: u32,
}

impl Publication {
    /// The record of a key, with the usual time to live.
    pub fn new(domain: DomainName, selector: Selector, key: &PublicKey) -> Self {
        Self {
            domain,
            selector,
            record: KeyRecord::new(key),
            ttl: DEFAULT_TTL,
        }
    }

    /// The full name without a dot at the end: `s1._domainkey.example.com`
    /// (RFC 6376 §3.6.2.1).
    pub fn name(&self) -> String {
        format!("{}.{}", self.relative_name(), self.domain)
    }

    /// The name inside the zone of the domain: `s1._domainkey`.
    pub fn relative_name(&self) -> String {
        format!("{}._domainkey", self.selector)
    }

    /// The strings of the TXT record in quotation marks: at most 255 bytes each.
    fn quoted_strings(&self) -> Vec<String> {
        let text = self.record.to_string();
        character_strings(&text)
            .iter()
            .map(|string| {
                let escaped = string.replace('\\', "\\\\").replace('"', "\\\"");
                format!("\"{escaped}\"")
            })
            .collect()
    }
}

/// The full name of a key record, if it fits into DNS.
///
/// # Errors
/// When the parts are names but the whole is more than 253 bytes.
pub fn record_name(domain: &DomainName, selector: &Selector) -> Result<DomainName, NameError> {
    DomainName::parse(&format!("{selector}._domainkey.{domain}"))
}

/// One way of writing publications down.
#[derive(Clone, Copy)]
pub struct Format {
    /// What `--format` calls it.
    pub name: &'static str,
    /// Other names for the same.
    pub aliases: &'static [&'static str],
    /// Whom it is for, in a few words.
    pub about: &'static str,
    /// What to do with the text, in whole lines; empty when there is nothing to say.
    pub how: &'static str,
    render: fn(&[Publication]) -> String,
}

impl Format {
    /// The text for all the publications, in their order; it ends with a line end.
    pub fn render(&self, publications: &[Publication]) -> String {
        (self.render)(publications)
    }
}

/// For the formats that write each publication by itself.
fn each(publications: &[Publication], text: impl Fn(&Publication) -> String) -> String {
    publications
        .iter()
        .map(|publication| text(publication) + "\n")
        .collect()
}

fn json_line(value: &impl serde::Serialize) -> String {
    // Structs of strings and numbers always have a JSON form.
    serde_json::to_string(value).unwrap_or_default() + "\n"
}

macro_rules! formats {
    ($($module:ident)*) => {
        $(mod $module;)*
        /// Every format, the default first.
        pub const FORMATS: &[Format] = &[$($module::FORMAT),*];
    };
}

/// The form for a person who is told one value to paste.
pub const DEFAULT: Format = quoted::FORMAT;

formats! {
    quoted plain bind route53_json cloudflare_json gcloud azure digitalocean
    nsupdate pdnsutil tinydns unbound
    terraform_aws terraform_google terraform_cloudflare terraform_azurerm octodns dnscontrol
    cname json
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        FORMATS
            .iter()
            .find(|format| format.name == name || format.aliases.contains(&name))
            .copied()
            .ok_or_else(|| UnknownFormat { name: name.into() })
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// There is no format of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no format \"{name}\"")]
pub struct UnknownFormat {
    pub name: String,
}
