//! What became of every option: the report an importer hands to the administrator.
//!
//! It only collects and prints. Values that may be secret are never given to it.

use std::fmt::{self, Display};

use crate::config::Place;

/// What became of an option, or of one line of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// signet does the same.
    Same,
    /// signet does it differently; the reason says how.
    Changed,
    /// signet does not do it, or has no need to.
    Dropped,
    /// The administrator has to decide or to do something.
    NeedsYou,
}

impl Outcome {
    pub const ALL: [Outcome; 4] = [Self::Same, Self::Changed, Self::Dropped, Self::NeedsYou];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Dropped => "dropped",
            Self::NeedsYou => "needs you",
        }
    }
}

/// One option, or one line of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub outcome: Outcome,
    /// Where it was written; an empty file when a default is meant.
    pub place: Place,
    /// The option and its value as they were written, or what stands for them.
    pub option: String,
    /// The reason, and what to do.
    pub why: String,
}

/// Every entry, in the order in which they were met.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The file that was imported.
    pub source: String,
    pub entries: Vec<Entry>,
}

impl Report {
    pub fn add(
        &mut self,
        outcome: Outcome,
        place: &Place,
        option: impl Into<String>,
        why: impl Into<String>,
    ) {
        self.entries.push(Entry {
            outcome,
            place: place.clone(),
            option: option.into(),
            why: why.into(),
        });
    }

    /// How many entries have this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        let entries = self.entries.iter();
        entries.filter(|entry| entry.outcome == outcome).count()
    }
}

impl Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<9}  {}", self.outcome.as_str(), self.option)?;
        match &*self.place.file {
            "" => writeln!(f, "  (not set)")?,
            _ => writeln!(f, "  ({})", self.place)?,
        }
        for line in wrapped(&self.why, 88) {
            writeln!(f, "           {line}")?;
        }
        Ok(())
    }
}

/// What needs the administrator comes first; the rest stays in the order of the file.
impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "import of {}", self.source)?;
        let counts = Outcome::ALL.map(|o| format!("{} {}", self.count(o), o.as_str()));
        writeln!(f, "{}\n", counts.join(", "))?;
        let urgent = |entry: &&Entry| entry.outcome == Outcome::NeedsYou;
        for entry in self.entries.iter().filter(urgent) {
            entry.fmt(f)?;
        }
        if self.count(Outcome::NeedsYou) > 0 {
            writeln!(f)?;
        }
        for entry in self.entries.iter().filter(|entry| !urgent(entry)) {
            entry.fmt(f)?;
        }
        Ok(())
    }
}

/// `text` in lines of at most `width` characters, broken at blanks; a word that is
/// longer has a line of its own.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let taken = line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && taken > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_the_administrator_comes_first() {
        let mut report = Report {
            source: "opendkim.conf".to_owned(),
            ..Report::default()
        };
        let place = |line| Place {
            file: "opendkim.conf".into(),
            line,
        };
        report.add(Outcome::Same, &place(1), "Selector test", "rule.selectors");
        report.add(
            Outcome::NeedsYou,
            &place(2),
            "UserID opendkim",
            "x ".repeat(60),
        );
        let text = report.to_string();
        assert!(text.starts_with(
            "import of opendkim.conf\n1 same, 0 changed, 0 dropped, 1 needs you\n\n\
             needs you  UserID opendkim  (opendkim.conf:2)\n           x x"
        ));
        assert!(text.ends_with(
            "\nsame       Selector test  (opendkim.conf:1)\n           rule.selectors\n"
        ));
        assert!(text.lines().all(|line| line.chars().count() <= 99));
    }
}
