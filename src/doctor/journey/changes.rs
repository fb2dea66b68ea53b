//! What was changed in a message on its way: the message that was sent against the one
//! that arrived. Looks at what signatures cover; fields that servers add on top are none
//! of its business.

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub place: Place,
    pub what: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The field of this name, in small letters.
    Field(String),
    Body(Kind),
}

/// What became of the body, which tells who does that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    LinesAdded,
    Encoded,
    Wrapped,
    Edited,
}

/// What was changed, in the order of the message; nothing when it arrived as it was
/// sent.
pub fn changes(sent: &[u8], arrived: &[u8]) -> Vec<Change> {
    let (sent, arrived) = (Parts::of(sent), Parts::of(arrived));
    let fields = fields(&sent, &arrived).into_iter();
    let mut changes: Vec<Change> = fields
        .map(|(name, what)| Change {
            place: Place::Field(name),
            what,
        })
        .collect();
    changes.extend(body(&sent.body, &arrived.body).map(|(kind, what)| Change {
        place: Place::Body(kind),
        what,
    }));
    changes
}

/// Names of fields, and what became of each.
fn fields(sent: &Parts, arrived: &Parts) -> Vec<(String, String)> {
    let mut changes = Vec::new();
    let mut change = |name: &String, what: String| changes.push((name.clone(), what));
    for (name, value) in &sent.fields {
        let now: Vec<&String> = arrived.named(name).collect();
        match now.as_slice() {
            [] => change(name, format!("the field {name} was removed")),
            values if values.contains(&value) => {
                if values.len() > 1 {
                    change(name, format!("another {name} field was added"));
                }
            }
            [other, ..] if squeezed(other) == squeezed(value) => {
                change(
                    name,
                    format!("the white space of the field {name} was changed"),
                );
            }
            [other, ..] => change(
                name,
                format!(
                    "the field {name} was \"{}\" and is \"{}\"",
                    shown(value),
                    shown(other)
                ),
            ),
        }
    }
    changes
}

pub(super) struct Parts {
    /// Names in small letters; values with their folds.
    pub(super) fields: Vec<(String, String)>,
    body: Vec<String>,
}

impl Parts {
    pub(super) fn of(message: &[u8]) -> Self {
        let text = String::from_utf8_lossy(message).replace("\r\n", "\n");
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in head.lines() {
            match (line.starts_with([' ', '\t']), fields.last_mut()) {
                (true, Some((_, value))) => {
                    value.push('\n');
                    value.push_str(line);
                }
                _ => {
                    let (name, value) = line.split_once(':').unwrap_or((line, ""));
                    fields.push((name.trim_end().to_lowercase(), value.to_owned()));
                }
            }
        }
        Self {
            fields,
            body: body.lines().map(str::to_owned).collect(),
        }
    }

    fn named<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p String> {
        let fields = self.fields.iter().filter(move |(each, _)| each == name);
        fields.map(|(_, value)| value)
    }
}

/// The first change that explains the body; what lies behind it is not looked at.
fn body(sent: &[String], arrived: &[String]) -> Option<(Kind, String)> {
    if sent == arrived {
        return None;
    }
    if let Some(added) = arrived.strip_prefix(sent) {
        let first = added.iter().find(|line| !line.is_empty());
        let first = first.map(|line| shown(line)).unwrap_or_default();
        let what = match added.len() {
            1 => format!("a line was added at the end: \"{first}\""),
            count => format!("a footer of {count} lines was added: \"{first}\""),
        };
        return Some((Kind::LinesAdded, what));
    }
    if let Some(added) = arrived.strip_suffix(sent) {
        let what = match added.len() {
            1 => "a line was put before the body".to_owned(),
            count => format!("{count} lines were put before the body"),
        };
        return Some((Kind::LinesAdded, what));
    }
    if let Some(cut) = sent.strip_prefix(arrived) {
        let what = match cut.len() {
            1 => "the last line of the body was removed".to_owned(),
            count => format!("the last {count} lines of the body were removed"),
        };
        return Some((Kind::Edited, what));
    }
    let same = sent.iter().zip(arrived).take_while(|(a, b)| a == b).count();
    let (was, is) = (sent.get(same)?, arrived.get(same)?);
    let number = same + 1;
    let quoted = is.contains('=') && !was.contains(is.as_str());
    if !was.is_ascii() && is.is_ascii() && quoted {
        let what = "8-bit text was made quoted-printable: the next hop lacks 8BITMIME";
        return Some((Kind::Encoded, what.to_owned()));
    }
    if was.len() > is.len() && is.len() >= 900 && was.starts_with(is.as_str()) {
        let what = format!(
            "line {number} was wrapped at {} bytes; it has {}",
            is.len(),
            was.len()
        );
        return Some((Kind::Wrapped, what));
    }
    let what = if was.trim_end() == is.trim_end() {
        format!("white space at the end of line {number} was changed")
    } else if squeezed(was) == squeezed(is) {
        format!("the white space of line {number} was changed")
    } else if *is == format!(">{was}") {
        format!("\">\" was put before line {number}, which begins with \"From \"")
    } else if was.strip_prefix('.') == Some(is.as_str()) {
        format!("line {number} has lost the dot that it begins with")
    } else {
        format!(
            "line {number} was \"{}\" and is \"{}\"",
            shown(was),
            shown(is)
        )
    };
    Some((Kind::Edited, what))
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

/// At most 60 characters on one line.
pub(super) fn shown(text: &str) -> String {
    let text = text.trim();
    let mut shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str =
        "From: a@example.org\r\nSubject: one\r\n two\r\n\r\nGrüße,\r\n.dot \r\nend\r\n";

    fn after(from: &str, to: &str) -> Vec<String> {
        let changes = changes(SENT.as_bytes(), SENT.replace(from, to).as_bytes());
        changes.into_iter().map(|change| change.what).collect()
    }

    #[test]
    fn what_was_changed_is_said_in_words() {
        assert_eq!(after("From", "Received: by b\r\nFrom"), [""; 0]);
        assert_eq!(
            after("end\r\n", "end\r\n-- \r\nAd\r\n"),
            ["a footer of 2 lines was added: \"--\""]
        );
        assert_eq!(
            after("end\r\n", ""),
            ["the last line of the body was removed"]
        );
        assert_eq!(
            after("Grüße", "Gr=C3=BC=C3=9Fe"),
            ["8-bit text was made quoted-printable: the next hop lacks 8BITMIME"]
        );
        assert_eq!(
            after(".dot \r\n", ".dot\r\n"),
            ["white space at the end of line 2 was changed"]
        );
        assert_eq!(
            after(".dot ", "dot "),
            ["line 2 has lost the dot that it begins with"]
        );
        assert_eq!(
            after("\r\n two", " two"),
            ["the white space of the field subject was changed"]
        );
        assert_eq!(
            after("Subject: one", "Subject: [x] one"),
            ["the field subject was \"one\\n two\" and is \"[x] one\\n two\""]
        );
        assert_eq!(
            after("From: a", "From: b@example.org\r\nFrom: a"),
            ["another from field was added"]
        );
        let long = "x".repeat(1200);
        let wrapped = changes(
            format!("A: b\r\n\r\n{long}\r\n").as_bytes(),
            format!("A: b\r\n\r\n{}\r\n {}\r\n", &long[..998], &long[998..]).as_bytes(),
        );
        assert_eq!(
            wrapped[0].what,
            "line 1 was wrapped at 998 bytes; it has 1200"
        );
        assert_eq!(
            after("Grüße,", "Hallo,"),
            ["line 1 was \"Grüße,\" and is \"Hallo,\""]
        );
    }
}
