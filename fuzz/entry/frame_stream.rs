//! A byte stream gives the same frames however it is cut, a frame never holds more than
//! the limit, and pieces of a body that are joined are the same body.

use bytes::BytesMut;
use signet::milter::frame::{self, First, Frame, FrameError};

const LIMIT: usize = 4096;
const BODY: u8 = b'B';

/// The first byte says in pieces of which size the rest arrives.
pub fn run(data: &[u8]) {
    let Some((size, stream)) = data.split_first() else {
        return;
    };
    let whole = frames(stream, stream.len().max(1));
    let pieces = frames(stream, usize::from(*size).max(1));
    assert_eq!(whole, pieces);
    let taken: usize = whole.0.iter().map(|frame| 5 + frame.payload.len()).sum();
    assert!(taken <= stream.len());
    assert!(whole.0.iter().all(|frame| frame.payload.len() < LIMIT));
    let is_body = |frame: &Frame| frame.command == BODY;
    let apart = whole.0.chunk_by(|a, b| is_body(a) && is_body(b));
    let apart: Vec<_> = apart.map(bytes_of).collect();
    let joined = joined(stream);
    let joined = joined.chunk_by(|a, b| is_body(a) && is_body(b));
    assert_eq!(joined.map(bytes_of).collect::<Vec<_>>(), apart);
}

/// What a run of frames holds: a body, or one frame.
fn bytes_of(frames: &[Frame]) -> Vec<u8> {
    let command = frames.first().map(|frame| frame.command);
    let payloads = frames.iter().flat_map(|frame| &frame.payload).copied();
    command.into_iter().chain(payloads).collect()
}

fn joined(mut stream: &[u8]) -> Vec<Frame> {
    let (mut frames, mut room) = (Vec::new(), Vec::new());
    while let Ok(First::Whole { frame, length }) =
        frame::first_joined(stream, LIMIT, BODY, &mut room)
    {
        let (command, payload) = (frame.command, frame.payload.to_vec().into());
        frames.push(Frame { command, payload });
        stream = stream.get(length..).unwrap_or_default();
    }
    frames
}

fn frames(stream: &[u8], size: usize) -> (Vec<Frame>, Option<FrameError>) {
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    for piece in stream.chunks(size) {
        buffer.extend_from_slice(piece);
        loop {
            match frame::decode(&mut buffer, LIMIT) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}
