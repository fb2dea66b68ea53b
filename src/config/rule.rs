//! One rule: which authors, and which signatures for them.

use std::sync::Arc;

use super::{Identity, Pattern, Place, Signing};
use crate::names::{DomainName, Selector};

/// What `[[rule]]` or one line of a rule table says.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub pattern: Pattern,
    /// The signing domain; none means the author's own.
    pub domain: Option<DomainName>,
    /// The keys that sign; empty means every one that the key directory has for the
    /// signing domain.
    pub selectors: Arc<[Selector]>,
    pub identity: Option<Identity>,
    /// Whether the rule signs besides the one that wins.
    pub multiple: bool,
    /// How, with `[signing]` for what the rule does not say.
    pub signing: Arc<Signing>,
    pub place: Place,
}

impl Rule {
    /// The signing domain, when it does not depend on the author.
    pub fn fixed_domain(&self) -> Option<&DomainName> {
        self.domain.as_ref().or_else(|| self.pattern.domain())
    }

    /// The signing domain for an author of this domain.
    pub fn signing_domain<'r>(&'r self, author: &'r DomainName) -> &'r DomainName {
        self.domain.as_ref().unwrap_or(author)
    }
}

/// Selectors as the operator lists them.
///
/// # Errors
/// When one is none, or stands there twice.
pub fn selectors<'t>(texts: impl Iterator<Item = &'t str>) -> Result<Arc<[Selector]>, String> {
    let mut selectors: Vec<Selector> = Vec::new();
    for text in texts {
        let selector = Selector::parse(text).map_err(|error| error.to_string())?;
        if selectors.contains(&selector) {
            return Err(format!("the selector {selector} is there twice"));
        }
        selectors.push(selector);
    }
    Ok(selectors.into())
}
