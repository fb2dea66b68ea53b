//! White space and line ends inside text that is certain to stay.
//!
//! Most of a body needs no change, and finding that out must cost little beside
//! hashing it. So the text is looked at in blocks of 64 bytes, each byte together with
//! the one that follows it, in loops that the compiler turns into vector
//! instructions; only a block with something to change is looked at more closely.

pub(super) const BLOCK: usize = 64;
pub(super) type Block = [u8; BLOCK];

/// Writes `text` with every run of SP and TAB made one SP, or nothing before a line
/// end, and every line ended with CRLF (RFC 6376 §3.4.4).
///
/// `text` neither begins nor ends with white space or LF; a CR that it ends with ends no
/// line.
pub(super) fn relax(text: &[u8], out: &mut impl FnMut(&[u8])) {
    rewrite(text, true, still_blocks, out);
}

/// Writes `text` with a CR before every LF that has none.
///
/// `text` neither begins nor ends with LF; a CR that it ends with ends no line.
pub(super) fn complete_line_ends(text: &[u8], out: &mut impl FnMut(&[u8])) {
    rewrite(text, false, complete_blocks, out);
}

// The loops over the bytes of a block stand in functions that are not inlined: within
// some callers the compiler makes byte-by-byte code of them, which costs three times
// as much as hashing; on their own they become vector code in every build.

/// How many blocks `text` begins with that have nothing to relax. A SP before any
/// control character is taken for something, which is cheaper to find than a SP before
/// white space or a line end.
#[inline(never)]
fn still_blocks(text: &[u8]) -> usize {
    let suspect =
        |byte, next| ((byte == b' ') & (next <= b' ')) | (byte == b'\t') | is_bare_lf(byte, next);
    blocks_without(text, suspect)
}

/// How many blocks `text` begins with in which no LF is bare.
#[inline(never)]
fn complete_blocks(text: &[u8]) -> usize {
    blocks_without(text, is_bare_lf)
}

/// How many whole blocks `text` begins with in which `suspect` holds for no byte and
/// the one that follows it.
#[inline(always)]
fn blocks_without(text: &[u8], suspect: impl Fn(u8, u8) -> bool) -> usize {
    let blocks = text.as_chunks::<BLOCK>().0.iter();
    let further = text.get(1..).unwrap_or_default().as_chunks::<BLOCK>().0;
    let still = |(block, next): &(&Block, &Block)| {
        let pairs = block.iter().zip(*next);
        !pairs.fold(false, |found, (&byte, &next)| found | suspect(byte, next))
    };
    blocks.zip(further).take_while(still).count()
}

/// How many line ends a block has that holds nothing else but, if `relaxed`, white space.
/// `next` is the same block one byte further on.
#[inline(never)]
pub(super) fn blank_lines(block: &Block, next: &Block, relaxed: bool) -> Option<u8> {
    let (mut blank, mut lines) = (true, 0);
    for (&byte, &next) in block.iter().zip(next) {
        let white = ((byte == b' ') | (byte == b'\t')) & relaxed;
        let ends = byte == b'\n';
        blank &= white | ends | ((byte == b'\r') & (next == b'\n'));
        lines += u8::from(ends);
    }
    blank.then_some(lines)
}

/// The block of `text` at `at`, and the same block one byte further on.
pub(super) fn block_at(text: &[u8], at: usize) -> Option<(&Block, &Block)> {
    let block = text.get(at..)?.first_chunk()?;
    let next = text.get(at + 1..)?.first_chunk()?;
    Some((block, next))
}

fn is_bare_lf(byte: u8, next: u8) -> bool {
    (byte != b'\r') & (next == b'\n')
}

fn emit(text: &[u8], start: usize, end: usize, out: &mut impl FnMut(&[u8])) {
    match text.get(start..end) {
        None | Some([]) => {}
        Some(piece) => out(piece),
    }
}

/// A block and the two bytes behind it, on which the fate of its last byte depends.
type Window = [u8; BLOCK + 2];

