//! LZX ([MS-PATCH] 2, with the sizes of [MS-CAB]): a window, two trees that change from block to block, and the last three
//! distances. What refers to bytes before the first is refused, as is a tree that leaves codes without a meaning.

mod bits;
mod tree;

use bits::Bits;
use tree::Tree;

/// Calls are translated in the first GiB only ([MS-PATCH] 2.2).
const TRANSLATED_BYTES: u64 = 1 << 30;
/// Codes of the tree of lengths, of the one that lengths of codes are packed with, and of the one of low bits.
const LENGTH_CODES: usize = 249;
const PRETREE_CODES: usize = 20;
const ALIGNED_CODES: usize = 8;
/// Codes of the main tree that are bytes; of the others, eight are for each slot of distances.
const BYTES: usize = 256;
/// A match has two bytes at least, and seven lengths stand in the main tree.
const LENGTH_MIN: usize = 2;
const LENGTHS_IN_MAIN: usize = 7;

/// It cannot be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damaged;

/// What is known of one folder from block to block.
pub(super) struct Lzx {
    window: Vec<u8>,
    /// How many bytes were unpacked; where the next one lies in the window follows from that.
    at: u64,
    /// Where each slot of distances begins, and how many bits follow its code.
    slots: Vec<(u32, u32)>,
    recent: [u32; 3],
    main_lengths: Vec<u8>,
    length_lengths: Vec<u8>,
    block: Block,
    /// Bytes that are missing of the block.
    left: u32,
    /// Whether a byte follows the block that only makes its length even.
    is_padded: bool,
    /// In how many bytes calls are translated, where they are.
    translated: Option<i32>,
}

enum Block {
    Stored,
    Packed(Box<Trees>),
}

struct Trees {
    main: Tree,
    length: Tree,
    /// The three lowest bits of distances, where those have a tree.
    aligned: Option<Tree>,
}

impl Lzx {
    /// With a window of so many bits ([MS-CAB] 2.2: 32 KiB to 2 MiB).
    pub(super) fn new(window_bits: u8) -> Option<Self> {
        let slots = match window_bits {
            15..=19 => 2 * usize::from(window_bits),
            20 => 42,
            21 => 50,
            _ => return None,
        };
        let mut base = 0;
        let slots = (0..slots as u32).map(|slot| {
            let bits = (slot / 2).saturating_sub(1).min(17);
            let found = (base, bits);
            base += 1 << bits;
            found
        });
        let slots: Vec<_> = slots.collect();
        Some(Self {
            window: vec![0; 1 << window_bits],
            at: 0,
            main_lengths: vec![0; BYTES + 8 * slots.len()],
            length_lengths: vec![0; LENGTH_CODES],
            slots,
            recent: [1; 3],
            block: Block::Stored,
            left: 0,
            is_padded: false,
            translated: None,
        })
    }

    /// What a block of the cabinet unpacks to: so many bytes, which end where a word of the stream does.
    pub(super) fn block(&mut self, packed: &[u8], bytes: usize) -> Result<Vec<u8>, Damaged> {
        let mut bits = Bits::new(packed);
        let begin = self.at;
        if begin == 0 && bits.take(1)? == 1 {
            self.translated = Some(bits.long()?.cast_signed());
        }
        let end = begin + bytes as u64;
        while self.at < end {
            if self.left == 0 {
                self.open(&mut bits)?;
            }
            let most = (end - self.at).min(u64::from(self.left));
            // At most 32 KiB.
            let most = usize::try_from(most).map_err(|_| Damaged)?;
            let block = std::mem::replace(&mut self.block, Block::Stored);
            let unpacked = match &block {
                Block::Stored => self.stored(&mut bits, most),
                Block::Packed(trees) => self.packed(&mut bits, trees, most),
            };
            self.block = block;
            self.left -= u32::try_from(unpacked?).map_err(|_| Damaged)?;
            if self.left == 0 && self.is_padded && bits.pad() {
                self.is_padded = false;
            }
        }
        let mut plain = self.last(bytes);
        if let Some(size) = self.translated.filter(|_| begin < TRANSLATED_BYTES) {
            translate(&mut plain, begin, size);
        }
        Ok(plain)
    }

    /// Reads the head of a block of the stream ([MS-PATCH] 2.3).
    fn open(&mut self, bits: &mut Bits<'_>) -> Result<(), Damaged> {
        if std::mem::take(&mut self.is_padded) && !bits.pad() {
            return Err(Damaged);
        }
        let kind = bits.take(3)?;
        self.left = bits.take(16)? << 8 | bits.take(8)?;
        if self.left == 0 {
            return Err(Damaged);
        }
        let aligned = match kind {
            1 => None,
            2 => {
                let mut lengths = [0; ALIGNED_CODES];
                for length in &mut lengths {
                    *length = bits.byte(3)?;
                }
                Some(Tree::of(&lengths)?)
            }
            3 => {
                bits.align()?;
                for recent in &mut self.recent {
                    *recent = bits.raw_long()?;
                }
                self.is_padded = self.left % 2 == 1;
                self.block = Block::Stored;
                return Ok(());
            }
            _ => return Err(Damaged),
        };
        let (literals, matches) = self.main_lengths.split_at_mut(BYTES);
        read_lengths(bits, literals)?;
        read_lengths(bits, matches)?;
        read_lengths(bits, &mut self.length_lengths)?;
        self.block = Block::Packed(Box::new(Trees {
            main: Tree::of(&self.main_lengths)?,
            length: Tree::of(&self.length_lengths)?,
            aligned,
        }));
        Ok(())
    }

