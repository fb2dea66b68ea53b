//! A second reading of an address field, by `mail-parser`, which is as lenient as the
//! readers of mail are. Where it sees other addresses than we do, somebody else might
//! as well, and the field is not usable.

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use super::mailbox::Mailbox;
use crate::names::DomainName;

/// Whether `mail-parser` sees the same mailboxes in the field's value.
///
/// Of a local part in quotes it keeps only what it takes for the address, so there
/// the domains alone are compared.
pub fn agrees(value: &[u8], mailboxes: &[Mailbox]) -> bool {
    let mut line = value.trim_ascii_end().to_vec();
    line.push(b'\n');
    let mut stream = MessageStream::new(&line);
    let HeaderValue::Address(found) = stream.parse_address() else {
        return mailboxes.is_empty();
    };
    let mut ours = mailboxes.iter();
    let same = found.iter().all(|theirs| {
        let address = theirs.address.as_deref();
        let Some((local, domain)) = address.and_then(|text| text.rsplit_once('@')) else {
            return false;
        };
        ours.next().is_some_and(|ours| {
            let same_domain = match (
                DomainName::parse(domain.trim()),
                DomainName::parse(&ours.domain),
            ) {
                (Ok(theirs), Ok(ours)) => theirs == ours,
                _ => domain.trim() == ours.domain,
            };
            same_domain && (!ours.plain || local.trim() == ours.local)
        })
    });
    same && ours.next().is_none() && stream.remaining() == 0
}
