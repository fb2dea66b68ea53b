//! Values that are one word of a few.

use std::fmt;
use std::str::FromStr;

use super::{BatchMode, LogFormat, LogLevel, OnFailure};

/// The text is none of the words that are possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord {
    text: String,
    words: &'static [&'static str],
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.words.join(", ");
        write!(f, "\"{}\" is none of {words}", self.text)
    }
}

impl std::error::Error for UnknownWord {}

macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// Every word, as the config writes them.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word in the config.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl FromStr for $type {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { text: text.to_owned(), words: Self::WORDS }),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(OnFailure { Tempfail = "tempfail", Unsigned = "unsigned", Reject = "reject" });
words!(LogLevel { Error = "error", Warn = "warn", Info = "info", Debug = "debug", Trace = "trace" });
words!(LogFormat { Text = "text", Json = "json", Journald = "journald" });
words!(BatchMode { Auto = "auto", Off = "off" });
