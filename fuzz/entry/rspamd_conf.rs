//! Any file is a dkim_signing.conf or is refused; a config that comes of one is a
//! config of signet's.

use signet::config::Config;
use signet::import::rspamd::import_text;

/// The text of a dkim_signing.conf.
pub fn run(data: &[u8]) {
    match import_text(&String::from_utf8_lossy(data), "dkim_signing.conf") {
        Ok(imported) => {
            let text = imported.settings.to_toml("/out".as_ref(), "Made by a fuzzer");
            let config = Config::from_toml(&text, "signet.toml");
            assert!(config.is_ok(), "{}\n{text}", config.unwrap_err());
        }
        Err(errors) => assert!(!errors.is_empty()),
    }
}
