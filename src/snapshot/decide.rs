//! All questions about one message, in order.

use super::Snapshot;
use super::ring::Found;
use crate::dkim::{HeaderSection, SignRequest};
use crate::names::{Address, DomainName};
use crate::policy::{Decision, Origin, Reason, author};

impl Snapshot {
    /// What is to be done with the message. The first "no" ends the questions.
    ///
    /// `recipients` are the envelope's, without angle brackets; they are looked at
    /// only when [`Snapshot::wants_recipients`] says so.
    pub fn decide(
        &self,
        origin: &Origin<'_>,
        _recipients: &[impl AsRef<[u8]>],
        section: &HeaderSection,
    ) -> Decision {
        if let Err(reason) = self.decide_origin(origin) {
            return pass(reason, String::new(), None);
        }
        match author::find(section) {
            Ok(author) => self.decide_rule(author),
            Err(why) => pass(why.reason, why.detail.into_owned(), None),
        }
    }

    /// Without rules the key directory is the rule table: every key of exactly the
    /// author's domain.
    fn decide_rule(&self, author: Address) -> Decision {
        let domain = &author.domain;
        if !self.keys.knows(domain) {
            let detail = format!("there is no key for {domain} in the key directory");
            return pass(Reason::NoRule, detail, Some(author.domain));
        }
        let Found { usable, trouble } = self.keys.every(domain);
        let on_failure = self.config.signing.on_failure;
        if usable.is_empty() {
            let detail = trouble.as_deref().unwrap_or("it has no key file");
            return Decision::Fail {
                reason: Reason::KeyUnusable,
                detail: detail.to_owned(),
                on_failure,
                author_domain: Some(author.domain),
                rule: None,
            };
        }
        let signing = &self.config.signing;
        let request = |usable: super::ring::Usable| SignRequest {
            key: usable.key,
            domain: domain.clone(),
            selector: usable.selector,
            identity: None,
            canonicalization: signing.canonicalization,
            header_set: signing.header_set.clone(),
            expiry: signing.expiry,
        };
        Decision::Sign {
            requests: usable.into_iter().map(request).collect(),
            on_failure,
            author,
            rule: None,
        }
    }
}

fn pass(reason: Reason, detail: String, author_domain: Option<DomainName>) -> Decision {
    Decision::Pass {
        reason,
        detail,
        author_domain,
        rule: None,
    }
}
