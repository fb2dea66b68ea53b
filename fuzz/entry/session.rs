//! A whole connection: no panic, every reply that the negotiation owes and no other.

use bytes::BytesMut;
use signet::milter::frame;
use signet::milter::{Event, InsertedField, Response, Session, Step, Wanted};

/// The first byte says what is wanted (bits 0 to 3), the second how events are answered;
/// the rest is what the peer sends.
pub fn run(data: &[u8]) {
    let [wanted, answers, stream @ ..] = data else {
        return;
    };
    let mut session = Session::new(Wanted {
        connect_reply: wanted & 1 != 0,
        recipients: wanted & 2 != 0,
        headers_reply: wanted & 4 != 0,
        data_reply: wanted & 8 == 0,
        macro_names: Vec::new(),
    });
    let mut buffer = BytesMut::from(stream);
    let mut out = BytesMut::new();
    let mut turn = *answers;
    while let Ok(Some(frame)) = frame::decode(&mut buffer, 1 << 16) {
        let before = session.agreement().copied();
        let owed = before.is_some_and(|agreement| agreement.owes_reply(frame.command));
        let told = match session.receive(&frame, &mut out) {
            Ok(Step::Event(event)) => Some(event == Event::EndOfMessage(&frame.payload)),
            Ok(Step::Handled) => None,
            Ok(Step::Quit) | Err(_) => return,
        };
        if let Some(at_end) = told {
            assert!(replies(&mut out).is_empty(), "a reply before the answer");
            assert_eq!(session.reply_owed(), owed);
            turn = turn.wrapping_mul(5).wrapping_add(1);
            let fields = [InsertedField {
                name: "DKIM-Signature",
                value: b" v=1".to_vec(),
            }];
            let response = match turn >> 5 {
                0 => Response::Accept,
                1 => Response::Tempfail,
                2 => Response::Reject,
                3 => Response::Insert(&fields),
                _ => Response::Continue,
            };
            session.respond(&response, &mut out);
            session.respond(&Response::Continue, &mut out);
            let said = replies(&mut out);
            let inserted = usize::from(at_end && matches!(response, Response::Insert(_)));
            assert_eq!(said.len(), usize::from(owed) + inserted, "{said:?}");
        } else if before.is_none() {
            let said = replies(&mut out);
            assert!(said.is_empty() || said == b"O");
        } else {
            assert_eq!(replies(&mut out).len(), usize::from(owed));
        }
        assert!(!session.reply_owed());
    }
}

/// The letters of the packets written.
fn replies(out: &mut BytesMut) -> Vec<u8> {
    let mut letters = Vec::new();
    while let Ok(Some(frame)) = frame::decode(out, 1 << 16) {
        letters.push(frame.command);
    }
    assert!(out.is_empty(), "half a packet was written");
    letters
}
