//! The lexical tokens of an address field (RFC 5322 §3.2): white space and comments
//! are gaps between them.
//!
//! Stricter than the readers of mail, on purpose: whatever two of them might see
//! differently is a [`Doubt`].

/// The most bytes of a field that is looked at. A field that names one author has
/// hundreds at most, and the work per message must have a bound.
pub const LONGEST: usize = 8192;

/// How deep comments may lie in each other.
const DEEPEST: usize = 32;

/// Why a field does not name one author for every reader. Never holds text of the
/// message.
pub type Doubt = &'static str;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Letters, digits, and whatever else an atom may hold, and bytes beyond ASCII.
    Atom,
    /// A quoted string, its quotes included.
    Quoted,
    /// `[...]`, the brackets included.
    Literal,
    /// One of `, : ; < > @ .`
    Special(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'f> {
    pub kind: Kind,
    pub text: &'f [u8],
    /// Whether white space or a comment stands before it.
    pub gap: bool,
}

/// Cuts the value of a field, what follows its colon, into tokens.
pub fn tokens(value: &[u8]) -> Result<Vec<Token<'_>>, Doubt> {
    if value.len() > LONGEST {
        return Err("it is too long for one address");
    }
    let mut rest = value;
    let mut tokens = Vec::new();
    let mut gap = false;
    while let [first, after @ ..] = rest {
        let (kind, length) = match first {
            b' ' | b'\t' => {
                rest = after;
                gap = true;
                continue;
            }
            b'\r' | b'\n' => {
                rest = line_end(rest)?;
                gap = true;
                continue;
            }
            b'(' => {
                rest = comment(rest)?;
                gap = true;
                continue;
            }
            b'"' => (Kind::Quoted, quoted(rest)?),
            b'[' => (Kind::Literal, literal(rest)?),
            b',' | b':' | b';' | b'<' | b'>' | b'@' | b'.' => (Kind::Special(*first), 1),
            _ if is_atom(*first) => {
                let length = rest.iter().take_while(|b| is_atom(**b)).count();
                (Kind::Atom, length)
            }
            b')' | b']' => return Err("a bracket closes that was not opened"),
            b'\\' => return Err("there is a backslash outside of quotes"),
            _ => return Err("there is a control character"),
        };
        let (text, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        tokens.push(Token { kind, text, gap });
        gap = false;
        rest = after;
    }
    Ok(tokens)
}

/// RFC 5322 §3.2.3, and every byte beyond ASCII: RFC 6532 §3.2 allows UTF-8, and old
/// mail writes names in whatever it has.
fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// Between tokens a CR alone is white space: to a reader who takes it for a line end,
/// a part of an address is missing, and never another address there.
fn line_end(text: &[u8]) -> Result<&[u8], Doubt> {
    match text {
        [b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..] => match rest {
            [] | [b' ' | b'\t', ..] => Ok(rest),
            _ => Err("a line does not begin with white space"),
        },
        [b'\r', rest @ ..] => Ok(rest),
        _ => Ok(text),
    }
}

/// How many bytes of `text`, which lies in quotes or a comment, make one character:
/// an escaped one counts with its backslash.
fn inner(text: &[u8]) -> Result<usize, Doubt> {
    match text {
        [b'\\', next, ..] if (32..127).contains(next) || *next == b'\t' => Ok(2),
        [b'\\', ..] => Err("a backslash stands before what cannot be escaped"),
        [b'\r', b'\n', b' ' | b'\t', ..] => Ok(2),
        [b'\n', b' ' | b'\t', ..] | [b'\t', ..] => Ok(1),
        [0..32 | 127, ..] => Err("there is a control character in quotes or a comment"),
        _ => Ok(1),
    }
}

/// What follows the comment that `text` begins with.
fn comment(text: &[u8]) -> Result<&[u8], Doubt> {
    let mut rest = text;
    let mut depth = 0;
    while let [first, ..] = rest {
        let mut length = 1;
        match first {
            b'(' if depth == DEEPEST => return Err("comments lie too deep in each other"),
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => length = inner(rest)?,
        }
        rest = rest.get(length..).unwrap_or_default();
        if depth == 0 {
            return Ok(rest);
        }
    }
    Err("a comment is not closed")
}

/// The length of the quoted string that `text` begins with.
fn quoted(text: &[u8]) -> Result<usize, Doubt> {
    let mut length = 1;
    loop {
        match text.get(length..) {
            Some([b'"', ..]) => return Ok(length + 1),
            Some(rest @ [_, ..]) => length += inner(rest)?,
            _ => return Err("a quote is not closed"),
        }
    }
}

/// The length of the bracketed text that `text` begins with.
fn literal(text: &[u8]) -> Result<usize, Doubt> {
    for (index, byte) in text.iter().enumerate().skip(1) {
        match byte {
            b']' => return Ok(index + 1),
            b'[' | b'\\' | b'<' | b'>' | b'(' | b')' | b'"' | 0..=31 | 127 => break,
            _ => {}
        }
    }
    Err("a bracket is not closed")
}
