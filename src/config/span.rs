//! Spans of time, as a number of seconds or a number with a unit (`90s`, `7d`).

use std::time::Duration;

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Ten years in seconds: beyond that a span is a mistake, and arithmetic with the
/// clock stays far from its end.
pub const LONGEST: u64 = 10 * 365 * 86_400;

/// The text is no span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a span of time; write a number and s, m, h or d, as in \"7d\", at most ten years"
)]
pub struct SpanError(String);

/// Reads `90s`, `15m`, `2h`, `7d`, or a bare number of seconds; at least one second.
pub fn parse(text: &str) -> Result<Duration, SpanError> {
    let with_unit = |(letter, seconds): &(char, u64)| Some((text.strip_suffix(*letter)?, *seconds));
    let (digits, seconds) = UNITS.iter().find_map(with_unit).unwrap_or((text, 1));
    let error = || SpanError(text.to_owned());
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(error());
    }
    let number: u64 = digits.parse().map_err(|_| error())?;
    match number.checked_mul(seconds) {
        Some(span) if (1..=LONGEST).contains(&span) => Ok(Duration::from_secs(span)),
        _ => Err(error()),
    }
}

/// The shortest text that [`parse`] reads as the same whole seconds.
pub fn text(span: Duration) -> String {
    let seconds = span.as_secs();
    let unit = UNITS.iter().find(|(_, unit)| seconds.is_multiple_of(*unit));
    let (letter, unit) = unit.unwrap_or(&('s', 1));
    format!("{}{letter}", seconds / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_reads_back() {
        for (written, seconds) in [("90s", 90), ("15m", 900), ("2h", 7200), ("7d", 604_800)] {
            let span = Duration::from_secs(seconds);
            assert_eq!(parse(written), Ok(span));
            assert_eq!(text(span), written);
        }
        assert_eq!(parse("3600"), Ok(Duration::from_secs(3600)));
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for wrong in [
            "",
            "d",
            "7 d",
            "-1s",
            "7dd",
            "1.5h",
            "0s",
            "0",
            "99999999999d",
            "11y",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
