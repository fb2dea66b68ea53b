//! Moving in from another signer: what its files say, as a config of signet's, and a
//! report of every option that says what became of it.
//!
//! An importer reads and writes nothing but what it was told to, never changes a key,
//! and never guesses: what it cannot take over for certain, it refuses
//! or hands to the administrator.

pub mod glob;
pub mod inline_key;
mod lines;
pub mod opendkim;
pub mod report;
pub mod rspamd;
pub mod settings;

/// What an importer made of another signer's files.
#[derive(Debug)]
pub struct Import {
    pub settings: settings::Settings,
    pub report: report::Report,
    /// What was read, for whoever wants to ask the other program the same.
    pub source: opendkim::Conf,
}
