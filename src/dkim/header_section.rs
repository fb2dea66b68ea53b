//! The header section of one message, as it came.
//!
//! All names and values lie in one arena, so that a message of three thousand fields
//! costs two allocations that grow. Nothing is interpreted here: a field with control
//! characters or without a value is a field.

use std::fmt;

/// The header fields of a message, in order.
#[derive(Default)]
pub struct HeaderSection {
    bytes: Vec<u8>,
    /// Where each field's name and value end; a field begins where the last one ended.
    ends: Vec<Ends>,
}

#[derive(Clone, Copy)]
struct Ends {
    name: usize,
    value: usize,
}

/// One header field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'s> {
    pub name: &'s [u8],
    /// What follows the colon, white space and all, without the line end at its end.
    pub value: &'s [u8],
}

impl Field<'_> {
    /// Whether this is the field called `name`, in any case.
    pub fn is(&self, name: &str) -> bool {
        // RFC 5322 §4.5.8 allowed white space before the colon.
        trim_end(self.name).eq_ignore_ascii_case(name.as_bytes())
    }
}

/// `text` without the SP and TAB at its end.
pub(super) fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// Header text may be private, so it shows the name alone.
impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: …", self.name.escape_ascii())
    }
}

impl HeaderSection {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field at the bottom. `value` is what follows the colon, white space
    /// included; its lines end in LF, as a milter gets them, or in CRLF.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        if self.bytes.capacity() == 0 {
            // Ordinary mail then needs no more.
            self.bytes.reserve(4096);
            self.ends.reserve(32);
        }
        self.bytes.extend_from_slice(name);
        let name = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.ends.push(Ends {
            name,
            value: self.bytes.len(),
        });
    }

    /// The fields from the top down.
    pub fn fields(&self) -> impl DoubleEndedIterator<Item = Field<'_>> + ExactSizeIterator {
        (0..self.ends.len()).map(|index| self.field(index))
    }

    /// The field at `index`, counted from the top; an empty one behind the last.
    pub(super) fn field(&self, index: usize) -> Field<'_> {
        let start = match index.checked_sub(1) {
            Some(last) => self.ends.get(last).map_or(0, |ends| ends.value),
            None => 0,
        };
        let (name, value) = match self.ends.get(index) {
            Some(ends) => (
                self.bytes.get(start..ends.name),
                self.bytes.get(ends.name..ends.value),
            ),
            None => (None, None),
        };
        Field {
            name: name.unwrap_or_default(),
            value: value.unwrap_or_default(),
        }
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of the section, each field counted with its colon and one CRLF.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.ends.len() * ":\r\n".len()
    }

    /// Forgets every field and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// Header text may be private, so it shows sizes alone.
impl fmt::Debug for HeaderSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderSection")
            .field("len", &self.len())
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_as_they_went_in() {
        let mut section = HeaderSection::new();
        section.push(b"From", b" a@b");
        section.push(b"X", b"");
        section.push(b"Subject ", b"\n folded");
        assert_eq!((section.len(), section.size()), (3, 4 + 4 + 1 + 8 + 8 + 9));
        let names: Vec<_> = section.fields().map(|field| field.name).collect();
        assert_eq!(names, [&b"From"[..], b"X", b"Subject "]);
        let last = section.fields().next_back().unwrap();
        assert_eq!(last.value, b"\n folded");
        assert!(last.is("subject"));
        section.clear();
        assert_eq!((section.len(), section.size()), (0, 0));
    }

    #[test]
    fn debug_shows_no_header_text() {
        let mut section = HeaderSection::new();
        section.push(b"Subject", b" secret");
        assert!(!format!("{section:?}").contains("secret"));
        assert!(!format!("{:?}", section.fields().next()).contains("secret"));
    }
}
