//! The flags that say which configuration a command works with. Flags win over the
//! file; without a file the defaults hold.

use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::config::{Config, ConfigErrors, ListenAddress};

/// The config file that is read when no flag names one, if it is there.
pub const DEFAULT_CONFIG: &str = "/etc/signet/signet.toml";

/// A config file is a few kilobytes; a million rules are a table file's business.
pub const LARGEST: u64 = 16 << 20;

/// Flatten this into a command's own arguments.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct Settings {
    /// The config file [default: /etc/signet/signet.toml if it is there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The key directory, DIR/DOMAIN/SELECTOR.pem [default: that of the config file, or
    /// /var/lib/signet/keys]
    #[arg(long, value_name = "DIR")]
    pub keys: Option<PathBuf>,

    /// Where the daemon listens: inet:HOST:PORT or unix:PATH; may be given several times
    /// [default: what the config file says, or inet:127.0.0.1:8891]
    #[arg(long, value_name = "ADDR")]
    pub listen: Vec<ListenAddress>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("cannot read {}", file.display())]
    Unreadable {
        file: PathBuf,
        source: std::io::Error,
    },
    #[error("{} is larger than {LARGEST} bytes; is it the config file?", file.display())]
    TooLarge { file: PathBuf },
    #[error("{}:{line}: holds bytes that are not UTF-8; a config file is text", file.display())]
    NotText { file: PathBuf, line: usize },
    #[error("the configuration has mistakes\n{0}")]
    Mistakes(ConfigErrors),
}

impl Settings {
    /// The file that [`Settings::config`] reads, if any.
    pub fn file(&self) -> Option<PathBuf> {
        let default = || {
            Path::new(DEFAULT_CONFIG)
                .exists()
                .then(|| DEFAULT_CONFIG.into())
        };
        self.config.clone().or_else(default)
    }

    /// The file's configuration, or the defaults, with the flags over it.
    ///
    /// # Errors
    /// When the file cannot be read, and every mistake in it.
    pub fn config(&self) -> Result<Config, SettingsError> {
        let mut config = match self.file() {
            Some(file) => read(&file)?,
            None => Config::default(),
        };
        if let Some(keys) = &self.keys {
            config.keys.clone_from(keys);
        }
        if !self.listen.is_empty() {
            config.listen = self.listen.iter().cloned().map(Into::into).collect();
        }
        Ok(config)
    }
}

/// The key directory of a command that takes no other setting: the flag's, or the
/// config file's, or the default. With the flag a broken config file is no hindrance.
///
/// # Errors
/// As [`Settings::config`].
pub fn key_directory(flag: Option<&Path>) -> Result<PathBuf, SettingsError> {
    match flag {
        Some(directory) => Ok(directory.to_owned()),
        None => Ok(Settings::default().config()?.keys),
    }
}

/// Reads the address of a name server, for `--resolver`.
///
/// # Errors
/// What was expected instead.
pub fn name_server(text: &str) -> Result<SocketAddr, String> {
    let alone = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
    text.parse().or(alone).map_err(|_| {
        "expected an IP address, with or without a port: 192.0.2.1:53, [2001:db8::1]:53".to_owned()
    })
}

fn read(file: &Path) -> Result<Config, SettingsError> {
    let unreadable = |source| SettingsError::Unreadable {
        file: file.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    opened
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(SettingsError::TooLarge {
            file: file.to_owned(),
        });
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to());
        let lines = memchr::memchr_iter(b'\n', good.unwrap_or_default()).count();
        SettingsError::NotText {
            file: file.to_owned(),
            line: lines + 1,
        }
    })?;
    Config::from_toml(&text, &file.to_string_lossy()).map_err(SettingsError::Mistakes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &[u8]) -> (tempfile::TempDir, Settings) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("signet.toml");
        std::fs::write(&file, text).unwrap();
        let settings = Settings {
            config: Some(file),
            ..Settings::default()
        };
        (directory, settings)
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let (directory, mut settings) = with(b"keys = \"there\"\nlisten = \"inet:127.0.0.1:1\"\n");
        let config = settings.config().unwrap();
        assert_eq!(config.keys, directory.path().join("there"));

        settings.keys = Some("here".into());
        settings.listen = vec!["unix:/run/s".parse().unwrap()];
        let config = settings.config().unwrap();
        assert_eq!(config.keys, PathBuf::from("here"));
        assert_eq!(config.listen[0].address.to_string(), "unix:/run/s");
    }

    #[test]
    fn a_file_that_was_named_must_be_there() {
        let settings = Settings {
            config: Some("/nonexistent/signet.toml".into()),
            ..Settings::default()
        };
        let error = settings.config().unwrap_err();
        assert_eq!(error.to_string(), "cannot read /nonexistent/signet.toml");
    }

    #[test]
    fn bytes_that_are_no_text_name_their_line() {
        let (_directory, settings) = with(b"keys = \"a\"\n# \xff\n");
        let error = settings.config().unwrap_err().to_string();
        assert!(error.contains("signet.toml:2: "), "{error}");
    }

    #[test]
    fn a_directory_is_no_config_file() {
        let settings = Settings {
            config: Some("/".into()),
            ..Settings::default()
        };
        assert!(matches!(
            settings.config(),
            Err(SettingsError::Unreadable { .. })
        ));
    }
}
