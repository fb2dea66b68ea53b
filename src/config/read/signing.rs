//! How a message is signed: `[signing]`, and the same keys in `[[rule]]`.

use std::sync::Arc;
use std::time::Duration;

use super::list;
use crate::config::raw::{Table, Value};
use crate::config::{Signing, span};
use crate::dkim::HeaderSet;
use crate::names::FieldName;

/// What the table says, and `default` for what it does not.
pub(super) fn signing(table: &Table<'_>, default: &Signing) -> Signing {
    Signing {
        canonicalization: table.or("canonicalization", default.canonicalization, Value::parse),
        header_set: header_set(table, &default.header_set),
        expiry: table.or("expiry", default.expiry, expiry),
        request_reports: table.or("request_reports", default.request_reports, Value::boolean),
        on_failure: table.or("on_failure", default.on_failure, Value::parse),
    }
}

/// The three lists of names. A list that is left out keeps its default; a name in two
/// lists gets the stronger mark.
fn header_set(table: &Table<'_>, default: &Arc<HeaderSet>) -> Arc<HeaderSet> {
    let names = |key| list(&table.get(key)?, field_name);
    let sign = names("sign");
    let oversign_present = names("oversign_present");
    let oversign = names("oversign");
    if sign.is_none() && oversign_present.is_none() && oversign.is_none() {
        return default.clone();
    }
    let set = HeaderSet::new(
        sign.unwrap_or_else(|| default.sign().to_vec()),
        oversign_present.unwrap_or_else(|| default.oversign_present().to_vec()),
        oversign.unwrap_or_else(|| default.oversign().to_vec()),
    );
    // Each name was already tried alone, where a mistake has its line.
    set.map_or_else(|_| default.clone(), Arc::new)
}

/// A name that may be signed.
fn field_name(value: &Value<'_>) -> Option<FieldName> {
    let name = value.parse_with(FieldName::parse)?;
    match HeaderSet::new(vec![name.clone()], Vec::new(), Vec::new()) {
        Ok(_) => Some(name),
        Err(error) => {
            value.wrong(error);
            None
        }
    }
}

/// A span of time, or `"never"`.
fn expiry(value: &Value<'_>) -> Option<Option<Duration>> {
    match value.is_string() && value.string() == Some("never") {
        true => Some(None),
        false => time_span(value).map(Some),
    }
}

pub(super) fn time_span(value: &Value<'_>) -> Option<Duration> {
    if value.is_integer() {
        let seconds = value.integer(1)?.to_string();
        return span::parse(&seconds)
            .map_err(|error| value.wrong(error))
            .ok();
    }
    value.parse_with(span::parse)
}
