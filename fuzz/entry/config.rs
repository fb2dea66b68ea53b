//! A config file's text is read or refused, mistakes with their lines; what is printed
//! of a config reads back and prints the same.

use signet::config::Config;

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Config::from_toml(&text, "/etc/signet/signet.toml") {
        Ok(config) => {
            let printed = config.to_toml();
            let again = Config::from_toml(&printed, "/etc/signet/signet.toml");
            let again = again.map(|config| config.to_toml());
            assert_eq!(again.as_ref(), Ok(&printed));
        }
        Err(errors) => {
            assert!(!errors.0.is_empty());
            let lines = text.lines().count().max(1) + 1;
            for error in &errors.0 {
                assert!((1..=lines).contains(&error.place.line), "{error}");
                assert!(!error.problem.is_empty());
            }
        }
    }
}
