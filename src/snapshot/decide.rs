//! All questions about one message, in order.

use super::Snapshot;
use super::ring::{Found, Usable};
use crate::config::{OnFailure, Rule, Signing};
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
        recipients: &[impl AsRef<[u8]>],
        section: &HeaderSection,
    ) -> Decision {
        if let Err(reason) = self.decide_origin(origin) {
            return pass(reason, String::new(), None);
        }
        let mut recipients = recipients.iter();
        if recipients.any(|recipient| self.exclusions.recipient(recipient.as_ref())) {
            let detail = "a recipient is in exclude.recipients".to_owned();
            return pass(Reason::ExcludedRecipient, detail, None);
        }
        let author = match author::find(section, &self.config.author_headers) {
            Ok(author) => author,
            Err(why) => return pass(why.reason, why.detail.into_owned(), None),
        };
        if self.exclusions.domain(&author.domain) {
            let detail = format!("{} is in exclude.domains", author.domain);
            return pass(Reason::ExcludedDomain, detail, Some(author.domain));
        }
        match self.decide_send_as(origin, &author) {
            Some(denied) => denied,
            None => self.decide_rule(author),
        }
    }

    /// May this login use this author? None is yes.
    fn decide_send_as(&self, origin: &Origin<'_>, author: &Address) -> Option<Decision> {
        let (owners, send_as) = (self.owners.as_ref()?, self.config.send_as.as_ref()?);
        // A client that is trusted for its network has no login to ask about.
        if !origin.authenticated() {
            return None;
        }
        let login = origin.login().unwrap_or_default();
        if owners.allow(login, author) {
            return None;
        }
        let reason = Reason::SendAsDenied;
        let detail = format!("the login may not use this author at {}", author.domain);
        let author_domain = Some(author.domain.clone());
        Some(match send_as.on_mismatch {
            OnFailure::Unsigned => pass(reason, detail, author_domain),
            on_failure => Decision::Fail {
                reason,
                detail,
                on_failure,
                author_domain,
                rule: None,
            },
        })
    }

    fn decide_rule(&self, author: Address) -> Decision {
        if self.rules.rules().is_empty() {
            return self.decide_without_rules(author);
        }
        // A rule for whatever domain the author has steps back where that has no key:
        // it is not ours then.
        let applies =
            |rule: &Rule| rule.fixed_domain().is_some() || self.keys.knows(&author.domain);
        let rules = self.rules.signing(&author, applies);
        let Some(first) = rules.first() else {
            let detail = format!("no rule is for this author at {}", author.domain);
            return pass(Reason::NoRule, detail, Some(author.domain));
        };
        let mut plan = Plan::new(first.pattern.to_string());
        for rule in &rules {
            let domain = rule.signing_domain(&author.domain);
            let found = match &*rule.selectors {
                [] => self.keys.every(domain),
                selectors => self.keys.named(domain, selectors),
            };
            let identity = rule.identity.as_ref();
            let identity = identity.and_then(|identity| identity.of(&author.domain, domain));
            plan.add(found, domain, &rule.signing, identity, Some(rule));
        }
        plan.decision(author)
    }

    /// Without rules the key directory is the rule table: every key of exactly the
    /// author's domain.
    fn decide_without_rules(&self, author: Address) -> Decision {
        let domain = &author.domain;
        if !self.keys.knows(domain) {
            let detail = format!("there is no key for {domain} in the key directory");
            return pass(Reason::NoRule, detail, Some(author.domain));
        }
        let mut plan = Plan::default();
        plan.add(
            self.keys.every(domain),
            domain,
            &self.config.signing,
            None,
            None,
        );
        plan.decision(author)
    }
}

/// The signatures that the rules ask for, as far as there are keys.
#[derive(Default)]
struct Plan {
    requests: Vec<SignRequest>,
    /// The strictest of those that the rules name.
    on_failure: Option<OnFailure>,
    rule: Option<Box<str>>,
    failed: Option<Failed>,
}

/// A rule none of whose keys can be used.
struct Failed {
    detail: String,
    on_failure: OnFailure,
    rule: Option<Box<str>>,
}

impl Plan {
    fn new(rule: String) -> Self {
        Self {
            rule: Some(rule.into()),
            ..Self::default()
        }
    }

    fn add(
        &mut self,
        found: Found,
        domain: &DomainName,
        signing: &Signing,
        identity: Option<String>,
        rule: Option<&Rule>,
    ) {
        if found.usable.is_empty() {
            let strictest = self.failed.as_ref().map(|failed| failed.on_failure);
            if strictest.is_none_or(|strictest| signing.on_failure > strictest) {
                let none = format!("the key directory has no key for {domain}");
                self.failed = Some(Failed {
                    detail: found.troubles.first().map_or(none, ToString::to_string),
                    on_failure: signing.on_failure,
                    rule: rule.map(|rule| rule.pattern.to_string().into()),
                });
            }
            return;
        }
        self.on_failure = self.on_failure.max(Some(signing.on_failure));
        let mut requests = Vec::new();
        for Usable { selector, key, .. } in found.usable {
            let same =
                |request: &SignRequest| request.domain == *domain && request.selector == selector;
            if !self.requests.iter().any(same) {
                requests.push(SignRequest {
                    key,
                    domain: domain.clone(),
                    selector,
                    identity: identity.clone(),
                    canonicalization: signing.canonicalization,
                    header_set: signing.header_set.clone(),
                    expiry: signing.expiry,
                    request_reports: signing.request_reports,
                });
            }
        }
        // The more general rule's signature goes on top, as OpenDKIM has it: whoever
        // moves in from there keeps the order that his receivers know.
        requests.append(&mut self.requests);
        self.requests = requests;
    }

    fn decision(self, author: Address) -> Decision {
        // A rule that lets mail go unsigned does not stop the signatures of others.
        let stops =
            |failed: &Failed| failed.on_failure > OnFailure::Unsigned || self.requests.is_empty();
        match self.failed.filter(stops) {
            Some(failed) => Decision::Fail {
                reason: Reason::KeyUnusable,
                detail: failed.detail,
                on_failure: failed.on_failure,
                author_domain: Some(author.domain),
                rule: failed.rule,
            },
            None => Decision::Sign {
                requests: self.requests,
                on_failure: self.on_failure.unwrap_or_default(),
                author,
                rule: self.rule,
            },
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
