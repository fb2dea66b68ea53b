//! What can be wrong with a key record, said to the person who has to mend it.

/// Why a text is not a key record. `position` counts characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error("the record is empty")]
    Empty,
    #[error(
        "the record has quotation marks in it: they belong to the zone file, not to the value, and were taken as part of it"
    )]
    Quoted,
    #[error(
        "the record has a backslash before a semicolon: whoever published it did not take the escape away"
    )]
    EscapedSemicolon,
    #[error("{} at character {position} cannot stand in a record", named(*.character))]
    BadCharacter { character: char, position: usize },
    #[error(
        "there is an empty tag at character {position} (two semicolons in a row, or one too many at the start)"
    )]
    EmptyTag { position: usize },
    #[error("\"{text}\" at character {position} is not a tag: it has no \"=\"")]
    NoEquals { text: String, position: usize },
    #[error("\"{name}\" at character {position} is not the name of a tag")]
    BadTagName { name: String, position: usize },
    #[error("the tag {name}= is there more than once")]
    Duplicate { name: String },
    #[error("the version is \"{version}\", not DKIM1")]
    Version { version: String },
    #[error("v= is there but is not the first tag")]
    VersionNotFirst,
    #[error("the key type k={key_type} is not one that signet knows (rsa, ed25519)")]
    KeyType { key_type: String },
    #[error("in {tag}=, \"{item}\" is not a word (letters, digits and \"-\", parted by \":\")")]
    BadItem { tag: &'static str, item: String },
    #[error(
        "there is no public key (p=); if the record ends after \"v=DKIM1\", its zone file lacks quotation marks and the \";\" began a comment"
    )]
    NoPublicKey,
    #[error("{} in p= is not base64", named(*.character))]
    NotBase64 { character: char },
    #[error("the base64 in p= has a \"=\" that is not at its end")]
    PaddingInside,
    #[error("the base64 in p= is cut off or damaged ({characters} characters, not counting \"=\")")]
    DamagedBase64 { characters: usize },
    #[error("p= holds {bytes} bytes, which are not an RSA public key in DER; is it cut off?")]
    NotRsa { bytes: usize },
    #[error("p= holds {bytes} bytes, an Ed25519 public key has 32")]
    NotEd25519 { bytes: usize },
    #[error(
        "p= holds the Ed25519 key inside a SubjectPublicKeyInfo of 44 bytes; only its last 32 bytes are the key (RFC 8463 section 4.2)"
    )]
    WrappedEd25519,
    #[error("p= holds an RSA key, but the record says k=ed25519")]
    RsaUnderEd25519,
    #[error("p= holds an Ed25519 key, but the record does not say k=ed25519")]
    Ed25519UnderRsa,
}

/// A character a person can recognize: white space that looks like a space gets its
/// number.
fn named(character: char) -> String {
    if character.is_ascii_graphic() {
        format!("\"{character}\"")
    } else {
        format!("the character U+{:04X}", u32::from(character))
    }
}
