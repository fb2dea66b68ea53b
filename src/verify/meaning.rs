//! Each tag of a signature in words (RFC 6376 section 3.5, RFC 6651 for `r=`): what it
//! says, for people. Judges nothing, and says something of every tag that can be read,
//! whether the signature keeps the rules or not.

use super::reason::date;
use super::tags::TagList;

/// A tag and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagReport {
    pub name: String,
    /// Without white space.
    pub value: String,
    pub words: String,
}

/// The tags in the order of the field; none when it is no tag list. `now` is in seconds
/// since 1970.
pub(super) fn of(field: &[u8], now: u64) -> Vec<TagReport> {
    let Ok(tags) = TagList::parse(field) else {
        return Vec::new();
    };
    let names = tags.names();
    names
        .map(|name| {
            let value = tags.text(name).unwrap_or_default();
            let words = words(name, &value, &tags, now);
            let name = name.to_owned();
            TagReport { name, value, words }
        })
        .collect()
}

fn words(name: &str, value: &str, tags: &TagList<'_>, now: u64) -> String {
    let text = |name| tags.text(name).unwrap_or_default();
    match name {
        "v" => "the version of DKIM signatures; there is only 1".to_owned(),
        "a" => algorithm(value).to_owned(),
        "c" => canonicalization(value),
        "d" => "the signing domain, which answers for the message".to_owned(),
        "s" => format!(
            "the selector: the key is at {value}._domainkey.{}",
            text("d")
        ),
        "i" => "the identity: on whose behalf the domain signs".to_owned(),
        "t" => match value.parse() {
            Ok(time) => format!("signed on {}, {}", date(time), when(time, now)),
            Err(_) => "when it was signed, but this is no time".to_owned(),
        },
        "x" => match value.parse() {
            Ok(time) if time < now => format!("expired on {}, {}", date(time), when(time, now)),
            Ok(time) => format!("expires on {}, {}", date(time), when(time, now)),
            Err(_) => "when it expires, but this is no time".to_owned(),
        },
        "l" => format!(
            "only the first {value} bytes of the body are signed; anybody can put more behind them"
        ),
        "q" => "how to find the key; there is only DNS".to_owned(),
        "h" => {
            let count = value.split(':').filter(|name| !name.is_empty()).count();
            format!(
                "the {count} header fields that are signed; a name too many keeps one from being added"
            )
        }
        "z" => format!(
            "copies of {} header fields as they were when it was signed",
            value.split('|').count()
        ),
        "bh" => "the hash of the body".to_owned(),
        "b" => "the signature itself".to_owned(),
        "r" => "asks receivers to report failures to the domain (RFC 6651)".to_owned(),
        _ => "a tag that no verifier knows; it is passed over".to_owned(),
    }
}

fn algorithm(value: &str) -> &'static str {
    match value.to_ascii_lowercase().as_str() {
        "rsa-sha256" => "RSA over SHA-256, which every receiver can check",
        "ed25519-sha256" => "Ed25519 over SHA-256, which not every receiver can check",
        "rsa-sha1" => "RSA over SHA-1, which counts as no signature since RFC 8301",
        _ => "an algorithm that nobody checks",
    }
}

fn canonicalization(value: &str) -> String {
    let (header, body) = value.split_once('/').unwrap_or((value, "simple"));
    let header = match header.eq_ignore_ascii_case("relaxed") {
        true => "in header fields white space and folding may change",
        false => "in header fields nothing may change",
    };
    let body = match body.eq_ignore_ascii_case("relaxed") {
        true => "in the body the width of white space, and empty lines at the end",
        false => "in the body nothing but empty lines at the end",
    };
    format!("{header}, {body}")
}

/// How long ago, or in how long.
fn when(time: u64, now: u64) -> String {
    match now.checked_sub(time) {
        Some(past) => format!("{} ago", span(past)),
        None => format!("in {}", span(time.saturating_sub(now))),
    }
}

fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(field: &str) -> Vec<String> {
        let tags = of(field.as_bytes(), 1_767_323_045);
        tags.into_iter().map(|tag| tag.words).collect()
    }

    #[test]
    fn times_are_told_in_dates_and_spans_3_5() {
        assert_eq!(
            said("t=1767322925; x=1767582245"),
            [
                "signed on 2026-01-02 03:02:05 UTC, 2 minutes ago",
                "expires on 2026-01-05 03:04:05 UTC, in 3 days",
            ]
        );
        assert_eq!(
            said("x=1767323044"),
            ["expired on 2026-01-02 03:04:04 UTC, 1 second ago"]
        );
        assert_eq!(said("t=soon"), ["when it was signed, but this is no time"]);
    }

    #[test]
    fn one_word_of_c_is_the_header_s_and_the_body_is_simple_3_5() {
        assert_eq!(
            said("c=relaxed"),
            [
                "in header fields white space and folding may change, in the body nothing but empty lines at the end"
            ]
        );
    }

    #[test]
    fn what_is_no_tag_list_has_no_words() {
        assert_eq!(said("v=1; nonsense"), [""; 0]);
        assert_eq!(
            said("q=dns/txt; y=1"),
            [
                "how to find the key; there is only DNS",
                "a tag that no verifier knows; it is passed over"
            ]
        );
    }
}
