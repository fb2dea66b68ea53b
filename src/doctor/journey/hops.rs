//! The way a message took, as its Received fields tell it (RFC 5321 section 4.4), and
//! where on it each signature was made: servers put their fields on top, so a signature
//! is younger than the Received field below it and older than the one above.

use super::changes::Parts;

/// A loop of mail has fewer.
const MOST: usize = 50;

/// How much of a word is shown.
const SHOWN: usize = 80;

/// One server that took the message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hop {
    /// The server's name for itself.
    pub by: Option<String>,
    /// The name of the client; none when a program of the same machine handed it in.
    pub from: Option<String>,
    /// `ESMTP` and the like.
    pub protocol: Option<String>,
    /// The number of the message there.
    pub id: Option<String>,
    /// The user who handed it in to Postfix's sendmail command.
    pub user: Option<String>,
    /// Which signatures were made here: their places among all, from the top, from 0.
    pub signatures: Vec<usize>,
}

impl Hop {
    pub fn name(&self) -> &str {
        self.by.as_deref().unwrap_or("a server without a name")
    }

    /// It was greeted without extensions, and so never with 8BITMIME.
    pub fn takes_no_extensions(&self) -> bool {
        self.protocol.as_deref() == Some("SMTP")
    }
}

/// The servers in the order in which they took the message.
pub fn hops(arrived: &[u8]) -> Vec<Hop> {
    let mut hops = Vec::new();
    let mut signatures = 0;
    let mut above = Vec::new();
    for (name, value) in Parts::of(arrived).fields {
        match name.as_str() {
            "dkim-signature" => {
                above.push(signatures);
                signatures += 1;
            }
            "received" if hops.len() < MOST => {
                let signatures = std::mem::take(&mut above);
                hops.push(Hop {
                    signatures,
                    ..read(&value)
                });
            }
            _ => {}
        }
    }
    hops.reverse();
    hops
}

fn read(value: &str) -> Hop {
    let (words, comments) = without_comments(value);
    let words = words.split(';').next().unwrap_or_default();
    let words: Vec<&str> = words.split_whitespace().collect();
    let behind = |key: &str| {
        let at = words
            .iter()
            .position(|word| word.eq_ignore_ascii_case(key))?;
        let word = words.get(at + 1)?;
        Some(
            word.chars()
                .take(SHOWN)
                .flat_map(char::escape_debug)
                .collect(),
        )
    };
    let user = comments.split_once("from userid ").map(|(_, user)| user);
    Hop {
        by: behind("by"),
        from: behind("from"),
        protocol: behind("with"),
        id: behind("id"),
        user: user.map(|user| user.chars().take_while(char::is_ascii_digit).collect()),
        signatures: Vec::new(),
    }
}

/// What stands outside parentheses, and what stands in them.
fn without_comments(text: &str) -> (String, String) {
    let (mut words, mut comments) = (String::new(), String::new());
    let mut depth = 0_u32;
    for letter in text.chars() {
        match letter {
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            letter if depth == 0 => words.push(letter),
            letter => comments.push(letter),
        }
    }
    (words, comments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_is_read_from_the_bottom_up_4_4() {
        let arrived = "Received: from filter.test (filter.test [127.0.0.1])\r\n\
            \tby mail.test (Postfix) with ESMTP id 4B\r\n\tfor <a@b.c>; Mon, 23 Nov 2026\r\n\
            DKIM-Signature: v=1\r\nDKIM-Signature: v=1\r\n\
            Received: by mail.test (Postfix, from userid 1000)\r\n\tid 4A; Mon\r\n\
            Subject: x\r\n\r\nReceived: by nobody\r\n";
        let hops = hops(arrived.as_bytes());
        let word = |word: &str| Some(word.to_owned());
        assert_eq!(
            hops,
            [
                Hop {
                    by: word("mail.test"),
                    id: word("4A"),
                    user: word("1000"),
                    signatures: vec![0, 1],
                    ..Hop::default()
                },
                Hop {
                    by: word("mail.test"),
                    from: word("filter.test"),
                    protocol: word("ESMTP"),
                    id: word("4B"),
                    ..Hop::default()
                },
            ]
        );
    }

    #[test]
    fn a_received_field_of_nonsense_is_a_hop_without_a_name() {
        let hops = hops(b"Received: (((by by\x1b[1m\r\nReceived: by\r\n\r\n");
        assert_eq!(hops.len(), 2);
        assert_eq!(hops[0].name(), "a server without a name");
    }
}
