//! Finding out why a signature fails, as far as that is cheap: guesses at what was
//! done to the message, each tried against what was signed. A guess is only ever said
//! when the hash or the signature proves it.

mod body;
mod copied;
mod fields;
mod rewriting;
mod rsa_key;

pub(super) use body::body;
pub(super) use fields::mismatch;
