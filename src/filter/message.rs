//! The message in hand: what has arrived of it, and what was decided.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Conclusion, Context, FIELD, response};
use crate::dkim::{
    ExistingSignature, HeaderSection, SignError, SignJob, SignRequest, Signature, Signer,
};
use crate::milter::{InsertedField, Response};
use crate::names::DomainName;
use crate::policy::{Decision, OnFailure, Origin, Reason};
use crate::snapshot::Snapshot;
use crate::telemetry::{Action, Limit, Outcome, SignedBy, Verdict};

/// A message between MAIL and its end.
#[derive(Debug)]
pub(super) struct Message {
    /// The snapshot it began with; a reload does not touch it.
    snapshot: Arc<Snapshot>,
    recipients: Vec<Box<[u8]>>,
    /// Whether the client got as far as sending it.
    begun: bool,
    /// As the MTA gave it at the end of the header section: at ABORT it is gone.
    queue_id: Option<Box<str>>,
    /// Bytes of header section and body so far.
    bytes: u64,
    author_domain: Option<DomainName>,
    rule: Option<Box<str>>,
    /// The limit that it reached, if it reached one.
    limit: Option<Limit>,
    progress: Progress,
}

#[derive(Debug)]
enum Progress {
    Header(HeaderSection),
    /// The header section passed a limit; nothing more of it is kept.
    Overflow,
    Body {
        signer: Box<Signer>,
        on_failure: OnFailure,
        /// Signatures it carries that would be made again, with the number of the
        /// request; nearly always none.
        existing: Vec<(usize, ExistingSignature)>,
    },
}

/// A message whose signatures are being made.
#[derive(Debug)]
pub(super) struct Pending {
    bytes: u64,
    author_domain: Option<DomainName>,
    rule: Option<Box<str>>,
    on_failure: OnFailure,
}

impl Message {
    pub(super) fn new(snapshot: Arc<Snapshot>) -> Self {
        Self {
            snapshot,
            recipients: Vec::new(),
            begun: false,
            queue_id: None,
            bytes: 0,
            author_domain: None,
            rule: None,
            limit: None,
            progress: Progress::Header(HeaderSection::default()),
        }
    }

    pub(super) fn recipient(&mut self, address: &[u8]) {
        // Only rules by recipient want them; the list is bounded because a peer
        // decides its length.
        if !self.snapshot.wants_recipients() {
            return;
        }
        if self.recipients.len() < self.snapshot.config().limits.recipients {
            self.recipients.push(address.into());
        } else {
            self.limit = Some(Limit::Recipients);
        }
    }

    /// Whether anything of it was sent. Mail whose recipients were all refused, or
    /// that the client thought better of, is no message.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    pub(super) fn set_queue_id(&mut self, queue_id: Option<Box<str>>) {
        self.queue_id = queue_id;
    }

    pub(super) fn field(&mut self, name: &[u8], value: &[u8]) {
        self.begun = true;
        let limits = &self.snapshot.config().limits;
        if let Progress::Header(section) = &mut self.progress {
            let size = name.len().saturating_add(value.len());
            self.bytes = self.bytes.saturating_add(size as u64);
            if section.size().saturating_add(size) > limits.header_bytes {
                self.overflow(Limit::HeaderBytes);
            } else if section.len() >= limits.header_fields {
                self.overflow(Limit::HeaderFields);
            } else {
                section.push(name, value);
            }
        }
    }

    fn overflow(&mut self, limit: Limit) {
        self.limit = Some(limit);
        self.progress = Progress::Overflow;
    }

    pub(super) fn body(&mut self, chunk: &[u8]) {
        self.bytes = self.bytes.saturating_add(chunk.len() as u64);
        if let Progress::Body {
            signer, existing, ..
        } = &mut self.progress
        {
            signer.body(chunk);
            for (_, existing) in existing {
                existing.body(chunk);
            }
        }
    }

    /// May this client's mail be signed at all?
    pub(super) fn decide_origin(&mut self, origin: &Origin<'_>) -> Result<(), Verdict> {
        self.begun = true;
        match self.snapshot.decide_origin(origin) {
            Ok(_) => Ok(()),
            Err(reason) => Err(passed(reason, String::new())),
        }
    }

    /// Decides, with everything but the body known, and readies the signer.
    pub(super) fn decide(
        &mut self,
        origin: &Origin<'_>,
        leading_space: bool,
    ) -> Result<(), Verdict> {
        self.decide_origin(origin)?;
        let section = match &mut self.progress {
            Progress::Header(section) => section,
            Progress::Overflow => {
                return Err(self.too_large(self.snapshot.config().signing.on_failure));
            }
            // The session's order of commands excludes it.
            Progress::Body { .. } => return Err(out_of_order()),
        };
        match self.snapshot.decide(origin, &self.recipients, section) {
            Decision::Sign {
                requests,
                on_failure,
                author,
                rule,
            } => {
                self.author_domain = Some(author.domain);
                self.rule = rule;
                // One of those that were not looked at may be in exclude.recipients.
                if self.limit.is_some() {
                    return Err(self.too_large(on_failure));
                }
                let existing = existing(section, &requests, leading_space);
                let signer = Signer::new(std::mem::take(section), requests, leading_space);
                self.progress = Progress::Body {
                    signer: Box::new(signer),
                    on_failure,
                    existing,
                };
                Ok(())
            }
            Decision::Pass {
                reason,
                detail,
                author_domain,
                rule,
            } => {
                self.author_domain = author_domain;
                self.rule = rule;
                Err(passed(reason, detail))
            }
            Decision::Fail {
                reason,
                detail,
                on_failure,
                author_domain,
                rule,
            } => {
                self.author_domain = author_domain;
                self.rule = rule;
                Err(failed(reason, detail, on_failure))
            }
        }
    }

    /// The verdict on a message that has reached a limit.
    fn too_large(&self, on_failure: OnFailure) -> Verdict {
        let what = match self.limit {
            Some(Limit::Recipients) => "it has more recipients",
            _ => "the header section is larger",
        };
        let key = self.limit.map_or("", Limit::as_str);
        let detail = format!("{what} than limits.{key} allows");
        failed(Reason::LimitExceeded, detail, on_failure)
    }

    /// Takes the last of the body.
    ///
    /// # Errors
    /// The verdict on a message for which there is nothing to sign after all.
    pub(super) fn finish(&mut self, chunk: &[u8], now: u64) -> Result<(SignJob, Pending), Verdict> {
        self.body(chunk);
        let progress =
            std::mem::replace(&mut self.progress, Progress::Header(HeaderSection::new()));
        let Progress::Body {
            mut signer,
            on_failure,
            existing,
        } = progress
        else {
            // The session's order of commands excludes it.
            return Err(out_of_order());
        };
        let mut held: Vec<usize> = existing
            .into_iter()
            .filter_map(|(request, existing)| existing.holds().then_some(request))
            .collect();
        held.sort_unstable();
        held.dedup();
        for request in held.into_iter().rev() {
            signer.withdraw(request);
        }
        if signer.requests().is_empty() {
            return Err(passed(Reason::AlreadySigned, String::new()));
        }
        Ok((
            signer.finish(now),
            Pending {
                bytes: self.bytes,
                author_domain: self.author_domain.take(),
                rule: self.rule.take(),
                on_failure,
            },
        ))
    }

    /// Adds to an outcome what the message knows.
    pub(super) fn describe(self, outcome: &mut Outcome) {
        outcome.queue_id = outcome.queue_id.take().or(self.queue_id);
        outcome.bytes = self.bytes;
        outcome.author_domain = self.author_domain;
        outcome.rule = self.rule;
        let exceeded = matches!(
            outcome.verdict,
            Verdict::NotSigned {
                reason: Reason::LimitExceeded,
                ..
            }
        );
        outcome.limit = self.limit.filter(|_| exceeded);
    }
}