/// Writes `text`, passing over the blocks that `still` counts.
#[inline(always)]
fn rewrite(text: &[u8], relaxed: bool, still: fn(&[u8]) -> usize, out: &mut impl FnMut(&[u8])) {
    // Where the bytes begin that go out as they are.
    let mut start = 0;
    let mut at = 0;
    // Blocks resemble the one before: behind one that stays others may be passed over,
    // and behind a dense one nobody counts the changes.
    let (mut calm, mut dense) = (true, false);
    loop {
        if calm {
            at += BLOCK * still(text.get(at..).unwrap_or_default());
        }
        let rest = text.get(at..).unwrap_or_default();
        let ended;
        let window = match rest.first_chunk() {
            Some(window) => window,
            None if rest.is_empty() => break,
            None => {
                ended = padded(rest);
                &ended
            }
        };
        let changes = changes(window, relaxed);
        calm = !changes.any();
        if calm {
            dense = false;
        } else if !dense && let Some(places) = changes.few() {
            start = write_between(text, places, start, at, out);
        } else {
            emit(text, start, at, out);
            dense = changes.write(window, rest.len().min(BLOCK), out);
            start = at + BLOCK;
        }
        at += BLOCK;
    }
    emit(text, start, text.len(), out);
}

/// The end of a text. What lies behind it is neither white space nor a line end.
fn padded(rest: &[u8]) -> Window {
    let mut window = [0; BLOCK + 2];
    for (slot, byte) in window.iter_mut().zip(rest) {
        *slot = *byte;
    }
    window
}

/// What becomes of a block.
struct Changes {
    /// 0xff for white space that goes: before more of it, or before a line end.
    dropped: Block,
    any_dropped: bool,
    /// Whether there are TABs to be made SP.
    any_tab: bool,
    /// Whether an LF lacks its CR. It may lie in the next block, which then looks like
    /// any other.
    any_bare_lf: bool,
}

#[inline(never)]
fn changes(window: &Window, relaxed: bool) -> Changes {
    let mut dropped = [0; BLOCK];
    let (mut drops, mut tabs, mut bare_lfs) = (0, 0, 0);
    let [block, next, second] = [0, 1, 2].map(|from| part(window, from));
    let bytes = block.iter().zip(next.iter().zip(second));
    for ((&byte, (&next, &second)), dropped) in bytes.zip(&mut dropped) {
        let white = ((byte == b' ') | (byte == b'\t')) & relaxed;
        let line_end = (next == b'\n') | ((next == b'\r') & (second == b'\n'));
        let goes = white & ((next == b' ') | (next == b'\t') | line_end);
        *dropped = if goes { 0xff } else { 0 };
        drops |= *dropped;
        tabs |= u8::from((byte == b'\t') & relaxed);
        bare_lfs |= u8::from(is_bare_lf(byte, next));
    }
    Changes {
        dropped,
        any_dropped: drops != 0,
        any_tab: tabs != 0,
        any_bare_lf: bare_lfs != 0,
    }
}

/// The block of `window` that begins at its byte `from`, which is 0, 1 or 2.
fn part(window: &Window, from: usize) -> &Block {
    let part = window.get(from..).and_then(<[u8]>::first_chunk);
    part.unwrap_or(&[0; BLOCK])
}

/// With more runs of dropped bytes in a block than this, it is squeezed as a whole.
const FEW: u32 = 4;

impl Changes {
    fn any(&self) -> bool {
        self.any_dropped | self.any_tab | self.any_bare_lf
    }

    /// One bit for each dropped byte, the first byte lowest, if nothing else changes and
    /// the runs of them are few.
    fn few(&self) -> Option<u64> {
        if self.any_tab | self.any_bare_lf {
            return None;
        }
        let dropped = mask(&self.dropped);
        let runs = dropped & !(dropped << 1);
        (runs.count_ones() <= FEW).then_some(dropped)
    }

    /// Writes the first `count` bytes of the block, which are all that are not behind
    /// the end; returns whether the next one had better be written as a whole too.
    fn write(&self, window: &Window, count: usize, out: &mut impl FnMut(&[u8])) -> bool {
        let mut text = *part(window, 0);
        if self.any_tab {
            text = text.map(|byte| if byte == b'\t' { b' ' } else { byte });
        }
        if !self.any_dropped && !self.any_bare_lf {
            emit(&text, 0, count, out);
            return true;
        }
        let mut buffer = [0; 2 * BLOCK + 4];
        let mut end = 0;
        if self.any_bare_lf {
            let (text, dropped) = self.with_line_ends(&text, part(window, 1));
            let halves = text.as_flattened().as_chunks().0.iter();
            for (text, dropped) in halves.zip(dropped.as_flattened().as_chunks().0) {
                end = squeeze(text, dropped, &mut buffer, end);
            }
        } else {
            end = squeeze(&text, &self.dropped, &mut buffer, end);
        }
        // What lies behind the end has stayed as it was.
        emit(&buffer, 0, end - (BLOCK - count), out);
        end.abs_diff(BLOCK) > FEW as usize
    }

