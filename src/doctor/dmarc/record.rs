//! A DMARC record as its tags (RFC 9989 section 4.7), and what receivers make of it.

/// The tags that there are, and the values that they may have; none where it may be
/// anything.
const TAGS: [(&str, Option<&[&str]>); 11] = [
    ("v", None),
    ("p", None),
    ("sp", None),
    ("np", None),
    ("adkim", Some(&["r", "s"])),
    ("aspf", Some(&["r", "s"])),
    ("fo", Some(&["0", "1", "d", "s", "d:s", "s:d"])),
    ("psd", Some(&["y", "n", "u"])),
    ("rua", None),
    ("ruf", None),
    ("t", Some(&["y", "n"])),
];

/// Tags of RFC 7489 that RFC 9989 took out.
const OBSOLETE: [&str; 3] = ["pct", "rf", "ri"];

/// What should be done with mail that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    None,
    Quarantine,
    Reject,
}

impl Policy {
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    fn read(text: &str) -> Option<Self> {
        let all = [Self::None, Self::Quarantine, Self::Reject];
        all.into_iter()
            .find(|policy| text.eq_ignore_ascii_case(policy.name()))
    }

    /// One level below, which `t=y` asks for.
    pub fn milder(self) -> Self {
        match self {
            Self::Reject => Self::Quarantine,
            Self::Quarantine | Self::None => Self::None,
        }
    }
}

/// Whether the domain that a record lies at says that it is a public suffix (`psd=`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suffix {
    Yes,
    No,
    Unsaid,
}

/// What an author's domain is to the domain that the record lies at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// It is that domain.
    Same,
    /// It lies below, and exists.
    Below,
    /// It lies below, and DNS does not know it (RFC 8020).
    Missing,
}

/// The policy that counts for an author, and the tag that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    pub tag: &'static str,
    pub policy: Policy,
}

/// A DMARC record; whatever follows `v=DMARC1` may be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    parts: Vec<String>,
}

impl Record {
    /// None for a text that is no DMARC record: `v=DMARC1` comes first, written so.
    pub fn read(text: &str) -> Option<Self> {
        let (name, version) = tag(text.split(';').next()?)?;
        if name != "v" || version != "DMARC1" {
            return None;
        }
        let parts = text.split(';').map(str::trim);
        let parts = parts.filter(|part| !part.is_empty());
        Some(Self {
            parts: parts.map(str::to_owned).collect(),
        })
    }

    /// The value of a tag.
    pub fn value(&self, wanted: &str) -> Option<&str> {
        let tags = self.parts.iter().filter_map(|part| tag(part));
        let mut values = tags.filter(|(name, _)| name == wanted);
        values.next().map(|(_, value)| value)
    }

    fn says(&self, wanted: &str, value: &str) -> bool {
        self.value(wanted)
            .is_some_and(|text| text.eq_ignore_ascii_case(value))
    }

    pub fn suffix(&self) -> Suffix {
        match (self.says("psd", "y"), self.says("psd", "n")) {
            (true, _) => Suffix::Yes,
            (_, true) => Suffix::No,
            _ => Suffix::Unsaid,
        }
    }

    /// Whether only a signature by the very domain of the author counts.
    pub fn is_strict(&self) -> bool {
        self.says("adkim", "s")
    }

    /// Whether the policy is only tried out.
    pub fn is_tried_out(&self) -> bool {
        self.says("t", "y")
    }

    /// What receivers are asked to do with mail of an author (section 4.10.1).
    ///
    /// # Errors
    /// What is wrong with the policies; then receivers take `p=none` where the record
    /// has an address for reports, and pass it over where it has none.
    pub fn wish(&self, author: Author) -> Result<Wish, String> {
        let mut said = Vec::new();
        for name in ["p", "sp", "np"] {
            let Some(value) = self.value(name) else {
                continue;
            };
            match Policy::read(value) {
                Some(policy) => said.push(Wish { tag: name, policy }),
                None => {
                    return Err(format!(
                        "{name}={value} is no policy; none, quarantine and reject are"
                    ));
                }
            }
        }
        let of = |name: &str| said.iter().find(|wish| wish.tag == name).copied();
        let general = match of("p") {
            Some(wish) => wish,
            None if self.has_reports() => Wish {
                tag: "p",
                policy: Policy::None,
            },
            None => return Err("there is no policy (p=)".to_owned()),
        };
        let below = of("sp").unwrap_or(general);
        Ok(match author {
            Author::Same => general,
            Author::Below => below,
            Author::Missing => of("np").unwrap_or(below),
        })
    }

