//! The message that both programs sign, and what is compared of a signature.

use std::collections::BTreeMap;
use std::fmt;

use crate::dkim::HeaderSection;
use crate::milter::mta::Message;

/// A message by this author, with the fields that lists of header fields are about.
pub fn message(author: &str) -> Message {
    let text = format!(
        "Return-Path: <{author}>\n\
         Received: from client.example by mx.example.com; Tue, 1 Sep 2026 10:00:00 +0000\n\
         From: {author}\n\
         To: Grace <grace@recipient.example>\n\
         Cc: heidi@recipient.example\n\
         Reply-To: {author}\n\
         Subject: A sample\n\
         Date: Tue, 1 Sep 2026 10:00:00 +0000\n\
         Message-ID: <1@sample.example>\n\
         In-Reply-To: <0@sample.example>\n\
         References: <0@sample.example>\n\
         MIME-Version: 1.0\n\
         Content-Type: text/plain; charset=us-ascii\n\
         Content-Transfer-Encoding: 7bit\n\
         Comments: a sample\n\
         Keywords: sample\n\
         List-Id: <list.sample.example>\n\
         List-Unsubscribe: <https://list.sample.example/>\n\
         List-Unsubscribe-Post: List-Unsubscribe=One-Click\n\
         X-Mailer: sample\n\
         \n\
         A sample.\n"
    );
    Message::parse(text.as_bytes())
}

/// The header section of a message, as a milter collects it.
pub fn section(message: &Message) -> HeaderSection {
    let mut section = HeaderSection::new();
    for (name, value) in &message.fields {
        section.push(name, value);
    }
    section
}

/// What one signature says of itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    pub domain: String,
    pub selector: String,
    pub identity: Option<String>,
    /// In lower case, in the order of the signature.
    pub fields: Vec<String>,
}

impl Said {
    /// Reads the value of a DKIM-Signature field (RFC 6376 §3.5).
    pub fn read(value: &[u8]) -> Self {
        let text: String = String::from_utf8_lossy(value)
            .chars()
            .filter(|c| !c.is_ascii_whitespace())
            .collect();
        let tags: BTreeMap<&str, &str> = text
            .split(';')
            .filter_map(|tag| tag.split_once('='))
            .collect();
        let tag = |name| tags.get(name).copied();
        Self {
            domain: tag("d").unwrap_or_default().to_ascii_lowercase(),
            selector: tag("s").unwrap_or_default().to_ascii_lowercase(),
            identity: tag("i").map(str::to_owned),
            fields: tag("h")
                .unwrap_or_default()
                .split(':')
                .map(str::to_ascii_lowercase)
                .collect(),
        }
    }

    /// Whether the other names the same signer.
    pub fn same_signer(&self, other: &Self) -> bool {
        self.domain == other.domain
            && self.selector == other.selector
            && self.identity == other.identity
    }

    /// The names in `h=` that the other has less often.
    pub fn fields_beyond(&self, other: &Self) -> Vec<String> {
        let mut rest = other.fields.clone();
        let mut beyond = Vec::new();
        for name in &self.fields {
            match rest.iter().position(|known| known == name) {
                Some(at) => {
                    rest.swap_remove(at);
                }
                None => beyond.push(name.clone()),
            }
        }
        beyond
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "d={} s={}", self.domain, self.selector)?;
        if let Some(identity) = &self.identity {
            write!(f, " i={identity}")?;
        }
        write!(f, " h={}", self.fields.join(":"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_over_their_folds() {
        let said = Said::read(b" v=1; a=rsa-sha256; d=Example.com;\n\ts=s1; i=@example.com;\n\th=From:To:\n\t Subject; b=ab=");
        assert_eq!(
            said.to_string(),
            "d=example.com s=s1 i=@example.com h=from:to:subject"
        );
        let other = Said::read(b"d=example.com;s=s1;h=from:subject:subject");
        assert!(!said.same_signer(&other));
        assert_eq!(said.fields_beyond(&other), ["to"]);
        assert_eq!(other.fields_beyond(&said), ["subject"]);
    }

    #[test]
    fn the_sample_has_its_author() {
        let message = message("user@example.com");
        assert_eq!(message.fields[2].1, b" user@example.com");
        assert_eq!(section(&message).len(), message.fields.len());
        assert_eq!(message.body, b"A sample.\r\n");
    }
}
