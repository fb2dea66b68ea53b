use super::*;
use crate::milter::flags::{actions, protocol};
use crate::milter::frame;
use crate::milter::reply::InsertedField;

/// A peer and its session: sends one command at a time, keeps what comes back.
struct Peer {
    session: Session,
    /// Codes of the replies, the answer to the negotiation left out.
    replies: String,
}

impl Peer {
    /// After a negotiation in which the MTA offered these protocol flags.
    fn offering(flags: u32, wanted: Wanted) -> Self {
        let mut peer = Self {
            session: Session::new(wanted),
            replies: String::new(),
        };
        let offer: Vec<u8> = [6u32, actions::ALL, flags]
            .iter()
            .flat_map(|word| word.to_be_bytes())
            .collect();
        assert_eq!(peer.send(b'O', &offer), "handled");
        assert_eq!(std::mem::take(&mut peer.replies), "O");
        peer
    }

    fn postfix() -> Self {
        Self::offering(protocol::ALL, data_and_headers_reply())
    }

    /// An MTA that waits for a reply to everything.
    fn old() -> Self {
        Self::offering(0, Wanted::default())
    }

    fn send(&mut self, command: u8, payload: &[u8]) -> String {
        let frame = Frame {
            command,
            payload: bytes::Bytes::copy_from_slice(payload),
        };
        let mut out = BytesMut::new();
        let said = match self.session.receive(&frame, &mut out) {
            Ok(Step::Handled) => "handled".into(),
            Ok(Step::Quit) => "quit".into(),
            Ok(Step::Event(event)) => match event {
                Event::Header { .. } => "Header".into(),
                event => format!("{event:?}")
                    .split(['(', '{'])
                    .next()
                    .unwrap()
                    .trim()
                    .to_owned(),
            },
            Err(error) => error.to_string(),
        };
        self.took(&mut out);
        said
    }

    fn respond(&mut self, response: &Response<'_>) {
        let mut out = BytesMut::new();
        self.session.respond(response, &mut out);
        self.took(&mut out);
    }

    fn took(&mut self, out: &mut BytesMut) {
        while let Some(frame) = frame::decode(out, 1 << 20).unwrap() {
            self.replies.push(char::from(frame.command));
        }
        assert!(out.is_empty());
    }

    /// Sends commands by their letters with a harmless payload, answers each event
    /// with Continue, and tells the replies that came.
    fn play(&mut self, commands: &str) -> String {
        for command in commands.bytes() {
            let said = self.send(command, payload(command));
            assert!(!said.contains(' '), "{}: {said}", char::from(command));
            self.respond(&Response::Continue);
        }
        std::mem::take(&mut self.replies)
    }
}

fn data_and_headers_reply() -> Wanted {
    Wanted {
        data_reply: true,
        headers_reply: true,
        ..Wanted::default()
    }
}

fn payload(command: u8) -> &'static [u8] {
    match command {
        b'C' => b"localhost\x004\0\x19127.0.0.1\0",
        b'H' => b"client.test\0",
        b'M' | b'R' => b"<a@example.com>\0",
        b'L' => b"Subject\0 hello\0",
        b'B' => b"text\r\n",
        b'D' => b"Mi\x00A1\0",
        _ => b"",
    }
}

#[test]
fn a_message_gets_one_reply_for_each_that_is_owed() {
    assert_eq!(Peer::postfix().play("DCDMDTDLDLNBBEAAQ"), "cca");
    assert_eq!(Peer::old().play("DCDHDMRRTLLNBBEAQ"), "ccccccccccca");
    let wanted = Wanted {
        connect_reply: true,
        recipients: true,
        ..data_and_headers_reply()
    };
    let mut peer = Peer::offering(protocol::ALL, wanted);
    assert_eq!(peer.play("CMRRTLNBE"), "ccca");
    let mut peer = Peer::offering(protocol::ALL, Wanted::default());
    assert_eq!(peer.play("CMTLNBE"), "a");
}

#[test]
fn a_second_response_to_one_event_writes_nothing() {
    let mut peer = Peer::old();
    peer.send(b'M', payload(b'M'));
    assert!(peer.session.reply_owed());
    peer.respond(&Response::Continue);
    assert!(!peer.session.reply_owed());
    peer.respond(&Response::Continue);
    assert_eq!(peer.replies, "c");
}

#[test]
fn an_event_left_unanswered_is_not_passed_over() {
    let mut peer = Peer::postfix();
    peer.play("MT");
    assert_eq!(peer.send(b'L', payload(b'L')), "Header");
    assert_eq!(peer.send(b'N', b""), "EndOfHeaders", "no reply was owed");
    assert_eq!(
        peer.send(b'B', b""),
        "BODY before the reply to the event before it"
    );
}

#[test]
fn an_insertion_is_written_at_the_end_of_a_message_and_nowhere_else() {
    let fields = [InsertedField {
        name: "DKIM-Signature",
        value: b" v=1".to_vec(),
    }];
    let mut peer = Peer::postfix();
    peer.play("MTLNB");
    peer.send(b'E', b"");
    peer.respond(&Response::Insert(&fields));
    assert_eq!(peer.replies, "ia");
    peer.replies.clear();
    peer.play("M");
    peer.send(b'T', b"");
    peer.respond(&Response::Insert(&fields));
    assert_eq!(peer.replies, "t");
}

#[test]
fn after_an_early_verdict_the_filter_hears_nothing_until_the_next_message() {
    for over in ["A", "AA", ""] {
        let mut peer = Peer::postfix();
        peer.play("M");
        assert_eq!(peer.send(b'T', b""), "Data");
        peer.respond(&Response::Accept);
        for (command, reply) in [(b'L', ""), (b'N', "a"), (b'B', ""), (b'E', "a")] {
            peer.replies.clear();
            assert_eq!(peer.send(command, payload(command)), "handled");
            assert_eq!(peer.replies, reply);
        }
        peer.replies.clear();
        peer.play(over);
        assert_eq!(peer.send(b'M', payload(b'M')), "Mail");
        assert_eq!(peer.play("TLNBE"), "cca");
    }
}

