//! Patterns by hash: a look-up costs the same however many there are. Only globs are
//! walked.

use std::collections::HashMap;

use crate::config::{Glob, Pattern};
use crate::names::{Address, DomainName};

/// Finds the numbers that were filed under the patterns of an address.
#[derive(Debug, Default)]
pub struct Index {
    /// By address, the local part in lower case.
    addresses: HashMap<Box<str>, Chain>,
    domains: HashMap<DomainName, Chain>,
    /// By the parent domain.
    below: HashMap<DomainName, Chain>,
    globs: Vec<(Glob, u32)>,
    /// The next number under the same pattern; `NONE` ends a chain.
    next: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Chain {
    first: u32,
    last: u32,
}

const NONE: u32 = u32::MAX;

impl Default for Chain {
    fn default() -> Self {
        Self {
            first: NONE,
            last: NONE,
        }
    }
}

impl Index {
    /// Makes room for these patterns at once: growing by and by hashes each of them
    /// several times over.
    pub fn reserve<'p>(&mut self, patterns: impl Iterator<Item = &'p Pattern>) {
        let (mut addresses, mut domains, mut below) = (0, 0, 0);
        for pattern in patterns {
            match pattern {
                Pattern::Address(_) => addresses += 1,
                Pattern::Domain(_) => domains += 1,
                Pattern::Below(_) => below += 1,
                Pattern::Glob(_) => {}
            }
        }
        self.addresses.reserve(addresses);
        self.domains.reserve(domains);
        self.below.reserve(below);
        self.next.reserve(addresses + domains + below);
    }

    /// Files the next number, counted from 0, under a pattern. Gives the first number
    /// that was filed under the same, unless it is a glob.
    pub fn push(&mut self, pattern: &Pattern) -> Option<usize> {
        // More than 4 billion patterns do not fit into memory.
        let number = u32::try_from(self.next.len()).unwrap_or(NONE);
        self.next.push(NONE);
        let chain = match pattern {
            Pattern::Glob(glob) => {
                self.globs.push((glob.clone(), number));
                return None;
            }
            Pattern::Address(address) => self.addresses.entry(key(address).into()).or_default(),
            Pattern::Domain(domain) => self.domains.entry(domain.clone()).or_default(),
            Pattern::Below(parent) => self.below.entry(parent.clone()).or_default(),
        };
        match self.next.get_mut(chain.last as usize) {
            Some(last) => *last = number,
            None => chain.first = number,
        }
        chain.last = number;
        (chain.first != number).then_some(chain.first as usize)
    }

    /// The numbers whose pattern matches the address: its own first, then its domain's,
    /// the nearest parent's and so on, and the globs in their order.
    pub fn find(&self, address: &Address) -> Vec<usize> {
        let mut found = Vec::new();
        let own = match self.addresses.is_empty() && self.globs.is_empty() {
            true => String::new(),
            false => key(address),
        };
        self.follow(self.addresses.get(own.as_str()), &mut found);
        self.follow(self.domains.get(&address.domain), &mut found);
        let mut parent = address.domain.parent();
        while let Some(name) = parent {
            self.follow(self.below.get(name), &mut found);
            parent = name.split_once('.').map(|(_, parent)| parent);
        }
        for (glob, number) in &self.globs {
            if glob.matches(&own) {
                found.push(*number as usize);
            }
        }
        found
    }

    fn follow(&self, chain: Option<&Chain>, found: &mut Vec<usize>) {
        let mut number = chain.map_or(NONE, |chain| chain.first);
        while number != NONE {
            found.push(number as usize);
            number = self.next.get(number as usize).copied().unwrap_or(NONE);
        }
    }
}

/// An address as it is compared: local parts, too, without case.
fn key(address: &Address) -> String {
    let mut key = address.local.to_lowercase();
    key.push('@');
    key.push_str(address.domain.as_str());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(patterns: &[&str], address: &str) -> Vec<usize> {
        let mut index = Index::default();
        for pattern in patterns {
            index.push(&Pattern::parse(pattern).unwrap());
        }
        index.find(&Address::parse(address).unwrap())
    }

    #[test]
    fn the_most_specific_comes_first() {
        let patterns = [
            "*@*.example.com",
            ".com",
            ".example.com",
            "a.example.com",
            "user@a.example.com",
            "example.com",
            "*",
        ];
        assert_eq!(found(&patterns, "user@a.example.com"), [4, 3, 2, 1, 0, 6]);
        assert_eq!(found(&patterns, "other@b.a.example.com"), [2, 1, 0, 6]);
        assert_eq!(found(&patterns, "user@example.com"), [5, 1, 6]);
        assert_eq!(found(&patterns, "user@example.org"), [6]);
    }

    #[test]
    fn case_does_not_matter() {
        assert_eq!(found(&["User@Example.com"], "uSER@example.COM"), [0]);
        assert_eq!(found(&["*-NEWS@example.com"], "My-News@EXAMPLE.com"), [0]);
        assert_eq!(found(&["bücher.example"], "a@BÜCHER.example"), [0]);
    }

    #[test]
    fn the_same_pattern_keeps_its_order() {
        let patterns = [
            "a.example",
            "b.example",
            "a.example",
            "a.example",
            "x@a.example",
            "x@a.example",
        ];
        assert_eq!(found(&patterns, "x@a.example"), [4, 5, 0, 2, 3]);
    }

    #[test]
    fn a_parent_is_no_suffix() {
        assert!(found(&[".example.com"], "a@badexample.com").is_empty());
        assert!(found(&[".example.com"], "a@example.com").is_empty());
        assert_eq!(found(&[".example.com"], "a@b.c.example.com"), [0]);
    }
}
