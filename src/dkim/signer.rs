//! One message on its way to its signatures.
//!
//! The body is canonicalized and hashed while it streams, once for each algorithm
//! that is asked for, however many keys sign. What costs time, the private-key
//! operations, waits in a `SignJob`, which may run on another thread.

use std::sync::Arc;
use std::time::Duration;

use super::body::BodyHash;
use super::header_section::HeaderSection;
use super::sign_job::SignJob;
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
    /// Whether receivers are asked to report failures (`r=y`, RFC 6651 §3.1).
    pub request_reports: bool,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dkim::{SignError, SignErrorCause};

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
            request_reports: false,
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
