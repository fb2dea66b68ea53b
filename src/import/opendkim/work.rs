//! What one import works on: the file that is read, the config that comes of it, and
//! what there is to say about both.

use std::path::{Path, PathBuf};

use super::conf::{Conf, Setting};
use super::dataset::DataSet;
use crate::config::{ConfigError, Place};
use crate::import::report::{Outcome, Report};
use crate::import::settings::Settings;

#[derive(Debug)]
pub struct Work {
    pub conf: Conf,
    /// Where relative paths of the file begin.
    pub base: PathBuf,
    pub settings: Settings,
    pub report: Report,
    pub errors: Vec<ConfigError>,
}

impl Work {
    pub fn setting(&self, option: &str) -> Option<Setting> {
        self.conf.get(option).cloned()
    }

    /// The data set that an option names; an error is kept for later, so that the
    /// administrator sees all of them at once.
    pub fn data_set(&mut self, option: &str) -> Option<(Setting, DataSet)> {
        let setting = self.setting(option)?;
        match DataSet::read(&setting, &self.base) {
            Ok(set) => Some((setting, set)),
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    /// Reports what became of an option that is set.
    pub fn tell(&mut self, outcome: Outcome, setting: &Setting, why: impl Into<String>) {
        let option = format!("{} {}", setting.known.name, shown(&setting.value));
        self.report.add(outcome, &setting.place, option, why);
    }

    /// Reports what became of the default of an option that is not set.
    pub fn tell_default(&mut self, outcome: Outcome, option: &str, why: impl Into<String>) {
        self.report.add(outcome, &Place::default(), option, why);
    }

    /// An error in the value of an option.
    pub fn wrong(&mut self, setting: &Setting, problem: impl Into<String>) {
        self.errors.push(ConfigError {
            place: setting.place.clone(),
            key: setting.known.name.to_owned(),
            problem: problem.into(),
        });
    }

    /// A path of the file in full.
    pub fn path(&self, path: &str) -> PathBuf {
        self.base.join(Path::new(path))
    }
}

/// A value for the report: short, and on one line.
pub fn shown(value: &str) -> String {
    super::conf::printable(value)
}
