//! What the filter decides, and how it is written.
//!
//! A value that goes into a header field is written as it was signed or not at all:
//! nothing is escaped, folded or mended here.

use bytes::BytesMut;

use super::frame;

/// The filter's answer to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response<'a> {
    Continue,
    /// Pass this message (at CONNECT and HELO: this client's messages) as it is.
    Accept,
    /// 4xx: the client is to try again.
    Tempfail,
    /// 5xx
    Reject,
    /// At the end of the message only: insert these fields above all others, the
    /// first on top, and accept.
    Insert(&'a [InsertedField]),
}

/// A header field to insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsertedField {
    pub name: &'static str,
    /// What follows the colon, folded by LF and white space. It begins with the space
    /// that is to stand behind the colon if and only if
    /// [`Agreement::leading_space`](super::Agreement::leading_space) says so.
    pub value: Vec<u8>,
}

/// The bytes of the replies that signet gives (`SMFIR_*`).
pub mod reply_code {
    pub const CONTINUE: u8 = b'c';
    pub const ACCEPT: u8 = b'a';
    pub const TEMPFAIL: u8 = b't';
    pub const REJECT: u8 = b'r';
    pub const INSERT_HEADER: u8 = b'i';
}

/// Writes a response. The caller knows that a reply is owed and that an
/// [`Response::Insert`] is in its place.
pub(super) fn write(response: &Response<'_>, out: &mut BytesMut) {
    let code = match response {
        Response::Continue => reply_code::CONTINUE,
        Response::Accept => reply_code::ACCEPT,
        Response::Tempfail => reply_code::TEMPFAIL,
        Response::Reject => reply_code::REJECT,
        Response::Insert(fields) => {
            if !fields.iter().all(InsertedField::is_safe) {
                reply_code::TEMPFAIL
            } else {
                let room = |field: &InsertedField| field.name.len() + field.value.len() + 16;
                out.reserve(fields.iter().map(room).sum::<usize>() + 8);
                // Each goes on top of those before it.
                for field in fields.iter().rev() {
                    field.write(out);
                }
                reply_code::ACCEPT
            }
        }
    };
    frame::encode(code, &[], out);
}

impl InsertedField {
    /// INSHEADER at index 0, above the MTA's own Received.
    fn write(&self, out: &mut BytesMut) {
        let top = 0u32.to_be_bytes();
        let name = self.name.as_bytes();
        frame::encode(
            reply_code::INSERT_HEADER,
            &[&top, name, b"\0", &self.value, b"\0"],
            out,
        );
    }

    /// Whether the MTA will deliver exactly these bytes. A NUL cuts the packet short,
    /// a CR is doubled, and an LF with no white space behind it gets some; each breaks
    /// the signature, and the message must rather be tried again than go out so.
    fn is_safe(&self) -> bool {
        let value = &self.value;
        memchr::memchr2(b'\0', b'\r', value).is_none()
            && memchr::memchr_iter(b'\n', value)
                .all(|at| matches!(value.get(at + 1), Some(b' ' | b'\t')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(value: &str) -> InsertedField {
        InsertedField {
            name: "DKIM-Signature",
            value: value.into(),
        }
    }

    fn written(response: &Response<'_>) -> Vec<u8> {
        let mut out = BytesMut::new();
        write(response, &mut out);
        out.to_vec()
    }

    #[test]
    fn the_first_field_is_inserted_last_and_so_ends_up_on_top() {
        let fields = [field(" v=1;\n\ta=one"), field(" two")];
        assert_eq!(
            written(&Response::Insert(&fields)),
            b"\0\0\0\x19i\0\0\0\0DKIM-Signature\0 two\0\
              \0\0\0\x21i\0\0\0\0DKIM-Signature\0 v=1;\n\ta=one\0\
              \0\0\0\x01a"
        );
    }

    #[test]
    fn a_value_that_would_not_arrive_as_signed_is_not_sent() {
        for value in [" v=1;\r\n\ta", " v=1\0", " v=1;\na=b", " v=1;\n"] {
            let fields = [field(" fine"), field(value)];
            assert_eq!(written(&Response::Insert(&fields)), b"\0\0\0\x01t");
        }
    }

    #[test]
    fn verdicts_are_one_byte() {
        for (response, code) in [
            (Response::Continue, b'c'),
            (Response::Accept, b'a'),
            (Response::Tempfail, b't'),
            (Response::Reject, b'r'),
            (Response::Insert(&[]), b'a'),
        ] {
            assert_eq!(written(&response), [0, 0, 0, 1, code]);
        }
    }
}
