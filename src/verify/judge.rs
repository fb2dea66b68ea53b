//! mail-auth as the judge: its canonicalization, its choice of signed fields, its
//! hashes and its mathematics, none of which the signer shares.
//!
//! It is handed single fields and a body, never a message to split (its splitter
//! drops a last field without a line end). Where mail-auth 0.13.3 departs from the
//! RFC, `plain` computes the bytes instead, and only there:
//!
//! - it deletes bare CRs from bodies, and applies `l=` before canonicalization;
//! - under relaxed it deletes bare CRs and form feeds from header fields, where only
//!   space and tab are white space (RFC 6376 §2.8);
//! - it does not find a field that has white space before its colon;
//! - it takes `B=` for `b=`;
//! - it lets `h=dkim-signature` take in the signature itself (§3.5 forbids that).
//!
//! And it has the upstream issue stalwartlabs/mail-auth 62: see [`body_hash`].

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aws_lc_rs::digest::{SHA256, digest};
use mail_auth::AuthenticatedMessage;
use mail_auth::common::crypto::HashAlgorithm;
use mail_auth::common::headers::Header;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;

use super::message::{Field, Message};
use super::plain;
use super::signature::{Form, Signature};
use crate::dns::KeyRecord;

/// The hash of the whole body, by the signature's canonicalization. `None` when `l=`
/// is more than there is (RFC 6376 §3.5).
pub(super) fn body_hash(body: &[u8], signature: &Signature) -> Option<Vec<u8>> {
    let form = signature.body_form;
    if let Some(length) = signature.length {
        let whole = plain::body(body, form);
        let signed = whole.get(..usize::try_from(length).ok()?)?;
        return Some(digest(&SHA256, signed).as_ref().to_vec());
    }
    if has_bare_cr(body) {
        let whole = plain::body(body, form);
        return Some(digest(&SHA256, &whole).as_ref().to_vec());
    }
    // stalwartlabs/mail-auth issue 62 (mended in 0.15): under relaxed, a line of white
    // space among the empty lines at the end is kept as an empty line, where RFC 6376
    // §3.4.4 drops it with them. So it is not shown those lines.
    let shown = match form {
        Form::Simple => body,
        Form::Relaxed => without_blank_tail(body),
    };
    let canonical = form.mail_auth().canonical_body(shown, 0);
    Some(HashAlgorithm::Sha256.hash(canonical).as_ref().to_vec())
}

/// The bytes that are signed: header fields and the signature's own (§3.7).
pub(super) fn signed_bytes(message: &Message, signature: &Signature, own: usize) -> Vec<u8> {
    if departs(message, signature, own) {
        return plain::signed_bytes(message, signature, own);
    }
    let headers: Vec<(&[u8], &[u8])> = message
        .fields
        .iter()
        .map(|field| (field.name.as_slice(), field.value.as_slice()))
        .collect();
    let Some(&(name, value)) = headers.get(own) else {
        return Vec::new();
    };
    let asked = AuthenticatedMessage {
        headers,
        dkim_headers: vec![Header::new(name, value, signature.mail_auth.clone())],
        ..Default::default()
    };
    match ready(asked.get_canonicalized_header()) {
        Some(Ok(bytes)) => bytes,
        // mail-auth refuses only what Signature::parse has refused before.
        Some(Err(_)) | None => plain::signed_bytes(message, signature, own),
    }
}

/// Whether the key made the signature over these bytes.
pub(super) fn key_signed(record: &KeyRecord, bytes: &[u8], signature: &Signature) -> bool {
    DomainKey::parse(record.to_string().as_bytes()).is_ok_and(|key| {
        key.p
            .verify_bytes(bytes, &signature.signature, signature.algorithm)
            .is_ok()
    })
}

/// Whether mail-auth would put other bytes together than the RFC.
fn departs(message: &Message, signature: &Signature, own: usize) -> bool {
    let names = |name: &str| {
        let mut signed = signature.signed.iter();
        signed.any(|signed| signed.eq_ignore_ascii_case(name))
    };
    let named = |field: &Field| {
        let mut signed = signature.signed.iter();
        signed.any(|name| field.is(name))
    };
    let odd_value = |field: &Field| {
        signature.header_form == Form::Relaxed
            && (field.value.contains(&b'\x0c') || has_bare_cr(&field.value))
    };
    let odd_name = |field: &Field| field.name.len() != field.bare_name().len();
    signature.odd_tag_names
        || names("dkim-signature")
        || message.fields.get(own).is_some_and(odd_value)
        || message
            .fields
            .iter()
            .any(|field| (odd_value(field) || odd_name(field)) && named(field))
}

fn has_bare_cr(text: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', text).any(|at| text.get(at + 1) != Some(&b'\n'))
}

/// The body up to its last line that is not only spaces and tabs.
fn without_blank_tail(body: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let Some(last) = body.iter().rposition(|byte| !blank(byte)) else {
        return &[];
    };
    let tail = body.get(last..).unwrap_or_default();
    let line = memchr::memchr(b'\n', tail).map_or(body.len(), |end| last + end + 1);
    body.get(..line).unwrap_or(body)
}

/// The value of a future that never waits: mail-auth's function is `async` and has
/// nothing to wait for. So that verifying needs no runtime.
fn ready<F: Future>(future: F) -> Option<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
