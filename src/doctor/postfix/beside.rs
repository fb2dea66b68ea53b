//! The milters beside signet: whether one signs as well, and whether one that comes
//! after signet can change what was signed.
//!
//! Judges by what a milter is, what it asked Postfix for, and its settings. What is not
//! known is said to be unknown.

use super::known::{Dialect, Habit, Known};
use crate::milter::flags::actions;

/// A milter in a list that has signet in it.
#[derive(Debug)]
pub struct Beside {
    /// As the list has it.
    pub address: String,
    /// How the program that listens there was started; none where that cannot be seen.
    pub command: Option<Vec<String>>,
    /// What it asks Postfix to be allowed (`SMFIF_*`); none when it did not answer.
    pub actions: Option<u32>,
    /// What it is set to; none for a milter whose settings do not matter.
    pub settings: Option<Result<Settings, String>>,
}

/// The options of a milter, as far as they were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The file that they come from, or the program that printed them.
    pub from: String,
    /// In the order of the file: the last of a name counts.
    pub options: Vec<(String, String)>,
}

/// Whether a milter makes DKIM signatures, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signs {
    Yes(String),
    /// With a reason where one might think that it does.
    No(Option<String>),
    Unknown(String),
}

impl Settings {
    fn get(&self, name: &str) -> Option<&str> {
        let named = |option: &&(String, String)| option.0.eq_ignore_ascii_case(name);
        let found = self.options.iter().rfind(named)?;
        Some(found.1.as_str())
    }

    fn says(&self, name: &str) -> bool {
        let value = self.get(name).map(str::to_ascii_lowercase);
        matches!(value.as_deref(), Some("yes" | "true" | "on" | "1"))
    }

    /// The first of these options that is set.
    fn any(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.get(name).is_some())
    }
}

