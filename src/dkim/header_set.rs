//! Which header fields are signed: three marks, and names that are never signed.

use crate::names::FieldName;

/// What is done with the fields of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Every instance is signed.
    Sign,
    /// Every instance, and one more than there are when there is any.
    OversignPresent,
    /// Every instance, and one more than there are, even when there is none.
    Oversign,
}

/// The header fields that a signature covers.
///
/// A name stands in one list only: the one that asks for more wins. `From` is always
/// signed (RFC 6376 §5.4), whether named or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderSet {
    sign: Vec<FieldName>,
    oversign_present: Vec<FieldName>,
    oversign: Vec<FieldName>,
}

/// Fields whose forgery misleads every reader; a second one must break the signature.
const OVERSIGN: [&str; 5] = ["from", "reply-to", "subject", "to", "cc"];

/// Fields that mean something once, but that software on the way may add when they
/// are missing.
const OVERSIGN_PRESENT: [&str; 9] = [
    "sender",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "in-reply-to",
    "references",
    "autocrypt",
];

const SIGN: [&str; 18] = [
    "resent-date",
    "resent-from",
    "resent-sender",
    "resent-to",
    "resent-cc",
    "resent-message-id",
    "content-id",
    "content-description",
    "list-id",
    "list-help",
    "list-owner",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-subscribe",
    "list-post",
    "list-archive",
    "feedback-id",
    "resent-reply-to",
];

impl HeaderSet {
    /// The set of these names.
    ///
    /// # Errors
    /// When a name may not be signed, or cannot be written into `h=`.
    pub fn new(
        sign: Vec<FieldName>,
        oversign_present: Vec<FieldName>,
        oversign: Vec<FieldName>,
    ) -> Result<Self, HeaderSetError> {
        for name in sign.iter().chain(&oversign_present).chain(&oversign) {
            if let Some(why) = never(name.as_str()) {
                return Err(HeaderSetError::Never {
                    name: name.clone(),
                    why,
                });
            }
            // RFC 5322 allows it in a field name; in `h=` it would end the tag.
            if name.as_str().contains(';') {
                return Err(HeaderSetError::Semicolon { name: name.clone() });
            }
        }
        Ok(Self::build(sign, oversign_present, oversign))
    }

    fn build(
        sign: Vec<FieldName>,
        oversign_present: Vec<FieldName>,
        oversign: Vec<FieldName>,
    ) -> Self {
        let oversign = without(oversign, &[]);
        let oversign_present = without(oversign_present, &[&oversign]);
        let mut sign = without(sign, &[&oversign, &oversign_present]);
        let named = |name: &FieldName| name.as_str() == "from";
        if !sign
            .iter()
            .chain(&oversign_present)
            .chain(&oversign)
            .any(named)
        {
            sign.extend(FieldName::parse("from"));
        }
        Self {
            sign,
            oversign_present,
            oversign,
        }
    }

    /// The names of which every instance is signed.
    pub fn sign(&self) -> &[FieldName] {
        &self.sign
    }

    /// The names of which one more is signed than there are, when there is any.
    pub fn oversign_present(&self) -> &[FieldName] {
        &self.oversign_present
    }

    /// The names of which one more is signed than there are, even when there is none.
    pub fn oversign(&self) -> &[FieldName] {
        &self.oversign
    }

    /// Every name with its mark, those that are oversigned first.
    pub(super) fn marks(&self) -> impl Iterator<Item = (&FieldName, Mark)> {
        let with = |mark| move |name| (name, mark);
        let oversign = self.oversign.iter().map(with(Mark::Oversign));
        let present = self.oversign_present.iter();
        oversign
            .chain(present.map(with(Mark::OversignPresent)))
            .chain(self.sign.iter().map(with(Mark::Sign)))
    }
}

impl Default for HeaderSet {
    fn default() -> Self {
        let names = |list: &[&str]| {
            list.iter()
                .flat_map(|name| FieldName::parse(name))
                .collect()
        };
        Self::build(names(&SIGN), names(&OVERSIGN_PRESENT), names(&OVERSIGN))
    }
}

