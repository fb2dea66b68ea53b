//! Two orders made one: OpenDKIM tries the lines of a SigningTable by a ladder of keys
//! or in the order of the file; signet tries addresses, domains, the nearest parent,
//! then globs in the order of the config.
//!
//! Each pattern is rewritten so that every author gets the same lines in the same
//! order. Where signet's order differs, a domain is written as a glob, which costs a
//! comparison for each message and changes nothing else.

use std::collections::HashSet;

use super::dataset::Matching;
use crate::import::glob;
use crate::names::DomainName;

/// A pattern as signet sorts it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// `user@example.com`
    Address(String),
    /// `example.com`: that domain alone.
    Domain(String),
    /// The domains below `example.com`, at any depth.
    Below(String),
    /// Anything else, over the whole address.
    Glob(String),
}

impl Pattern {
    /// As the config writes it.
    pub fn text(&self) -> String {
        match self {
            Self::Address(text) | Self::Domain(text) | Self::Glob(text) => text.clone(),
            Self::Below(parent) => format!(".{parent}"),
        }
    }

    /// The same as a glob over the address.
    pub fn glob(&self) -> String {
        match self {
            Self::Address(text) | Self::Glob(text) => text.clone(),
            Self::Domain(domain) => format!("*@{domain}"),
            Self::Below(parent) => format!("*@*.{parent}"),
        }
    }

    /// An author that it matches.
    pub fn sample(&self) -> String {
        match self {
            Self::Address(address) => address.clone(),
            Self::Domain(domain) => format!("someone@{domain}"),
            Self::Below(parent) => format!("someone@host.{parent}"),
            Self::Glob(glob) => sample(glob),
        }
    }
}

/// An address that a glob matches, or the glob when there is none that is simple.
fn sample(pattern: &str) -> String {
    for domain in ["example.com", "com", "host"] {
        let Some((local, host)) = pattern.rsplit_once('@') else {
            break;
        };
        let address = format!(
            "{}@{}",
            local.replace('*', "someone"),
            match host {
                "*" => "example.com".to_owned(),
                host => match host.strip_prefix("*.") {
                    Some(parent) if !parent.contains('*') => format!("host.{parent}"),
                    _ => host.replace('*', domain),
                },
            }
        );
        if glob::matches(pattern, &address) {
            return address;
        }
    }
    match pattern.strip_prefix('*') {
        _ if pattern == "*" => "someone@example.com".to_owned(),
        Some(end) if !end.contains(['*', '@']) => {
            let host = end.trim_start_matches('.');
            format!(
                "someone@{}{host}",
                if end.starts_with('.') { "host." } else { "" }
            )
        }
        _ => pattern.replace('*', "someone@example.com"),
    }
}

/// What a key of the table becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    Rule(Pattern),
    /// No author can ever get this line; the reason.
    Dead(String),
}

/// What each key of a SigningTable becomes, by its place in `keys`, and in which order
/// the rules are to be written.
pub fn place(keys: &[&str], matching: Matching, multiple: bool) -> (Vec<Placed>, Vec<usize>) {
    match matching {
        Matching::Exact => ladder(keys),
        Matching::Pattern => file_order(keys, multiple),
    }
}

/// OpenDKIM's ladder: `user@host`, `host`, then for each parent from the nearest
/// `user@.parent` and `.parent`, then `user@*`, then `*`.
fn ladder(keys: &[&str]) -> (Vec<Placed>, Vec<usize>) {
    let mut seen = HashSet::new();
    let mut placed: Vec<Placed> = keys
        .iter()
        .map(|key| {
            let lower = key.to_lowercase();
            if !seen.insert(lower.clone()) {
                return Placed::Dead("the same key stands above; the first counts".to_owned());
            }
            rung(&lower)
        })
        .collect();
    // `user@.parent` comes before `.parent` and those above it, but is a glob: so must
    // they be.
    let mut under_personal = HashSet::new();
    for key in keys {
        let lower = key.to_lowercase();
        let mut above = lower.split_once("@.").map(|(_, parent)| parent);
        while let Some(parent) = above {
            under_personal.insert(parent.to_owned());
            above = parent.split_once('.').map(|(_, parent)| parent);
        }
    }
    for placed in &mut placed {
        if let Placed::Rule(pattern @ Pattern::Below(_)) = placed
            && let Pattern::Below(parent) = &*pattern
            && under_personal.contains(parent)
        {
            *pattern = Pattern::Glob(pattern.glob());
        }
    }
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(|index| {
        let key = keys.get(*index).copied().unwrap_or_default();
        let labels = |domain: &str| domain.split('.').count();
        match key.split_once('@') {
            _ if key == "*" => (3, 0, 0),
            Some((_, "*")) => (2, 0, 0),
            Some((_, host)) if host.starts_with('.') => (1, usize::MAX - labels(host), 0),
            Some(_) => (0, 0, 0),
            None if key.starts_with('.') => (1, usize::MAX - labels(key), 1),
            None => (0, 0, 1),
        }
    });
    (placed, order)
}

