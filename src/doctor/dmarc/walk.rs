//! The tree walk of DMARC (RFC 9989 section 4.10): from a domain up to the records that
//! concern it, the one that applies, and the organizational domain. What the records
//! say beside `psd=` is not looked at here.

use super::record::{Record, Suffix};
use crate::doctor::answers::Known;
use crate::doctor::unanswered::Unanswered;

/// No more names are asked for.
const MOST_QUERIES: usize = 8;

/// What there is at the name `_dmarc` of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Nothing,
    /// A text that was meant to be a record and is none.
    NoRecord(String),
    One(Record),
    /// Receivers take none of them (step 2).
    Several(usize),
}

impl Found {
    pub fn of(texts: &[String]) -> Self {
        let records: Vec<Record> = texts.iter().filter_map(|text| Record::read(text)).collect();
        let meant = |text: &&String| text.to_ascii_lowercase().contains("dmarc");
        match (records.as_slice(), texts.iter().find(meant)) {
            ([record], _) => Self::One(record.clone()),
            ([], None) => Self::Nothing,
            ([], Some(text)) => Self::NoRecord(text.clone()),
            (several, _) => Self::Several(several.len()),
        }
    }
}

/// Where the record that applies lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the domain itself.
    Own,
    /// At its organizational domain.
    Organization,
    /// At the public suffix above that.
    Suffix,
}

/// One walk.
#[derive(Debug)]
pub struct Walk<'d> {
    domain: &'d str,
    /// What there is at each name on the way, the longest first.
    pub steps: Vec<(&'d str, Found)>,
}

impl<'d> Walk<'d> {
    /// Walks up from a domain. None when an answer on the way is missing; a question
    /// that nobody answered is noted.
    pub fn from(
        domain: &'d str,
        texts: impl Fn(&str) -> Known<String>,
        unanswered: &mut Vec<Unanswered>,
    ) -> Option<Self> {
        // All at once: who waits for each in turn waits eight times.
        let names = names(domain).into_iter();
        let known: Vec<_> = names
            .map(|name| (name, texts(&format!("_dmarc.{name}"))))
            .collect();
        let mut steps = Vec::new();
        for (name, known) in known {
            let found = Found::of(&known.or_note(unanswered)?);
            let end = matches!(&found, Found::One(record) if record.suffix() != Suffix::Unsaid);
            steps.push((name, found));
            if end {
                break;
            }
        }
        Some(Self { domain, steps })
    }

    fn records(&self) -> impl DoubleEndedIterator<Item = (&'d str, &Record)> {
        self.steps.iter().filter_map(|(name, found)| match found {
            Found::One(record) => Some((*name, record)),
            _ => None,
        })
    }

    /// The organizational domain (section 4.10.2): the highest name with a record, which
    /// is that with `psd=n` where there is one, since the walk ends there. `psd=y` makes
    /// it the one below, unless that is where the walk began.
    pub fn organization(&self) -> &'d str {
        match self.records().next_back() {
            Some((name, record)) if record.suffix() == Suffix::Yes => {
                upper(self.domain, labels(name) + 1)
            }
            Some((name, _)) => name,
            None => self.domain,
        }
    }

    /// The record that applies to mail of the domain (section 4.10.1).
    pub fn applies(&self) -> Option<(&'d str, &Record, Place)> {
        let organization = self.organization();
        let at = |wanted: &str, place| {
            let mut records = self.records().filter(|(name, _)| *name == wanted);
            records.next().map(|(name, record)| (name, record, place))
        };
        let of_suffix = || {
            let mut records = self.records();
            let suffix = records.find(|(_, record)| record.suffix() == Suffix::Yes);
            suffix.map(|(name, record)| (name, record, Place::Suffix))
        };
        at(self.domain, Place::Own)
            .or_else(|| at(organization, Place::Organization))
            .or_else(of_suffix)
    }
}

/// The domain and the names above it down to the top-level domain. Of one with more
/// than eight labels those in the middle are left out (steps 3 and 4).
fn names(domain: &str) -> Vec<&str> {
    let above = (1..labels(domain).min(MOST_QUERIES)).rev();
    let above = above.map(|count| upper(domain, count));
    std::iter::once(domain).chain(above).collect()
}

fn labels(domain: &str) -> usize {
    domain.split('.').count()
}

