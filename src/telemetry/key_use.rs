//! How often each key has signed, and when it did last.
//!
//! The table is built when a snapshot is put in force; a message finds its key in it
//! without a lock. A key that the table does not know is not counted here, only
//! among all signatures.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use super::SignedBy;
use crate::names::{DomainName, Selector};

/// One key's use.
#[derive(Debug, Default)]
struct Count {
    signed: AtomicU64,
    /// Seconds since 1970; 0 before the first time.
    last: AtomicU64,
}

type Table = HashMap<DomainName, Vec<(Selector, Arc<Count>)>>;

/// What a key has done since the daemon began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyUse {
    pub signed: u64,
    /// Seconds since 1970.
    pub last: Option<u64>,
}

/// The use of every key.
#[derive(Debug, Default)]
pub struct KeyUses {
    table: ArcSwap<Table>,
}

impl KeyUses {
    /// Of so many keys the use is counted; the table of that many takes a few
    /// megabytes.
    pub const MOST: usize = 10_000;

    /// Says which keys there are from now on. One that was there keeps its counts.
    pub fn expect(&self, keys: Vec<(DomainName, Selector)>) {
        let old = self.table.load();
        let mut table = Table::new();
        for (domain, selector) in keys.into_iter().take(Self::MOST) {
            let count = find(&old, &domain, &selector).cloned().unwrap_or_default();
            let entries = table.entry(domain).or_default();
            if !entries.iter().any(|(name, _)| *name == selector) {
                entries.push((selector, count));
            }
        }
        self.table.store(Arc::new(table));
    }

    pub(super) fn count(&self, by: &SignedBy, now: u64) {
        if let Some(count) = find(&self.table.load(), &by.domain, &by.selector) {
            count.signed.fetch_add(1, Ordering::Relaxed);
            // The clock may jump back; the last use is then when it says.
            count.last.store(now, Ordering::Relaxed);
        }
    }

    pub fn of(&self, domain: &DomainName, selector: &Selector) -> KeyUse {
        let table = self.table.load();
        let Some(count) = find(&table, domain, selector) else {
            return KeyUse::default();
        };
        let last = count.last.load(Ordering::Relaxed);
        KeyUse {
            signed: count.signed.load(Ordering::Relaxed),
            last: (last > 0).then_some(last),
        }
    }
}

fn find<'t>(table: &'t Table, domain: &DomainName, selector: &Selector) -> Option<&'t Arc<Count>> {
    let entries = table.get(domain)?;
    let entry = entries.iter().find(|(name, _)| name == selector)?;
    Some(&entry.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reload_keeps_the_counts_of_the_keys_that_stay() {
        let domain = DomainName::parse("example.com").unwrap();
        let [old, new] = ["old", "new"].map(|name| Selector::parse(name).unwrap());
        let by = |selector: &Selector| SignedBy {
            domain: domain.clone(),
            selector: selector.clone(),
            algorithm: "rsa-sha256",
        };
        let uses = KeyUses::default();
        uses.expect(vec![(domain.clone(), old.clone())]);
        uses.count(&by(&old), 7);
        uses.count(&by(&new), 8);
        uses.expect(
            [&old, &new]
                .map(|name| (domain.clone(), name.clone()))
                .into(),
        );
        uses.count(&by(&old), 9);
        let expected = KeyUse {
            signed: 2,
            last: Some(9),
        };
        assert_eq!(uses.of(&domain, &old), expected);
        assert_eq!(uses.of(&domain, &new), KeyUse::default());
    }
}