    /// Whether reports go anywhere.
    pub fn has_reports(&self) -> bool {
        self.value("rua")
            .is_some_and(|list| list.split(',').any(is_uri))
    }

    /// The domains that reports go to by mail.
    pub fn report_domains(&self) -> Vec<&str> {
        let addresses = self.value("rua").unwrap_or_default().split(',');
        addresses
            .filter_map(|uri| uri.trim().get(7..).filter(|_| is_mail(uri)))
            .filter_map(|address| address.split_once('@'))
            .map(|(_, domain)| domain.split(['!', '?']).next().unwrap_or(domain))
            .collect()
    }

    /// What RFC 9989 took out of the language.
    pub fn obsolete(&self) -> Vec<String> {
        let tags = OBSOLETE.iter().filter(|tag| self.value(tag).is_some());
        let mut found: Vec<String> = tags.map(|tag| (*tag).to_owned()).collect();
        for name in ["rua", "ruf"] {
            if self.value(name).is_some_and(|list| list.contains('!')) {
                found.push(format!("the size limit (!) in {name}"));
            }
        }
        found
    }

    /// The record without what is obsolete.
    pub fn renewed(&self) -> Self {
        let mut record = self.without(&OBSOLETE);
        for part in &mut record.parts {
            let uris = tag(part).is_some_and(|(name, _)| name == "rua" || name == "ruf");
            if uris {
                let uris = part
                    .split(',')
                    .map(|uri| uri.split('!').next().unwrap_or(uri));
                *part = uris.collect::<Vec<_>>().join(",");
            }
        }
        record
    }

    /// The percentage of mail that the policy was to be applied to, where it was not all.
    pub fn is_partial(&self) -> bool {
        self.value("pct").is_some_and(|percent| percent != "100")
    }

    /// What receivers pass over, a line each: what is no tag, and what is no value.
    pub fn passed_over(&self) -> Vec<String> {
        let mut found = Vec::new();
        for part in &self.parts {
            let Some((name, value)) = tag(part) else {
                found.push(format!("\"{part}\" is no tag"));
                continue;
            };
            if OBSOLETE.contains(&name.as_str()) {
                continue;
            }
            let Some((_, values)) = TAGS.iter().find(|(known, _)| *known == name) else {
                found.push(format!("{name}= is no tag of DMARC"));
                continue;
            };
            let is_one = |value: &str| {
                values
                    .is_none_or(|values| values.iter().any(|each| value.eq_ignore_ascii_case(each)))
            };
            if !is_one(value) {
                let values = values.unwrap_or_default().join(", ");
                found.push(format!("{name}={value} is none of {values}"));
            }
            if name == "rua" || name == "ruf" {
                let wrong = value.split(',').map(str::trim).filter(|uri| !is_uri(uri));
                found.extend(wrong.map(|uri| format!("{name}: \"{uri}\" lacks mailto:")));
            }
        }
        found
    }

    /// The record with a tag of that value, in its place or at the end.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut record = self.clone();
        let right = format!("{name}={value}");
        let place = record
            .parts
            .iter_mut()
            .find(|part| tag(part).is_some_and(|(known, _)| known == name));
        match place {
            Some(part) => *part = right,
            // Readers of old wanted the policy to come second.
            None if name == "p" => record.parts.insert(1, right),
            None => record.parts.push(right),
        }
        record
    }

    /// The record without these tags.
    pub fn without(&self, names: &[&str]) -> Self {
        let mut record = self.clone();
        record
            .parts
            .retain(|part| tag(part).is_none_or(|(name, _)| !names.contains(&name.as_str())));
        record
    }
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.parts.join("; "))
    }
}

/// A tag's name in small letters, and its value.
fn tag(part: &str) -> Option<(String, &str)> {
    let (name, value) = part.split_once('=')?;
    Some((name.trim().to_ascii_lowercase(), value.trim()))
}

/// A scheme, and something behind it.
fn is_uri(text: &str) -> bool {
    let parts = text.trim().split_once(':');
    parts.is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && !scheme.contains('@')
    })
}

fn is_mail(uri: &str) -> bool {
    let scheme = uri.trim().get(..7);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
}

#[cfg(test)]
mod tests;
