//! One message on its way to its signatures.
//!
//! The body is canonicalized and hashed while it streams, once for each algorithm
//! that is asked for, however many keys sign. What costs time, the private-key
//! operations, waits in a `SignJob`, which may run on another thread.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::body::BodyHash;
use super::canonical_header;
use super::field::{self, FieldValue, Tags};
use super::header_section::{Field, HeaderSection};
use super::selection::{Selection, select};
use super::{Canonicalization, CanonicalizationAlgorithm, HeaderSet, SigningKey};
use crate::names::{DomainName, Selector};

/// One signature that is wanted.
#[derive(Debug, Clone)]
pub struct SignRequest {
    pub key: Arc<SigningKey>,
    /// `d=`
    pub domain: DomainName,
    /// `s=`
    pub selector: Selector,
    /// `i=`: `[local-part]@domain`, at or below the signing domain.
    pub identity: Option<String>,
    pub canonicalization: Canonicalization,
    pub header_set: Arc<HeaderSet>,
    /// How long after signing `x=` lies; whole seconds, one at least.
    pub expiry: Option<Duration>,
}

/// Takes the body of one message.
#[derive(Debug)]
pub struct Signer {
    header_section: HeaderSection,
    requests: Vec<SignRequest>,
    leading_space: bool,
    bodies: Vec<BodyHash>,
}

impl Signer {
    /// `leading_space` says whether the values of the header section, and the value to
    /// return, hold the space behind the colon (LEADSPC was granted). If not, that
    /// space is a guess, and only relaxed header canonicalization does not depend on
    /// it: it is used whatever the requests say.
    pub fn new(
        header_section: HeaderSection,
        mut requests: Vec<SignRequest>,
        leading_space: bool,
    ) -> Self {
        let mut bodies: Vec<BodyHash> = Vec::new();
        for request in &mut requests {
            let canonicalization = &mut request.canonicalization;
            if !leading_space {
                canonicalization.header = CanonicalizationAlgorithm::Relaxed;
            }
            let algorithm = canonicalization.body;
            if !bodies.iter().any(|body| body.algorithm() == algorithm) {
                bodies.push(BodyHash::new(algorithm));
            }
        }
        Self {
            header_section,
            requests,
            leading_space,
            bodies,
        }
    }

    /// Takes the next piece of the body, cut anywhere.
    pub fn body(&mut self, chunk: &[u8]) {
        for body in &mut self.bodies {
            body.update(chunk);
        }
    }

    /// The requests that are still to be signed.
    pub fn requests(&self) -> &[SignRequest] {
        &self.requests
    }

    /// Takes back a request, by its number.
    pub fn withdraw(&mut self, request: usize) {
        if request < self.requests.len() {
            self.requests.remove(request);
        }
    }

    /// Ends the body. `now` is in seconds since 1970 and becomes `t=`.
    pub fn finish(self, now: u64) -> SignJob {
        SignJob {
            header_section: self.header_section,
            requests: self.requests,
            leading_space: self.leading_space,
            body_hashes: self.bodies.into_iter().map(BodyHash::finish).collect(),
            now,
        }
    }
}

/// Everything that the signatures need; the only expensive step is `run`.
#[derive(Debug)]
pub struct SignJob {
    header_section: HeaderSection,
    requests: Vec<SignRequest>,
    leading_space: bool,
    body_hashes: Vec<(CanonicalizationAlgorithm, [u8; 32])>,
    now: u64,
}

impl SignJob {
    /// Makes the signatures, in the order of the requests.
    ///
    /// # Errors
    /// The first request that cannot be signed, and why. There are no signatures then:
    /// a message leaves with all of them or with none.
    pub fn run(self) -> Result<Vec<Signature>, SignError> {
        let mut signatures = Vec::with_capacity(self.requests.len());
        let mut header = CanonicalHeader::default();
        for request in &self.requests {
            let signature = self.sign(request, &mut header).map_err(|cause| SignError {
                domain: request.domain.clone(),
                selector: request.selector.clone(),
                cause,
            })?;
            signatures.push(signature);
        }
        Ok(signatures)
    }

