//! Any file is an opendkim.conf or is refused line by line; a config that comes of one
//! is a config of signet's.

use std::path::Path;

use signet::config::Config;
use signet::import::opendkim::{Conf, import_conf};

/// The bytes of an opendkim.conf; its tables stand in it as lists.
pub fn run(data: &[u8]) {
    let imported = Conf::parse(data, "opendkim.conf")
        .and_then(|conf| import_conf(conf, "opendkim.conf", Path::new("/nowhere")));
    match imported {
        Ok(imported) => {
            let text = imported.settings.to_toml("/out".as_ref(), "Made by a fuzzer");
            let config = Config::from_toml(&text, "signet.toml");
            assert!(config.is_ok(), "{}\n{text}", config.unwrap_err());
            assert!(imported.report.to_string().starts_with("import of opendkim.conf\n"));
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                let said = error.to_string();
                assert!(said.len() < 4096 && !said.contains('\n'), "{said}");
            }
        }
    }
}
