//! rspamd: `dkim_signing.conf`, and the maps that it names.
//!
//! rspamd's defaults change with its releases and come from other files besides. What
//! signing depends on and is not in this one is handed to the administrator.

use std::path::Path;

mod maps;
mod sets;
pub mod ucl;
mod whom;

use self::ucl::{Section, Value};
use super::Import;
use super::report::Outcome::{Changed, Dropped, NeedsYou, Same};
use super::report::{Outcome, Report};
use super::settings::Settings;
use super::{lines, opendkim};
use crate::config::{ConfigError, Place};

/// Where packages of rspamd keep keys.
const DEFAULT_PATH: &str = "/var/lib/rspamd/dkim/$domain.$selector.key";
const DEFAULT_SELECTOR: &str = "dkim";

/// What one import works on.
struct Work<'p> {
    file: &'p str,
    section: Section,
    settings: Settings,
    report: Report,
    errors: Vec<ConfigError>,
}

impl Work<'_> {
    fn place(&self, line: usize) -> Place {
        Place {
            file: self.file.into(),
            line,
        }
    }

    /// The text of a key, and its line.
    fn text(&self, key: &str) -> Option<(String, usize)> {
        let item = self.section.get(key)?;
        Some((item.value.text()?.to_owned(), item.line))
    }

    fn flag(&self, key: &str, default: bool) -> bool {
        let word = self.text(key).map(|(text, _)| text.to_ascii_lowercase());
        match word.as_deref() {
            Some("true" | "yes" | "on" | "1") => true,
            Some("false" | "no" | "off" | "0") => false,
            _ => default,
        }
    }

    fn tell(&mut self, outcome: Outcome, line: usize, option: &str, why: impl Into<String>) {
        let place = match line {
            0 => Place::default(),
            _ => self.place(line),
        };
        self.report.add(outcome, &place, option, why);
    }

    fn wrong(&mut self, line: usize, key: &str, problem: impl Into<String>) {
        self.errors.push(ConfigError {
            place: self.place(line),
            key: key.to_owned(),
            problem: problem.into(),
        });
    }
}

/// Imports the file. Paths in it are full ones.
///
/// # Errors
/// Everything that has to be mended first.
pub fn import(path: &Path) -> Result<Import, Vec<ConfigError>> {
    let file = path.to_string_lossy();
    let text = lines::whole(path, &file).map_err(|error| vec![error])?;
    import_text(&text, &file)
}

/// Imports the text of a file called `file`.
///
/// # Errors
/// As [`import`].
pub fn import_text(text: &str, file: &str) -> Result<Import, Vec<ConfigError>> {
    let section = Section::parse(text).map_err(|error| {
        vec![ConfigError {
            place: Place {
                file: file.into(),
                line: error.line,
            },
            key: String::new(),
            problem: error.problem,
        }]
    })?;
    // The file may hold the section's content, or the section.
    let section = match section.get("dkim_signing").map(|item| &item.value) {
        Some(Value::Section(inner)) => inner.clone(),
        _ => section,
    };
    let mut work = Work {
        file,
        section,
        settings: Settings {
            require_safe_keys: true,
            canonicalization: crate::dkim::Canonicalization::default(),
            ..Settings::default()
        },
        report: Report {
            source: file.to_owned(),
            ..Report::default()
        },
        errors: Vec::new(),
    };
    options(&mut work);
    sets::read(&mut work);
    whom::read(&mut work);
    if !work.errors.is_empty() {
        return Err(work.errors);
    }
    Ok(Import {
        settings: work.settings,
        report: work.report,
        source: opendkim::Conf::default(),
    })
}

/// Options with one meaning, and what becomes of it.
const OPTIONS: &[(&str, Outcome, &str)] = &[
    ("enabled", Same, "signet signs"),
    (
        "use_redis",
        NeedsYou,
        "keys in Redis are not files: write each to a file and name it",
    ),
    ("key_prefix", Dropped, "is for keys in Redis"),
    ("selector_prefix", Dropped, "is for keys in Redis"),
    (
        "use_vault",
        NeedsYou,
        "keys in Vault are not files: write each to a file and name it",
    ),
    (
        "allow_envfrom_empty",
        Same,
        "bounces are signed by their From",
    ),
    (
        "allow_hdrfrom_mismatch",
        Changed,
        "signet does not compare the envelope's sender with From: [send_as] says who may use which author",
    ),
    (
        "allow_username_mismatch",
        NeedsYou,
        "signet compares logins with authors when [send_as] says which login may use which",
    ),
    (
        "allow_hdrfrom_multiple",
        Changed,
        "a message with several From is never signed",
    ),
    (
        "allow_pubkey_mismatch",
        Dropped,
        "signet asks no DNS while signing; signet check and selftest do",
    ),
    ("check_pubkey", Dropped, "signet asks no DNS while signing"),
    ("symbol", Dropped, "is rspamd's own"),
    ("symbol_fail", Dropped, "is rspamd's own"),
    (
        "skip_spam_sign",
        Dropped,
        "signet does not know what rspamd thinks of a message",
    ),
    ("use_milter_headers", Dropped, "signet is a milter"),
    (
        "sign_inbound",
        NeedsYou,
        "mail of strangers is never signed; say in [trust] who is none",
    ),
    (
        "sign_condition",
        NeedsYou,
        "a Lua function decides here; write what it is for as rules",
    ),
    (
        "use_domain_custom",
        NeedsYou,
        "a Lua function decides here; write what it is for as rules",
    ),
];

fn options(work: &mut Work<'_>) {
    for (key, outcome, why) in OPTIONS {
        let Some(item) = work.section.get(key) else {
            continue;
        };
        let (line, off) = (item.line, !work.flag(key, true));
        let on_matters = matches!(*outcome, NeedsYou) && *key != "allow_username_mismatch";
        match off && on_matters {
            true => work.tell(Same, line, key, "off"),
            false => work.tell(*outcome, line, key, *why),
        }
    }
    if let Some((word, line)) = work.text("enabled")
        && !work.flag("enabled", true)
    {
        work.wrong(
            line,
            "enabled",
            format!("is {word}: rspamd signs nothing, and neither would signet"),
        );
    }
    if work.section.get("allow_username_mismatch").is_none() {
        let why = "rspamd signs mail of a login like user@example.com as example.com alone; signet lets \
                   every trusted client use every author until [send_as] says more";
        work.tell(NeedsYou, 0, "allow_username_mismatch", why);
    }
    work.tell(
        Changed,
        0,
        "keys that cannot be used",
        "rspamd lets the mail go unsigned; signet has it wait (signing.on_failure = \"tempfail\")",
    );
    let known = |key: &str| {
        OPTIONS.iter().any(|(name, ..)| *name == key)
            || sets::KEYS.contains(&key)
            || whom::KEYS.contains(&key)
    };
    let odd: Vec<(String, usize)> = work
        .section
        .0
        .iter()
        .filter(|item| !known(&item.key))
        .map(|item| (item.key.clone(), item.line))
        .collect();
    for (key, line) in odd {
        let why = "is not an option that the import knows; see what rspamd's manual says of it";
        work.tell(NeedsYou, line, &opendkim::printable(&key), why);
    }
}
