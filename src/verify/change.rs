//! What was found to have become of a message between its signature and here: closed
//! lists, each with a name for programs and words for people. Finds nothing itself.

use std::fmt;

/// What is known about a body whose hash is not `bh=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyChange {
    /// Nothing more than that.
    Somehow,
    /// A body was signed, and none is left.
    Emptied,
    /// No body was signed, and there is one now.
    AddedToNothing,
    /// So many lines were added at the end.
    LinesAdded(usize),
    /// So many lines were put before it.
    LinesBefore(usize),
    /// So many lines were put behind this line.
    LinesInserted { count: usize, after: usize },
    /// It was written anew, and then so many lines were added at its end.
    Rewritten { how: Rewriting, added: usize },
    /// The signer counted or hashed wrongly.
    Missigned(Missigned),
}

/// What can be undone, so that the signed hash comes out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewriting {
    /// A mailbox program put `>` before lines that begin with `From `.
    FromLinesQuoted,
    /// The dots that SMTP doubles at the start of a line were not put right again.
    DotsDoubled,
    /// 8-bit text was made quoted-printable.
    QuotedPrintable,
    /// Text was made base64.
    Base64,
    /// Base64 was made text.
    Base64Undone,
    /// Lines longer than SMTP allows were broken.
    LongLinesBroken,
    /// The space of the line `-- ` was taken away.
    DelimiterTrimmed,
    /// White space was put at the ends of lines.
    SpaceAtLineEnds,
}

/// What signers do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missigned {
    /// It took LF for a line end, where mail has CRLF.
    Lf,
    /// It gave each line a CR more.
    DoubleCr,
    /// It left out the last line end.
    LastLineEnd,
    /// It canonicalized as relaxed, and `c=` says simple.
    Relaxed,
    /// It canonicalized as simple, and `c=` says relaxed.
    Simple,
    /// It signed the whole body, and `l=` says that it is less.
    Length,
}

impl BodyChange {
    /// A name for programs; it does not change.
    pub fn code(self) -> &'static str {
        match self {
            Self::Somehow => "unknown",
            Self::Emptied => "emptied",
            Self::AddedToNothing | Self::LinesAdded(_) => "lines-added",
            Self::LinesBefore(_) => "lines-before",
            Self::LinesInserted { .. } => "lines-inserted",
            Self::Rewritten { how, .. } => how.code(),
            Self::Missigned(how) => how.code(),
        }
    }
}

impl Rewriting {
    fn code(self) -> &'static str {
        match self {
            Self::FromLinesQuoted => "from-quoted",
            Self::DotsDoubled => "dots-doubled",
            Self::QuotedPrintable => "quoted-printable",
            Self::Base64 => "base64",
            Self::Base64Undone => "base64-undone",
            Self::LongLinesBroken => "long-lines-broken",
            Self::DelimiterTrimmed => "delimiter-trimmed",
            Self::SpaceAtLineEnds => "space-at-line-ends",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::FromLinesQuoted => "\">\" was put before lines that begin with \"From \"",
            Self::DotsDoubled => "dots at the start of lines are doubled, as SMTP does on the wire",
            Self::QuotedPrintable => {
                "8-bit text was made quoted-printable; sign after that, or have the message \
                 quoted-printable before it is signed"
            }
            Self::Base64 => "the text was made base64; sign after that",
            Self::Base64Undone => "base64 was made text; sign after that",
            Self::LongLinesBroken => {
                "lines longer than the 998 bytes of SMTP were broken (Postfix does so as it \
                 sends: smtp_line_length_limit)"
            }
            Self::DelimiterTrimmed => {
                "the space of the line \"-- \" was taken away; relaxed body canonicalization \
                 would forgive that"
            }
            Self::SpaceAtLineEnds => {
                "white space was put at the ends of lines; relaxed body canonicalization would \
                 forgive that"
            }
        }
    }
}

