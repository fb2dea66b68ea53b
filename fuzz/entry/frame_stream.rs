//! A byte stream gives the same frames however it is cut, and a frame never holds
//! more than the limit.

use bytes::BytesMut;
use signet::milter::frame::{self, Frame, FrameError};

const LIMIT: usize = 4096;

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
