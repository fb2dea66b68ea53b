//! Tag lists (RFC 6376 §3.2), the syntax of both the `DKIM-Signature` field and the
//! key record. Knows the syntax only, no tag's meaning.

/// Why a text is not a tag list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    #[error("\"{0}\" is not a tag: it has no \"=\"")]
    NoEquals(String),
    #[error("\"{0}\" is not a tag name")]
    BadName(String),
    #[error("the tag \"{0}\" is there twice")]
    Twice(String),
}

/// Tags in their order, values without the white space around them.
#[derive(Debug)]
pub(super) struct TagList<'a>(Vec<(&'a str, &'a [u8])>);

impl<'a> TagList<'a> {
    pub fn parse(text: &'a [u8]) -> Result<Self, TagError> {
        let mut tags: Vec<(&str, &[u8])> = Vec::new();
        for part in text.split(|&byte| byte == b';') {
            let part = part.trim_ascii();
            if part.is_empty() {
                continue;
            }
            let at = memchr::memchr(b'=', part).ok_or_else(|| TagError::NoEquals(shown(part)))?;
            let (name, value) = part.split_at_checked(at).unwrap_or((part, &[]));
            let name = name.trim_ascii_end();
            let name = match std::str::from_utf8(name) {
                Ok(text) if is_tag_name(name) => text,
                _ => return Err(TagError::BadName(shown(name))),
            };
            if tags.iter().any(|(other, _)| *other == name) {
                // RFC 6376 §3.2: tags with duplicate names make the whole list invalid.
                return Err(TagError::Twice(name.to_owned()));
            }
            tags.push((name, value.get(1..).unwrap_or_default().trim_ascii()));
        }
        Ok(Self(tags))
    }

    /// The value of a tag; names are case-sensitive (§3.2).
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        let found = self.0.iter().find(|(other, _)| *other == name)?;
        Some(found.1)
    }

    /// The value with the white space within it taken out, which no tag but `n=`
    /// gives a meaning; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self, name: &str) -> Option<String> {
        let value: Vec<u8> = self.get(name)?.to_vec();
        let packed: Vec<u8> = value
            .into_iter()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        Some(String::from_utf8_lossy(&packed).into_owned())
    }

    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.0.iter().map(|(name, _)| *name)
    }
}

fn is_tag_name(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

/// At most 40 characters of hostile text, made printable.
fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_lists_3_2() {
        let tags = TagList::parse(b" v=1; bh =\r\n\ta b=\r\n ; d = x.example ;\r\n").unwrap();
        assert_eq!(tags.text("v").as_deref(), Some("1"));
        assert_eq!(tags.text("bh").as_deref(), Some("ab="));
        assert_eq!(tags.get("d"), Some(&b"x.example"[..]));
        assert_eq!(tags.get("D"), None);
    }

    #[test]
    fn what_is_no_tag_list_says_why_3_2() {
        let error = |text: &[u8]| TagList::parse(text).unwrap_err();
        assert_eq!(error(b"v=1; foo"), TagError::NoEquals("foo".into()));
        assert_eq!(error(b"v=1; v=2"), TagError::Twice("v".into()));
        assert_eq!(error(b"1x=1"), TagError::BadName("1x".into()));
    }
}
