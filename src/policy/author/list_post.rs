//! The address of a mailing list in its List-Post field (RFC 2369 §3.4).

/// The address of the first `<mailto:...>`, without what follows a `?`; none when there
/// is none, or when it is encoded, which no list needs.
pub fn mailto(value: &[u8]) -> Option<&[u8]> {
    let start = value.trim_ascii_start().strip_prefix(b"<")?;
    let (scheme, rest) = start.split_at_checked("mailto:".len())?;
    if !scheme.eq_ignore_ascii_case(b"mailto:") {
        return None;
    }
    let end = rest.iter().position(|byte| matches!(byte, b'>' | b'?'))?;
    let address = rest.get(..end)?;
    let plain = |b: &u8| b.is_ascii_graphic() && !b"%,<()\"".contains(b);
    (!address.is_empty() && rest.contains(&b'>') && address.iter().all(plain)).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_the_list_is_found_3_4() {
        for value in [
            " <mailto:list@lists.example>",
            "\n\t<MAILTO:list@lists.example?subject=x> (Postings)",
            "<mailto:list@lists.example>, <https://lists.example/>",
        ] {
            assert_eq!(mailto(value.as_bytes()), Some(&b"list@lists.example"[..]));
        }
    }

    #[test]
    fn a_list_that_cannot_be_written_to_has_none() {
        for value in [
            " NO",
            "",
            "<https://lists.example/post>",
            "<mailto:>",
            "<mailto:list@lists.example",
            "<mailto:list%40lists.example>",
            "<mailto:a@b.example,c@d.example>",
            "mailto:list@lists.example",
        ] {
            assert_eq!(mailto(value.as_bytes()), None, "{value}");
        }
    }
}
