//! Frames: a length, a command byte, and what belongs to it.
//!
//! `u32` in network order counts the command byte and the payload. The decoder
//! refuses a length of nothing and one above the limit before it allocates
//! anything, and believes a peer's word for at most 64 KiB at a time.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;

/// The limit signet uses unless told otherwise. Postfix and Sendmail keep to 64 KiB;
/// one mebibyte is the most that Sendmail can be configured to send.
pub const DEFAULT_LIMIT: usize = 1024 * 1024 + 1;

/// How much room is made at once for a frame whose length the peer has announced
/// but whose bytes it has not sent.
const TRUSTED: usize = 64 * 1024;

/// Bytes of the length.
const LENGTH: usize = 4;

/// One frame. The payload is borrowed from the buffer that it was read into, or shares
/// its memory; a frame is to be dropped before the next read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<P = Bytes> {
    pub command: u8,
    pub payload: P,
}

/// What a buffer begins with.
#[derive(Debug, PartialEq, Eq)]
pub enum First<'b> {
    /// A frame, which takes `length` bytes of the buffer.
    Whole {
        frame: Frame<&'b [u8]>,
        length: usize,
    },
    /// A frame of which bytes are to come; room for so many should be made.
    Part { room: usize },
}

/// Why a peer's bytes cannot be a frame. There is no way to go on after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    #[error("packet of length 0, which cannot hold a command")]
    Empty,
    /// `HTTP` and other protocols end here too: their first four bytes are an
    /// absurd length.
    #[error("packet of {length} bytes, above the limit of {limit}")]
    TooLong { length: usize, limit: usize },
}

/// The first frame of `buffer`, where it lies.
///
/// # Errors
/// When the announced length is 0 or above `limit`.
pub fn first(buffer: &[u8], limit: usize) -> Result<First<'_>, FrameError> {
    let Some((length, rest)) = buffer.split_first_chunk::<LENGTH>() else {
        return Ok(First::Part { room: 0 });
    };
    let length = u32::from_be_bytes(*length) as usize;
    if length == 0 {
        return Err(FrameError::Empty);
    }
    if length > limit {
        return Err(FrameError::TooLong { length, limit });
    }
    let whole = rest.get(..length).and_then(<[u8]>::split_first);
    Ok(match whole {
        Some((&command, payload)) => First::Whole {
            frame: Frame { command, payload },
            length: LENGTH + length,
        },
        None => First::Part {
            room: (length - rest.len()).min(TRUSTED),
        },
    })
}

/// A packet of a body up to this length may be joined with those that follow it; to
/// copy what a larger one holds costs more than to take it by itself.
const SMALL: usize = 512;

/// As [`first`], but small packets of `command` that follow one another are one frame,
/// whose payload is collected in `joined`. A peer that sends the body of a message in
/// packets of a few bytes so costs little more than one that does not; it is right
/// only for a command whose pieces may be cut anywhere, and that nobody answers.
///
/// # Errors
/// As [`first`], of the first packet.
pub fn first_joined<'b>(
    buffer: &'b [u8],
    limit: usize,
    command: u8,
    joined: &'b mut Vec<u8>,
) -> Result<First<'b>, FrameError> {
    let first = first(buffer, limit)?;
    let small = SMALL.min(limit);
    match &first {
        First::Whole { frame, length } if frame.command == command && *length <= LENGTH + small => {
        }
        _ => return Ok(first),
    }
    joined.clear();
    let mut rest = buffer;
    while let Some((&[a, b, c, d, found], behind)) = rest.split_first_chunk() {
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if found != command || length > small {
            break;
        }
        let payload = length.checked_sub(1);
        let Some((payload, behind)) = payload.and_then(|length| behind.split_at_checked(length))
        else {
            break;
        };
        match payload {
            // A call to copy one byte costs more than all else here.
            [byte] => joined.push(*byte),
            _ => joined.extend_from_slice(payload),
        }
        rest = behind;
    }
    Ok(First::Whole {
        length: buffer.len() - rest.len(),
        frame: Frame {
            command,
            payload: joined,
        },
    })
}

