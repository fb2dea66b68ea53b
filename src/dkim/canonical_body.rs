//! The body made ready for hashing (RFC 6376 §3.4.3, §3.4.4) as it streams.
//!
//! A chunk may end anywhere, between CR and LF too. What it ends with may have to be
//! forgotten (white space before a line end, empty lines before the end of the body),
//! so the canonicalizer remembers it as a count and two flags, and never the bytes.
//! All the rest of a chunk goes out as it lies there, in the longest pieces possible.
//!
//! A line ends with CRLF. A bare LF is taken for a line end that has lost its CR, as
//! every verifier takes it; a bare CR is a byte like any other.

use super::CanonicalizationAlgorithm;
use super::white_space::{self, BLOCK};

/// Makes one body canonical, chunk by chunk. It remembers some bytes, however long
/// the body is.
#[derive(Debug, Clone)]
pub struct BodyCanonicalizer {
    algorithm: CanonicalizationAlgorithm,
    /// Line ends not yet written: the body may end with them.
    lines: u64,
    /// Behind those, white space not yet written: the line may end with it.
    space: bool,
    /// Behind that, a CR whose LF may follow.
    cr: bool,
    /// Whether anything but empty lines has been written.
    written: bool,
}

/// Empty lines, to compare with and to write from.
static EMPTY_LINES: [u8; 1024] = {
    let mut lines = [b'\r'; 1024];
    let mut at = 1;
    while at < lines.len() {
        #[expect(clippy::indexing_slicing, reason = "the compiler evaluates it")]
        {
            lines[at] = b'\n';
        }
        at += 2;
    }
    lines
};

impl BodyCanonicalizer {
    /// The state before the first byte of a body.
    pub fn new(algorithm: CanonicalizationAlgorithm) -> Self {
        Self {
            algorithm,
            lines: 0,
            space: false,
            cr: false,
            written: false,
        }
    }

    /// The algorithm it was made for.
    pub fn algorithm(&self) -> CanonicalizationAlgorithm {
        self.algorithm
    }

    /// Takes the next chunk and hands canonical bytes to `out`, in order, in pieces of
    /// any size.
    pub fn update(&mut self, chunk: &[u8], out: &mut impl FnMut(&[u8])) {
        let rest = self.open(chunk, out);
        if let [_] = rest {
            return out(rest);
        }
        // Nothing that follows can change what lies before the last ordinary byte.
        let ordinary = |end| self.begins_ordinary(rest.get(end..).unwrap_or_default());
        let mut end = rest.len();
        if end > 0 && !ordinary(end - 1) {
            end -= 1;
            while end >= BLOCK
                && let Some((block, next)) = white_space::block_at(rest, end - BLOCK)
                && white_space::blank_lines(block, next, self.relaxed()).is_some()
            {
                end -= BLOCK;
            }
        }
        while end > 0 && !ordinary(end - 1) {
            end -= 1;
        }
        let (settled, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        if self.relaxed() {
            white_space::relax(settled, out);
        } else {
            white_space::complete_line_ends(settled, out);
        }
        self.open(tail, out);
    }

    /// Ends the body.
    pub fn finish(mut self, out: &mut impl FnMut(&[u8])) {
        if self.cr {
            self.settle(out);
            out(b"\r");
        }
        // RFC 6376 §3.4.3: a body without lines is one CRLF; §3.4.4: it is nothing.
        if self.written || !self.relaxed() {
            out(b"\r\n");
        }
    }

    fn relaxed(&self) -> bool {
        self.algorithm == CanonicalizationAlgorithm::Relaxed
    }

    /// Whether the first byte stays, whatever follows: it is no white space that may go,
    /// no LF, and no CR before which a line may end.
    fn begins_ordinary(&self, text: &[u8]) -> bool {
        match text {
            [] | [b'\n', ..] | [b'\r'] | [b'\r', b'\n', ..] => false,
            [b' ' | b'\t', ..] => !self.relaxed(),
            _ => true,
        }
    }

    /// Takes line ends and white space as far as they go, and returns the rest, which
    /// is empty or begins with an ordinary byte; then all that was pending is written.
    fn open<'c>(&mut self, chunk: &'c [u8], out: &mut impl FnMut(&[u8])) -> &'c [u8] {
        let mut rest = self.skip_blank_blocks(chunk);
        while let Some((&byte, more)) = rest.split_first() {
            match byte {
                b'\n' => {
                    self.end_line();
                    rest = more;
                }
                _ if self.cr => {
                    self.cr = false;
                    self.settle(out);
                    out(b"\r");
                }
                b' ' | b'\t' if self.relaxed() => {
                    self.space = true;
                    rest = more;
                }
                b'\r' if more.first().is_none_or(|next| *next == b'\n') => {
                    self.cr = true;
                    rest = more;
                }
                _ => {
                    self.settle(out);
                    break;
                }
            }
        }
        rest
    }

    /// Counts empty lines, those of white space too when relaxed, by the block: a body
    /// may have megabytes of them.
    fn skip_blank_blocks<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let mut rest = chunk;
        if let [b'\n', more @ ..] = chunk {
            self.end_line();
            rest = more;
        } else if self.cr {
            return chunk;
        }
        // Empty lines alone are quicker to compare than to count.
        let empty: Option<&[u8; BLOCK]> = EMPTY_LINES.first_chunk();
        while let Some((block, more)) = rest.split_first_chunk()
            && Some(block) == empty
        {
            self.lines += BLOCK as u64 / 2;
            self.space = false;
            rest = more;
        }
        while let Some((block, next)) = white_space::block_at(rest, 0)
            && let Some(lines) = white_space::blank_lines(block, next, self.relaxed())
        {
            self.lines += u64::from(lines);
            let last = block.last();
            self.space = matches!(last, Some(b' ' | b'\t'));
            // Its LF follows, and with it the space has gone.
            self.cr = last == Some(&b'\r');
            rest = rest.get(BLOCK..).unwrap_or_default();
        }
        rest
    }

    fn end_line(&mut self) {
        self.cr = false;
        self.space = false;
        self.lines += 1;
    }

    /// Writes what was pending, because something follows it.
    fn settle(&mut self, out: &mut impl FnMut(&[u8])) {
        while self.lines > 0 {
            let lines = self.lines.min(EMPTY_LINES.len() as u64 / 2);
            out(EMPTY_LINES.get(..lines as usize * 2).unwrap_or_default());
            self.lines -= lines;
        }
        if std::mem::take(&mut self.space) {
            out(b" ");
        }
        self.written = true;
    }
}

