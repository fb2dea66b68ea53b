use bytes::BytesMut;

use super::*;
use crate::milter::flags::protocol;
use crate::milter::frame;
use crate::milter::{Event, InsertedField, Response, Session, Step, Wanted};

fn client() -> Client {
    Client::new("client.example.com", "192.0.2.1:4711".parse().unwrap())
}

fn envelope() -> Envelope {
    Envelope {
        sender: "ann@example.com".into(),
        recipients: vec!["bob@example.org".into(), "eve@example.org".into()],
        login: Some(("PLAIN".into(), "ann".into())),
        queue_id: "4FD1A9AA033".into(),
        ..Envelope::default()
    }
}

fn message() -> Message {
    let body = "0123456789\r\n".repeat(20_000);
    Message::parse(format!("From: ann@example.com\r\nSubject: a\r\n b\r\n\r\n{body}").as_bytes())
}

/// A session that inserts one field into every message, and what it was told.
struct Filter {
    session: Session,
    told: Vec<String>,
    body: Vec<u8>,
}

impl Filter {
    fn agree(offer: &Offer, wanted: Wanted) -> (Self, Answer) {
        let mut filter = Self {
            session: Session::new(wanted),
            told: Vec::new(),
            body: Vec::new(),
        };
        let mut sent = BytesMut::new();
        offer.encode(&mut sent);
        let mut replies = filter.hear(&mut sent);
        let answer = frame::decode(&mut replies, 4096).unwrap().unwrap();
        assert!(replies.is_empty());
        (filter, Answer::read(&answer, offer).unwrap())
    }

    fn hear(&mut self, sent: &mut BytesMut) -> BytesMut {
        let mut out = BytesMut::new();
        while let Some(frame) = frame::decode(sent, 1 << 20).unwrap() {
            match self.session.receive(&frame, &mut out).unwrap() {
                Step::Event(Event::EndOfMessage(_)) => {
                    let field = InsertedField {
                        name: "X-Signed",
                        value: b" yes".to_vec(),
                    };
                    self.session.respond(&Response::Insert(&[field]), &mut out);
                }
                Step::Event(event) => {
                    if let Event::Body(chunk) = event {
                        self.body.extend_from_slice(chunk);
                    } else {
                        self.told.push(format!("{event:?}"));
                    }
                    self.session.respond(&Response::Continue, &mut out);
                }
                Step::Handled | Step::Quit => {}
            }
        }
        out
    }

    /// Plays a script to its end, with exactly as many replies as are awaited.
    fn play(&mut self, script: &Script) -> Outcome {
        let mut dialogue = Dialogue::new(script);
        let mut replies = BytesMut::new();
        loop {
            match dialogue.action() {
                Action::Send(bytes) => {
                    assert!(replies.is_empty(), "a reply too many");
                    replies = self.hear(&mut bytes.into());
                }
                Action::Receive => {
                    let frame = frame::decode(&mut replies, 4096).unwrap();
                    dialogue.receive(&frame.expect("a reply")).unwrap();
                }
                Action::Done => break,
            }
        }
        assert!(replies.is_empty(), "a reply too many");
        dialogue.outcome()
    }
}

#[test]
fn a_session_and_a_script_agree_at_every_version() {
    for version in [2, 3, 4, 6] {
        for all in [false, true] {
            let wanted = Wanted {
                connect_reply: all,
                recipients: all,
                data_reply: all,
                headers_reply: all,
                ..Wanted::default()
            };
            let (mut filter, answer) = Filter::agree(&Offer::postfix(version), wanted);
            filter.play(&Script::client(&answer, &client()));
            let script = Script::message(&answer, &client(), &envelope(), &message());
            for _ in 0..3 {
                filter.body.clear();
                let outcome = filter.play(&script);
                assert_eq!(outcome.verdict, Verdict::Accept);
                let edited = message()
                    .edited(&outcome.edits, answer.agreement.leading_space())
                    .unwrap();
                assert_eq!(edited.fields[0].0, b"X-Signed");
                assert_eq!(filter.body, message().body);
                assert_eq!(
                    filter.session.macros().get("auth_authen"),
                    Some(&b"ann"[..])
                );
                assert_eq!(filter.session.macros().get("i"), Some(&b"4FD1A9AA033"[..]));
            }
        }
    }
}