/// The last labels of a name, so many; all, when it has no more.
fn upper(domain: &str, count: usize) -> &str {
    let dot = domain.rmatch_indices('.').nth(count.saturating_sub(1));
    let after = dot.and_then(|(at, _)| domain.get(at + 1..));
    after.unwrap_or(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a walk over these records comes to: the organizational domain, and where
    /// the record lies that applies.
    fn walk(domain: &str, records: &[(&str, &str)]) -> (String, Option<(String, Place)>) {
        let texts = |name: &str| {
            let name = name.strip_prefix("_dmarc.").unwrap();
            let there = records.iter().filter(|(at, _)| *at == name);
            Known::Records(there.map(|(_, rest)| format!("v=DMARC1;{rest}")).collect())
        };
        let walk = Walk::from(domain, texts, &mut Vec::new()).unwrap();
        let applies = walk.applies();
        let applies = applies.map(|(name, _, place)| (name.to_owned(), place));
        (walk.organization().to_owned(), applies)
    }

    fn comes_to(
        domain: &str,
        records: &[(&str, &str)],
        organization: &str,
        at: Option<(&str, Place)>,
    ) {
        let at = at.map(|(name, place)| (name.to_owned(), place));
        let expected = (organization.to_owned(), at);
        assert_eq!(walk(domain, records), expected, "{domain} {records:?}");
    }

    #[test]
    fn the_names_above_are_asked_for_up_to_the_top_4_10() {
        assert_eq!(
            names("a.mail.example.com"),
            [
                "a.mail.example.com",
                "mail.example.com",
                "example.com",
                "com"
            ]
        );
        assert_eq!(names("com"), ["com"]);
    }

    /// The examples of the RFC: twelve labels, and ten.
    #[test]
    fn a_long_name_is_shortened_to_seven_labels_after_the_first_4_10() {
        assert_eq!(
            names("a.b.c.d.e.f.g.h.i.j.mail.example.com"),
            [
                "a.b.c.d.e.f.g.h.i.j.mail.example.com",
                "g.h.i.j.mail.example.com",
                "h.i.j.mail.example.com",
                "i.j.mail.example.com",
                "j.mail.example.com",
                "mail.example.com",
                "example.com",
                "com"
            ]
        );
        let ten = names("mail.a.b.c.d.e.f.g.example.com");
        assert_eq!(ten.len(), 8);
        assert_eq!(ten[1], "c.d.e.f.g.example.com");
        // Eight labels lose one, and nothing is left out.
        let eight = names("1.2.3.4.5.6.7.com");
        assert_eq!((eight.len(), eight[1]), (8, "2.3.4.5.6.7.com"));
        let nine = names("1.2.3.4.5.6.7.8.com");
        assert_eq!((nine.len(), nine[1]), (8, "3.4.5.6.7.8.com"));
    }

    #[test]
    fn a_record_that_is_left_out_of_a_long_walk_is_not_found() {
        let records = [
            ("example.com", "p=none"),
            ("b.c.d.e.f.g.example.com", "p=reject; psd=n"),
        ];
        let domain = "mail.a.b.c.d.e.f.g.example.com";
        comes_to(
            domain,
            &records,
            "example.com",
            Some(("example.com", Place::Organization)),
        );
    }

    #[test]
    fn the_domains_own_record_applies_and_the_highest_is_the_organization_4_10() {
        let records = [("mail.example.com", "p=none"), ("example.com", "p=reject")];
        comes_to(
            "mail.example.com",
            &records,
            "example.com",
            Some(("mail.example.com", Place::Own)),
        );
        // That in the middle does not.
        comes_to(
            "a.mail.example.com",
            &records,
            "example.com",
            Some(("example.com", Place::Organization)),
        );
    }

    #[test]
    fn psd_n_is_the_organization_and_ends_the_walk_4_10_2() {
        let records = [
            ("mail.example.com", "p=none; psd=n"),
            ("example.com", "p=reject"),
        ];
        let own = Some(("mail.example.com", Place::Own));
        comes_to("mail.example.com", &records, "mail.example.com", own);
        let above = Some(("mail.example.com", Place::Organization));
        comes_to("a.mail.example.com", &records, "mail.example.com", above);
    }

    #[test]
    fn psd_y_puts_the_organization_one_label_below_4_10_2() {
        let records = [("bank", "p=reject; psd=y")];
        let suffix = Some(("bank", Place::Suffix));
        comes_to("a.mail.example.bank", &records, "example.bank", suffix);
        comes_to("example.bank", &records, "example.bank", suffix);
        // The organization's own record comes first.
        let both = [("bank", "psd=y"), ("example.bank", "p=none")];
        let organization = Some(("example.bank", Place::Organization));
        comes_to("mail.example.bank", &both, "example.bank", organization);
        // A record between it and the domain is nobody's.
        let between = [("bank", "psd=y"), ("mail.example.bank", "p=none")];
        comes_to("a.mail.example.bank", &between, "example.bank", suffix);
    }

    #[test]
    fn psd_y_of_the_domain_itself_ends_the_walk_and_names_no_organization_below_4_10_2() {
        let records = [("example.com", "psd=y; p=none"), ("com", "p=reject")];
        comes_to(
            "example.com",
            &records,
            "example.com",
            Some(("example.com", Place::Own)),
        );
    }

    #[test]
    fn psd_u_is_as_if_it_were_not_there_4_7() {
        let records = [
            ("mail.example.com", "p=none; psd=u"),
            ("example.com", "p=reject; PSD=U"),
        ];
        comes_to(
            "mail.example.com",
            &records,
            "example.com",
            Some(("mail.example.com", Place::Own)),
        );
    }

    #[test]
    fn several_records_at_a_name_are_none_4_10() {
        let twice = [
            ("mail.example.com", "p=none; psd=n"),
            ("mail.example.com", "p=none"),
            ("example.com", "p=reject"),
        ];
        comes_to(
            "mail.example.com",
            &twice,
            "example.com",
            Some(("example.com", Place::Organization)),
        );
    }

    #[test]
    fn without_a_record_the_domain_is_its_own_organization_4_10_2() {
        comes_to("mail.example.com", &[], "mail.example.com", None);
    }

    #[test]
    fn what_is_not_known_ends_the_walk_unless_it_ended_before() {
        let walk = |end: &str| {
            let end = format!("v=DMARC1; {end}");
            let texts = |name: &str| match name {
                "_dmarc.mail.example.com" => Known::Records(vec![end.clone()]),
                _ => Known::Open,
            };
            Walk::from("mail.example.com", texts, &mut Vec::new()).is_some()
        };
        assert!(walk("psd=n") && walk("psd=y") && !walk("psd=u") && !walk("p=none"));
    }
}
