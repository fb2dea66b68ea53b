//! A test stand: a Postfix, the milter behind it, and the keys it signs with.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::client::Client;
use crate::instance::{Instance, Setup};
use crate::judges;
use crate::keys::{Algorithm, ED25519, Keys, RSA};
use crate::milter::Milter;
use crate::requirements;
use crate::sink::Delivery;

/// The domain whose mail is signed.
pub const DOMAIN: &str = "example.org";
/// An envelope sender of that domain.
pub const SENDER: &str = "<author@example.org>";

pub struct Stand {
    pub milter: Milter,
    pub postfix: Instance,
    pub keys: Keys,
}

impl Stand {
    /// A stand with an RSA and an Ed25519 key for [`DOMAIN`], or none where the machine has no Postfix for us.
    pub fn start(setup: &Setup) -> Option<Self> {
        Self::with(setup, &[DOMAIN], &[RSA, ED25519], "")
    }

    pub fn with(
        setup: &Setup,
        domains: &[&str],
        algorithms: &[Algorithm],
        config: &str,
    ) -> Option<Self> {
        Self::at(setup, domains, algorithms, config, |postfix| {
            match setup.tcp {
                true => postfix.tcp_listener(),
                false => postfix.unix_listener(),
            }
        })
    }

    /// A stand whose milter listens elsewhere than where Postfix looks for it.
    pub fn listening(setup: &Setup, listener: impl FnOnce(&Instance) -> String) -> Option<Self> {
        Self::at(setup, &[DOMAIN], &[RSA, ED25519], "", listener)
    }

    fn at(
        setup: &Setup,
        domains: &[&str],
        algorithms: &[Algorithm],
        config: &str,
        listener: impl FnOnce(&Instance) -> String,
    ) -> Option<Self> {
        if !requirements::met() {
            return None;
        }
        let keys = Keys::generate(domains, algorithms);
        Some(Self::of(setup, keys, config, listener))
    }

    /// A stand with keys that somebody else knows already. Only where [`requirements::met`].
    pub fn with_keys(setup: &Setup, keys: Keys, config: &str) -> Self {
        Self::of(setup, keys, config, Instance::unix_listener)
    }

    fn of(
        setup: &Setup,
        keys: Keys,
        config: &str,
        listener: impl FnOnce(&Instance) -> String,
    ) -> Self {
        let postfix = Instance::start(setup);
        let listener = listener(&postfix);
        let milter = Milter::start(&keys, &[listener], config);
        Self {
            milter,
            postfix,
            keys,
        }
    }

    /// Sends a message through a service in a session of its own and returns it as it arrived.
    pub fn pass(&self, service: &str, message: &[u8]) -> Delivery {
        self.pass_from(service, SENDER, message)
    }

    /// The same with another envelope sender, which may carry parameters: `<a@example.org> BODY=8BITMIME`.
    pub fn pass_from(&self, service: &str, sender: &str, message: &[u8]) -> Delivery {
        let recipient = recipient();
        let mut client = Client::connect(self.postfix.service(service));
        client.send(sender, &recipient, message);
        client.quit();
        self.postfix.sink.wait_for(&recipient)
    }

    /// Sends a message through the milter and past it, and asserts that it arrives signed and otherwise untouched.
    pub fn assert_signs(&self, message: &[u8]) {
        self.assert_signed(&self.pass("signed", message), message);
    }

    /// Sends a message of this author through the milter and past it, and asserts that these domains sign it.
    pub fn assert_signs_for(&self, author: &str, domains: &[&str]) {
        let sent = message_from(author, "hello\r\n");
        let (signed, plain) = (self.pass("signed", &sent), self.pass("plain", &sent));
        self.assert_signed_by(&signed, &plain, &sent, domains);
    }

    /// Asserts that this is `message`, unharmed, with one good signature a key and nothing else on top.
    pub fn assert_signed(&self, signed: &Delivery, message: &[u8]) {
        self.assert_signed_as(signed, &self.pass("plain", message), message, DOMAIN);
    }

    /// The same for a message that went past the milter as `plain`, and that `domain` signs.
    pub fn assert_signed_as(&self, signed: &Delivery, plain: &Delivery, sent: &[u8], domain: &str) {
        self.assert_signed_by(signed, plain, sent, &[domain]);
    }

    /// The same where each of several domains signs with all its keys.
    pub fn assert_signed_by(
        &self,
        signed: &Delivery,
        plain: &Delivery,
        sent: &[u8],
        domains: &[&str],
    ) {
        let parts = signed.parts();
        assert_eq!(
            parts.signatures.len(),
            self.keys.selectors().len() * domains.len(),
            "{}",
            start_of(signed)
        );
        assert!(parts.strange.is_empty(), "{}", start_of(signed));
        parts.assert_same_message(&plain.parts(), sent);
        judges::assert_verifies(&self.keys, &signed.message, domains);
        let line = self.milter.line_about(&parts.queue_id);
        let each = domains
            .iter()
            .flat_map(|domain| vec![*domain; self.keys.selectors().len()]);
        let named = format!(" d={} ", each.collect::<Vec<_>>().join(","));
        assert!(line.contains("signed") && line.contains(&named), "{line}");
    }

    /// Asserts that the message has one good signature a key and no other, and that the fields of other programs on top of it are these,
    /// from the top.
    pub fn assert_signed_below(&self, arrived: &Delivery, names: &[&str]) {
        let parts = arrived.parts();
        let text = String::from_utf8_lossy(&arrived.message);
        let count = self.keys.selectors().len();
        assert_eq!(text.matches("DKIM-Signature:").count(), count, "{text}");
        assert_eq!(parts.signatures.len(), count, "{text}");
        let named = |(field, name): (&&[u8], &&str)| field.starts_with(name.as_bytes());
        assert!(
            parts.strange.len() == names.len() && parts.strange.iter().zip(names).all(named),
            "{names:?} in {text}"
        );
        judges::assert_verifies(&self.keys, &arrived.message, &[DOMAIN]);
        let line = self.milter.line_about(&parts.queue_id);
        assert!(line.contains(" signed "), "{line}");
    }

    /// Asserts that this is `message` with nothing added and nothing changed, and that the milter logged this reason.
    pub fn assert_unsigned(&self, arrived: &Delivery, message: &[u8], reason: &str) {
        let parts = arrived.parts();
        assert!(
            parts.signatures.is_empty() && parts.strange.is_empty(),
            "{}",
            start_of(arrived)
        );
        parts.assert_same_message(&self.pass("plain", message).parts(), message);
        let line = self.milter.line_about(&parts.queue_id);
        assert!(line.contains(reason), "{line}");
    }
}

/// A mailbox of the sink that no other message goes to.
pub fn recipient() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("mailbox{}@sink.test", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A message with the fields that mail has, and this body; line ends CRLF.
pub fn message(body: &str) -> Vec<u8> {
    message_from("author@example.org", body)
}

/// The same by another author.
pub fn message_from(author: &str, body: &str) -> Vec<u8> {
    let header = format!(
        "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\
         From: Author <{author}>\r\n\
         To: Reader <reader@sink.test>\r\n\
         Subject: A subject\r\n\
         Message-ID: <1@example.org>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\
         \r\n"
    );
    [header.as_bytes(), body.as_bytes()].concat()
}

fn start_of(delivery: &Delivery) -> String {
    String::from_utf8_lossy(&delivery.message[..delivery.message.len().min(3000)]).into_owned()
}
