//! The message the load is made of: what a mail program and one relay before us
//! really write, so that header selection, unfolding and body canonicalization have
//! real work. Larger sizes carry an attachment in base64.

use crate::milter::mta::Message;

const TEXT: &str = "Dear colleagues,\r\n\
    \r\n\
    the figures for the third quarter are in the attached sheet. Please read \r\n\
    them before Thursday;  the auditors ask for the signed copy by the end of \r\n\
    the month, and the two open items on page 4 still want a decision.\r\n\
    \r\n\
    > Can somebody confirm the totals of the Hamburg branch?\r\n\
    Confirmed, see the second tab.  Nothing has changed since the draft.\t\r\n\
    \r\n";

/// Lines of base64 are 76 characters and CRLF (RFC 2045 §6.8).
const BASE64_LINE: usize = 76;

/// A message whose header section and body together are `size` bytes long on the
/// wire, or a little more when `size` is less than the header section and one line.
pub fn realistic(from: &str, size: usize) -> Message {
    let mut message = Message {
        fields: header_section(from)
            .into_iter()
            .map(|(name, value)| (name.into_bytes(), value.into_bytes()))
            .collect(),
        body: Vec::new(),
    };
    message.body = body(size.saturating_sub(message.to_bytes().len()));
    message
}

/// Text, then base64 up to exactly `size` bytes; never less than one line.
fn body(size: usize) -> Vec<u8> {
    let size = size.max("x\r\n".len());
    let mut body = Vec::with_capacity(size + TEXT.len());
    while body.len() < size.min(2048) {
        body.extend_from_slice(TEXT.as_bytes());
    }
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    while body.len() < size {
        for _ in 0..BASE64_LINE {
            body.push(base64_character(&mut state));
        }
        body.extend_from_slice(b"\r\n");
    }
    body.truncate(size - 2);
    // A line end cut in half would be a bare CR, which Postfix never sends.
    if body.last() == Some(&b'\r') {
        body.pop();
        body.push(b'x');
    }
    body.extend_from_slice(b"\r\n");
    body
}

/// xorshift64: only the look of base64 matters here.
fn base64_character(state: &mut u64) -> u8 {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    let index = usize::from((*state >> 32) as u8 & 63);
    ALPHABET.get(index).copied().unwrap_or(b'A')
}

fn header_section(from: &str) -> Vec<(String, String)> {
    let domain = from.rsplit_once('@').map_or(from, |(_, domain)| domain);
    let fixed = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        (
            "Received".to_owned(),
            format!(
                " from desk17.office.{domain} (desk17.office.{domain} [192.0.2.17])\n\t\
                 (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n\t \
                 key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256)\n\t\
                 (No client certificate requested)\n\t\
                 by relay.{domain} (Postfix) with ESMTPSA id 4BxKqz0mRzz1g\n\t\
                 for <grace@recipient.example>; Mon, 23 Nov 2026 09:14:03 +0000 (UTC)"
            ),
        ),
        fixed("Date", " Mon, 23 Nov 2026 10:14:02 +0100"),
        ("From".to_owned(), format!(" Ada Lovelace <{from}>")),
        ("Reply-To".to_owned(), format!(" Ada Lovelace <{from}>")),
        fixed("To", " Grace Hopper <grace@recipient.example>"),
        fixed(
            "Cc",
            " \"Turing, Alan\" <alan@recipient.example>,\n Emmy Noether <emmy@recipient.example>",
        ),
        fixed(
            "Subject",
            " =?UTF-8?Q?Re=3A_Figures_f=C3=BCr_das_dritte_Quartal_und_die?=\n \
             =?UTF-8?Q?_zwei_offenen_Punkte_auf_Seite_4?=",
        ),
        (
            "Message-ID".to_owned(),
            format!(" <5f2c7a9e-0d1b-4c1e-9a55-0c2f4be1a7d3@{domain}>"),
        ),
        (
            "In-Reply-To".to_owned(),
            format!(" <CAF7b2Qm9yZ0hXk3nT1vR8sL4pW6uE0jD@{domain}>"),
        ),
        (
            "References".to_owned(),
            format!(
                " <9c1d6f3b-7e55-47f0-8a1c-2f0f6f5d9a11@recipient.example>\n \
                 <CAF7b2Qm9yZ0hXk3nT1vR8sL4pW6uE0jD@{domain}>"
            ),
        ),
        fixed("MIME-Version", " 1.0"),
        fixed(
            "Content-Type",
            " multipart/mixed;\n boundary=\"------------vN3p6GQ0h7xkW2Yt5Zs8bJr1\"",
        ),
        fixed("Content-Transfer-Encoding", " 7bit"),
        fixed("Content-Language", " en-GB"),
        fixed("Accept-Language", " en-GB, de-DE"),
        fixed("User-Agent", " Mozilla Thunderbird"),
        fixed("Organization", " Analytical Engines Ltd."),
        fixed("Importance", " Normal"),
        fixed("X-Priority", " 3 (Normal)"),
        fixed("Thread-Topic", " Figures for the third quarter"),
        fixed("Thread-Index", " AdxS1mJ4c5Wb2lQkTnyf0p8z7rXhKA=="),
        (
            "List-Unsubscribe".to_owned(),
            format!(" <mailto:leave@{domain}?subject=unsubscribe>"),
        ),
        fixed("X-MS-Has-Attach", " yes"),
        fixed("X-Originating-IP", " [192.0.2.17]"),
        fixed(
            "X-Spam-Status",
            " No, score=-1.9 required=5.0 tests=BAYES_00\n\tautolearn=ham",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_size_asked_for() {
        for size in (2400..2600).chain([4096, 51_200, 1 << 20]) {
            assert_eq!(realistic("ada@bench.example", size).to_bytes().len(), size);
        }
    }

    #[test]
    fn a_body_has_no_bare_cr_or_lf_and_no_over_long_line() {
        for size in 3..400 {
            let body = body(size);
            assert_eq!(body.len(), size);
            let text = String::from_utf8(body).unwrap();
            for line in text.strip_suffix("\r\n").unwrap().split("\r\n") {
                assert!(!line.contains(['\r', '\n']), "size {size}: {line:?}");
                assert!(line.len() <= 80, "size {size}: {line:?}");
            }
        }
    }
}
