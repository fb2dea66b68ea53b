//! White space and line ends inside text that is certain to stay.
//!
//! Most of a body needs no change, and finding that out must cost little beside
//! hashing it. So the text is looked at in blocks of 64 bytes, each byte together with
//! the one that follows it, in loops that the compiler turns into vector
//! instructions; only a block with something to change is looked at more closely.

const BLOCK: usize = 64;
type Block = [u8; BLOCK];

/// Writes `text` with every run of SP and TAB made one SP, or nothing before a line
/// end, and every line ended with CRLF (RFC 6376 §3.4.4).
///
/// `text` neither begins nor ends with white space or LF; a CR that it ends with ends no
/// line.
pub(super) fn relax(text: &[u8], out: &mut impl FnMut(&[u8])) {
    // Where the bytes begin that go out as they are.
    let mut start = 0;
    let mut at = 0;
    loop {
        at += BLOCK * still_blocks(text.get(at..).unwrap_or_default());
        let Some((block, next)) = block_at(text, at) else {
            break;
        };
        if has_foreign(block, next) || splits_white_space(text, at + BLOCK) {
            emit(text, start, at, out);
            rewrite(text, at, true, out);
            start = at + BLOCK;
        } else {
            start = relax_block(text, block, next, start, at, out);
        }
        at += BLOCK;
    }
    emit(text, start, at, out);
    rewrite(text, at, true, out);
}

/// Writes `text` with a CR before every LF that has none.
///
/// `text` neither begins nor ends with LF; a CR that it ends with ends no line.
pub(super) fn complete_line_ends(text: &[u8], out: &mut impl FnMut(&[u8])) {
    let mut start = 0;
    let mut at = 0;
    loop {
        at += BLOCK * complete_blocks(text.get(at..).unwrap_or_default());
        if block_at(text, at).is_none() {
            break;
        }
        emit(text, start, at, out);
        rewrite(text, at, false, out);
        at += BLOCK;
        start = at;
    }
    emit(text, start, at, out);
    rewrite(text, at, false, out);
}

/// `text` behind the SP and TAB that it begins with.
pub(super) fn skip(mut text: &[u8]) -> &[u8] {
    // One comparison keeps a single space from paying for the blocks.
    if !text.first().is_some_and(is_white) {
        return text;
    }
    while let Some((block, rest)) = text.split_first_chunk::<BLOCK>() {
        let white = |all, &byte: &u8| all & ((byte == b' ') | (byte == b'\t'));
        if !block.iter().fold(true, white) {
            break;
        }
        text = rest;
    }
    let end = text.iter().position(|byte| !is_white(byte));
    end.and_then(|end| text.get(end..)).unwrap_or_default()
}

/// The block of `text` at `at`, and the same block one byte further on.
fn block_at(text: &[u8], at: usize) -> Option<(&Block, &Block)> {
    let block = text.get(at..)?.first_chunk()?;
    let next = text.get(at + 1..)?.first_chunk()?;
    Some((block, next))
}

/// The whole blocks of `text`, each with the same block one byte further on.
fn with_next(text: &[u8]) -> impl Iterator<Item = (&Block, &Block)> {
    let further = text.get(1..).unwrap_or_default();
    let blocks = text.as_chunks::<BLOCK>().0.iter();
    blocks.zip(further.as_chunks::<BLOCK>().0)
}

// The loops over the bytes of a block stand in functions that are not inlined: within
// some callers the compiler makes byte-by-byte code of them, which costs three times
// as much as hashing; on their own they become vector code in every build.

/// How many blocks `text` begins with that have nothing to relax.
#[inline(never)]
fn still_blocks(text: &[u8]) -> usize {
    with_next(text)
        .take_while(|(block, next)| !is_suspect(block, next))
        .count()
}

/// How many blocks `text` begins with in which no LF is bare.
#[inline(never)]
fn complete_blocks(text: &[u8]) -> usize {
    let bare = |(&byte, &next): (&u8, &u8)| (byte != b'\r') & (next == b'\n');
    let complete = |(block, next): &(&Block, &Block)| {
        let pairs = block.iter().zip(*next);
        !pairs.fold(false, |found, pair| found | bare(pair))
    };
    with_next(text).take_while(complete).count()
}

fn emit(text: &[u8], start: usize, end: usize, out: &mut impl FnMut(&[u8])) {
    match text.get(start..end) {
        None | Some([]) => {}
        Some(piece) => out(piece),
    }
}

