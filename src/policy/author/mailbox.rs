//! The mailboxes of an address field (RFC 5322 §3.4, groups by RFC 6854).
//!
//! Of the obsolete syntax of §4.4 only empty places in a list and dots in a display
//! name are taken: the rest is read differently by different readers.

use super::token::{Doubt, Kind, Token, tokens};

/// One mailbox, as written: the local part without quotes, the domain unchecked.
#[derive(Clone, PartialEq, Eq)]
pub struct Mailbox {
    pub local: String,
    pub domain: String,
    /// Whether the local part is an atom, so that it is written as it is.
    pub plain: bool,
}

const AT: Kind = Kind::Special(b'@');
const DOT: Kind = Kind::Special(b'.');

/// Every mailbox of the field's value, those in groups included.
pub fn mailboxes(value: &[u8]) -> Result<Vec<Mailbox>, Doubt> {
    let tokens = tokens(value)?;
    let mut found = Vec::new();
    let mut in_group = false;
    let mut rest = tokens.as_slice();
    loop {
        let end = rest.iter().position(|token| ends_a_word(token.kind));
        let (words, after) = rest.split_at(end.unwrap_or(rest.len()));
        let Some((separator, after)) = after.split_first() else {
            address_alone(words, &mut found)?;
            return match in_group {
                true => Err("a group is not closed"),
                false => Ok(found),
            };
        };
        rest = match separator.kind {
            Kind::Special(b'<') => {
                let (mailbox, after) = angle(words, after)?;
                found.push(mailbox);
                after
            }
            Kind::Special(b',') => {
                address_alone(words, &mut found)?;
                after
            }
            Kind::Special(b':') if !in_group => {
                if words.is_empty() || words.iter().any(|word| is_address_part(word.kind)) {
                    return Err("what stands before a colon is not the name of a group");
                }
                in_group = true;
                after
            }
            Kind::Special(b';') if in_group => {
                address_alone(words, &mut found)?;
                in_group = false;
                ends_an_address(after)?;
                after
            }
            _ => return Err("there is a colon, a semicolon or a bracket in a wrong place"),
        };
    }
}

fn ends_a_word(kind: Kind) -> bool {
    matches!(kind, Kind::Special(byte) if byte != b'@' && byte != b'.')
}

fn is_address_part(kind: Kind) -> bool {
    matches!(kind, AT | Kind::Literal)
}

/// An address without angle brackets, or nothing at all.
fn address_alone(words: &[Token<'_>], found: &mut Vec<Mailbox>) -> Result<(), Doubt> {
    if !words.is_empty() {
        found.push(address(words)?);
    }
    Ok(())
}

/// `after` begins behind the `<`; gives what begins behind the `>`.
fn angle<'t, 'f>(
    phrase: &[Token<'_>],
    after: &'t [Token<'f>],
) -> Result<(Mailbox, &'t [Token<'f>]), Doubt> {
    let end = after.iter().position(|token| ends_a_word(token.kind));
    let (words, rest) = after.split_at(end.unwrap_or(after.len()));
    let rest = match rest.split_first() {
        Some((
            Token {
                kind: Kind::Special(b'>'),
                ..
            },
            rest,
        )) => rest,
        Some((
            Token {
                kind: Kind::Special(b',' | b':'),
                ..
            },
            _,
        )) => {
            return Err("there is a source route or a list in angle brackets");
        }
        _ => return Err("an angle bracket is not closed"),
    };
    ends_an_address(rest)?;
    let mailbox = address(words)?;
    // A display name without quotes that is an address must be the same one: some
    // readers take the first address that they see.
    let is_at = |word: &Token<'_>| word.kind == AT;
    if phrase.iter().any(is_at) && !address(phrase)?.is_same(&mailbox) {
        return Err("the display name is another address, without quotes");
    }
    Ok((mailbox, rest))
}

/// What may follow a finished address or group.
fn ends_an_address(after: &[Token<'_>]) -> Result<(), Doubt> {
    match after.first().map(|token| token.kind) {
        None | Some(Kind::Special(b',' | b';')) => Ok(()),
        Some(_) => Err("something follows the address"),
    }
}

/// `local@domain`, with gaps around the `@` alone.
fn address(words: &[Token<'_>]) -> Result<Mailbox, Doubt> {
    let at = words.iter().position(|word| word.kind == AT);
    let (local, domain) = words.split_at(at.ok_or("a part of it is no address")?);
    let domain = domain.get(1..).unwrap_or_default();
    if domain.iter().any(|word| word.kind == AT) {
        return Err("an address has more than one at sign");
    }
    if domain.iter().any(|word| word.kind == Kind::Literal) {
        return Err("the domain is an address literal, which nobody can sign for");
    }
    if domain.iter().any(|word| word.kind == Kind::Quoted) {
        return Err("there are quotes in a domain");
    }
    let plain = local
        .iter()
        .all(|word| matches!(word.kind, Kind::Atom | DOT));
    let mailbox = Mailbox {
        local: joined(local)?,
        domain: joined(domain)?,
        plain,
    };
    match (mailbox.local.is_empty(), domain.is_empty()) {
        (true, _) => Err("there is nothing before the at sign"),
        (_, true) => Err("there is nothing behind the at sign"),
        _ => Ok(mailbox),
    }
}

/// Words with dots between them, as one text.
fn joined(words: &[Token<'_>]) -> Result<String, Doubt> {
    let mut text = Vec::new();
    let mut last = DOT;
    for (index, word) in words.iter().enumerate() {
        if word.gap && index > 0 {
            return Err("there is white space or a comment inside of an address");
        }
        match word.kind {
            DOT => {}
            Kind::Atom | Kind::Quoted if last == DOT => {}
            _ => return Err("an address holds what an address cannot hold"),
        }
        last = word.kind;
        match word.kind {
            Kind::Quoted => unquote(word.text, &mut text),
            _ => text.extend_from_slice(word.text),
        }
    }
    String::from_utf8(text).map_err(|_| "an address holds bytes that are not UTF-8")
}

/// Adds the content of a quoted string (RFC 5322 §3.2.4).
fn unquote(quoted: &[u8], text: &mut Vec<u8>) {
    let inside = quoted.get(1..quoted.len().saturating_sub(1));
    let mut bytes = inside.unwrap_or_default().iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => text.extend(bytes.next()),
            // §3.2.2: a fold is its white space alone.
            b'\r' | b'\n' => {}
            _ => text.push(*byte),
        }
    }
}

impl Mailbox {
    fn is_same(&self, other: &Mailbox) -> bool {
        self.local == other.local && self.domain.eq_ignore_ascii_case(&other.domain)
    }
}