/// `names` without those in `stronger` and without repetitions.
fn without(names: Vec<FieldName>, stronger: &[&Vec<FieldName>]) -> Vec<FieldName> {
    let mut kept = Vec::with_capacity(names.len());
    for name in names {
        if !kept.contains(&name) && !stronger.iter().any(|list| list.contains(&name)) {
            kept.push(name);
        }
    }
    kept
}

/// Why a field of this name is never signed, if so (RFC 6376 §5.4.1).
fn never(name: &str) -> Option<&'static str> {
    match name {
        "received" | "return-path" => Some("every server on the way adds or changes it"),
        "dkim-signature" => Some("a signature covers itself, and others come and go"),
        "authentication-results" => Some("the receiving server removes and adds it"),
        "bcc" => Some("it is removed before the message is delivered"),
        _ if name.starts_with("arc-") => Some("every server on the way may add one"),
        _ => None,
    }
}

/// Why names do not make a header set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderSetError {
    #[error("\"{name}\" cannot be signed: {why}")]
    Never { name: FieldName, why: &'static str },
    #[error("\"{name}\" cannot be signed: a signature cannot name a field with a semicolon")]
    Semicolon { name: FieldName },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<FieldName> {
        list.iter().map(|n| FieldName::parse(n).unwrap()).collect()
    }

    #[test]
    fn the_default_set_holds_every_name_once() {
        let set = HeaderSet::default();
        let lengths = (
            set.oversign().len(),
            set.oversign_present().len(),
            set.sign().len(),
        );
        assert_eq!(
            lengths,
            (OVERSIGN.len(), OVERSIGN_PRESENT.len(), SIGN.len())
        );
        assert_eq!(
            set.oversign(),
            names(&["from", "reply-to", "subject", "to", "cc"])
        );
        let again = HeaderSet::new(
            set.sign().to_vec(),
            set.oversign_present().to_vec(),
            set.oversign().to_vec(),
        );
        assert_eq!(again, Ok(set));
    }

    #[test]
    fn fields_that_others_change_are_refused_by_name_5_4_1() {
        for name in [
            "Received",
            "Return-Path",
            "DKIM-Signature",
            "Authentication-Results",
            "ARC-Seal",
            "ARC-Message-Signature",
            "Bcc",
        ] {
            for list in 0..3 {
                let mut lists = [vec![], vec![], vec![]];
                lists[list] = names(&["subject", name]);
                let [sign, present, oversign] = lists;
                let error = HeaderSet::new(sign, present, oversign).unwrap_err();
                let start = format!("\"{}\" cannot be signed: ", name.to_lowercase());
                assert!(error.to_string().starts_with(&start), "{error}");
            }
        }
    }

    #[test]
    fn a_name_that_would_end_the_tag_is_refused() {
        let error = HeaderSet::new(names(&["x;d=evil.example"]), vec![], vec![]);
        assert!(matches!(error, Err(HeaderSetError::Semicolon { .. })));
    }

    #[test]
    fn from_is_always_signed_5_4() {
        let set = HeaderSet::new(names(&["subject"]), vec![], vec![]).unwrap();
        assert_eq!(set.sign(), names(&["subject", "from"]));
        let set = HeaderSet::new(vec![], names(&["FROM"]), vec![]).unwrap();
        assert_eq!(
            (set.sign(), set.oversign_present()),
            (&[][..], &names(&["from"])[..])
        );
    }

    #[test]
    fn the_list_that_asks_for_more_wins() {
        let list = || names(&["from", "date", "Date"]);
        let set = HeaderSet::new(list(), list(), names(&["from"])).unwrap();
        assert_eq!(set.sign(), []);
        assert_eq!(set.oversign_present(), names(&["date"]));
        assert_eq!(set.oversign(), names(&["from"]));
    }
}
