//! The signature: canonicalization, body hash, header selection, the field itself.
//!
//! RFC 6376, with the algorithms of RFC 8301 (RSA-SHA256) and RFC 8463
//! (Ed25519-SHA256). Bytes come in, one header field per key goes out. This module
//! knows nothing of milters, files, DNS or the clock, and it decides nothing: who is
//! signed with what is policy's business.

mod key;
mod pem;
mod public_key;

pub use key::{KeyError, SigningKey};
pub use public_key::{KeyType, PublicKey};
