//! The second question: whose mail is it?
//!
//! The author is the one address of the one From field (or of another field that the
//! operator put before it), read from the bytes of the
//! wire. Whoever makes us see another author than the receivers do gets a signature
//! for somebody else's name, so a field is usable only when our own strict reading
//! and `mail-parser`'s lenient one see the same addresses. In doubt it is
//! [`Reason::FromUnparsable`], and the message passes unsigned.

mod list_post;
mod mailbox;
mod second;
mod token;

use std::borrow::Cow;

use self::mailbox::Mailbox;
use super::Reason;
use crate::dkim::{Field, HeaderSection};
use crate::names::{Address, DomainName, FieldName};

/// Why there is no author: the reason, and the words that explain it. The words never
/// hold text of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAuthor {
    pub reason: Reason,
    pub detail: Cow<'static, str>,
}

/// The author of the message: the address in the first of `headers` that is there.
///
/// Whichever decides, there must be exactly one From field: a signature covers it.
///
/// # Errors
/// [`Reason::FromMissing`], [`Reason::FromRepeated`], [`Reason::FromUnparsable`] or
/// [`Reason::FromMultiple`], with a detail.
pub fn find(section: &HeaderSection, headers: &[FieldName]) -> Result<Address, NoAuthor> {
    let from = the_from(section)?;
    for name in headers {
        if name.as_str() == "from" {
            return author_of_from(section, &from);
        }
        if let Some(author) = author_of_other(section, name)? {
            return Ok(author);
        }
    }
    Err(no_author(
        Reason::FromMissing,
        "none of the fields in author_headers is there",
    ))
}

fn author_of_from(section: &HeaderSection, from: &Field<'_>) -> Result<Address, NoAuthor> {
    let unparsable = |doubt| no_author(Reason::FromUnparsable, doubt);
    let mailboxes = read(from.value).map_err(unparsable)?;
    match mailboxes.as_slice() {
        [] => Err(unparsable("it holds no address")),
        [mailbox] => usable(mailbox).map_err(unparsable),
        several => sender(section).map_err(|why| {
            let detail = format!("it holds {} addresses, and {why}", several.len());
            no_author(Reason::FromMultiple, detail)
        }),
    }
}

/// The author in a field that the operator put before From; none when there is no such
/// field.
fn author_of_other(section: &HeaderSection, name: &FieldName) -> Result<Option<Address>, NoAuthor> {
    let unusable =
        |why: &str| no_author(Reason::FromUnparsable, format!("the {name} field: {why}"));
    let mut all = section.fields().filter(|field| field.is(name.as_str()));
    let field = match (all.next(), all.next()) {
        (None, _) => return Ok(None),
        (Some(field), None) => field,
        _ => return Err(unusable("there are several")),
    };
    let text = match name.as_str() {
        "list-post" => match list_post::mailto(field.value) {
            Some(address) => address,
            // RFC 2369 §3.4: NO, or a list that is written to otherwise.
            None => return Ok(None),
        },
        _ => field.value,
    };
    match read(text).map_err(unusable)?.as_slice() {
        [mailbox] => usable(mailbox).map(Some).map_err(unusable),
        [] => Err(unusable("it holds no address")),
        _ => Err(unusable("it holds several addresses")),
    }
}

fn no_author(reason: Reason, detail: impl Into<Cow<'static, str>>) -> NoAuthor {
    NoAuthor {
        reason,
        detail: detail.into(),
    }
}

/// The one From field (RFC 5322 §3.6: exactly one).
fn the_from(section: &HeaderSection) -> Result<Field<'_>, NoAuthor> {
    let mut all = section.fields().filter(|field| field.is("from"));
    let Some(from) = all.next() else {
        return Err(no_author(Reason::FromMissing, "there is no From field"));
    };
    match all.count() {
        0 => Ok(from),
        more => Err(no_author(
            Reason::FromRepeated,
            format!("there are {} From fields", more + 1),
        )),
    }
}

/// The address of the single valid Sender field, which decides when From holds several
/// (RFC 5322 §3.6.2: such a message must have one).
fn sender(section: &HeaderSection) -> Result<Address, &'static str> {
    let mut all = section.fields().filter(|field| field.is("sender"));
    let field = match (all.next(), all.next()) {
        (Some(field), None) => field,
        (None, _) => return Err("there is no Sender field"),
        _ => return Err("there are several Sender fields"),
    };
    let unusable = "the Sender field is not one usable address";
    match read(field.value).map_err(|_| unusable)?.as_slice() {
        [mailbox] => usable(mailbox).map_err(|_| unusable),
        _ => Err(unusable),
    }
}

/// The mailboxes of a field's value, when both readings agree.
fn read(value: &[u8]) -> Result<Vec<Mailbox>, token::Doubt> {
    let mailboxes = mailbox::mailboxes(value)?;
    match second::agrees(value, &mailboxes) {
        true => Ok(mailboxes),
        false => Err("other software would see other addresses in it"),
    }
}

fn usable(mailbox: &Mailbox) -> Result<Address, token::Doubt> {
    let domain = DomainName::parse(&mailbox.domain)
        .map_err(|_| "what stands behind the at sign is no domain name")?;
    Ok(Address {
        local: mailbox.local.as_str().into(),
        domain,
    })
}

#[cfg(test)]
mod tests;