    fn sign<'j>(
        &'j self,
        request: &'j SignRequest,
        header: &mut CanonicalHeader<'j>,
    ) -> Result<Signature, SignErrorCause> {
        if let Some(identity) = &request.identity {
            check_identity(identity, &request.domain)?;
        }
        let (_, body_hash) = self
            .body_hashes
            .iter()
            .find(|(algorithm, _)| *algorithm == request.canonicalization.body)
            .ok_or(SignErrorCause::NoBodyHash)?;
        header.prepare(self, request);

        let algorithm = request.key.key_type().algorithm();
        let expiry = request.expiry.map(|after| after.as_secs().max(1));
        let field = FieldValue::unsigned(
            &Tags {
                algorithm,
                canonicalization: request.canonicalization,
                domain: &request.domain,
                selector: &request.selector,
                identity: request.identity.as_deref(),
                time: self.now,
                expiry: expiry.map(|after| self.now.saturating_add(after)),
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
        let signed = request.key.sign(&header.bytes);
        header.bytes.truncate(shared);

        let value = field.sign(&signed.map_err(SignErrorCause::Library)?);
        if value.len() > MAX_VALUE {
            return Err(SignErrorCause::TooLong { bytes: value.len() });
        }
        Ok(Signature {
            value,
            domain: request.domain.clone(),
            selector: request.selector.clone(),
            algorithm,
        })
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

/// A finished DKIM-Signature field.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    /// What follows `DKIM-Signature:`, with lines that break as LF + SP. It begins
    /// with a space if the signer was told that values do.
    pub value: Vec<u8>,
    pub domain: DomainName,
    pub selector: Selector,
    /// `a=`
    pub algorithm: &'static str,
}

impl Signature {
    /// The field as it stands in a message file or on the wire: name, colon, value,
    /// CRLF at the end of every line.
    pub fn to_field(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(field::NAME.len() + self.value.len() + 32);
        let value = Field {
            name: field::NAME.as_bytes(),
            value: &self.value,
        };
        let gap = !self.value.starts_with(b" ");
        canonical_header::write(CanonicalizationAlgorithm::Simple, value, gap, &mut out);
        out
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DKIM-Signature:{}", self.value.escape_ascii())
    }
}

/// A signature that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no signature for d={domain} s={selector}")]
pub struct SignError {
    pub domain: DomainName,
    pub selector: Selector,
    #[source]
    pub cause: SignErrorCause,
}

/// Why a signature could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignErrorCause {
    #[error("the identity (i=) is not of the form [local-part]@domain")]
    IdentityForm,
    #[error("the identity (i=) is neither at nor below the signing domain")]
    IdentityOutside,
    #[error("the field would be {bytes} bytes long, and Postfix cuts a field at 60000")]
    TooLong { bytes: usize },
    #[error("the body was not hashed for this signature")]
    NoBodyHash,
    #[error("the cryptographic library refused: {0}")]
    Library(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> SignRequest {
        let pem = include_bytes!("../../keys/football.example.com/brisbane.pem");
        SignRequest {
            key: Arc::new(SigningKey::from_pem(pem).unwrap()),
            domain: "example.com".parse().unwrap(),
            selector: "test".parse().unwrap(),
            identity: None,
            canonicalization: "simple/simple".parse().unwrap(),
            header_set: Arc::new(HeaderSet::default()),
            expiry: None,
        }
    }

    fn sign(header_section: HeaderSection, request: SignRequest) -> Result<String, SignError> {
        let mut signer = Signer::new(header_section, vec![request], true);
        signer.body(b"This is a test!\r\n");
        let mut signatures = signer.finish(1_790_000_000).run()?;
        assert_eq!(signatures.len(), 1);
        let signature = signatures.remove(0);
        assert_eq!(signature.algorithm, "ed25519-sha256");
        Ok(String::from_utf8(signature.value).unwrap())
    }

    fn header_section() -> HeaderSection {
        let mut section = HeaderSection::new();
        section.push(b"From", b" user@example.com");
        section.push(b"Date", b" Tue, 22 Dec 2009 13:04:12 -0800");
        section.push(b"Subject", b" Signing test");
        section
    }

    /// The plain text that OpenDKIM's own suite looks for in a signature.
    #[test]
    fn names_and_body_hash_are_found_as_plain_text() {
        let value = sign(header_section(), request()).unwrap();
        for text in [
            " v=1; a=ed25519-sha256; c=simple/simple; d=example.com;\n s=test; t=1790000000;\n",
            " h=from:date:subject:from:reply-to:subject:to:cc:date;\n",
            " bh=3VWGQGY+cSNYd1MGM+X6hRXU0stl8JCaQtl4mbX/j2I=;\n",
        ] {
            assert!(value.contains(text), "{value}");
        }
    }

    #[test]
    fn an_identity_lies_at_or_below_the_signing_domain_3_5() {
        let with = |identity: &str| {
            let mut request = request();
            request.identity = Some(identity.to_owned());
            sign(header_section(), request).map_err(|error| error.cause)
        };
        assert!(with("@example.com").unwrap().contains(" i=@example.com;"));
        assert!(
            with("a@b@Sub.Example.com")
                .unwrap()
                .contains("i=a@b@Sub.Example.com;")
        );
        assert_eq!(
            with("a@badexample.com"),
            Err(SignErrorCause::IdentityOutside)
        );
        assert_eq!(with("example.com"), Err(SignErrorCause::IdentityForm));
        assert_eq!(
            with("a@example.com; d=x"),
            Err(SignErrorCause::IdentityForm)
        );
    }

    #[test]
    fn a_field_that_postfix_would_cut_is_not_made() {
        let mut section = header_section();
        for _ in 0..20_000 {
            section.push(b"To", b" a@example.com");
        }
        let error = sign(section, request()).unwrap_err();
        assert!(matches!(error.cause, SignErrorCause::TooLong { bytes } if bytes > 60_000));
        assert_eq!(error.to_string(), "no signature for d=example.com s=test");
    }

    #[test]
    fn a_signature_that_is_there_changes_nothing() {
        let mut section = HeaderSection::new();
        section.push(b"DKIM-Signature", b" v=9; garbage");
        for field in header_section().fields() {
            section.push(field.name, field.value);
        }
        assert_eq!(sign(section, request()), sign(header_section(), request()));
    }
}
