//! Which header fields are signed: SignHeaders, OmitHeaders and OversignHeaders as one
//! set of exact names.

use std::collections::BTreeSet;

use super::conf::printable;
use super::dataset::{DataSet, Entry};
use crate::config::Place;
use crate::dkim::HeaderSet;
use crate::import::glob;
use crate::import::report::{Outcome, Report};
use crate::names::FieldName;

/// What OpenDKIM signs by default: what RFC 4871 said SHOULD be, in its order.
const SIGNED: &[&str] = &[
    "from",
    "reply-to",
    "subject",
    "date",
    "to",
    "cc",
    "resent-date",
    "resent-from",
    "resent-sender",
    "resent-to",
    "resent-cc",
    "in-reply-to",
    "references",
    "list-id",
    "list-help",
    "list-unsubscribe",
    "list-subscribe",
    "list-post",
    "list-owner",
    "list-archive",
];

/// What OpenDKIM leaves out by default, whatever SignHeaders says.
const OMITTED: &[&str] = &[
    "return-path",
    "received",
    "comments",
    "keywords",
    "bcc",
    "resent-bcc",
    "dkim-signature",
];

/// The fields that a pattern in SignHeaders is taken to mean: what is registered and
/// seen in mail.
const REGISTERED: &[&str] = &[
    "accept-language",
    "archived-at",
    "authentication-results",
    "auto-submitted",
    "autocrypt",
    "bcc",
    "cc",
    "comments",
    "content-description",
    "content-disposition",
    "content-id",
    "content-language",
    "content-transfer-encoding",
    "content-type",
    "date",
    "deferred-delivery",
    "delivered-to",
    "disposition-notification-to",
    "feedback-id",
    "from",
    "importance",
    "in-reply-to",
    "keywords",
    "list-archive",
    "list-help",
    "list-id",
    "list-owner",
    "list-post",
    "list-subscribe",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "message-id",
    "mime-version",
    "organization",
    "original-message-id",
    "precedence",
    "priority",
    "received",
    "references",
    "reply-to",
    "require-recipient-valid-since",
    "resent-bcc",
    "resent-cc",
    "resent-date",
    "resent-from",
    "resent-message-id",
    "resent-reply-to",
    "resent-sender",
    "resent-to",
    "return-path",
    "sender",
    "sensitivity",
    "subject",
    "thread-index",
    "thread-topic",
    "to",
    "user-agent",
    "x-mailer",
    "x-priority",
];

/// The lists that were set; none of a list means OpenDKIM's default.
#[derive(Debug, Default)]
pub struct Lists {
    pub sign: Option<DataSet>,
    pub omit: Option<DataSet>,
    pub oversign: Option<DataSet>,
}

/// The set of signet's that does the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// Signed as often as present; in OpenDKIM's order, without those of `oversign`.
    pub sign: Vec<FieldName>,
    /// Signed once more than present.
    pub oversign: Vec<FieldName>,
}

impl Headers {
    pub fn new(lists: &Lists, report: &mut Report) -> Self {
        let sign = effective("SignHeaders", lists.sign.as_ref(), SIGNED, report);
        let omit = effective("OmitHeaders", lists.omit.as_ref(), OMITTED, report);
        let omitted = |name: &str| omit.iter().any(|pattern| glob::matches(pattern, name));
        let mut names = Vec::new();
        for pattern in &sign {
            if pattern.contains('*') {
                let known = REGISTERED
                    .iter()
                    .filter(|name| glob::matches(pattern, name));
                names.extend(known.map(|name| (*name).to_owned()));
            } else {
                names.push(pattern.clone());
            }
        }
        // RFC 6376 §5.4: From is always signed.
        names.insert(0, "from".to_owned());
        let oversign = oversigned(lists.oversign.as_ref(), report);
        let mut seen: BTreeSet<FieldName> = oversign.iter().cloned().collect();
        let parsed = names
            .iter()
            .filter(|name| *name == "from" || !omitted(name))
            .filter_map(|name| FieldName::parse(name).ok());
        let sign: Vec<FieldName> = parsed.filter(|name| seen.insert(name.clone())).collect();
        let mut may_be_signed = |option: &str, names: Vec<FieldName>| -> Vec<FieldName> {
            let may = |name: &FieldName| match HeaderSet::new(vec![name.clone()], vec![], vec![]) {
                Ok(_) => true,
                Err(error) => {
                    let option = format!("{option} {name}");
                    report.add(
                        Outcome::Changed,
                        &Place::default(),
                        option,
                        error.to_string(),
                    );
                    false
                }
            };
            names.into_iter().filter(may).collect()
        };
        let sign = may_be_signed("SignHeaders", sign);
        let oversign = may_be_signed("OversignHeaders", oversign);
        if let Some(entry) = lists
            .omit
            .iter()
            .flat_map(|set| &set.entries)
            .find(|e| is_from(e))
        {
            report.add(
                Outcome::Changed,
                &entry.place,
                "OmitHeaders From",
                "From is always signed (RFC 6376 §5.4). OpenDKIM signs no mail at all with this",
            );
        }
        Self { sign, oversign }
    }
}

fn is_from(entry: &Entry) -> bool {
    entry.key.eq_ignore_ascii_case("from")
}

