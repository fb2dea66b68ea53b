//! A milter macro that makes a client trusted.

use std::fmt;
use std::str::FromStr;

/// `NAME` (set to anything but nothing) or `NAME=VALUE`. The name is without braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedMacro {
    pub name: String,
    pub value: Option<String>,
}

/// The text names no macro.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a macro; write NAME, or NAME=VALUE")]
pub struct MacroError(String);

impl FromStr for TrustedMacro {
    type Err = MacroError;
    fn from_str(text: &str) -> Result<Self, MacroError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let bare = name
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
            .unwrap_or(name);
        let known = |b: u8| b.is_ascii_alphanumeric() || b"_-.:".contains(&b);
        if bare.is_empty() || !bare.bytes().all(known) || value.is_some_and(|v| v.contains('\0')) {
            return Err(MacroError(text.to_owned()));
        }
        Ok(Self {
            name: bare.to_owned(),
            value: value.map(str::to_owned),
        })
    }
}

impl fmt::Display for TrustedMacro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.value {
            Some(value) => write!(f, "={value}"),
            None => Ok(()),
        }
    }
}
