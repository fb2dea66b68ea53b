//! How many messages are at their end and wait for their signatures.
//!
//! Too many of them would all be answered after their MTA has given up, and be sent
//! again on top. The last ones are told to come again instead. It signs nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The messages at their end.
#[derive(Debug, Default)]
pub(super) struct Backlog(AtomicUsize);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct Waiting<'b>(&'b Backlog);

impl Backlog {
    /// Counts one more, unless there are `limit` already.
    pub(super) fn join(&self, limit: usize) -> Option<Waiting<'_>> {
        let one_more = |count: usize| (count < limit).then_some(count + 1);
        let joined = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        joined.ok().map(|_| Waiting(self))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_too_many_is_refused_until_another_has_left() {
        let backlog = Backlog::default();
        let [first, second] = [(); 2].map(|()| backlog.join(2));
        assert!(first.is_some() && second.is_some());
        assert!(backlog.join(2).is_none());
        drop(first);
        let third = backlog.join(2);
        assert!(third.is_some() && backlog.join(2).is_none());
    }
}
