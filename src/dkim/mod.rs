//! The signature: canonicalization, body hash, header selection, the field itself.
//!
//! RFC 6376, with the algorithms of RFC 8301 (RSA-SHA256) and RFC 8463
//! (Ed25519-SHA256). Bytes come in, one header field per key goes out. This module
//! knows nothing of milters, files, DNS or the clock, and it decides nothing: who is
//! signed with what is policy's business.

mod body;
mod canonical_body;
mod canonical_header;
mod canonicalization;
mod existing;
mod field;
mod header_section;
mod header_set;
mod key;
mod key_error;
mod pem;
mod public_key;
mod selection;
mod sign_job;
mod signature;
mod signer;
#[cfg(test)]
mod vectors;
mod white_space;

pub use canonical_body::{BodyCanonicalizer, canonicalize_body};
pub use canonical_header::canonicalize_field;
pub use canonicalization::{Canonicalization, CanonicalizationAlgorithm, CanonicalizationError};
pub use existing::ExistingSignature;
pub use header_section::{Field, HeaderSection};
pub use header_set::{HeaderSet, HeaderSetError};
pub use key::{SigningKey, gather_randomness};
pub use key_error::KeyError;
pub use public_key::{KeyType, PublicKey};
pub use sign_job::{Operation, Prepared, SignJob};
pub use signature::{SignError, SignErrorCause, Signature};
pub use signer::{SignRequest, Signer};