impl Pending {
    /// Adds to an outcome what is known of the message.
    pub(super) fn describe(self, outcome: &mut Outcome) {
        outcome.bytes = self.bytes;
        outcome.author_domain = self.author_domain;
        outcome.rule = self.rule;
    }

    pub(super) fn conclude(
        self,
        result: Result<Vec<Signature>, SignError>,
        client: Option<IpAddr>,
        context: &Context<'_>,
    ) -> Conclusion {
        let (fields, otherwise, verdict) = match result {
            Ok(signatures) => {
                let mut fields = Vec::with_capacity(signatures.len());
                let mut by = Vec::with_capacity(signatures.len());
                for Signature {
                    value,
                    domain,
                    selector,
                    algorithm,
                } in signatures
                {
                    fields.push(InsertedField { name: FIELD, value });
                    by.push(SignedBy {
                        domain,
                        selector,
                        algorithm,
                    });
                }
                (fields, Response::Accept, Verdict::Signed(by))
            }
            Err(error) => {
                let action = action(self.on_failure);
                let verdict = Verdict::NotSigned {
                    reason: Reason::SignFailed,
                    detail: error.to_string(),
                    action,
                };
                (Vec::new(), response(action), verdict)
            }
        };
        let mut outcome = Box::new(super::outcome(client, context.macros, verdict));
        self.describe(&mut outcome);
        Conclusion {
            fields,
            otherwise,
            outcome,
        }
    }
}

/// The signatures the message carries that `requests` would make again.
fn existing(
    section: &HeaderSection,
    requests: &[SignRequest],
    leading_space: bool,
) -> Vec<(usize, ExistingSignature)> {
    let of = |(number, request)| {
        let found = ExistingSignature::find(section, request, leading_space);
        found.into_iter().map(move |existing| (number, existing))
    };
    requests.iter().enumerate().flat_map(of).collect()
}

fn action(on_failure: OnFailure) -> Action {
    match on_failure {
        OnFailure::Tempfail => Action::Tempfailed,
        OnFailure::Unsigned => Action::Passed,
        OnFailure::Reject => Action::Rejected,
    }
}

fn out_of_order() -> Verdict {
    let detail = "the message's parts came in no order that makes sense".to_owned();
    failed(Reason::SignFailed, detail, OnFailure::Tempfail)
}

fn passed(reason: Reason, detail: String) -> Verdict {
    Verdict::NotSigned {
        reason,
        detail,
        action: Action::Passed,
    }
}

fn failed(reason: Reason, detail: String, on_failure: OnFailure) -> Verdict {
    Verdict::NotSigned {
        reason,
        detail,
        action: action(on_failure),
    }
}
