//! The last step of a message: its header fields made canonical, its signatures
//! drafted, and the private-key operations that are all it lacks then.
//!
//! Who does those operations, alone or together with those of other messages, is the
//! caller's choice.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{Digest, SHA256, digest};

use super::canonical_header;
use super::field::{self, FieldValue, Tags};
use super::header_section::{Field, HeaderSection};
use super::selection::{Selection, select};
use super::{
    CanonicalizationAlgorithm, HeaderSet, SignError, SignErrorCause, SignRequest, Signature,
    SigningKey,
};
use crate::names::DomainName;

/// Everything that the signatures need; what costs time is [`SignJob::run`], or what
/// happens between [`SignJob::prepare`] and [`Prepared::finish`].
#[derive(Debug)]
pub struct SignJob {
    pub(super) header_section: HeaderSection,
    pub(super) requests: Vec<SignRequest>,
    pub(super) leading_space: bool,
    pub(super) body_hashes: Vec<(CanonicalizationAlgorithm, [u8; 32])>,
    /// Seconds since 1970.
    pub(super) now: u64,
}

impl SignJob {
    /// Makes the signatures, in the order of the requests.
    ///
    /// # Errors
    /// The first request that cannot be signed, and why. There are no signatures then:
    /// a message leaves with all of them or with none.
    pub fn run(self) -> Result<Vec<Signature>, SignError> {
        let prepared = self.prepare()?;
        let bytes = prepared
            .operations()
            .map(|operation| operation.key.sign_hash(&operation.hash));
        let bytes = bytes.collect();
        prepared.finish(bytes)
    }

    /// Does everything but the private-key operations, which are the caller's then.
    ///
    /// # Errors
    /// As [`SignJob::run`].
    pub fn prepare(self) -> Result<Prepared, SignError> {
        let mut drafts = Vec::with_capacity(self.requests.len());
        let mut header = CanonicalHeader::default();
        for request in &self.requests {
            match self.draft(request, &mut header) {
                Ok(draft) => drafts.push(draft),
                Err(cause) => return Err(failed(request, cause)),
            }
        }
        drop(header);
        Ok(Prepared {
            requests: self.requests,
            drafts,
        })
    }

    fn draft<'j>(
        &'j self,
        request: &'j SignRequest,
        header: &mut CanonicalHeader<'j>,
    ) -> Result<Draft, SignErrorCause> {
        if let Some(identity) = &request.identity {
            check_identity(identity, &request.domain)?;
        }
        let (_, body_hash) = self
            .body_hashes
            .iter()
            .find(|(algorithm, _)| *algorithm == request.canonicalization.body)
            .ok_or(SignErrorCause::NoBodyHash)?;
        header.prepare(self, request);

        let expiry = request.expiry.map(|after| after.as_secs().max(1));
        let field = FieldValue::unsigned(
            &Tags {
                algorithm: request.key.key_type().algorithm(),
                canonicalization: request.canonicalization,
                domain: &request.domain,
                selector: &request.selector,
                identity: request.identity.as_deref(),
                time: self.now,
                expiry: expiry.map(|after| self.now.saturating_add(after)),
                request_reports: request.request_reports,
                names: &header.selection.names,
                body_hash,
            },
            self.leading_space,
        );

        // RFC 6376 §3.7: the field itself comes last, without a CRLF.
        let shared = header.bytes.len();
        canonical_header::write_open(
            request.canonicalization.header,
            Field {
                name: field::NAME.as_bytes(),
                value: field.as_bytes(),
            },
            !self.leading_space,
            &mut header.bytes,
        );
        let hash = digest(&SHA256, &header.bytes);
        header.bytes.truncate(shared);
        Ok(Draft { field, hash })
    }
}

/// A message whose signatures lack only the private-key operations.
pub struct Prepared {
    requests: Vec<SignRequest>,
    drafts: Vec<Draft>,
}

/// A field that ends with `b=`.
struct Draft {
    field: FieldValue,
    /// SHA-256 of the canonical header fields, this one included.
    hash: Digest,
}

/// A private-key operation that is to be done: [`SigningKey::sign_hash`].
#[derive(Debug)]
pub struct Operation<'p> {
    pub key: &'p Arc<SigningKey>,
    /// SHA-256 of the canonical header fields.
    pub hash: Digest,
}

impl Prepared {
    /// One operation a signature, in the order of the requests.
    pub fn operations(&self) -> impl ExactSizeIterator<Item = Operation<'_>> {
        let pairs = self.requests.iter().zip(&self.drafts);
        pairs.map(|(request, draft)| Operation {
            key: &request.key,
            hash: draft.hash,
        })
    }

    /// Takes the result of every operation, in their order.
    ///
    /// # Errors
    /// As [`SignJob::run`].
    pub fn finish(
        self,
        results: Vec<Result<Vec<u8>, String>>,
    ) -> Result<Vec<Signature>, SignError> {
        let mut signatures = Vec::with_capacity(self.requests.len());
        let mut results = results.into_iter();
        for (request, draft) in self.requests.into_iter().zip(self.drafts) {
            let result = results
                .next()
                .unwrap_or_else(|| Err("no result".to_owned()));
            let value = match result {
                Ok(bytes) => draft.field.sign(&bytes),
                Err(error) => return Err(failed(&request, SignErrorCause::Library(error))),
            };
            if value.len() > MAX_VALUE {
                let cause = SignErrorCause::TooLong { bytes: value.len() };
                return Err(failed(&request, cause));
            }
            signatures.push(Signature {
                value,
                domain: request.domain,
                selector: request.selector,
                algorithm: request.key.key_type().algorithm(),
            });
        }
        Ok(signatures)
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("requests", &self.requests)
            .finish_non_exhaustive()
    }
}

fn failed(request: &SignRequest, cause: SignErrorCause) -> SignError {
    SignError {
        domain: request.domain.clone(),
        selector: request.selector.clone(),
        cause,
    }
}

/// Postfix cuts a header field at 60000 bytes, and a signature that is cut is none.
const MAX_VALUE: usize = 59_000;

/// The canonical header fields of the last request, kept for the next one: most
/// messages are signed by several keys over the same fields.
#[derive(Default)]
struct CanonicalHeader<'j> {
    of: Option<(CanonicalizationAlgorithm, &'j HeaderSet)>,
    selection: Selection<'j>,
    bytes: Vec<u8>,
}

impl<'j> CanonicalHeader<'j> {
    fn prepare(&mut self, job: &'j SignJob, request: &'j SignRequest) {
        let algorithm = request.canonicalization.header;
        let set = &*request.header_set;
        if self.of == Some((algorithm, set)) {
            return;
        }
        self.selection = select(&job.header_section, set);
        self.bytes.clear();
        self.bytes.reserve(job.header_section.size());
        for &index in &self.selection.fields {
            canonical_header::write(
                algorithm,
                job.header_section.field(index),
                !job.leading_space,
                &mut self.bytes,
            );
        }
        self.of = Some((algorithm, set));
    }
}

/// RFC 6376 §3.5: the domain of `i=` is the signing domain or lies below it.
fn check_identity(identity: &str, domain: &DomainName) -> Result<(), SignErrorCause> {
    let (_, part) = identity
        .rsplit_once('@')
        .ok_or(SignErrorCause::IdentityForm)?;
    let part = DomainName::parse(part).map_err(|_| SignErrorCause::IdentityForm)?;
    if part.is_at_or_below(domain) {
        Ok(())
    } else {
        Err(SignErrorCause::IdentityOutside)
    }
}