/// The whole of `body`, canonical.
pub fn canonicalize_body(algorithm: CanonicalizationAlgorithm, body: &[u8]) -> Vec<u8> {
    let mut canonical = Vec::with_capacity(body.len() + 2);
    let mut out = |piece: &[u8]| canonical.extend_from_slice(piece);
    let mut canonicalizer = BodyCanonicalizer::new(algorithm);
    canonicalizer.update(body, &mut out);
    canonicalizer.finish(&mut out);
    canonical
}

#[cfg(test)]
mod tests {
    use super::CanonicalizationAlgorithm::{Relaxed, Simple};
    use super::*;

    fn canonical(algorithm: CanonicalizationAlgorithm, body: &str) -> String {
        String::from_utf8(canonicalize_body(algorithm, body.as_bytes())).unwrap()
    }

    #[test]
    fn relaxed_body_3_4_5() {
        let body = " C \r\nD \t E\r\n\r\n\r\n";
        assert_eq!(canonical(Relaxed, body), " C\r\nD E\r\n");
    }

    #[test]
    fn simple_body_3_4_5() {
        let body = " C \r\nD \t E\r\n\r\n\r\n";
        assert_eq!(canonical(Simple, body), " C \r\nD \t E\r\n");
    }

    #[test]
    fn a_body_of_empty_lines_is_one_crlf_when_simple_3_4_3() {
        for body in ["", "\r\n", "\r\n\r\n\r\n"] {
            assert_eq!(canonical(Simple, body), "\r\n");
        }
    }

    #[test]
    fn a_body_of_empty_lines_is_nothing_when_relaxed_3_4_4() {
        for body in ["", "\r\n", "\r\n\r\n\r\n", " \t\r\n\r\n \r\n", " "] {
            assert_eq!(canonical(Relaxed, body), "");
        }
    }

    #[test]
    fn lines_of_white_space_at_the_end_vanish_when_relaxed_3_4_4() {
        assert_eq!(canonical(Relaxed, "a\r\n \t\r\n\r\n  \r\n"), "a\r\n");
        assert_eq!(canonical(Relaxed, "a\r\n \t\r\nb\r\n"), "a\r\n\r\nb\r\n");
    }

    #[test]
    fn the_last_line_is_ended() {
        assert_eq!(canonical(Simple, "a "), "a \r\n");
        assert_eq!(canonical(Relaxed, "a "), "a\r\n");
    }

    #[test]
    fn white_space_is_sp_and_tab_alone_2_8() {
        assert_eq!(canonical(Relaxed, "a \x0b \x0c\r\n"), "a \x0b \x0c\r\n");
    }

    #[test]
    fn a_bare_cr_is_a_byte_and_a_bare_lf_a_line_end() {
        assert_eq!(
            canonical(Relaxed, "a \r b\rc \nd\n\n"),
            "a \r b\rc\r\nd\r\n"
        );
        assert_eq!(canonical(Simple, "a\r\r\nb\nc\r"), "a\r\r\nb\r\nc\r\r\n");
        assert_eq!(
            canonical(Relaxed, "\r \r\r \r\n\r\r"),
            "\r \r\r\r\n\r\r\r\n"
        );
        assert_eq!(canonical(Relaxed, "\r\r\n\r\r\n\r\n"), "\r\r\n\r\r\n");
    }

    #[test]
    fn megabytes_of_empty_lines_come_back_when_text_follows() {
        let body = "\r\n".repeat(100_000) + "x";
        assert_eq!(canonical(Relaxed, &body), body.clone() + "\r\n");
    }
}
