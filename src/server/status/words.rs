//! Numbers of the status in the words of people.

/// How long `then` is ago, in the largest unit that fits.
pub fn ago(now: u64, then: u64) -> String {
    match now.saturating_sub(then) {
        0 => "just now".to_owned(),
        seconds => format!("{} ago", span(seconds)),
    }
}

/// A span of time in the largest unit that fits, rounded down.
pub fn span(seconds: u64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let (count, unit) = units
        .iter()
        .find(|(unit, _)| seconds >= *unit)
        .map_or((seconds, "second"), |(unit, name)| (seconds / unit, *name));
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// A time in milliseconds, to three figures.
pub fn milliseconds(seconds: f64) -> String {
    let milliseconds = seconds * 1e3;
    let decimals = match milliseconds {
        ..1.0 => 2,
        1.0..10.0 => 1,
        _ => 0,
    };
    format!("{milliseconds:.decimals$} ms")
}

/// `n` with the name of what is counted.
pub fn many(count: u64, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {one}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_in_its_largest_unit() {
        assert_eq!(ago(100, 100), "just now");
        assert_eq!(ago(100, 99), "1 second ago");
        assert_eq!(ago(1_000, 0), "16 minutes ago");
        assert_eq!(ago(7_200, 0), "2 hours ago");
        assert_eq!(ago(86_400, 0), "1 day ago");
        // The clock has jumped back.
        assert_eq!(ago(5, 9), "just now");
    }

    #[test]
    fn milliseconds_have_the_figures_that_mean_something() {
        assert_eq!(milliseconds(0.000_31), "0.31 ms");
        assert_eq!(milliseconds(0.001_25), "1.2 ms");
        assert_eq!(milliseconds(0.05), "50 ms");
    }
}
