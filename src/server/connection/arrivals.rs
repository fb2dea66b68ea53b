//! What comes over a connection. It is read into room that the connections of a thread
//! share and taken from there, so that much can be read at once and yet a connection
//! keeps no more than the beginning of a packet whose rest has not come.
//!
//! A peer that sends a body waits for us at every acknowledgement, and to read twenty-five
//! megabytes by the megabyte costs a quarter less than by the packet.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, ReadBuf};

use super::ConnectionError;
use super::exchange::{Exchange, Next, Taken};

/// The most that is read at once. The system gives memory only for as much of it as
/// ever came.
const ROOM: usize = 1024 * 1024;

thread_local! {
    static SHARED_ROOM: RefCell<Box<[u8]>> = RefCell::new(vec![0; ROOM].into());
}

/// The bytes that came and could not be taken yet.
#[derive(Default)]
pub(super) struct Arrivals {
    kept: BytesMut,
    /// So many more must come, at least, before any of them can be taken.
    missing: usize,
}

impl Arrivals {
    /// Waits until something comes, and gives it to `exchange`; `None` at the end of the
    /// stream. Nothing is lost when it is dropped before it is done, and no memory kept
    /// while nothing comes and nothing is pending.
    pub async fn next(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        exchange: &mut Exchange<'_>,
    ) -> Result<Option<Taken>, ConnectionError> {
        poll_fn(|context| {
            let arrived = self.poll_next(context, stream, exchange);
            if arrived.is_pending() && self.kept.is_empty() {
                self.kept = BytesMut::new();
                exchange.rest();
            }
            arrived
        })
        .await
    }

    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        stream: &mut (impl AsyncRead + Unpin),
        exchange: &mut Exchange<'_>,
    ) -> Poll<Result<Option<Taken>, ConnectionError>> {
        SHARED_ROOM.with_borrow_mut(|room| {
            // Behind what is kept, where a packet may come to lie as a whole.
            let fits = self.kept.len() + self.missing <= room.len();
            let start = if fits { self.kept.len() } else { 0 };
            let mut buffer = ReadBuf::new(room.get_mut(start..).unwrap_or_default());
            ready!(Pin::new(stream).poll_read(context, &mut buffer))?;
            let came = buffer.filled();
            let end = start + came.len();
            if came.is_empty() {
                return Poll::Ready(Ok(None));
            }
            // Byte by byte, a packet is not to be looked at and copied for each of them.
            if came.len() < self.missing {
                self.kept.extend_from_slice(came);
                self.missing -= came.len();
                return Poll::Ready(Ok(Some(Taken::nothing(self.missing))));
            }
            if !fits {
                self.kept.extend_from_slice(came);
                return Poll::Ready(self.again(exchange).map(Some));
            }
            if let Some(front) = room.get_mut(..start) {
                front.copy_from_slice(&self.kept);
            }
            let whole = room.get(..end).unwrap_or_default();
            let taken = exchange.take(whole)?;
            self.kept.clear();
            let rest = whole.get(taken.bytes..).unwrap_or_default();
            self.kept.extend_from_slice(rest);
            self.wait_for(&taken);
            Poll::Ready(Ok(Some(taken)))
        })
    }

    /// Gives to `exchange` what it left behind.
    pub fn again(&mut self, exchange: &mut Exchange<'_>) -> Result<Taken, ConnectionError> {
        let taken = exchange.take(&self.kept)?;
        // One who sends message upon message has a megabyte of them here: what follows is
        // not to be moved for each.
        self.kept.advance(taken.bytes.min(self.kept.len()));
        self.wait_for(&taken);
        Ok(taken)
    }

    fn wait_for(&mut self, taken: &Taken) {
        self.missing = match taken.next {
            Next::More { missing } => missing,
            Next::Sign(_) | Next::Close => 0,
        };
    }

    /// Whether nothing is left that came.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

#[cfg(test)]
mod tests;
