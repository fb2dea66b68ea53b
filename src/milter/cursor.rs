//! The only way in which a payload is read: every step checks its bounds and can
//! fail. Nothing here knows what the bytes mean.

use thiserror::Error;

/// How a payload breaks the form that its command prescribes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Fault {
    #[error("ends too early")]
    Short,
    #[error("has a string without its NUL")]
    Unterminated,
    #[error("goes on behind its last part")]
    Trailing,
    #[error("has a macro name without a value")]
    OddMacros,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'f> {
    rest: &'f [u8],
}

impl<'f> Cursor<'f> {
    pub(super) fn new(payload: &'f [u8]) -> Self {
        Self { rest: payload }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'f [u8] {
        self.rest
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Fault::Short)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Fault> {
        self.take().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Fault> {
        self.take().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Fault> {
        self.take().map(u32::from_be_bytes)
    }

    /// A string up to its NUL, which is taken and not given.
    pub(super) fn string(&mut self) -> Result<&'f [u8], Fault> {
        let end = first_nul(self.rest).ok_or(Fault::Unterminated)?;
        let (string, rest) = self.rest.split_at_checked(end).ok_or(Fault::Short)?;
        self.rest = rest.split_first().map_or(&[], |(_, rest)| rest);
        Ok(string)
    }

    /// # Errors
    /// When anything is left.
    pub(super) fn finish(self) -> Result<(), Fault> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Fault::Trailing)
        }
    }
}

/// Most strings are names and short values, of which a message brings a hundred: in its
/// first words a NUL is found sooner than a search of long text begins.
const WORDS: usize = 4;

fn first_nul(text: &[u8]) -> Option<usize> {
    let words = text.as_chunks::<8>().0.iter().take(WORDS);
    let mut seen = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        // The lowest of these bits belongs to the first NUL; those above it may lie.
        let nul = word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080;
        if nul != 0 {
            return Some(seen + nul.trailing_zeros() as usize / 8);
        }
        seen += 8;
    }
    memchr::memchr(0, text.get(seen..)?).map(|end| seen + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_nul_ends_a_string_wherever_it_stands() {
        for length in 0..80 {
            for byte in [1, 0x7f, 0x80, 0xff] {
                let string = vec![byte; length];
                assert_eq!(Cursor::new(&string).string(), Err(Fault::Unterminated));
                for behind in [
                    &b"\0"[..],
                    b"\0\0\x01\0",
                    b"\0\x01\x01\x01\x01\x01\x01\x01\x01",
                ] {
                    let text = [&string, behind].concat();
                    let mut cursor = Cursor::new(&text);
                    assert_eq!(cursor.string(), Ok(&*string));
                    assert_eq!(cursor.rest(), &behind[1..]);
                }
            }
        }
    }

    #[test]
    fn every_step_checks_its_bounds() {
        let mut cursor = Cursor::new(b"\x01\x02\x03ab\0\0x");
        assert_eq!(cursor.u32(), Ok(0x0102_0361));
        assert_eq!(cursor.string(), Ok(&b"b"[..]));
        assert_eq!(cursor.string(), Ok(&b""[..]));
        assert_eq!(cursor.u16(), Err(Fault::Short));
        assert_eq!(cursor.string(), Err(Fault::Unterminated));
        assert_eq!(cursor.finish(), Err(Fault::Trailing));
        assert_eq!(cursor.u8(), Ok(b'x'));
        assert_eq!(cursor.u8(), Err(Fault::Short));
        assert_eq!(cursor.finish(), Ok(()));
    }
}
