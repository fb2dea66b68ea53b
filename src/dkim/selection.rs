//! Which fields of one message a signature covers, and in which order.

use super::HeaderSet;
use super::header_section::{HeaderSection, trim_end};
use super::header_set::Mark;

/// What goes into `h=` and into the hash.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Selection<'s> {
    /// The names of `h=`, lower case: those of the fields from the top of the message
    /// down, then one for each oversigned name. One case only, because some verifiers
    /// count instances by exact spelling.
    pub names: Vec<&'s str>,
    /// The fields to hash, by index, in the order of `names`; none for the last names,
    /// which are oversigned and stand for fields that do not exist.
    pub fields: Vec<usize>,
}

/// One name of the set in this message.
struct Candidate<'s> {
    name: &'s str,
    mark: Mark,
    /// One behind the entry below which every field of this name is already taken.
    unused: Option<usize>,
}

pub(super) fn select<'s>(section: &HeaderSection, set: &'s HeaderSet) -> Selection<'s> {
    let mut candidates: Vec<_> = set
        .marks()
        .map(|(name, mark)| Candidate {
            name: name.as_str(),
            mark,
            unused: None,
        })
        .collect();

    // The fields to sign in message order: which candidate, which field.
    let mut entries = Vec::with_capacity(section.len());
    for (index, field) in section.fields().enumerate() {
        let name = trim_end(field.name);
        let initial = name.first().map(u8::to_ascii_lowercase);
        let same = |candidate: &Candidate<'_>| {
            let wanted = candidate.name.as_bytes();
            wanted.len() == name.len()
                && wanted.first().copied() == initial
                && wanted.eq_ignore_ascii_case(name)
        };
        if let Some(candidate) = candidates.iter().position(same) {
            entries.push((candidate, index));
        }
    }

    let mut selection = Selection {
        names: Vec::with_capacity(entries.len() + candidates.len()),
        fields: Vec::with_capacity(entries.len()),
    };
    for &(wanted, _) in &entries {
        let Some(candidate) = candidates.get_mut(wanted) else {
            continue;
        };
        selection.names.push(candidate.name);
        // RFC 6376 §5.4.2: the first mention of a name in h= is the field nearest the
        // bottom, the next mention the one above it.
        let below = candidate.unused.unwrap_or(entries.len());
        let taken = entries
            .iter()
            .take(below)
            .rposition(|&(candidate, _)| candidate == wanted);
        candidate.unused = taken;
        let field = taken.and_then(|entry| entries.get(entry));
        selection.fields.extend(field.map(|&(_, index)| index));
    }

    for candidate in &candidates {
        let extra = match candidate.mark {
            Mark::Oversign => true,
            Mark::OversignPresent => candidate.unused.is_some(),
            Mark::Sign => false,
        };
        if extra {
            selection.names.push(candidate.name);
        }
    }
    selection
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::FieldName;

    fn section(names: &[&str]) -> HeaderSection {
        let mut section = HeaderSection::new();
        for name in names {
            section.push(name.as_bytes(), b" x");
        }
        section
    }

    fn set(sign: &[&str], oversign_present: &[&str], oversign: &[&str]) -> HeaderSet {
        let names = |list: &[&str]| list.iter().map(|n| FieldName::parse(n).unwrap()).collect();
        HeaderSet::new(names(sign), names(oversign_present), names(oversign)).unwrap()
    }

    #[test]
    fn names_stand_in_message_order_and_instances_come_from_the_bottom_5_4_2() {
        let section = section(&["Received", "To", "From", "TO", "X", "to"]);
        let set = set(&["from", "to"], &[], &[]);
        let selection = select(&section, &set);
        assert_eq!(selection.names, ["to", "from", "to", "to"]);
        assert_eq!(selection.fields, [5, 2, 3, 1]);
    }

    #[test]
    fn oversigned_names_come_last() {
        let section = section(&["Date", "From", "Subject"]);
        let set = set(&["subject"], &["date", "sender"], &["from", "cc"]);
        let selection = select(&section, &set);
        assert_eq!(
            selection.names,
            ["date", "from", "subject", "from", "cc", "date"]
        );
        assert_eq!(selection.fields, [0, 1, 2]);
    }

    #[test]
    fn a_name_before_white_space_is_that_name() {
        let selection_names = select(&section(&["From "]), &set(&["from"], &[], &[]))
            .names
            .len();
        assert_eq!(selection_names, 1);
    }

    #[test]
    fn thousands_of_one_field_are_all_signed() {
        let section = section(&["To"; 3000]);
        let set = set(&["to"], &[], &[]);
        let selection = select(&section, &set);
        assert!(selection.fields.iter().copied().eq((0..3000).rev()));
    }
}
