//! The message that the selftest sends, and the ways in which it tampers with it.

use jiff::Timestamp;

use crate::milter::mta::Message;
use crate::names::Address;

/// A message as an ordinary mail program writes it: folded fields, 8-bit text, lines
/// that end in white space, blank lines at the end.
pub fn message(author: &Address, now: u64) -> Message {
    let seconds = i64::try_from(now).unwrap_or_default();
    let date = Timestamp::from_second(seconds).unwrap_or_default();
    let date = date.strftime("%a, %d %b %Y %H:%M:%S +0000");
    let domain = &author.domain;
    let text = format!(
        "From: \"signet selftest\" <{author}>\r\n\
         To: Grace Hopper <grace@recipient.example>,\r\n\
         \tada@recipient.example\r\n\
         Subject: =?utf-8?q?Does_signing_work=3F_\u{2014}?=\r\n\
         \x20a subject that takes two lines\r\n\
         Date: {date}\r\n\
         Message-ID: <selftest.{now}@{domain}>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\
         \r\n\
         Dear Grace,\r\n\
         \r\n\
         this line ends in blanks  \t \r\n\
         and  this \t one has runs of them. Gr\u{fc}\u{df}e!\r\n\
         \r\n\
         -- \r\n\
         signet\r\n\
         \x20\t\r\n\
         \r\n"
    );
    Message::parse(text.as_bytes())
}

/// Each way of tampering, in words, with its result.
pub fn alterations(signed: &Message) -> Vec<(&'static str, Message)> {
    let mut body = signed.clone();
    body.body
        .extend_from_slice(b"Please pay to another account.\r\n");
    let mut subject = signed.clone();
    for (name, value) in &mut subject.fields {
        if name.eq_ignore_ascii_case(b"Subject") {
            *value = b" Your invoice".to_vec();
        }
    }
    let mut from = signed.clone();
    let second = (
        b"From".to_vec(),
        b" \"The boss\" <boss@other.example>".to_vec(),
    );
    from.fields.insert(0, second);
    vec![
        ("a changed body", body),
        ("a changed Subject", subject),
        ("a second From added above", from),
    ]
}
