//! What was done to the header section under a signature that does not fit it, or
//! whether the key is the wrong one.

use mail_auth::common::crypto::Algorithm;

use super::{copied, rsa_key};
use crate::dns::KeyRecord;
use crate::verify::change::Mismatch;
use crate::verify::judge;
use crate::verify::message::{Field, Message};
use crate::verify::signature::Signature;

/// Each guess costs as much as verifying once.
const GUESSES: usize = 100;

/// Whose fault it is that the signature fits with none of the keys.
pub(in crate::verify) fn mismatch(
    message: &Message,
    signature: &Signature,
    own: usize,
    keys: &[KeyRecord],
) -> Mismatch {
    let right = match signature.algorithm {
        Algorithm::RsaSha256 => right_key(signature, keys),
        // An Ed25519 signature shows nothing of what was signed.
        _ => None,
    };
    if right == Some(false) {
        return Mismatch::OtherKey;
    }
    let change = guesses(message, signature, own)
        .take(GUESSES)
        .find(|guess| {
            let bytes = judge::signed_bytes(&guess.message, signature, guess.own);
            keys.iter()
                .any(|key| judge::key_signed(key, &bytes, signature))
        });
    match change {
        Some(guess) => guess.change,
        None if right == Some(true) => Mismatch::FieldsChanged,
        None => Mismatch::Either,
    }
}

fn right_key(signature: &Signature, keys: &[KeyRecord]) -> Option<bool> {
    let tried = keys
        .iter()
        .map(|key| rsa_key::made(&key.public_key, &signature.signature));
    tried.reduce(|one, other| match (one, other) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    })?
}

/// A message as it may have been signed.
struct Guess {
    message: Message,
    /// Where the signature's own field is now.
    own: usize,
    change: Mismatch,
}

/// How a body is encoded, which is changed together with it.
const ENCODINGS: [&[u8]; 5] = [
    b" 8bit\r\n",
    b" 7bit\r\n",
    b" quoted-printable\r\n",
    b" base64\r\n",
    b" binary\r\n",
];

fn guesses(message: &Message, signature: &Signature, own: usize) -> impl Iterator<Item = Guess> {
    let copies = signature.copies.as_deref();
    let copied = copies.and_then(|copies| copied::restored(message, copies));
    let copied = copied.into_iter().map(move |(message, change)| Guess {
        message,
        own,
        change,
    });
    let name = "content-transfer-encoding";
    let encoded = message.fields.iter().any(|field| field.is(name));
    let encodings = ENCODINGS.into_iter().filter(move |_| encoded);
    let encoded = encodings.map(move |was| Guess {
        message: every_field(message, |field| match field.is(name) {
            true => was.to_vec(),
            false => field.value.clone(),
        }),
        own,
        change: Mismatch::FieldWas(
            "Content-Transfer-Encoding".to_owned(),
            String::from_utf8_lossy(was.trim_ascii()).into_owned(),
        ),
    });
    let spaces = [&b" "[..], b""].into_iter().map(move |space| Guess {
        message: every_field(message, |field| spaced(field, space)),
        own,
        change: Mismatch::SpaceAfterColon,
    });
    let tagged = std::iter::once(Guess {
        message: every_field(message, untagged),
        own,
        change: Mismatch::SubjectTagged,
    });
    let places = 0..message.fields.len();
    let added = places.filter(move |at| *at != own).map(move |at| {
        let mut message = message.header_only();
        let field = message.fields.remove(at);
        Guess {
            message,
            own: if at < own { own - 1 } else { own },
            change: Mismatch::FieldAdded(String::from_utf8_lossy(field.bare_name()).into_owned()),
        }
    });
    let rewritten = copied.chain(encoded);
    rewritten.chain(spaces).chain(tagged).chain(added)
}

fn every_field(message: &Message, change: impl Fn(&Field) -> Vec<u8>) -> Message {
    let mut message = message.header_only();
    for field in &mut message.fields {
        field.value = change(field);
    }
    message
}

/// The value with this behind the colon instead of the white space that is there.
fn spaced(field: &Field, space: &[u8]) -> Vec<u8> {
    let blank = field
        .value
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'));
    let rest = field.value.get(blank.count()..).unwrap_or_default();
    [space, rest].concat()
}

/// A Subject without the `[list]` that mailing lists put in front.
fn untagged(field: &Field) -> Vec<u8> {
    let text = field.value.trim_ascii_start();
    let tag = match text.first() {
        Some(b'[') if field.is("subject") => memchr::memchr(b']', text),
        _ => None,
    };
    let rest = tag.and_then(|end| text.get(end + 1..));
    match rest {
        Some(rest) => [b" ", rest.trim_ascii_start()].concat(),
        None => field.value.clone(),
    }
}