fn rung(key: &str) -> Placed {
    let never = |why: String| Placed::Dead(format!("OpenDKIM never matches it: {why}"));
    let domain = |text: &str| DomainName::parse(text).map(|name| name.as_str().to_owned());
    if key == "*" {
        return Placed::Rule(Pattern::Glob(key.to_owned()));
    }
    let Some((local, host)) = key.rsplit_once('@') else {
        let (parent, below) = match key.strip_prefix('.') {
            Some(parent) => (parent, true),
            None => (key, false),
        };
        return match domain(parent) {
            Ok(parent) if below => Placed::Rule(Pattern::Below(parent)),
            Ok(domain) => Placed::Rule(Pattern::Domain(domain)),
            Err(_) if key.contains('*') => never(star_hint(parent)),
            Err(error) => never(error.to_string()),
        };
    };
    if local.contains('*') {
        return never(star_hint(host));
    }
    if host == "*" {
        return Placed::Rule(Pattern::Glob(key.to_owned()));
    }
    match (
        domain(host.strip_prefix('.').unwrap_or(host)),
        host.starts_with('.'),
    ) {
        (Ok(parent), true) => Placed::Rule(Pattern::Glob(format!("{local}@*.{parent}"))),
        (Ok(host), false) => Placed::Rule(Pattern::Address(format!("{local}@{host}"))),
        (Err(_), _) if host.contains('*') => never(star_hint(host)),
        (Err(error), _) => never(error.to_string()),
    }
}

fn star_hint(host: &str) -> String {
    let host = host.trim_start_matches(['*', '.']);
    format!(
        "in this type of table * stands for itself. If all of {host} is meant write {host}, or \
         make the type refile:"
    )
}

/// OpenDKIM tries a `refile` from top to bottom.
fn file_order(keys: &[&str], multiple: bool) -> (Vec<Placed>, Vec<usize>) {
    let mut earlier = Earlier::default();
    let mut placed = Vec::with_capacity(keys.len());
    for key in keys {
        let pattern = classify(&key.to_lowercase());
        if !multiple && let Some(cover) = earlier.covering(&pattern) {
            placed.push(Placed::Dead(format!(
                "{cover} stands above and matches first, so no mail ever gets this line"
            )));
            continue;
        }
        let pattern = match multiple {
            true => pattern,
            false => earlier.demoted(pattern),
        };
        earlier.add(&pattern);
        placed.push(Placed::Rule(pattern));
    }
    (placed, (0..keys.len()).collect())
}

fn classify(key: &str) -> Pattern {
    let plain = |host: &str| {
        let name = DomainName::parse(host).ok()?;
        (name.as_str() == host).then(|| host.to_owned())
    };
    let glob = || Pattern::Glob(key.to_owned());
    match key.rsplit_once('@') {
        Some(("*", host)) => match host.strip_prefix("*.").and_then(plain) {
            Some(parent) => Pattern::Below(parent),
            None => plain(host).map_or_else(glob, Pattern::Domain),
        },
        Some((local, host)) if !local.contains('*') && plain(host).is_some() => {
            Pattern::Address(key.to_owned())
        }
        Some(_) => glob(),
        // Every address that ends so has its @ before it.
        None => match key.strip_prefix("*.").and_then(plain) {
            Some(parent) => Pattern::Below(parent),
            None => glob(),
        },
    }
}

/// The patterns that stand above, found without walking all of them.
#[derive(Debug, Default)]
struct Earlier {
    exact: HashSet<Pattern>,
    /// Globs, and domains that became globs: walked.
    globs: Vec<String>,
}

impl Earlier {
    fn add(&mut self, pattern: &Pattern) {
        match pattern {
            Pattern::Glob(glob) => self.globs.push(glob.clone()),
            exact => {
                self.exact.insert(exact.clone());
            }
        }
    }

    /// An earlier pattern that matches whatever this one matches.
    fn covering(&self, pattern: &Pattern) -> Option<String> {
        let host = match pattern {
            Pattern::Address(address) => address.rsplit_once('@').map(|(_, host)| host),
            Pattern::Domain(domain) | Pattern::Below(domain) => Some(domain.as_str()),
            Pattern::Glob(_) => None,
        };
        let mut candidates = vec![pattern.clone()];
        if let Some(host) = host {
            if let Pattern::Address(_) = pattern {
                candidates.push(Pattern::Domain(host.to_owned()));
            }
            let mut rest = host;
            while let Some((_, parent)) = rest.split_once('.') {
                candidates.push(Pattern::Below(parent.to_owned()));
                rest = parent;
            }
        }
        let exact = candidates.iter().find(|c| self.exact.contains(*c));
        if let Some(found) = exact {
            return Some(found.glob());
        }
        let text = pattern.glob();
        let wide = self.globs.iter().find(|wide| glob::covers(wide, &text));
        wide.cloned()
    }

    /// The pattern, as a glob if a glob that stands above matches part of it.
    fn demoted(&self, pattern: Pattern) -> Pattern {
        let text = match &pattern {
            Pattern::Domain(_) | Pattern::Below(_) => pattern.glob(),
            Pattern::Address(_) | Pattern::Glob(_) => return pattern,
        };
        match self.globs.iter().any(|above| glob::overlap(above, &text)) {
            true => Pattern::Glob(text),
            false => pattern,
        }
    }
}

#[cfg(test)]
mod tests;
