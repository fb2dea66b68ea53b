//! Every private key that may be needed, found by domain, parsed once, and a bounded
//! number of them in memory.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::Problem;
use super::slot::{Loaded, Slot, in_words, missing};
use crate::config::KeyFile;
use crate::dkim::{KeyType, SigningKey};
use crate::keys::KeyDirectory;
use crate::names::{DomainName, Selector};

/// So many parsed keys are kept; an RSA-2048 key takes about 11 KiB.
const KEPT: usize = 4096;

/// A key that can sign.
#[derive(Debug, Clone)]
pub struct Usable {
    pub selector: Selector,
    pub key: Arc<SigningKey>,
    /// Where it lies.
    pub slot: Arc<Slot>,
}

/// What the key directory has of the keys that were asked for.
#[derive(Debug, Default)]
pub struct Found {
    pub usable: Vec<Usable>,
    /// Why others cannot sign.
    pub troubles: Vec<Arc<str>>,
}

#[derive(Debug, Default)]
struct Domain {
    /// In the order of their selectors.
    slots: Vec<Arc<Slot>>,
    /// What should be a key of the domain and has no slot.
    troubles: Vec<Arc<str>>,
}

/// Where the key with this selector is, or belongs, among those of a domain.
fn place(slots: &[Arc<Slot>], selector: &Selector) -> Result<usize, usize> {
    slots.binary_search_by(|slot| slot.selector.cmp(selector))
}

fn find<'s>(slots: &'s [Arc<Slot>], selector: &Selector) -> Option<&'s Arc<Slot>> {
    slots.get(place(slots, selector).ok()?)
}

/// The keys of one key directory.
#[derive(Debug)]
pub struct KeyRing {
    directory: KeyDirectory,
    /// What the directory was found to hold; none when nobody looked, because every
    /// key that may be needed is known by name.
    index: Option<HashMap<DomainName, Domain>>,
    keys: usize,
    /// The keys that the config names by their file, in the order of their selectors;
    /// they come first.
    given: HashMap<DomainName, Vec<Arc<Slot>>>,
    /// Those of them that are for every domain.
    anywhere: Vec<Arc<Slot>>,
    /// How many parsed keys may be in memory.
    pub(super) kept: usize,
    /// The keys in memory that are in no index, by their domain, in the order of their
    /// selectors.
    named: RwLock<HashMap<DomainName, Vec<Arc<Slot>>>>,
    /// The keys in memory, the next one up for removal first.
    loaded: Mutex<VecDeque<Held>>,
}

#[derive(Debug)]
struct Held {
    slot: Arc<Slot>,
    /// The domain under which `named` has it.
    named: Option<DomainName>,
}

impl KeyRing {
    /// The keys of a directory that is not searched: each is known by its name.
    pub fn by_name(directory: KeyDirectory) -> Self {
        Self {
            directory,
            index: None,
            keys: 0,
            given: HashMap::new(),
            anywhere: Vec::new(),
            kept: KEPT,
            named: RwLock::default(),
            loaded: Mutex::default(),
        }
    }

    /// Finds the keys of a directory and reads none. What is no key, and belongs to no
    /// domain, goes into `problems`.
    pub fn search(directory: KeyDirectory, problems: &mut Vec<Problem>) -> Self {
        let scan = directory.scan();
        let mut ring = Self::by_name(directory);
        ring.keys = scan.keys.len();
        let mut index: HashMap<DomainName, Domain> = HashMap::new();
        for entry in scan.keys {
            let slot = Arc::new(Slot::new(entry.selector, entry.path));
            index.entry(entry.domain).or_default().slots.push(slot);
        }
        for problem in scan.problems {
            let words = in_words(&problem.error);
            match problem.domain {
                Some(domain) => index.entry(domain).or_default().troubles.push(words),
                None => problems.push(Problem::error(words.to_string())),
            }
        }
        for ignored in scan.ignored {
            let path = ignored.path.display();
            problems.push(Problem::note(format!(
                "{path} is passed over: {}",
                ignored.reason
            )));
        }
        ring.index = Some(index);
        ring
    }

    /// Adds the keys that the config names by their file.
    pub fn give(&mut self, files: &[KeyFile]) {
        for file in files {
            let slot = Arc::new(Slot::new(file.selector.clone(), file.file.clone()));
            match &file.domain {
                Some(domain) => {
                    let slots = self.given.entry(domain.clone()).or_default();
                    let at = slots.partition_point(|known| known.selector <= slot.selector);
                    slots.insert(at, slot);
                }
                None => self.anywhere.push(slot),
            }
            self.keys += 1;
        }
    }

    /// The keys that the config names by their file, for this domain.
    fn given(&self, domain: &DomainName) -> impl Iterator<Item = &Arc<Slot>> {
        let own = self.given.get(domain).into_iter().flatten();
        own.chain(&self.anywhere)
    }

    fn given_as(&self, domain: &DomainName, selector: &Selector) -> Option<&Arc<Slot>> {
        let own = self.given.get(domain);
        let own = own.and_then(|slots| find(slots, selector));
        own.or_else(|| self.anywhere.iter().find(|slot| slot.selector == *selector))
    }

    /// Why keys for every domain cannot sign.
    pub fn troubles_anywhere(&self) -> Vec<Arc<str>> {
        let mut found = Found::default();
        for slot in &self.anywhere {
            self.add(slot, None, &mut found);
        }
        found.troubles
    }

    /// What was found wrong without reading a key.
    pub fn troubles(&self) -> impl Iterator<Item = &Arc<str>> {
        let domains = self.index.iter().flat_map(HashMap::values);
        domains.flat_map(|entry| &entry.troubles)
    }

