//! What Postfix sends, and where it waits.

use bytes::{Bytes, BytesMut};

use super::answer::Answer;
use super::message::{Client, Envelope, Message};
use crate::milter::command::code;
use crate::milter::flags::protocol;
use crate::milter::frame;
use crate::milter::macros::Stage;

/// Bytes of a body packet, the last one of a message excepted.
const CHUNK: usize = 65535;

/// A stretch of a conversation, encoded. Cloning it is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    bytes: Bytes,
    /// Where each part ends, and the command whose reply is awaited there.
    pauses: Vec<(usize, u8)>,
}

/// What is sent without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'s> {
    pub bytes: &'s [u8],
    /// The command to which a reply is then awaited; `None` at the end of a script
    /// that ends in none.
    pub awaits: Option<u8>,
}

impl Script {
    /// CONNECT and HELO.
    pub fn client(answer: &Answer, client: &Client) -> Self {
        let mut writer = Writer::new(answer, client, None);
        let mut connect = client.hostname.clone().into_bytes();
        match client.address {
            Some(address) => {
                connect.extend_from_slice(if address.is_ipv4() {
                    b"\x004"
                } else {
                    b"\x006"
                });
                connect.extend_from_slice(&address.port().to_be_bytes());
                connect.extend_from_slice(address.ip().to_string().as_bytes());
            }
            None => connect.extend_from_slice(b"\x004\0\0unknown"),
        }
        connect.push(0);
        writer.event(Stage::Connect, protocol::NOCONNECT, &[&connect]);
        writer.event(
            Stage::Helo,
            protocol::NOHELO,
            &[client.helo.as_bytes(), b"\0"],
        );
        writer.finish()
    }

    /// One message, from MAIL to its end. [`super::ABORT`] follows it when it has come
    /// by SMTP.
    pub fn message(
        answer: &Answer,
        client: &Client,
        envelope: &Envelope,
        message: &Message,
    ) -> Self {
        let mut writer = Writer::new(answer, client, Some(envelope));
        writer.mail(envelope);
        for recipient in &envelope.recipients {
            writer.recipient(envelope, recipient);
        }
        // Versions 2 and 3 have no DATA.
        if answer.agreement.version > 3 {
            writer.event(Stage::Data, protocol::NODATA, &[]);
        }
        for (name, value) in &message.fields {
            let value = match value.strip_prefix(b" ") {
                Some(stripped) if !answer.agreement.leading_space() => stripped,
                _ => value,
            };
            writer.content(
                Stage::Header,
                protocol::NOHDRS,
                &[name, b"\0", value, b"\0"],
            );
        }
        writer.content(Stage::EndOfHeaders, protocol::NOEOH, &[]);
        for chunk in message.body.chunks(CHUNK) {
            writer.content(Stage::Body, protocol::NOBODY, &[chunk]);
        }
        writer.content(Stage::EndOfMessage, 0, &[]);
        writer.finish()
    }

    /// The parts in their order.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        (0..).map_while(|at| self.part(at))
    }

    pub(super) fn part(&self, at: usize) -> Option<Part<'_>> {
        let begin = match at.checked_sub(1) {
            None => 0,
            Some(before) => self.pauses.get(before)?.0,
        };
        let (end, awaits) = match self.pauses.get(at) {
            Some((end, command)) => (*end, Some(*command)),
            None => (self.bytes.len(), None),
        };
        let bytes = self.bytes.get(begin..end)?;
        (awaits.is_some() || !bytes.is_empty()).then_some(Part { bytes, awaits })
    }

    /// Everything that is sent, the pauses left out.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

struct Writer<'a> {
    answer: &'a Answer,
    client: &'a Client,
    envelope: Option<&'a Envelope>,
    /// The recipients that have been named.
    recipients: usize,
    out: BytesMut,
    pauses: Vec<(usize, u8)>,
}

impl<'a> Writer<'a> {
    fn new(answer: &'a Answer, client: &'a Client, envelope: Option<&'a Envelope>) -> Self {
        Self {
            answer,
            client,
            envelope,
            recipients: 0,
            out: BytesMut::new(),
            pauses: Vec::new(),
        }
    }

    fn finish(self) -> Script {
        Script {
            bytes: self.out.freeze(),
            pauses: self.pauses,
        }
    }

