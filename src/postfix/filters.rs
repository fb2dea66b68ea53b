//! Content filters: which services hand mail to one, which take it back, and whether
//! strangers' mail goes that way too.
//!
//! What comes back comes from an address of this machine, whoever sent it: a milter
//! behind the filter cannot tell a stranger's mail from that of our own people.

use super::{Postfix, Service};

/// Ports and names of services for people who send.
const SUBMISSION: [&str; 5] = ["submission", "submissions", "smtps", "587", "465"];

/// Ports and names of services that take mail from everybody.
const PUBLIC: [&str; 2] = ["smtp", "25"];

/// What mail goes through before it is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter<'p> {
    /// `content_filter`: behind the queue, and behind the milters.
    Queued(&'p str),
    /// `smtpd_proxy_filter`: before the queue; milters see no message.
    Proxy(&'p str),
}

impl Service {
    /// The service takes mail from this machine only.
    pub fn is_local(&self) -> bool {
        let local = ["127.", "localhost:", "[::1]:"];
        self.kind == "unix" || local.iter().any(|start| self.name.starts_with(start))
    }

    /// The service is there for people who send.
    pub fn is_submission(&self) -> bool {
        SUBMISSION.contains(&self.port())
    }

    fn port(&self) -> &str {
        self.name.rsplit(':').next().unwrap_or(&self.name)
    }
}

impl Postfix {
    /// The services in which mail arrives: by SMTP, and by the sendmail command.
    pub fn entrances(&self) -> impl Iterator<Item = &Service> {
        let programs = ["smtpd", "pickup"];
        self.services
            .iter()
            .filter(move |service| programs.contains(&service.program.as_str()))
    }

    /// What the mail of a service goes through.
    pub fn filter_of<'p>(&'p self, service: &'p Service) -> Option<Filter<'p>> {
        let named = |name| Some(self.value_for(service, name)).filter(|value| !value.is_empty());
        let proxy = named("smtpd_proxy_filter").filter(|_| service.program == "smtpd");
        proxy
            .map(Filter::Proxy)
            .or_else(|| named("content_filter").map(Filter::Queued))
    }

    /// The services that take mail back from a filter: local ones without a filter,
    /// and of these the ones whose filter is turned off, if there are such.
    pub fn handing_back(&self) -> Vec<&Service> {
        let filtered = |service: &&Service| self.filter_of(service).is_some();
        if !self.entrances().any(|service| filtered(&service)) {
            return Vec::new();
        }
        let local = |service: &&Service| {
            let public = PUBLIC.contains(&service.port()) || service.is_submission();
            service.is_local() && !public && !filtered(service)
        };
        let found: Vec<&Service> = self.smtp_servers().filter(local).collect();
        let names = ["content_filter", "smtpd_proxy_filter"];
        let turned_off = |service: &&Service| {
            names
                .iter()
                .any(|name| service.override_of(name).is_some_and(str::is_empty))
        };
        match found.iter().copied().any(|service| turned_off(&service)) {
            true => found.into_iter().filter(turned_off).collect(),
            false => found,
        }
    }

    /// Whether anybody in the world may hand in mail there.
    pub fn takes_strangers(&self, service: &Service) -> bool {
        let closed = [
            "smtpd_client_restrictions",
            "smtpd_relay_restrictions",
            "smtpd_recipient_restrictions",
        ]
        .iter()
        .any(|name| {
            let value = self.expanded(self.value_for(service, name));
            value.trim_end().ends_with("reject")
        });
        service.program == "smtpd" && !service.is_local() && !service.is_submission() && !closed
    }

    /// Whether strangers' mail goes through a filter, and comes back from this machine.
    pub fn filters_strangers(&self) -> bool {
        self.smtp_servers()
            .any(|service| self.takes_strangers(service) && self.filter_of(service).is_some())
    }
}
