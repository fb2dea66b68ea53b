//! What was done to a body whose hash is not the signed one: what the servers and
//! programs on the way are known to do is undone, and the hash tells whether that was it.

use aws_lc_rs::digest::{Context, SHA256, digest};

use super::rewriting;
use crate::verify::change::{BodyChange, Missigned};
use crate::verify::plain;
use crate::verify::signature::{Form, Signature};

/// How many bytes may be hashed in the search for lines that were put in somewhere: some
/// tenths of a second.
const MOST_HASHED: usize = 1 << 28;

/// What happened to a body whose hash is not the signed one.
pub(in crate::verify) fn body(body: &[u8], signature: &Signature) -> BodyChange {
    let form = signature.body_form;
    let signed = Signed {
        hash: &signature.body_hash,
        length: signature
            .length
            .map(|l| usize::try_from(l).unwrap_or(usize::MAX)),
    };
    let now = plain::body(body, form);
    let empty = plain::body(b"", form);
    if now == empty {
        return BodyChange::Emptied;
    }
    if signed.is(&empty) {
        return BodyChange::AddedToNothing;
    }
    if let Some(how) = missigned(&now, &signed) {
        return BodyChange::Missigned(how);
    }
    if let Some(lines) = lines_added(&now, &signed) {
        return BodyChange::LinesAdded(lines);
    }
    for (how, undone) in rewriting::undone(body) {
        let undone = plain::body(&undone, form);
        if signed.is(&undone) {
            return BodyChange::Rewritten { how, added: 0 };
        }
        if let Some(added) = lines_added(&undone, &signed) {
            return BodyChange::Rewritten { how, added };
        }
    }
    let (other, how) = match form {
        Form::Simple => (Form::Relaxed, Missigned::Relaxed),
        Form::Relaxed => (Form::Simple, Missigned::Simple),
    };
    if signed.is(&plain::body(body, other)) {
        return BodyChange::Missigned(how);
    }
    lines_inserted(&now, &signed).unwrap_or(BodyChange::Somehow)
}

/// What the signature says of the body.
struct Signed<'s> {
    hash: &'s [u8],
    /// `l=`
    length: Option<usize>,
}

impl Signed<'_> {
    /// Whether this canonical body is the signed one.
    fn is(&self, canonical: &[u8]) -> bool {
        let signed = match self.length {
            Some(length) => canonical.get(..length),
            None => Some(canonical),
        };
        signed.is_some_and(|signed| digest(&SHA256, signed).as_ref() == self.hash)
    }
}

fn missigned(now: &[u8], signed: &Signed<'_>) -> Option<Missigned> {
    let whole = |text: &[u8]| digest(&SHA256, text).as_ref() == signed.hash;
    if signed.length.is_some() && whole(now) {
        return Some(Missigned::Length);
    }
    let without_cr: Vec<u8> = now.iter().copied().filter(|byte| *byte != b'\r').collect();
    if signed.is(&without_cr) {
        return Some(Missigned::Lf);
    }
    if now
        .strip_suffix(b"\r\n")
        .is_some_and(|text| signed.is(text))
    {
        return Some(Missigned::LastLineEnd);
    }
    let double_cr = rewriting::replaced(now, b"\r\n", b"\r\r\n");
    let double_cr = double_cr.is_some_and(|text| signed.is(&text));
    double_cr.then_some(Missigned::DoubleCr)
}

/// After how many lines fewer the canonical body has the signed hash. One pass: the
/// hash so far is looked at wherever a line that is not empty ends.
fn lines_added(canonical: &[u8], signed: &Signed<'_>) -> Option<usize> {
    if signed.length.is_some() {
        return None;
    }
    let mut hash = Context::new(&SHA256);
    let mut found = None;
    let mut since = 0;
    for line in canonical.split_inclusive(|&byte| byte == b'\n') {
        hash.update(line);
        since += 1;
        if line != b"\r\n" && hash.clone().finish().as_ref() == signed.hash {
            found = Some(());
            since = 0;
        }
    }
    found.map(|()| since)
}

/// The lines that were put before the body or into it in one place, as lists put their
/// words into the text part of a message. Tries every place, as far as the body is small
/// enough for that, and otherwise the start alone.
fn lines_inserted(canonical: &[u8], signed: &Signed<'_>) -> Option<BodyChange> {
    if signed.length.is_some() {
        return None;
    }
    let ends = memchr::memchr_iter(b'\n', canonical).map(|at| at + 1);
    let ends: Vec<usize> = ends.collect();
    let tries = MOST_HASHED.checked_div(canonical.len()).unwrap_or_default();
    let (places, lines) = match ends.len().saturating_mul(ends.len()) <= tries {
        true => (ends.len(), ends.len()),
        false => (1, tries),
    };
    let mut before = Context::new(&SHA256);
    let mut begin = 0;
    for (at, end) in ends.iter().enumerate().take(places) {
        for (count, behind) in ends.iter().skip(at).take(lines).enumerate() {
            let mut hash = before.clone();
            hash.update(canonical.get(*behind..).unwrap_or_default());
            if hash.finish().as_ref() == signed.hash {
                let count = count + 1;
                return Some(match at {
                    0 => BodyChange::LinesBefore(count),
                    after => BodyChange::LinesInserted { count, after },
                });
            }
        }
        before.update(canonical.get(begin..*end).unwrap_or_default());
        begin = *end;
    }
    None
}