/// Takes the first frame off `buffer`. `None` means that more bytes are needed;
/// room for them has been reserved.
///
/// # Errors
/// As [`first`]. The buffer is left as it was.
pub fn decode(buffer: &mut BytesMut, limit: usize) -> Result<Option<Frame>, FrameError> {
    let (command, length) = match first(buffer, limit)? {
        First::Whole { frame, length } => (frame.command, length),
        First::Part { room } => {
            buffer.reserve(room);
            return Ok(None);
        }
    };
    let mut payload = buffer.split_to(length).freeze();
    payload.advance(LENGTH + 1);
    Ok(Some(Frame { command, payload }))
}

/// Writes one frame whose payload is the concatenation of `parts`.
pub(super) fn encode(command: u8, parts: &[&[u8]], out: &mut BytesMut) {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    out.reserve(LENGTH + length);
    // What this program writes is far below 4 GiB: a signature or a part of a message.
    out.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    out.put_u8(command);
    for part in parts {
        out.put_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_taken_off_only_when_it_is_whole() {
        let mut bytes = BytesMut::new();
        for byte in b"\0\0\0\x04LX\0v\0\0\0\x01" {
            assert_eq!(decode(&mut bytes, 100), Ok(None));
            bytes.put_u8(*byte);
            if bytes.ends_with(b"v") {
                let frame = decode(&mut bytes, 100).unwrap().unwrap();
                assert_eq!((frame.command, &frame.payload[..]), (b'L', &b"X\0v"[..]));
                assert!(bytes.is_empty());
            }
        }
        bytes.put_u8(b'A');
        let frame = decode(&mut bytes, 100).unwrap().unwrap();
        assert_eq!((frame.command, frame.payload.len()), (b'A', 0));
    }

    #[test]
    fn a_length_of_nothing_is_refused() {
        let mut bytes = BytesMut::from(&b"\0\0\0\0"[..]);
        assert_eq!(decode(&mut bytes, 100), Err(FrameError::Empty));
    }

    #[test]
    fn a_length_above_the_limit_is_refused_before_room_is_made() {
        let mut bytes = BytesMut::from(&b"HTTP/1.1"[..]);
        let before = bytes.capacity();
        assert_eq!(
            decode(&mut bytes, 100),
            Err(FrameError::TooLong {
                length: 0x4854_5450,
                limit: 100
            })
        );
        assert_eq!(bytes.capacity(), before);
        let mut at_the_limit = BytesMut::from(&b"\0\0\0\x02BX"[..]);
        assert!(decode(&mut at_the_limit.clone(), 2).unwrap().is_some());
        assert!(decode(&mut at_the_limit, 1).is_err());
    }

    #[test]
    fn an_announced_length_is_not_believed_beyond_64_kib() {
        let mut bytes = BytesMut::from(&b"\0\x10\0\0B"[..]);
        assert_eq!(decode(&mut bytes, DEFAULT_LIMIT), Ok(None));
        assert!(bytes.capacity() < 2 * TRUSTED);
    }

    #[test]
    fn small_packets_of_one_command_are_joined() {
        let mut joined = Vec::new();
        let mut first = |bytes: &[u8]| match first_joined(bytes, 100, b'B', &mut joined) {
            Ok(First::Whole { frame, length }) => {
                Ok(Some((frame.command, frame.payload.to_vec(), length)))
            }
            Ok(First::Part { .. }) => Ok(None),
            Err(error) => Err(error),
        };
        let (a, bc, none) = (b"\0\0\0\x02Ba", b"\0\0\0\x03Bbc", b"\0\0\0\x01B");
        let end = b"\0\0\0\x02Ed";
        let all = [&a[..], bc, none, end].concat();
        assert_eq!(first(&all), Ok(Some((b'B', b"abc".to_vec(), 18))));
        assert_eq!(first(end), Ok(Some((b'E', b"d".to_vec(), 6))));
        // What has not come whole stays where it is, and so does what is no packet.
        for rest in [&bc[..6], &bc[..4], &bc[..2], b"\0\0\0\0B", b"\0\0\0\x65B"] {
            let bytes = [&a[..], rest].concat();
            assert_eq!(first(&bytes), Ok(Some((b'B', b"a".to_vec(), 6))));
        }
        assert_eq!(first(&bc[..6]), Ok(None));
        assert_eq!(first(b"\0\0\0\0"), Err(FrameError::Empty));
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let mut bytes = BytesMut::new();
        encode(b'i', &[b"ab", b"", b"c"], &mut bytes);
        assert_eq!(&bytes[..], b"\0\0\0\x04iabc");
    }
}
