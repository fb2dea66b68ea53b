//! The names of the canonicalization algorithms and how they are written in `c=`.

use std::fmt;
use std::str::FromStr;

/// How bytes are made ready for hashing (RFC 6376 §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CanonicalizationAlgorithm {
    /// As they are, but for empty lines at the end of the body.
    Simple,
    /// With runs of white space made one space, and none at the ends of lines.
    Relaxed,
}

impl CanonicalizationAlgorithm {
    fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Simple, Self::Relaxed]
            .into_iter()
            .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(text))
    }
}

/// The pair of algorithms of one signature; relaxed for both unless asked otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Canonicalization {
    pub header: CanonicalizationAlgorithm,
    pub body: CanonicalizationAlgorithm,
}

impl Default for Canonicalization {
    fn default() -> Self {
        Self {
            header: CanonicalizationAlgorithm::Relaxed,
            body: CanonicalizationAlgorithm::Relaxed,
        }
    }
}

impl fmt::Display for Canonicalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.header.as_str(), self.body.as_str())
    }
}

/// Reads `HEADER/BODY`, or `HEADER` alone, which means simple for the body
/// (RFC 6376 §3.5, `c=`).
impl FromStr for Canonicalization {
    type Err = CanonicalizationError;

    fn from_str(text: &str) -> Result<Self, CanonicalizationError> {
        let (header, body) = text.split_once('/').unwrap_or((text, "simple"));
        match (
            CanonicalizationAlgorithm::parse(header),
            CanonicalizationAlgorithm::parse(body),
        ) {
            (Some(header), Some(body)) => Ok(Self { header, body }),
            _ => Err(CanonicalizationError),
        }
    }
}

/// The text names no canonicalization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a canonicalization: it is \"relaxed/relaxed\", \"relaxed/simple\", \"simple/relaxed\" or \"simple/simple\""
)]
pub struct CanonicalizationError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_four_pairs_are_read_and_written() {
        for text in [
            "relaxed/relaxed",
            "relaxed/simple",
            "simple/relaxed",
            "simple/simple",
        ] {
            assert_eq!(text.parse::<Canonicalization>().unwrap().to_string(), text);
        }
        assert_eq!(Canonicalization::default().to_string(), "relaxed/relaxed");
    }

    #[test]
    fn one_algorithm_alone_is_the_headers_3_5() {
        let alone: Canonicalization = "Relaxed".parse().unwrap();
        assert_eq!(alone.to_string(), "relaxed/simple");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "/", "relaxed/", "nofws", "relaxed/relaxed/relaxed"] {
            assert_eq!(text.parse::<Canonicalization>(), Err(CanonicalizationError));
        }
    }
}