    fn mail(&mut self, envelope: &Envelope) {
        let mut path = bracketed(envelope, &envelope.sender);
        for parameter in &envelope.parameters {
            path.extend_from_slice(parameter.as_bytes());
            path.push(0);
        }
        self.event(Stage::Mail, protocol::NOMAIL, &[&path]);
    }

    fn recipient(&mut self, envelope: &Envelope, recipient: &str) {
        let path = bracketed(envelope, recipient);
        let host = recipient.rsplit_once('@').map_or("", |(_, host)| host);
        let of_recipient = [
            ("rcpt_addr", recipient),
            ("rcpt_host", host),
            ("rcpt_mailer", "smtp"),
        ];
        let known = if envelope.not_by_smtp { 1 } else { 3 };
        self.macros(Stage::Recipient, of_recipient.get(..known).unwrap_or(&[]));
        self.command(Stage::Recipient, protocol::NORCPT, &[&path]);
        self.recipients += 1;
    }

    /// An event of smtpd: its macros are sent even if it is not.
    fn event(&mut self, stage: Stage, suppressed_by: u32, payload: &[&[u8]]) {
        self.macros(stage, &[]);
        self.command(stage, suppressed_by, payload);
    }

    /// An event of cleanup: its macros are not sent if it is not.
    fn content(&mut self, stage: Stage, suppressed_by: u32, payload: &[&[u8]]) {
        if self.answer.agreement.protocol & suppressed_by == 0 {
            self.event(stage, suppressed_by, payload);
        }
    }

    fn command(&mut self, stage: Stage, suppressed_by: u32, payload: &[&[u8]]) {
        if self.answer.agreement.protocol & suppressed_by != 0 {
            return;
        }
        let command = stage.command();
        frame::encode(command, payload, &mut self.out);
        if self.answer.agreement.owes_reply(command) {
            self.pauses.push((self.out.len(), command));
        }
    }

    fn macros(&mut self, stage: Stage, of_event: &[(&str, &str)]) {
        let answer = self.answer;
        let mut packet = vec![stage.command()];
        for name in answer.macro_names(stage) {
            let bare = name.trim_start_matches('{').trim_end_matches('}');
            let value = self.given_macro(bare).or_else(|| {
                let found = of_event.iter().find(|(known, _)| *known == bare);
                found
                    .map(|(_, value)| *value)
                    .or_else(|| self.envelope_macro(stage, bare))
            });
            if let Some(value) = value {
                for part in [name, value] {
                    packet.extend_from_slice(part.as_bytes());
                    packet.push(0);
                }
            }
        }
        frame::encode(code::MACRO, &[&packet], &mut self.out);
    }

    /// A macro whose value the caller has given.
    fn given_macro(&self, name: &str) -> Option<&'a str> {
        let of_envelope = self.envelope.map_or(&[][..], |envelope| &envelope.macros);
        let mut given = self.client.macros.iter().chain(of_envelope);
        let found = given.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A macro that follows from the envelope, where Postfix has it.
    fn envelope_macro(&self, stage: Stage, name: &str) -> Option<&'a str> {
        let envelope = self.envelope?;
        let login = envelope.login.as_ref();
        let of_smtpd = stage <= Stage::Data && !envelope.not_by_smtp;
        match name {
            "i" if envelope.not_by_smtp || stage > Stage::Recipient || self.recipients > 0 => {
                Some(&envelope.queue_id)
            }
            "auth_type" => login.map(|(mechanism, _)| mechanism.as_str()),
            "auth_authen" => login.map(|(_, name)| name.as_str()),
            "mail_addr" if stage <= Stage::Data => Some(&envelope.sender),
            "mail_host" if of_smtpd => envelope.sender.rsplit_once('@').map(|(_, host)| host),
            "mail_mailer" if of_smtpd => Some("smtp"),
            _ => None,
        }
    }
}

/// An address as it stands in MAIL or RCPT, with its NUL.
fn bracketed(envelope: &Envelope, address: &str) -> Vec<u8> {
    if envelope.not_by_smtp {
        [address.as_bytes(), b"\0"].concat()
    } else {
        [b"<", address.as_bytes(), b">\0"].concat()
    }
}
