//! Why a file is not a key that can sign, told so that its owner can mend it.

/// Why a text is not a key that can sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the file is empty")]
    Empty,
    #[error(
        "not a key: there is no \"-----BEGIN PRIVATE KEY-----\" line; a key is a PEM file, as \"signet keygen\" or \"openssl genpkey\" makes it"
    )]
    NotPem,
    #[error(
        "the key is in DER, not PEM; convert it with \"openssl pkey -inform DER -in OLD -out NEW\""
    )]
    Der,
    #[error("the key is cut off: its \"-----END\" line is missing")]
    NoEnd,
    #[error("the key's base64 is damaged")]
    BadBase64,
    #[error("the file holds more than one private key; keep one key in one file")]
    Several,
    #[error("this is {what}, not a private key")]
    NotPrivate { what: &'static str },
    #[error(
        "the key is encrypted with a passphrase, which a daemon cannot type; decrypt it with \"openssl pkey -in OLD -out NEW\""
    )]
    Encrypted,
    #[error(
        "the key is in OpenSSH's own format; a DKIM key is a PKCS#8 or PKCS#1 PEM file, make one with \"signet keygen\""
    )]
    OpenSsh,
    #[error("the key is {what}, and DKIM knows RSA and Ed25519 keys only")]
    Algorithm { what: String },
    #[error("an RSA key of {bits} bits is too short to sign with; verifiers refuse less than 1024")]
    TooSmall { bits: u32 },
    #[error(
        "an RSA key of {bits} bits is too long; 8192 is the most, and many verifiers stop at 4096"
    )]
    TooLarge { bits: u32 },
    #[error("the key's structure is damaged: its base64 decodes, but not to a private key")]
    Malformed,
    #[error("the parts of the key do not belong together, or it is not an ordinary two-prime key")]
    Unsound,
}

impl KeyError {
    pub(super) fn algorithm(what: impl Into<String>) -> Self {
        Self::Algorithm { what: what.into() }
    }
}
