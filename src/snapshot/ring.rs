//! Every private key that may be needed, found by domain, parsed once, and a bounded
//! number of them in memory.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::Problem;
use super::slot::{Slot, in_words};
use crate::dkim::{KeyType, SigningKey};
use crate::keys::KeyDirectory;
use crate::names::{DomainName, Selector};

/// So many keys are read at start, so that each broken one is told of at once. With
/// more than that, a key is read when its first message comes.
const READ_AT_START: usize = 1000;

/// So many parsed keys are kept; an RSA-2048 key takes about 4 KiB.
const KEPT: usize = 4096;

/// A key that can sign.
#[derive(Debug, Clone)]
pub struct Usable {
    pub selector: Selector,
    pub key: Arc<SigningKey>,
}

/// What the key directory has for one domain.
#[derive(Debug, Default)]
pub struct Found {
    /// RSA before Ed25519, each in the order of their selectors.
    pub usable: Vec<Usable>,
    /// Why another key of the domain cannot sign.
    pub trouble: Option<Arc<str>>,
}

#[derive(Debug, Default)]
struct Domain {
    slots: Box<[Arc<Slot>]>,
    /// What should be a key of the domain and has no slot.
    trouble: Option<Arc<str>>,
}

/// The keys of one key directory.
#[derive(Debug)]
pub struct KeyRing {
    directory: KeyDirectory,
    domains: HashMap<DomainName, Domain>,
    keys: usize,
    /// The keys in memory, the next one up for removal first.
    loaded: Mutex<VecDeque<Arc<Slot>>>,
}

impl KeyRing {
    /// Finds the keys of a directory, and reads them unless they are very many. What
    /// is wrong with one key goes into `problems` and stops no other.
    pub fn new(directory: KeyDirectory, problems: &mut Vec<Problem>) -> Self {
        let scan = directory.scan();
        let keys = scan.keys.len();
        let mut domains: HashMap<DomainName, Domain> = HashMap::new();
        let mut entries = scan.keys.into_iter().peekable();
        while let Some(first) = entries.next() {
            let mut slots = vec![Arc::new(Slot::new(first.selector, first.path))];
            while let Some(entry) = entries.next_if(|entry| entry.domain == first.domain) {
                slots.push(Arc::new(Slot::new(entry.selector, entry.path)));
            }
            domains.entry(first.domain).or_default().slots = slots.into();
        }
        for problem in scan.problems {
            let words = in_words(&problem.error);
            problems.push(Problem::error(words.to_string()));
            if let Some(domain) = problem.domain {
                domains.entry(domain).or_default().trouble = Some(words);
            }
        }
        for ignored in scan.ignored {
            let path = ignored.path.display();
            problems.push(Problem::note(format!(
                "{path} is passed over: {}",
                ignored.reason
            )));
        }
        let ring = Self {
            directory,
            domains,
            keys,
            loaded: Mutex::default(),
        };
        if keys <= READ_AT_START {
            problems.extend(ring.read_all());
        }
        ring
    }

    /// Reads every key and says what is wrong with each.
    pub fn read_all(&self) -> Vec<Problem> {
        let mut domains: Vec<_> = self.domains.iter().collect();
        domains.sort_by_key(|(name, _)| *name);
        let mut problems = Vec::new();
        for (domain, entry) in domains {
            let mut broken = Vec::new();
            for slot in &entry.slots {
                match self.load(slot) {
                    Ok(key) => problems.extend(weak(slot, &key)),
                    Err(words) => broken.push(words),
                }
            }
            let alone = broken.len() == entry.slots.len();
            for words in broken {
                let so = match alone {
                    true => format!("mail of {domain} follows on_failure"),
                    false => format!("mail of {domain} is signed with its other keys"),
                };
                problems.push(Problem::error(format!("{words}; {so}")));
            }
        }
        problems
    }

    /// How many domains have a key file, usable or not.
    pub fn domain_count(&self) -> usize {
        self.domains.len()
    }

    /// How many key files there are, usable or not.
    pub fn key_count(&self) -> usize {
        self.keys
    }

    /// Whether the directory has anything for the domain.
    pub fn knows(&self, domain: &DomainName) -> bool {
        self.domains.contains_key(domain)
    }

    /// Every key of the domain.
    pub fn every(&self, domain: &DomainName) -> Found {
        let Some(entry) = self.domains.get(domain) else {
            return Found::default();
        };
        let mut found = Found {
            trouble: entry.trouble.clone(),
            ..Found::default()
        };
        for slot in &entry.slots {
            self.add(slot, &mut found);
        }
        // Stable, so the selectors stay in order.
        found
            .usable
            .sort_by_key(|usable| usable.key.key_type() != KeyType::Rsa);
        found
    }

    fn add(&self, slot: &Arc<Slot>, found: &mut Found) {
        match self.load(slot) {
            Ok(key) => found.usable.push(Usable {
                selector: slot.selector.clone(),
                key,
            }),
            Err(words) => found.trouble = Some(words),
        }
    }

    fn load(&self, slot: &Arc<Slot>) -> super::slot::Loaded {
        let (loaded, now) = slot.key(&self.directory);
        if now {
            let mut queue = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            queue.push_back(slot.clone());
            // Every slot is asked once at most: the first idle one goes.
            for _ in 0..queue.len() {
                if queue.len() <= KEPT {
                    break;
                }
                match queue.pop_front() {
                    Some(slot) if !slot.forget_if_idle() => queue.push_back(slot),
                    _ => {}
                }
            }
        }
        loaded
    }
}

/// RFC 8301 §3.2: signers should use 2048 bits and more.
fn weak(slot: &Slot, key: &SigningKey) -> Option<Problem> {
    key.is_weak().then(|| {
        let (path, bits) = (slot.path.display(), key.bits());
        Problem::warning(format!(
            "{path} has {bits} bits, and some receivers refuse less than 2048; make a new key with a new selector"
        ))
    })
}