impl Beside {
    pub fn known(&self) -> Option<&'static Known> {
        Known::find(&self.address, self.command.as_deref())
    }

    /// What to call it in a sentence.
    pub(super) fn name(&self) -> String {
        match self.known() {
            Some(known) => format!("{} ({})", self.address, known.name),
            None => self.address.clone(),
        }
    }

    pub(super) fn signs(&self) -> Signs {
        let Some(Habit::Signs(dialect)) = self.known().map(|known| known.habit) else {
            return Signs::No(None);
        };
        let settings = match &self.settings {
            Some(Ok(settings)) => settings,
            Some(Err(why)) => return Signs::Unknown(why.clone()),
            None => return Signs::Unknown("doctor cannot read its settings".to_owned()),
        };
        match dialect {
            Dialect::OpenDkim => self.by_mode(settings, &["KeyFile", "KeyTable"]),
            Dialect::Dkimpy => {
                let keys = ["KeyFile", "KeyTable", "KeyFileEd25519", "KeyTableEd25519"];
                self.by_mode(settings, &keys)
            }
            Dialect::Rspamd => rspamd_signs(settings),
            Dialect::Foreign => Signs::Unknown("doctor cannot read its settings".to_owned()),
        }
    }

    /// OpenDKIM's rule, and that of those who took it over.
    fn by_mode(&self, settings: &Settings, keys: &[&'static str]) -> Signs {
        let from = &settings.from;
        let mode = self.option("-b").or(settings.get("Mode"));
        if let Some(mode) = mode.filter(|mode| !mode.contains('s')) {
            return Signs::No(Some(format!("it only verifies (Mode {mode} in {from})")));
        }
        let key = settings.any(keys).or(self.option("-k").map(|_| "-k"));
        match key {
            None => Signs::No(Some(format!("{from} gives it no key"))),
            Some(key) => Signs::Yes(format!(
                "{from} has {key} and Mode {}",
                mode.unwrap_or("sv, the default")
            )),
        }
    }

    /// Whether it verifies, too, and is to go on doing that when it signs no more: the
    /// file that says so.
    pub(super) fn verifies_by(&self) -> Option<(&'static Known, &str)> {
        let known = self.known()?;
        let settings = self.settings.as_ref()?.as_ref().ok()?;
        let rspamd = known.habit == Habit::Signs(Dialect::Rspamd);
        let mode = settings.get("Mode").unwrap_or("sv");
        let by_file = self.option("-b").is_none();
        (rspamd || (by_file && mode.contains('v'))).then_some((known, settings.from.as_str()))
    }

    /// What it may do to a message that is signed already, if it may do anything that
    /// breaks a signature.
    pub(super) fn breaks(&self) -> Option<String> {
        let may = |action| self.actions.is_none_or(|actions| actions & action != 0);
        let (header, body) = (may(actions::CHGHDRS), may(actions::CHGBODY));
        if !header && !body {
            return None;
        }
        match self.known().map(|known| known.habit) {
            Some(Habit::Judges) => None,
            Some(Habit::Signs(dialect)) => self.signer_breaks(dialect),
            Some(Habit::Changes(_)) if self.leaves_mail_alone() => None,
            Some(Habit::Changes(how)) => Some(how.to_owned()),
            None if self.actions.is_none() => Some(
                "is not known to doctor and did not answer: if it changes mail, the signature breaks"
                    .to_owned(),
            ),
            None => Some(format!(
                "has Postfix let it change {}",
                match (header, body) {
                    (true, true) => "header fields and bodies",
                    (true, false) => "header fields",
                    _ => "bodies",
                }
            )),
        }
    }

    fn signer_breaks(&self, dialect: Dialect) -> Option<String> {
        let settings = self.settings.as_ref();
        match (dialect, settings) {
            (Dialect::OpenDkim, Some(Ok(settings))) => {
                let removes = settings.says("RemoveOldSignatures");
                let signs = matches!(self.signs(), Signs::Yes(_));
                (removes && signs).then(|| {
                    format!(
                        "takes out signatures that are there (RemoveOldSignatures in {})",
                        settings.from
                    )
                })
            }
            (Dialect::Rspamd, Some(Ok(settings))) => {
                let rewrites = settings.get("rewrite_subject");
                rewrites.filter(|score| *score != "null").map(|_| {
                    "rewrites the Subject of what it takes for spam (rewrite_subject)".to_owned()
                })
            }
            (Dialect::Rspamd, _) => Some(
                "may rewrite the Subject of what it takes for spam; its settings are not known"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// spamass-milter's -m and -M.
    fn leaves_mail_alone(&self) -> bool {
        let spamass = self
            .known()
            .is_some_and(|known| known.name == "spamass-milter");
        spamass && (self.option("-m").is_some() || self.option("-M").is_some())
    }

    /// What stands behind an option in its command line; empty when that is all.
    pub fn option(&self, name: &str) -> Option<&str> {
        let words = self.command.as_deref()?;
        let at = words.iter().position(|word| word.starts_with(name))?;
        let joined = words.get(at)?.strip_prefix(name)?;
        match joined.is_empty() {
            true => Some(words.get(at + 1).map_or("", String::as_str)),
            false => Some(joined),
        }
    }
}

fn rspamd_signs(settings: &Settings) -> Signs {
    let off = settings.get("enabled").is_some() && !settings.says("enabled");
    let keys = [
        "path",
        "domain",
        "path_map",
        "selector_map",
        "signing_table",
        "key_table",
        "default_key",
    ];
    let stores = ["use_redis", "use_vault"];
    let key = settings.any(&keys);
    let key = key.or_else(|| stores.into_iter().find(|name| settings.says(name)));
    match key {
        _ if off => Signs::No(Some("its dkim_signing is turned off".to_owned())),
        None => match settings.get("hidden_keys") {
            Some(directory) => Signs::Unknown(format!("this user may not see {directory}")),
            None => Signs::No(Some("its dkim_signing has no key".to_owned())),
        },
        Some("default_key") => {
            let directory = settings.get("default_key").unwrap_or_default();
            Signs::Yes(format!("its dkim_signing finds keys in {directory}"))
        }
        Some(key) => Signs::Yes(format!("its dkim_signing has {key}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside(address: &str, command: &str, settings: &[(&str, &str)]) -> Beside {
        let option = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        Beside {
            address: address.to_owned(),
            command: Some(words).filter(|words| !words.is_empty()),
            actions: Some(actions::ALL),
            settings: Some(Ok(Settings {
                from: "FILE".to_owned(),
                options: settings.iter().map(option).collect(),
            })),
        }
    }

    #[test]
    fn opendkim_signs_with_a_key_unless_its_mode_says_no() {
        let signs = |command: &str, settings: &[(&str, &str)]| {
            let milter = beside("inet:127.0.0.1:8891", command, settings);
            matches!(milter.signs(), Signs::Yes(_))
        };
        assert!(signs("", &[("KeyFile", "k")]));
        assert!(signs("", &[("KeyTable", "t"), ("Mode", "vs")]));
        assert!(signs("opendkim -b sv -k file", &[]));
        // Debian's file has no key, and the last line of a name counts.
        assert!(!signs("", &[("Canonicalization", "relaxed/simple")]));
        assert!(!signs(
            "",
            &[("Mode", "sv"), ("KeyFile", "k"), ("Mode", "v")]
        ));
        assert!(!signs("opendkim -bv", &[("KeyFile", "k")]));
    }

    #[test]
    fn what_is_not_known_to_sign_is_said_to_be_unknown() {
        let mut milter = beside("unix:opendkim/opendkim.sock", "", &[]);
        milter.settings = Some(Err("no such file".to_owned()));
        assert_eq!(milter.signs(), Signs::Unknown("no such file".to_owned()));
        let old = beside("unix:/run/dkim-filter.sock", "", &[]);
        assert!(matches!(old.signs(), Signs::Unknown(_)));
        assert_eq!(beside("unix:other.sock", "", &[]).signs(), Signs::No(None));
    }

    #[test]
    fn rspamd_signs_where_dkim_signing_has_a_key() {
        let signs = |settings: &[(&str, &str)]| {
            let milter = beside("inet:localhost:11332", "", settings);
            matches!(milter.signs(), Signs::Yes(_))
        };
        for key in ["path", "domain", "signing_table", "default_key"] {
            assert!(signs(&[("selector", "dkim"), (key, "")]), "{key}");
            assert!(!signs(&[(key, ""), ("enabled", "no")]), "{key}");
            assert!(signs(&[(key, ""), ("enabled", "true")]), "{key}");
        }
        assert!(signs(&[("use_redis", "true")]));
        assert!(!signs(&[("use_redis", "false"), ("selector", "dkim")]));
        let hidden = beside("inet:localhost:11332", "", &[("hidden_keys", "/k")]);
        let why = "this user may not see /k".to_owned();
        assert_eq!(hidden.signs(), Signs::Unknown(why));
    }

    #[test]
    fn what_breaks_signatures_is_known_by_habit_settings_and_rights() {
        let breaks = |milter: Beside| milter.breaks().is_some();
        for judge in [
            "opendmarc",
            "openarc",
            "clamav",
            "authentication_milter",
            "opendkim",
        ] {
            assert!(!breaks(beside("inet:127.0.0.1:1", judge, &[])), "{judge}");
        }
        for change in [
            "spamass-milter -i 127.0.0.1",
            "amavisd-milter",
            "mimedefang.pl",
            "mine",
        ] {
            assert!(breaks(beside("inet:127.0.0.1:1", change, &[])), "{change}");
        }
        assert!(!breaks(beside(
            "inet:127.0.0.1:1",
            "spamass-milter -m",
            &[]
        )));
        let old = [("RemoveOldSignatures", "yes"), ("KeyFile", "k")];
        assert!(breaks(beside("inet:127.0.0.1:1", "opendkim", &old)));
        assert!(!breaks(beside("inet:127.0.0.1:1", "opendkim -b v", &old)));
        let subject = [("rewrite_subject", "5"), ("reject", "15")];
        assert!(breaks(beside("inet:127.0.0.1:11332", "", &subject)));
        assert!(!breaks(beside("inet:127.0.0.1:11332", "", &subject[1..])));
        // Who only adds fields cannot, whoever it is.
        for actions in [Some(actions::ADDHDRS), None] {
            let milter = Beside {
                actions,
                ..beside("inet:127.0.0.1:1", "mine", &[])
            };
            assert_eq!(breaks(milter), actions.is_none());
        }
    }
}