fn data_reply() -> Wanted {
    Wanted {
        data_reply: true,
        ..Wanted::default()
    }
}

#[test]
fn postfix_waits_only_where_a_reply_is_owed() {
    let (_, answer) = Filter::agree(&Offer::postfix(6), data_reply());
    let script = Script::message(&answer, &client(), &envelope(), &message());
    let awaited: Vec<_> = script.parts().map(|part| part.awaits).collect();
    assert_eq!(awaited, [Some(b'T'), Some(b'E')]);
    assert_eq!(Script::client(&answer, &client()).parts().count(), 1);
}

#[test]
fn a_filter_that_asks_for_more_than_was_offered_is_refused() {
    let read = |words: [u32; 3]| {
        let payload: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let frame = frame::Frame {
            command: b'O',
            payload: payload.into(),
        };
        Answer::read(&frame, &Offer::postfix(2)).map(|_| ())
    };
    assert_eq!(read([2, 1, 0x7f]), Ok(()));
    assert!(matches!(read([6, 1, 0]), Err(AnswerError::Version { .. })));
    assert!(matches!(
        read([2, 0x3ff, 0]),
        Err(AnswerError::Actions { .. })
    ));
    assert!(matches!(
        read([2, 1, protocol::NR_HDR]),
        Err(AnswerError::Protocol { .. })
    ));
}

#[test]
fn a_surplus_or_misplaced_reply_is_noticed() {
    let (_, answer) = Filter::agree(&Offer::postfix(6), data_reply());
    let script = Script::message(&answer, &client(), &envelope(), &message());
    let reply = |command: u8, payload: &'static [u8]| frame::Frame {
        command,
        payload: payload.into(),
    };
    let mut dialogue = Dialogue::new(&script);
    assert_eq!(
        dialogue.receive(&reply(b'c', b"")),
        Err(DialogueError::Surplus { code: b'c' })
    );
    dialogue.action();
    assert_eq!(
        dialogue.receive(&reply(b'i', b"\0\0\0\0X\0y\0")),
        Err(DialogueError::Unexpected {
            code: b'i',
            command: b'T'
        })
    );
    assert!(dialogue.receive(&reply(b'c', b"data")).is_err());
    assert_eq!(dialogue.receive(&reply(b'p', b"")), Ok(()));
    assert_eq!(dialogue.action(), Action::Receive);
    // Accepted early: nothing more is sent.
    assert_eq!(dialogue.receive(&reply(b'a', b"")), Ok(()));
    assert_eq!(dialogue.action(), Action::Done);
    assert_eq!(dialogue.outcome().verdict, Verdict::Accept);
}

#[test]
fn a_skipped_body_is_not_sent() {
    let mut answer = Filter::agree(&Offer::postfix(6), Wanted::default()).1;
    answer.agreement.protocol &= !protocol::NR_BODY;
    let script = Script::message(&answer, &client(), &envelope(), &message());
    let mut dialogue = Dialogue::new(&script);
    let mut body_packets = 0;
    loop {
        match dialogue.action() {
            Action::Send(_) => {}
            Action::Receive => {
                let asked = dialogue.waiting;
                body_packets += usize::from(asked == Some(b'B'));
                let command = if asked == Some(b'B') { b's' } else { b'c' };
                let payload = bytes::Bytes::new();
                dialogue
                    .receive(&frame::Frame { command, payload })
                    .unwrap();
            }
            Action::Done => break,
        }
    }
    assert_eq!(body_packets, 1);
}