/// Whether the block may have something to change. A SP before any control character
/// counts, which is cheaper to find than a SP before white space or a line end.
fn is_suspect(block: &Block, next: &Block) -> bool {
    let mut suspect = 0;
    for (&byte, &next) in block.iter().zip(next) {
        let white = ((byte == b' ') & (next <= b' ')) | (byte == b'\t');
        suspect |= u8::from(white) | u8::from(is_foreign(byte, next));
    }
    suspect != 0
}

/// Whether the block has a CR without LF, or is followed by or has an LF without CR.
#[inline(never)]
fn has_foreign(block: &Block, next: &Block) -> bool {
    let mut foreign = 0;
    for (&byte, &next) in block.iter().zip(next) {
        foreign |= u8::from(is_foreign(byte, next));
    }
    foreign != 0
}

fn is_foreign(byte: u8, next: u8) -> bool {
    (byte == b'\r') != (next == b'\n')
}

/// Whether the white space before `at` is followed by a CR there that ends no line.
fn splits_white_space(text: &[u8], at: usize) -> bool {
    text.get(at) == Some(&b'\r')
        && text.get(at + 1) != Some(&b'\n')
        && at
            .checked_sub(1)
            .and_then(|last| text.get(last))
            .is_some_and(is_white)
}

fn is_white(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Writes the block at `at`, which may be the last and short: for the end of a chunk,
/// and for blocks with bare CR or LF.
fn rewrite(text: &[u8], at: usize, relaxed: bool, out: &mut impl FnMut(&[u8])) {
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.len().min(BLOCK);
    // What lies behind the end is neither white space nor a line end.
    let mut ended = [0; BLOCK + 2];
    let window = match rest.first_chunk::<{ BLOCK + 2 }>() {
        Some(window) => window,
        None => {
            for (slot, byte) in ended.iter_mut().zip(rest) {
                *slot = *byte;
            }
            &ended
        }
    };
    let part = |from| window.get(from..).and_then(<[u8]>::first_chunk);
    if let (Some(block), Some(next), Some(second)) = (part(0), part(1), part(2))
        && let Some(rewriting) = rewriting(block, next, second, relaxed)
    {
        return rewriting.write(length, out);
    }
    emit(rest, 0, length, out);
}

/// A block that does not stay as it is.
struct Rewriting {
    text: Block,
    /// What becomes of each byte of `text`: 0, it goes; 1, it stays; 2, it stays, and a
    /// CR is missing behind it. The LF may lie in the next block, which then looks like
    /// any other.
    lengths: Block,
}

/// How a block is to be written, here with the same one and two bytes further on;
/// `None`: as it is.
#[inline(never)]
fn rewriting(block: &Block, next: &Block, second: &Block, relaxed: bool) -> Option<Rewriting> {
    let (mut text, mut lengths) = ([0; BLOCK], [0; BLOCK]);
    let mut changes = 0;
    let bytes = block.iter().zip(next.iter().zip(second));
    let places = text.iter_mut().zip(&mut lengths);
    for ((&byte, (&next, &second)), (text, length)) in bytes.zip(places) {
        let white = ((byte == b' ') | (byte == b'\t')) & relaxed;
        let line_end = (next == b'\n') | ((next == b'\r') & (second == b'\n'));
        let goes = white & ((next == b' ') | (next == b'\t') | line_end);
        let bare = (byte != b'\r') & (next == b'\n');
        *text = if white { b' ' } else { byte };
        // White space that goes from before a bare LF leaves its place to the CR.
        *text = if goes { b'\r' } else { *text };
        *length = 1 + u8::from(bare) - u8::from(goes);
        changes |= u8::from(*length != 1) | (*text ^ byte);
    }
    (changes != 0).then_some(Rewriting { text, lengths })
}

impl Rewriting {
    /// Writes the first `count` bytes of the block. No branch depends on what they are:
    /// the processor could not foresee it.
    fn write(&self, count: usize, out: &mut impl FnMut(&[u8])) {
        let mut buffer = [0; 2 * BLOCK];
        let mut end = 0;
        for (&byte, &length) in self.text.iter().zip(&self.lengths).take(count) {
            let place = buffer.get_mut(end..).and_then(<[u8]>::first_chunk_mut);
            if let Some(place) = place {
                *place = [byte, b'\r'];
            }
            end += usize::from(length);
        }
        emit(&buffer, 0, end, out);
    }
}

/// With more places to change in a block than this, it is squeezed as a whole.
const FEW: u32 = 4;

/// Writes `text` up to the block at `at`, and the block as far as it is certain to
/// change; returns where the bytes begin that are still to be written as they are.
/// The block has no bare CR or LF.
fn relax_block(
    text: &[u8],
    block: &Block,
    next: &Block,
    mut start: usize,
    at: usize,
    out: &mut impl FnMut(&[u8]),
) -> usize {
    let dropped = dropped(block, next);
    let drop_mask = mask(&dropped);
    let mut changes = drop_mask | tab_mask(block);
    if (changes & !(changes << 1)).count_ones() > FEW {
        emit(text, start, at, out);
        squeeze_block(block, &dropped, out);
        return at + BLOCK;
    }
    let mut bit = 0;
    while changes != 0 {
        let kept = changes.trailing_zeros();
        changes >>= kept;
        let changed = changes.trailing_ones();
        changes = changes.unbounded_shr(changed);
        emit(text, start, at + (bit + kept) as usize, out);
        bit += kept + changed;
        // The last of a run of white space stands for all of it, unless a line ends
        // behind it. A SP would not be among the changes then; this is a TAB.
        if drop_mask.unbounded_shr(bit - 1) & 1 == 0 {
            out(b" ");
        }
        start = at + bit as usize;
    }
    start
}

/// 0xff for white space that goes: before more of it, or before a line end.
#[inline(never)]
fn dropped(block: &Block, next: &Block) -> Block {
    let mut flags = [0; BLOCK];
    for ((flag, &byte), &next) in flags.iter_mut().zip(block).zip(next) {
        let white = (byte == b' ') | (byte == b'\t');
        let goes = (next == b' ') | (next == b'\t') | (next == b'\r') | (next == b'\n');
        *flag = if white & goes { 0xff } else { 0 };
    }
    flags
}

/// One bit for each TAB, the first byte lowest.
#[inline(never)]
fn tab_mask(block: &Block) -> u64 {
    // Most blocks have none, and seeing that costs less than to look for each.
    if !block.iter().fold(false, |any, &byte| any | (byte == b'\t')) {
        return 0;
    }
    let mut flags = [0; BLOCK];
    for (flag, &byte) in flags.iter_mut().zip(block) {
        *flag = if byte == b'\t' { 0xff } else { 0 };
    }
    mask(&flags)
}

/// One bit for each byte of 0xff, the first byte lowest.
fn mask(flags: &Block) -> u64 {
    let mut mask = 0;
    for word in flags.as_chunks::<8>().0.iter().rev() {
        // Bit i of byte i is kept, and the product adds them up in the top byte.
        let bits = u64::from_le_bytes(*word) & 0x8040_2010_0804_0201;
        mask = mask << 8 | bits.wrapping_mul(ONES) >> 56;
    }
    mask
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// Writes `block` without the bytes flagged in `dropped`, TAB as SP.
fn squeeze_block(block: &Block, dropped: &Block, out: &mut impl FnMut(&[u8])) {
    let mut text = *block;
    for byte in &mut text {
        *byte = if *byte == b'\t' { b' ' } else { *byte };
    }
    let mut buffer = [0; BLOCK + 8];
    let mut length = 0;
    let words = text.as_chunks::<8>().0.iter();
    for (word, dropped) in words.zip(dropped.as_chunks::<8>().0) {
        let dropped = u64::from_le_bytes(*dropped);
        let kept = squeeze(u64::from_le_bytes(*word), dropped);
        if let Some(slot) = buffer.get_mut(length..).and_then(<[u8]>::first_chunk_mut) {
            *slot = kept.to_le_bytes();
        }
        length += 8 - dropped.count_ones() as usize / 8;
    }
    emit(&buffer, 0, length, out);
}

/// The bytes of `word` that are not flagged, moved together at its low end.
fn squeeze(word: u64, dropped: u64) -> u64 {
    if dropped == 0 {
        return word;
    }
    let mut word = word & !dropped;
    // How far each byte has to move: the number of dropped bytes below it. The moves
    // are made by one, two and four bytes, the number moving along with its byte.
    let mut distance = (dropped & ONES).wrapping_mul(ONES << 8);
    for step in 0..3 {
        let moving = (distance >> step & ONES) * 0xff;
        let by = 8 << step;
        word = word & !moving | (word & moving) >> by;
        distance = distance & !moving | (distance & moving) >> by;
    }
    word
}
