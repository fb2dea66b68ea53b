//! Patterns in which `*` stands for any text, compared with one another: which of two
//! wins matters only where both match.

/// Whether `pattern` matches all of `text`, ASCII letters without case.
pub fn matches(pattern: &str, text: &str) -> bool {
    covers(pattern, text)
}

/// Whether whatever `narrow` matches is matched by `wide` too. A `*` of `narrow` is
/// covered by a `*` of `wide` alone, which is right for every pattern without two `*`
/// that bound one another; in doubt it is false.
pub fn covers(wide: &str, narrow: &str) -> bool {
    let wide = wide.as_bytes();
    let narrow = narrow.as_bytes();
    // The places in `wide` that the part of `narrow` read so far can lead to.
    let mut reached = vec![false; wide.len() + 1];
    reach(&mut reached, wide, 0);
    for letter in narrow {
        let mut next = vec![false; wide.len() + 1];
        for (place, expected) in wide.iter().enumerate() {
            if !reached.get(place).copied().unwrap_or(false) {
                continue;
            }
            if *expected == b'*' {
                reach(&mut next, wide, place);
            } else if *letter != b'*' && expected.eq_ignore_ascii_case(letter) {
                reach(&mut next, wide, place + 1);
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

/// Marks a place, and those behind each `*` that follows, which may stand for nothing.
fn reach(reached: &mut [bool], pattern: &[u8], mut place: usize) {
    loop {
        if let Some(mark) = reached.get_mut(place) {
            *mark = true;
        }
        if pattern.get(place) != Some(&b'*') {
            return;
        }
        place += 1;
    }
}

/// Whether there is a text that both match.
pub fn overlap(one: &str, other: &str) -> bool {
    let one = one.as_bytes();
    let other = other.as_bytes();
    // The places of `other` from which it can end as `one` ends, from the end of `one`
    // backwards.
    let stars_only = |rest: &[u8]| rest.iter().all(|b| *b == b'*');
    let mut meets: Vec<bool> = (0..=other.len())
        .map(|at| other.get(at..).is_some_and(stars_only))
        .collect();
    for letter in one.iter().rev() {
        let mut next = vec![false; meets.len()];
        for at in (0..meets.len()).rev() {
            let skip_one = meets.get(at).copied().unwrap_or(false);
            let skip_other = next.get(at + 1).copied().unwrap_or(false);
            let both = meets.get(at + 1).copied().unwrap_or(false);
            let facing = other.get(at);
            let met = match (letter, facing) {
                (b'*', _) => skip_one || skip_other,
                (_, Some(b'*')) => skip_other || skip_one,
                (letter, Some(facing)) => both && letter.eq_ignore_ascii_case(facing),
                (_, None) => false,
            };
            if let Some(place) = next.get_mut(at) {
                *place = met;
            }
        }
        meets = next;
    }
    meets.first().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_star_stands_for_any_text_and_for_none() {
        for (pattern, text) in [
            ("*", ""),
            ("*@example.com", "user@EXAMPLE.com"),
            ("*@*.example.com", "a@b.c.example.com"),
            ("a*b*c", "abc"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        assert!(!matches("*@*.example.com", "a@example.com"));
        assert!(!matches("a", "ab"));
        assert!(!matches("ab", "a"));
    }

    #[test]
    fn a_wider_pattern_covers_a_narrower_one() {
        assert!(covers("*", "*@example.com"));
        assert!(covers("*@*.com", "info@*.example.com"));
        assert!(covers("*@example.com", "*@example.com"));
        assert!(!covers("*@*.example.com", "*@example.com"));
        assert!(!covers("info@*", "*@example.com"));
    }

    #[test]
    fn patterns_overlap_where_one_text_is_both() {
        assert!(overlap("info@*", "*@example.com"));
        assert!(overlap("*a", "b*"));
        assert!(overlap("*", ""));
        assert!(!overlap("*@example.com", "*@example.net"));
        assert!(!overlap("info@*", "sales@*"));
        assert!(!overlap("a", ""));
    }

    proptest! {
        #[test]
        fn they_agree_with_what_matches(one in "[ab*]{0,5}", other in "[ab*]{0,5}", text in "[ab]{0,6}") {
            if matches(&one, &text) && matches(&other, &text) {
                prop_assert!(overlap(&one, &other));
            }
            if covers(&one, &other) && matches(&other, &text) {
                prop_assert!(matches(&one, &text));
            }
            if overlap(&one, &other) {
                let all = texts(8);
                prop_assert!(all.iter().any(|t| matches(&one, t) && matches(&other, t)));
            }
        }
    }

    /// Every text of `a` and `b` of up to `longest` letters.
    fn texts(longest: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..longest {
            let to = all.len();
            for at in from..to {
                for letter in ['a', 'b'] {
                    let text = format!("{}{letter}", all[at]);
                    all.push(text);
                }
            }
            from = to;
        }
        all
    }
}