    /// The block with a CR behind every byte, and 0xff for all that is to be dropped of
    /// this: no branch then depends on where the LFs are, which the processor could not
    /// foresee.
    #[inline(never)]
    fn with_line_ends(&self, block: &Block, next: &Block) -> ([[u8; 2]; BLOCK], [[u8; 2]; BLOCK]) {
        let (mut text, mut dropped) = ([[0; 2]; BLOCK], [[0; 2]; BLOCK]);
        let bytes = block.iter().zip(next).zip(&self.dropped);
        for (((&byte, &next), &goes), (text, dropped)) in
            bytes.zip(text.iter_mut().zip(&mut dropped))
        {
            *text = [byte, b'\r'];
            *dropped = [goes, if is_bare_lf(byte, next) { 0 } else { 0xff }];
        }
        (text, dropped)
    }
}

/// Writes `text` up to the last dropped byte of the block at `at`, without those;
/// returns where the bytes begin that are still to be written as they are.
fn write_between(
    text: &[u8],
    mut dropped: u64,
    mut start: usize,
    at: usize,
    out: &mut impl FnMut(&[u8]),
) -> usize {
    let mut bit = 0;
    while dropped != 0 {
        let kept = dropped.trailing_zeros();
        dropped >>= kept;
        let run = dropped.trailing_ones();
        dropped = dropped.unbounded_shr(run);
        emit(text, start, at + (bit + kept) as usize, out);
        bit += kept + run;
        start = at + bit as usize;
    }
    start
}

/// One bit for each byte of 0xff, the first byte lowest.
fn mask(flags: &Block) -> u64 {
    let mut mask = 0;
    for word in flags.as_chunks::<8>().0.iter().rev() {
        // Bit i of byte i is kept, and the product adds them up in the top byte.
        let bits = u64::from_le_bytes(*word) & 0x8040_2010_0804_0201;
        mask = mask << 8 | bits.wrapping_mul(0x0101_0101_0101_0101) >> 56;
    }
    mask
}

/// Writes the bytes of `text` that are not flagged with 0xff to `buffer` from `end` on;
/// returns where they end. No branch depends on what they are.
#[inline(never)]
fn squeeze(
    text: &Block,
    dropped: &Block,
    buffer: &mut [u8; 2 * BLOCK + 4],
    mut end: usize,
) -> usize {
    // Words of four bytes are squeezed side by side, in vector instructions, and then
    // written one over the end of the other.
    let (mut squeezed, mut lengths) = ([0; BLOCK / 4], [0; BLOCK / 4]);
    let words = text.as_chunks::<4>().0.iter();
    let words = words.zip(dropped.as_chunks::<4>().0);
    for ((&word, &dropped), (squeezed, length)) in words.zip(squeezed.iter_mut().zip(&mut lengths))
    {
        let mut word = u32::from_le_bytes(word);
        // Each flag over the whole word: -1 if its byte goes.
        let flags = u32::from_le_bytes(dropped) as i32;
        let [first, second, third, fourth] = [24, 16, 8, 0].map(|by| flags << by >> 31);
        // What follows a byte that goes moves into its place. What then follows the
        // last byte that stays does not matter.
        word ^= (word ^ word >> 8) & third as u32 & 0xffff_0000;
        word ^= (word ^ word >> 8) & second as u32 & 0xffff_ff00;
        word ^= (word ^ word >> 8) & first as u32;
        *squeezed = word;
        *length = 4 + first + second + third + fourth;
    }
    for (word, length) in squeezed.iter().zip(&lengths) {
        if let Some(slot) = buffer.get_mut(end..).and_then(<[u8]>::first_chunk_mut) {
            *slot = word.to_le_bytes();
        }
        end += *length as usize;
    }
    end
}
