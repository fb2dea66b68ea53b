//! What a signature was made over, when the message is known as it was sent: the text of
//! the author or the text that arrived. Tells on which side of the signature a change was
//! made.

use super::message::Message;
use super::{HeaderState, Records, SignatureReport, verify_message};

/// With so many fields that differ, 32 combinations are tried.
const MOST_FIELDS: usize = 5;

/// Which body was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyOrigin {
    AsArrived,
    /// And changed after it was signed.
    AsSent,
    /// Changed before it was signed, and changed again after that.
    Neither,
    /// The signature fits both.
    Forgiven,
    /// The signature cannot be read that far.
    Unknown,
}

/// What one signature was made over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub body: BodyOrigin,
    /// The names of the fields, in small letters, that were signed as they were sent and
    /// differ now; `None` when it fits no mixture of what was sent and what arrived, or
    /// there is no key.
    pub fields: Option<Vec<String>>,
    /// The names of the fields that differ, and with which the signature fits either way.
    pub forgiven: Vec<String>,
}

/// For every signature of the message that arrived, from the top down.
pub fn origins(sent: &Message, arrived: &Message, records: &Records, now: u64) -> Vec<Origin> {
    let reports = |message: &Message| verify_message(message, records, now);
    let as_arrived = reports(arrived);
    let mut with_sent_body = arrived.header_only();
    with_sent_body.body.clone_from(&sent.body);
    let as_sent = reports(&with_sent_body);
    let mut origins: Vec<Origin> = as_arrived
        .iter()
        .zip(&as_sent)
        .map(|(as_arrived, as_sent)| Origin {
            body: match (as_arrived.body_intact, as_sent.body_intact) {
                (Some(true), Some(true)) if sent.body != arrived.body => BodyOrigin::Forgiven,
                (Some(true), _) => BodyOrigin::AsArrived,
                (_, Some(true)) => BodyOrigin::AsSent,
                (Some(false), _) => BodyOrigin::Neither,
                (None, _) => BodyOrigin::Unknown,
            },
            fields: fits(as_arrived).then(Vec::new),
            forgiven: Vec::new(),
        })
        .collect();
    let changed = changed_fields(sent, arrived);
    for name in &changed {
        let with = reports(&restored(sent, arrived, std::slice::from_ref(name)));
        for ((origin, as_arrived), with) in origins.iter_mut().zip(&as_arrived).zip(&with) {
            if fits(as_arrived) && fits(with) {
                origin.forgiven.push(name.clone());
            }
        }
    }
    for names in mixtures(&changed) {
        if origins.iter().all(|origin| origin.fields.is_some()) {
            break;
        }
        let mixed = reports(&restored(sent, arrived, &names));
        for (origin, report) in origins.iter_mut().zip(&mixed) {
            if origin.fields.is_none() && fits(report) {
                origin.fields = Some(names.clone());
            }
        }
    }
    origins
}

fn fits(report: &SignatureReport) -> bool {
    report.header == Some(HeaderState::Intact)
}

/// The names of what was sent whose fields are not the same now.
fn changed_fields(sent: &Message, arrived: &Message) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for field in &sent.fields {
        let name = String::from_utf8_lossy(field.bare_name()).to_ascii_lowercase();
        let values = |message: &Message| -> Vec<Vec<u8>> {
            let fields = message.fields.iter().filter(|field| field.is(&name));
            fields.map(|field| field.value.clone()).collect()
        };
        if !names.contains(&name) && values(sent) != values(arrived) {
            names.push(name);
        }
    }
    names.truncate(MOST_FIELDS);
    names
}

/// Every choice of at least one of the names, the small ones first.
fn mixtures(names: &[String]) -> Vec<Vec<String>> {
    let mut mixtures: Vec<Vec<String>> = vec![Vec::new()];
    for name in names {
        let with = mixtures.clone().into_iter().map(|mut mixture| {
            mixture.push(name.clone());
            mixture
        });
        mixtures.extend(with);
    }
    mixtures.retain(|mixture| !mixture.is_empty());
    mixtures.sort_by_key(Vec::len);
    mixtures
}

/// What arrived, with the fields of these names as they were sent.
fn restored(sent: &Message, arrived: &Message, names: &[String]) -> Message {
    let among = |field: &super::message::Field| names.iter().any(|name| field.is(name));
    let mut message = arrived.header_only();
    message.fields.retain(|field| !among(field));
    let fields = sent.fields.iter().filter(|field| among(field));
    message.fields.extend(fields.cloned());
    message
}
