//! The MTA's end: whatever a filter answers, a script ends or errs and never hangs.

use bytes::BytesMut;
use signet::milter::frame;
use signet::milter::mta::{Action, Answer, Client, Dialogue, Envelope, Message, Offer, Script};

/// The filter's packets, its answer to the negotiation first.
pub fn run(data: &[u8]) {
    let mut buffer = BytesMut::from(data);
    let mut next = || frame::decode(&mut buffer, 1 << 16).ok().flatten();
    let Some(Ok(answer)) = next().map(|frame| Answer::read(&frame, &Offer::postfix(6))) else {
        return;
    };
    let client = Client::new("client.test", ([192, 0, 2, 1], 25).into());
    let envelope = Envelope {
        recipients: vec!["a@example.com".into(), "b@example.com".into()],
        ..Envelope::default()
    };
    let message = Message::parse(b"From: a@example.com\r\n\r\ntext\r\n");
    let script = Script::message(&answer, &client, &envelope, &message);
    let mut dialogue = Dialogue::new(&script);
    loop {
        match dialogue.action() {
            Action::Send(bytes) => assert!(!bytes.is_empty()),
            Action::Receive => match next() {
                Some(frame) => {
                    if dialogue.receive(&frame).is_err() {
                        return;
                    }
                }
                None => return,
            },
            Action::Done => break,
        }
    }
    let outcome = dialogue.outcome();
    if let Ok(edited) = message.edited(&outcome.edits, answer.agreement.leading_space()) {
        assert!(edited.fields.len() >= message.fields.len());
    }
}
