//! A message as it arrived at the sink, taken apart: what this hop added on top, and what the author sent.

use crate::sink::Delivery;

/// The parts of an arrived message.
pub struct Received<'m> {
    /// The DKIM-Signature fields above this hop's Received field, topmost first.
    pub signatures: Vec<&'m [u8]>,
    /// Other fields above it; a signer adds none.
    pub strange: Vec<&'m [u8]>,
    /// The number Postfix gave the message.
    pub queue_id: String,
    /// The fields below this hop's Received field.
    pub fields: Vec<&'m [u8]>,
    /// The empty line and what follows.
    pub body: &'m [u8],
}

impl Delivery {
    pub fn parts(&self) -> Received<'_> {
        let (mut fields, body) = split(&self.message);
        let hop = fields
            .iter()
            .position(|field| field.starts_with(b"Received:"))
            .expect("a Received field");
        let below = fields.split_off(hop + 1);
        let trace = fields.pop().unwrap();
        let (signatures, strange) = fields
            .into_iter()
            .partition(|field| field.starts_with(b"DKIM-Signature:"));
        Received {
            signatures,
            strange,
            queue_id: queue_id(trace),
            fields: below,
            body,
        }
    }
}

impl Received<'_> {
    /// Asserts that both carry the same message: every byte below the Received field.
    ///
    /// `sent` is what the client handed in. Where it had no Message-ID or Date, Postfix makes one, from the number and the time, and
    /// those differ between any two messages.
    pub fn assert_same_message(&self, other: &Received<'_>, sent: &[u8]) {
        let settle = |received: &Received<'_>| -> Vec<String> {
            let made = |field: &&[u8]| {
                let name = field.split(|byte| *byte == b':').next().unwrap_or_default();
                let made = [&b"Message-Id"[..], b"Date"].contains(&name)
                    && !contains(sent, field.trim_ascii_end());
                if made {
                    String::from_utf8_lossy(name).into_owned()
                } else {
                    field.escape_ascii().to_string()
                }
            };
            received.fields.iter().map(made).collect()
        };
        assert_eq!(
            settle(self),
            settle(other),
            "header fields (left: with the milter, right: without)"
        );
        if self.body != other.body {
            let at = self
                .body
                .iter()
                .zip(other.body)
                .take_while(|(left, right)| left == right)
                .count();
            panic!(
                "the body differs from byte {at} on ({} and {} bytes)",
                self.body.len(),
                other.body.len()
            );
        }
    }

    /// The value of a tag of a signature, without white space.
    pub fn tag(&self, signature: usize, name: &str) -> String {
        let field = self.signatures[signature];
        let text: String = field
            .iter()
            .map(|byte| char::from(*byte))
            .filter(|char| !char.is_whitespace())
            .collect();
        let value = text.split_once(':').map_or("", |(_, value)| value);
        let tags = value.split(';').filter_map(|tag| tag.split_once('='));
        tags.into_iter()
            .find(|(tag, _)| *tag == name)
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default()
    }
}

/// Header fields with their line ends, and the rest from the empty line on.
fn split(message: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut fields = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let continues = line.starts_with(b" ") || line.starts_with(b"\t");
        if at > start && !continues {
            fields.push(&message[start..at]);
            start = at;
        }
        if line == b"\r\n" {
            return (fields, &message[at..]);
        }
        at += line.len();
    }
    if at > start {
        fields.push(&message[start..at]);
    }
    (fields, &[])
}

/// `id 4ABC` of a Received field.
fn queue_id(trace: &[u8]) -> String {
    let text = String::from_utf8_lossy(trace);
    let mut words = text
        .split([' ', '\t', '\r', '\n', ';'])
        .filter(|word| !word.is_empty());
    words
        .find(|word| *word == "id")
        .expect("a queue id in the Received field");
    words
        .next()
        .expect("a queue id in the Received field")
        .to_owned()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    let text = text.to_ascii_lowercase();
    text.windows(part.len())
        .any(|window| window == part.to_ascii_lowercase())
}
