//! How long the answer of a name server is that holds a key record, and what a long
//! one means. Sizes are computed, nobody is asked.

use super::{Publication, character_strings};

/// RFC 1035 §4.2.1: what UDP carries without EDNS.
const PLAIN_UDP: usize = 512;
/// What name servers send by UDP at most since DNS flag day 2020, so that nothing is cut
/// into fragments (RFC 9715).
const COMMON_UDP: usize = 1232;

/// The bytes of a DNS answer that holds one key record and an EDNS option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AnswerSize(pub usize);

impl AnswerSize {
    /// What there is to say to whom publishes it; nothing when it is short.
    pub fn note(self) -> Option<String> {
        let Self(bytes) = self;
        if bytes > COMMON_UDP {
            Some(format!(
                "the DNS answer has {bytes} bytes, more than the {COMMON_UDP} that fit into one UDP \
                 packet: every receiver must ask again by TCP, so TCP port 53 of your name servers \
                 must be open"
            ))
        } else if bytes > PLAIN_UDP {
            Some(format!(
                "the DNS answer has {bytes} bytes, more than the {PLAIN_UDP} of plain DNS: \
                 receivers need EDNS or TCP, which a few old firewalls stop; a 2048-bit key fits"
            ))
        } else {
            None
        }
    }
}

impl Publication {
    /// The size of the answer to a question for this record.
    pub fn answer_size(&self) -> AnswerSize {
        const HEADER: usize = 12;
        // The name in the question, each label with its length, and the root.
        let question = self.name().len() + 2 + 4;
        // The name again as a pointer, type, class, TTL, length.
        const FIXED: usize = 2 + 2 + 2 + 4 + 2;
        const EDNS: usize = 11;
        let text = self.record.to_string();
        let data = text.len() + character_strings(&text).len();
        AnswerSize(HEADER + question + FIXED + data + EDNS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::KeyRecord;

    fn publication(record: &str) -> Publication {
        Publication {
            domain: "example.com".parse().unwrap(),
            selector: "s1".parse().unwrap(),
            record: KeyRecord::parse(record).unwrap(),
            ttl: 300,
        }
    }

    #[test]
    fn the_size_is_that_of_the_answer_and_long_ones_are_told_of() {
        let rsa = include_str!("golden/plain-rsa.txt");
        let size = publication(rsa).answer_size();
        // As BIND sends it.
        assert_eq!(size, AnswerSize(478));
        assert_eq!(size.note(), None);
        let with_note = |bytes: usize| {
            let note = format!("k=rsa; n={};", "x".repeat(bytes));
            publication(&rsa.replace("k=rsa;", &note)).answer_size()
        };
        // 478, "n=" and "; ", one more string of the text.
        let longer = with_note(300);
        assert_eq!(longer, AnswerSize(478 + 300 + 4 + 1));
        assert!(
            longer
                .note()
                .unwrap()
                .contains("783 bytes, more than the 512")
        );
        assert!(with_note(1000).note().unwrap().contains("TCP port 53"));
    }
}