/// A list as it counts: with `*` in it, it is the default with `+name` added and
/// `-name` taken out; without, it is the list.
fn effective(
    option: &str,
    set: Option<&DataSet>,
    default: &[&str],
    report: &mut Report,
) -> Vec<String> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let Some(set) = set else {
        return owned(default);
    };
    let delta = set.entries.iter().any(|entry| entry.key == "*");
    let mut names: Vec<String> = if delta { owned(default) } else { Vec::new() };
    for entry in &set.entries {
        let key = entry.key.to_ascii_lowercase();
        let mut odd = |outcome, why: &str| {
            let option = format!("{option} {}", printable(&entry.key));
            report.add(outcome, &entry.place, option, why);
        };
        match (key.strip_prefix('+'), key.strip_prefix('-')) {
            _ if key == "*" || key == "." => {}
            (Some(name), _) if delta => names.push(name.to_owned()),
            (_, Some(name)) if delta => names.retain(|known| known != name),
            _ if delta => odd(
                Outcome::Dropped,
                "beside * only +name and -name count, and OpenDKIM passes this over; write a + \
                 before it if it is meant",
            ),
            (Some(_), _) | (_, Some(_)) => odd(
                Outcome::NeedsYou,
                "+ and - count only beside *, and this is no field name; add * to the list",
            ),
            _ if key.contains('*') => {
                names.push(key.clone());
                odd(
                    Outcome::Changed,
                    "signet's sets hold exact names: written out for the registered fields; add \
                     others of your own",
                );
            }
            _ if FieldName::parse(&key).is_err() => {
                odd(Outcome::NeedsYou, "is no field name");
            }
            _ => names.push(key.clone()),
        }
    }
    names
}

fn oversigned(set: Option<&DataSet>, report: &mut Report) -> Vec<FieldName> {
    let mut names = Vec::new();
    for entry in set.iter().flat_map(|set| &set.entries) {
        let option = format!("OversignHeaders {}", printable(&entry.key));
        if entry.key == "." {
            continue;
        }
        let delta = entry.key.starts_with(['+', '-']) || entry.key.contains('*');
        match FieldName::parse(&entry.key) {
            Ok(name) if !delta => {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            _ => report.add(
                Outcome::Dropped,
                &entry.place,
                option,
                "OversignHeaders knows no *, + and -: OpenDKIM writes it into h= as it stands, \
                 where it protects nothing",
            ),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::conf::Conf;
    use super::*;
    use std::path::Path;

    fn headers(text: &str) -> (String, String, Vec<Outcome>) {
        let conf = Conf::parse(text.as_bytes(), "o.conf").unwrap();
        let list = |name| {
            let setting = conf.get(name)?;
            Some(DataSet::read(setting, Path::new("/")).unwrap())
        };
        let lists = Lists {
            sign: list("SignHeaders"),
            omit: list("OmitHeaders"),
            oversign: list("OversignHeaders"),
        };
        let mut report = Report::default();
        let headers = Headers::new(&lists, &mut report);
        let text = |names: &[FieldName]| {
            let names: Vec<_> = names.iter().map(FieldName::as_str).collect();
            names.join(" ")
        };
        let outcomes = report
            .entries
            .into_iter()
            .map(|entry| entry.outcome)
            .collect();
        (text(&headers.sign), text(&headers.oversign), outcomes)
    }

    #[test]
    fn a_list_replaces_the_default_and_from_is_always_there() {
        let (sign, oversign, odd) = headers("SignHeaders Subject,X-Foo,Received\n");
        assert_eq!(
            (sign.as_str(), oversign.as_str()),
            ("from subject x-foo", "")
        );
        assert!(odd.is_empty());
    }

    #[test]
    fn what_signet_never_signs_is_told() {
        let (sign, _, odd) = headers("SignHeaders Received,Comments\nOmitHeaders .\n");
        assert_eq!(sign, "from comments");
        assert_eq!(odd, [Outcome::Changed]);
    }

    #[test]
    fn a_star_makes_the_list_a_change_of_the_default() {
        let all = SIGNED.join(" ");
        assert_eq!(headers("").0, all);
        let (sign, ..) = headers("SignHeaders *,+X-Foo,-Subject\n");
        assert_eq!(sign, format!("{} x-foo", all.replace("subject ", "")));
        let (sign, _, odd) = headers("SignHeaders To,*,+Comments\nOmitHeaders *,+Cc,-Comments\n");
        assert_eq!(
            sign,
            format!("{} comments", all.replace("cc resent-d", "resent-d"))
        );
        assert_eq!(odd, [Outcome::Dropped]);
    }

    #[test]
    fn a_pattern_is_written_out() {
        let (sign, _, odd) = headers("SignHeaders List-Un*\n");
        assert_eq!(sign, "from list-unsubscribe list-unsubscribe-post");
        assert_eq!(odd, [Outcome::Changed]);
    }

    #[test]
    fn what_is_oversigned_is_not_signed_twice() {
        let (sign, oversign, odd) =
            headers("SignHeaders From,To\nOversignHeaders From,X-Nix,*,-To\n");
        assert_eq!((sign.as_str(), oversign.as_str()), ("to", "from x-nix"));
        assert_eq!(odd, [Outcome::Dropped, Outcome::Dropped]);
        assert_eq!(headers("OmitHeaders From\n").2, [Outcome::Changed]);
    }
}
