//! Eight RSA signatures in hardly more time than two: batches for processors with
//! AVX-512 IFMA, by Intel's crypto_mb library.
//!
//! The library is never needed. It is found at run time, used only in a version that is
//! known and on a processor that it says is fit, and every signature it makes is
//! checked with the public key before anybody sees it. When to form a batch, and what
//! to do about a signature that fails its check, is the caller's business.

mod batch;
mod ffi;
mod key;
mod padding;

use std::ffi::c_int;
use std::path::PathBuf;

pub use batch::{Accelerator, Lane};
pub use key::{BatchKey, RsaParts};
pub use padding::SHA256_DIGEST_INFO;

/// The most signatures in one batch.
pub const LANES: usize = 8;

/// The name under which the system's loader knows the library.
pub const LIBRARY: &str = "libcrypto_mb.so.13";

/// The lengths of RSA keys that can be batched, each with its own kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RsaSize {
    Bits2048,
    Bits3072,
    Bits4096,
}

impl RsaSize {
    pub const ALL: [Self; 3] = [Self::Bits2048, Self::Bits3072, Self::Bits4096];

    /// Of the modulus and of a signature.
    pub fn bytes(self) -> usize {
        match self {
            Self::Bits2048 => 256,
            Self::Bits3072 => 384,
            Self::Bits4096 => 512,
        }
    }

    fn from_bytes(bytes: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.bytes() == bytes)
    }

    fn bits_c(self) -> c_int {
        match self {
            Self::Bits2048 => 2048,
            Self::Bits3072 => 3072,
            Self::Bits4096 => 4096,
        }
    }
}

/// Why signatures cannot be made in batches here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    #[error("{} cannot be loaded: {reason}", library.display())]
    NotLoaded {
        library: PathBuf,
        /// The loader's words.
        reason: String,
    },
    #[error("{} is not a crypto_mb library", library.display())]
    Foreign { library: PathBuf },
    #[error("{} is crypto_mb {version}, which signet does not know; it knows 2", library.display())]
    UnknownVersion { library: PathBuf, version: String },
    #[error("this processor has no AVX-512 IFMA, or the system does not let it be used")]
    Processor,
}