    /// Every domain that has a key file, usable or not, in order.
    pub fn domains(&self) -> Vec<&DomainName> {
        let found = self.index.iter().flat_map(HashMap::keys);
        let mut domains: Vec<_> = found.chain(self.given.keys()).collect();
        domains.sort();
        domains.dedup();
        domains
    }

    /// How many key files were found, usable or not; none when nobody searched.
    pub fn key_count(&self) -> Option<usize> {
        self.index.as_ref().map(|_| self.keys)
    }

    /// Whether there is anything for the domain.
    pub fn knows(&self, domain: &DomainName) -> bool {
        self.entry(domain).is_some() || self.given(domain).next().is_some()
    }

    /// Shows every key file that was found or named, in no order; when nobody searched,
    /// those that were asked for. A key without a domain is for every domain.
    pub fn each(&self, mut show: impl FnMut(Option<&DomainName>, &Slot)) {
        let named = self.named.read().unwrap_or_else(PoisonError::into_inner);
        let found = self.index.iter().flatten();
        let found = found.map(|(domain, entry)| (domain, &entry.slots));
        for (domain, slots) in found.chain(&self.given).chain(&*named) {
            for slot in slots {
                show(Some(domain), slot);
            }
        }
        for slot in &self.anywhere {
            show(None, slot);
        }
    }

    fn entry(&self, domain: &DomainName) -> Option<&Domain> {
        self.index.as_ref()?.get(domain)
    }

    /// Every key of the domain: RSA before Ed25519, each in the order of their
    /// selectors.
    pub fn every(&self, domain: &DomainName) -> Found {
        let mut found = Found::default();
        for slot in self.given(domain) {
            self.add(slot, None, &mut found);
        }
        if let Some(entry) = self.entry(domain) {
            for slot in &entry.slots {
                if self.given_as(domain, &slot.selector).is_none() {
                    self.add(slot, None, &mut found);
                }
            }
            found.troubles.extend_from_slice(&entry.troubles);
        }
        // Stable, so the selectors stay in order.
        found
            .usable
            .sort_by_key(|usable| usable.key.key_type() != KeyType::Rsa);
        found
    }

    /// These keys of the domain, in the order in which they are named.
    pub fn named(&self, domain: &DomainName, selectors: &[Selector]) -> Found {
        let mut found = Found::default();
        for selector in selectors {
            if let Some(slot) = self.given_as(domain, selector) {
                self.add(slot, None, &mut found);
                continue;
            }
            match self.entry(domain) {
                Some(entry) => match find(&entry.slots, selector) {
                    Some(slot) => self.add(slot, None, &mut found),
                    None => found.troubles.push(missing(&self.path(domain, selector))),
                },
                None if self.index.is_some() => {
                    found.troubles.push(missing(&self.path(domain, selector)));
                }
                None => {
                    let slot = self.slot(domain, selector);
                    self.add(&slot, Some(domain), &mut found);
                }
            }
        }
        if !found.troubles.is_empty()
            && let Some(entry) = self.entry(domain)
        {
            found.troubles.extend_from_slice(&entry.troubles);
        }
        found
    }

    fn path(&self, domain: &DomainName, selector: &Selector) -> PathBuf {
        let directory = self.directory.path().join(domain.as_str());
        directory.join(format!("{selector}.pem"))
    }

    /// The slot of a key that is in no index.
    fn slot(&self, domain: &DomainName, selector: &Selector) -> Arc<Slot> {
        let named = self.named.read().unwrap_or_else(PoisonError::into_inner);
        let known = named.get(domain).and_then(|slots| find(slots, selector));
        if let Some(slot) = known {
            return slot.clone();
        }
        drop(named);
        let slot = Arc::new(Slot::new(selector.clone(), self.path(domain, selector)));
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        let slots = named.entry(domain.clone()).or_default();
        // Another message may have been quicker.
        if let Some(known) = find(slots, selector) {
            return known.clone();
        }
        let at = place(slots, selector).unwrap_or_else(|at| at);
        slots.insert(at, slot.clone());
        slot
    }

    fn add(&self, slot: &Arc<Slot>, named: Option<&DomainName>, found: &mut Found) {
        match self.load(slot, named) {
            Ok(key) => found.usable.push(Usable {
                selector: slot.selector.clone(),
                key,
                slot: slot.clone(),
            }),
            Err(words) => found.troubles.push(words),
        }
    }

    fn load(&self, slot: &Arc<Slot>, named: Option<&DomainName>) -> Loaded {
        let (loaded, now) = slot.key(&self.directory);
        if now {
            self.hold(Held {
                slot: slot.clone(),
                named: named.cloned(),
            });
        }
        loaded
    }

    /// Counts a key that was read, and forgets one that nobody asked for lately when
    /// there are too many.
    fn hold(&self, held: Held) {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.push_back(held);
        // Each is asked at most twice: the first time it may have been used.
        for _ in 0..2 * loaded.len() {
            if loaded.len() <= self.kept {
                break;
            }
            match loaded.pop_front() {
                Some(held) if !held.slot.forget_if_idle() => loaded.push_back(held),
                Some(Held {
                    slot,
                    named: Some(domain),
                }) => self.forget(&domain, &slot),
                _ => {}
            }
        }
    }

    fn forget(&self, domain: &DomainName, slot: &Arc<Slot>) {
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(slots) = named.get_mut(domain) {
            if let Ok(at) = place(slots, &slot.selector)
                && slots.get(at).is_some_and(|kept| Arc::ptr_eq(kept, slot))
            {
                slots.remove(at);
            }
            if slots.is_empty() {
                named.remove(domain);
            }
        }
    }

    /// How many keys are in memory.
    #[cfg(test)]
    pub fn in_memory(&self) -> usize {
        self.loaded.lock().unwrap().len()
    }
}
