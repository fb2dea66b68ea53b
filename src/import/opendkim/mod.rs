//! OpenDKIM: `opendkim.conf` and the data sets that it names, as a config of signet's.
//!
//! What OpenDKIM would not start with is an error here, and so is a source that is no
//! text: then nothing is written. Everything else is in the report.

use std::path::Path;

mod conf;
mod dataset;
mod headers;
mod hosts;
mod key_files;
mod keytable;
mod options;
mod order;
mod service;
mod signing;
mod signingtable;
mod tables;
mod trust;
mod work;

pub use self::conf::{Conf, Setting, printable};
pub(super) use self::dataset::{DataSet, Entry, Matching};
pub(super) use self::key_files::domains_with_a_file;
pub(super) use self::keytable::{Key, KeyTable, Private};
use self::options::Treatment;
pub(super) use self::order::Pattern;
pub(super) use self::signingtable::{Rule, rules};
pub(super) use self::tables::write_rules;
use self::work::Work;
use super::Import;
use super::report::{Outcome, Report};
use super::settings::Settings;
use crate::config::ConfigError;

/// Imports the file.
///
/// Relative paths are taken from `directory`, as OpenDKIM takes them from the directory
/// it is started in, or from the file's BaseDirectory.
///
/// # Errors
/// Everything that has to be mended first.
pub fn import(path: &Path, directory: &Path) -> Result<Import, Vec<ConfigError>> {
    import_conf(Conf::read(path)?, &path.to_string_lossy(), directory)
}

/// Imports what was read from a file called `source`.
///
/// # Errors
/// As [`import`].
pub fn import_conf(conf: Conf, source: &str, directory: &Path) -> Result<Import, Vec<ConfigError>> {
    let base = match conf.get("BaseDirectory") {
        Some(setting) => directory.join(&setting.value),
        None => directory.to_owned(),
    };
    let mut work = Work {
        conf,
        base,
        settings: Settings::default(),
        report: Report {
            source: source.to_owned(),
            ..Report::default()
        },
        errors: Vec::new(),
    };
    general(&mut work);
    service::read(&mut work);
    trust::read(&mut work);
    signing::read(&mut work);
    tables::read(&mut work);
    if !work.errors.is_empty() {
        return Err(work.errors);
    }
    Ok(Import {
        settings: work.settings,
        report: work.report,
        source: work.conf,
    })
}

/// Options that are set twice, and those that signet has no use for.
fn general(work: &mut Work) {
    for (index, setting) in work.conf.settings.clone().iter().enumerate() {
        let later = work.conf.settings.iter().skip(index + 1);
        let mut same = later.filter(|later| later.known == setting.known);
        if let Some(later) = same.next_back() {
            let why = format!(
                "is set again at {}, and OpenDKIM takes the last",
                later.place
            );
            work.tell(Outcome::Dropped, setting, why);
            continue;
        }
        match setting.known.treatment {
            Treatment::Read => {}
            Treatment::Verification => {
                let why = "is about verification, which signet leaves to others";
                work.tell(Outcome::Dropped, setting, why);
            }
            // The value may be a password.
            Treatment::Dropped(why) => {
                let name = setting.known.name;
                work.report.add(Outcome::Dropped, &setting.place, name, why);
            }
            Treatment::Stop(why) => work.wrong(setting, why),
        }
    }
}