impl Missigned {
    fn code(self) -> &'static str {
        match self {
            Self::Lf => "hashed-with-lf",
            Self::DoubleCr => "hashed-with-double-cr",
            Self::LastLineEnd => "hashed-without-last-line-end",
            Self::Relaxed => "hashed-relaxed",
            Self::Simple => "hashed-simple",
            Self::Length => "wrong-length",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Lf => {
                "the signer hashed the body with lines that end in LF; mail has CRLF, so give the \
                 signer CRLF"
            }
            Self::DoubleCr => {
                "the signer hashed the body with lines that end in CR CR LF; give the signer CRLF"
            }
            Self::LastLineEnd => {
                "the signer hashed the body without its last line end; give the signer all of it"
            }
            Self::Relaxed => {
                "the signer hashed the body in the relaxed form, but c= says simple; it is the \
                 signer that is to be mended"
            }
            Self::Simple => {
                "the signer hashed the body in the simple form, but c= says relaxed; it is the \
                 signer that is to be mended"
            }
            Self::Length => {
                "the signer hashed the whole body, but l= says that it signed less; it is the \
                 signer that is to be mended"
            }
        }
    }
}

impl fmt::Display for BodyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Missigned(how) = self {
            return f.write_str(how.words());
        }
        f.write_str("the body was changed after signing: ")?;
        match *self {
            Self::Somehow => f.write_str("its hash is not the one in bh="),
            Self::Emptied => f.write_str("a body was signed, and the message has none"),
            Self::AddedToNothing => f.write_str("no body was signed, and the message has one"),
            Self::LinesAdded(count) => write!(f, "{} added at its end", lines(count)),
            Self::LinesBefore(count) => write!(f, "{} put before it", lines(count)),
            Self::LinesInserted { count, after } => {
                write!(f, "{} put behind its line {after}", lines(count))
            }
            Self::Rewritten { how, added: 0 } => f.write_str(how.words()),
            Self::Rewritten { how, added } => {
                write!(f, "{} added at its end, and {}", lines(added), how.words())
            }
            Self::Missigned(_) => Ok(()),
        }
    }
}

fn lines(count: usize) -> String {
    match count {
        1 => "one line was".to_owned(),
        count => format!("{count} lines were"),
    }
}

/// What is known about a signature that does not fit the header section and the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// The key in DNS made the signature: the signed fields are not the same.
    FieldsChanged,
    /// A field of this name was added.
    FieldAdded(String),
    /// A field was otherwise when it was signed: its name, and what it was.
    FieldWas(String, String),
    /// A `[tag]` was put before the Subject.
    SubjectTagged,
    /// The white space behind the colons was changed.
    SpaceAfterColon,
    /// The key in DNS did not make the signature.
    OtherKey,
    /// It cannot be told which.
    Either,
}

impl Mismatch {
    /// A name for programs; it does not change.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::FieldsChanged
            | Self::FieldAdded(_)
            | Self::FieldWas(..)
            | Self::SubjectTagged
            | Self::SpaceAfterColon => "header-changed",
            Self::OtherKey => "other-key",
            Self::Either => "signature-mismatch",
        }
    }

    /// In words, where the key has this name and the body is as it was signed.
    pub(super) fn of_key(&self, name: &str) -> String {
        match self {
            Self::FieldsChanged => format!(
                "a signed header field was changed, added or removed after signing (the key at \
                 {name} did make the signature, and the body is unchanged)"
            ),
            Self::OtherKey => format!(
                "the key at {name} is not the one that made the signature; publish the public \
                 key that belongs to the private key in use"
            ),
            Self::Either => format!(
                "the signature does not fit: either a signed header field was changed after \
                 signing, or the key at {name} is not the one that signed (the body is unchanged)"
            ),
            proven => proven.to_string(),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FieldsChanged => {
                f.write_str("a signed field was changed, added or removed after signing")
            }
            Self::FieldAdded(field) => write!(
                f,
                "a {} field was added after signing (without it the signature is good)",
                field.escape_debug()
            ),
            Self::FieldWas(field, was) => write!(
                f,
                "the field {} was changed after signing; it was \"{}\" (with that the signature \
                 is good)",
                field.escape_debug(),
                was.escape_debug()
            ),
            Self::SubjectTagged => f.write_str(
                "a tag in brackets was put before the Subject after signing, as mailing lists do \
                 (without it the signature is good)",
            ),
            Self::SpaceAfterColon => f.write_str(
                "the white space behind the colons of header fields was changed after signing, \
                 which simple header canonicalization does not forgive",
            ),
            Self::OtherKey => f.write_str("the key in DNS is not the one that made the signature"),
            Self::Either => f.write_str(
                "either a signed field was changed after signing, or the key in DNS is not the \
                 one that signed",
            ),
        }
    }
}