    fn stored(&mut self, bits: &mut Bits<'_>, most: usize) -> Result<usize, Damaged> {
        for byte in bits.raw(most)? {
            self.push(*byte);
        }
        Ok(most)
    }

    /// Unpacks until so many bytes are there; a match ends before them or with them.
    fn packed(
        &mut self,
        bits: &mut Bits<'_>,
        trees: &Trees,
        most: usize,
    ) -> Result<usize, Damaged> {
        let mut done = 0;
        while done < most {
            let code = usize::from(trees.main.decode(bits)?);
            if let Ok(byte) = u8::try_from(code) {
                self.push(byte);
                done += 1;
                continue;
            }
            let (slot, mut bytes) = ((code - BYTES) / 8, (code - BYTES) % 8);
            if bytes == LENGTHS_IN_MAIN {
                bytes += usize::from(trees.length.decode(bits)?);
            }
            bytes += LENGTH_MIN;
            let distance = self.distance(bits, slot, trees.aligned.as_ref())?;
            done += bytes;
            if done > most {
                return Err(Damaged);
            }
            self.repeat(distance, bytes)?;
        }
        Ok(done)
    }

    fn distance(
        &mut self,
        bits: &mut Bits<'_>,
        slot: usize,
        aligned: Option<&Tree>,
    ) -> Result<u32, Damaged> {
        let [first, second, third] = self.recent;
        self.recent = match slot {
            0 => [first, second, third],
            1 => [second, first, third],
            2 => [third, second, first],
            slot => {
                let (base, count) = *self.slots.get(slot).ok_or(Damaged)?;
                let low = match aligned {
                    Some(tree) if count >= 3 => {
                        let high = bits.take(count - 3)? << 3;
                        high | u32::from(tree.decode(bits)?)
                    }
                    _ if count > 16 => bits.take(16)? << (count - 16) | bits.take(count - 16)?,
                    _ => bits.take(count)?,
                };
                // The slots before are those of the last distances.
                let distance = (base + low).checked_sub(2).ok_or(Damaged)?;
                [distance, first, second]
            }
        };
        let [distance, ..] = self.recent;
        Ok(distance)
    }

    fn index(&self, at: u64) -> usize {
        // The window has a power of two, and is smaller than any address.
        usize::try_from(at).unwrap_or(usize::MAX) & (self.window.len() - 1)
    }

    fn push(&mut self, byte: u8) {
        let index = self.index(self.at);
        if let Some(place) = self.window.get_mut(index) {
            *place = byte;
        }
        self.at += 1;
    }

    fn repeat(&mut self, distance: u32, bytes: usize) -> Result<(), Damaged> {
        let distance = u64::from(distance);
        if distance == 0 || distance > self.at || distance > self.window.len() as u64 {
            return Err(Damaged);
        }
        for _ in 0..bytes {
            let from = self.index(self.at - distance);
            let byte = self.window.get(from).copied();
            self.push(byte.ok_or(Damaged)?);
        }
        Ok(())
    }

    /// The last bytes that were unpacked.
    fn last(&self, bytes: usize) -> Vec<u8> {
        let begin = self.index(self.at - bytes as u64);
        let (before, behind) = self.window.split_at(begin);
        let both = behind.iter().chain(before);
        both.take(bytes).copied().collect()
    }
}

/// Lengths of codes are packed as what is taken from those of the block before, modulo 17, or as runs ([MS-PATCH] 2.4).
fn read_lengths(bits: &mut Bits<'_>, lengths: &mut [u8]) -> Result<(), Damaged> {
    let mut pretree = [0; PRETREE_CODES];
    for length in &mut pretree {
        *length = bits.byte(4)?;
    }
    let pretree = Tree::of(&pretree)?;
    let mut rest = lengths;
    while let Some(old) = rest.first().copied() {
        let less = |code: u16| match u8::try_from(code) {
            Ok(code @ 0..=16) => Ok((old + 17 - code) % 17),
            _ => Err(Damaged),
        };
        let (run, value) = match pretree.decode(bits)? {
            17 => (4 + bits.take(4)?, 0),
            18 => (20 + bits.take(5)?, 0),
            19 => {
                let run = 4 + bits.take(1)?;
                (run, less(pretree.decode(bits)?)?)
            }
            code => (1, less(code)?),
        };
        let (now, next) = rest.split_at_mut_checked(run as usize).ok_or(Damaged)?;
        now.fill(value);
        rest = next;
    }
    Ok(())
}

/// Calls (0xe8) have the place that they lead to in place of the distance. What has no room for one before the last 10 bytes
/// of a block was left alone.
fn translate(plain: &mut [u8], at: u64, size: i32) {
    let end = plain.len().saturating_sub(10);
    let mut next = 0;
    while let Some(found) = plain
        .get(next..end)
        .and_then(|rest| rest.iter().position(|byte| *byte == 0xe8))
    {
        let call = next + found;
        next = call + 5;
        let (Ok(here), Some(target)) = (
            i32::try_from(at + call as u64),
            plain
                .get_mut(call + 1..)
                .and_then(|rest| rest.first_chunk_mut::<4>()),
        ) else {
            return;
        };
        let absolute = i32::from_le_bytes(*target);
        if absolute >= -here && absolute < size {
            let relative = match absolute >= 0 {
                true => absolute.wrapping_sub(here),
                false => absolute.wrapping_add(size),
            };
            *target = relative.to_le_bytes();
        }
    }
}