#[test]
fn a_verdict_given_where_no_reply_is_owed_is_given_where_one_is() {
    for (verdict, code) in [(Response::Tempfail, "t"), (Response::Reject, "r")] {
        let mut peer = Peer::postfix();
        peer.play("MT");
        assert_eq!(peer.send(b'L', payload(b'L')), "Header");
        peer.respond(&verdict);
        assert_eq!(peer.replies, "");
        assert_eq!(peer.send(b'L', payload(b'L')), "handled");
        assert_eq!(peer.send(b'N', b""), "handled");
        assert_eq!(peer.replies, code);
        peer.replies.clear();
        assert_eq!(peer.play("AMTLNBE"), "cca");
    }
}

#[test]
fn a_verdict_at_connect_holds_for_the_client() {
    let wanted = Wanted {
        connect_reply: true,
        ..data_and_headers_reply()
    };
    let mut peer = Peer::offering(protocol::ALL, wanted);
    peer.send(b'C', payload(b'C'));
    peer.respond(&Response::Accept);
    assert_eq!(peer.replies, "a");
    peer.replies.clear();
    for command in "MTLNBE".bytes() {
        assert_eq!(peer.send(command, payload(command)), "handled");
    }
    assert_eq!(peer.replies, "aaa");
    assert_eq!(peer.send(b'A', b""), "Abort");
    assert_eq!(peer.send(b'M', payload(b'M')), "handled");
    assert_eq!(peer.send(b'K', b""), "NewConnection");
    assert_eq!(peer.send(b'C', payload(b'C')), "Connect");
}

#[test]
fn a_refused_recipient_is_not_a_refused_message() {
    let wanted = Wanted {
        recipients: true,
        ..Wanted::default()
    };
    let mut peer = Peer::offering(0, wanted);
    peer.play("M");
    peer.send(b'R', payload(b'R'));
    peer.respond(&Response::Reject);
    assert_eq!(peer.replies, "r");
    assert_eq!(peer.send(b'R', payload(b'R')), "Recipient");
}

#[test]
fn the_order_is_as_loose_as_mtas_need_it() {
    // ABORT in any state and any number of times, before the negotiation too.
    let mut fresh = Peer {
        session: Session::new(Wanted::default()),
        replies: String::new(),
    };
    assert_eq!(fresh.send(b'A', b""), "handled");
    assert_eq!(fresh.send(b'Q', b""), "quit");
    Peer::postfix().play("AACAMAMTAMTLAMTLNAMTLNBAAMTLNBEAA");
    // HELO in the midst of a message, MAIL without ABORT, no DATA (version 2 and 3),
    // no header field, no body, an unknown command.
    Peer::postfix().play("CHMHTLHNBHAHMNEMLNEMUTNEHM");
    // No CONNECT at all, and two clients on one connection.
    Peer::postfix().play("MTNEKCMTNEKCQ");
}

#[test]
fn what_would_make_another_message_is_out_of_order() {
    for (before, command, error) in [
        ("C", b'L', "HEADER outside a message"),
        ("C", b'R', "RCPT outside a message"),
        ("MTNEA", b'E', "end-of-message outside a message"),
        ("MTLNE", b'B', "BODY outside a message"),
        ("MT", b'B', "BODY before the header section"),
        ("MTL", b'E', "end-of-message inside the header section"),
        ("MTL", b'R', "RCPT inside the header section"),
        ("MTLN", b'L', "HEADER inside the body"),
        ("MTLNB", b'T', "DATA inside the body"),
        ("MTLNB", b'C', "CONNECT inside the body"),
        ("", b'O', "a second OPTNEG"),
    ] {
        let mut peer = Peer::postfix();
        peer.play(before);
        let payload = if command == b'O' {
            &[0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xff, 0xff][..]
        } else {
            payload(command)
        };
        assert_eq!(peer.send(command, payload), error, "after {before}");
    }
    let mut session = Session::new(Wanted::default());
    let frame = Frame {
        command: b'M',
        payload: bytes::Bytes::from_static(b"<>\0"),
    };
    assert_eq!(
        session.receive(&frame, &mut BytesMut::new()),
        Err(SessionError::NotNegotiated { command: b'M' })
    );
}

#[test]
fn macros_follow_the_message() {
    let mut peer = Peer::postfix();
    let queue_id = |peer: &Peer| {
        let id = peer.session.macros().get("i");
        id.map_or("-", |id| std::str::from_utf8(id).unwrap())
            .to_owned()
    };
    peer.send(b'D', b"C{daemon_name}\0mx\0");
    peer.play("C");
    peer.send(b'D', b"Mi\x00A1\0");
    peer.play("M");
    assert_eq!(queue_id(&peer), "A1");
    peer.send(b'D', b"T{i}\x00A2\0");
    peer.play("TLNBE");
    assert_eq!(queue_id(&peer), "A2");
    // Sendmail's next message has neither an ABORT before it nor these macros.
    peer.play("M");
    assert_eq!(queue_id(&peer), "-");
    assert_eq!(peer.session.macros().get("daemon_name"), Some(&b"mx"[..]));
    // Macros of a stage that nobody knows are no reason to stop.
    assert_eq!(peer.send(b'D', b"Zi\x00A9\0"), "handled");
    assert_eq!(queue_id(&peer), "-");
    peer.play("K");
    assert_eq!(peer.session.macros().get("daemon_name"), None);
}
