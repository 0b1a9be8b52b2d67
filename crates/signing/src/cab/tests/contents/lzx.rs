//! LZX ([MS-PATCH] 2), packed with one tree of a fixed shape: no tool outside Windows makes such cabinets.

use super::writer::Block;

/// Bits in words of 16, little-endian, the highest bit first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    word: u32,
    filled: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        for at in (0..count).rev() {
            self.word = self.word << 1 | (value >> at & 1);
            self.filled += 1;
            if self.filled == 16 {
                self.bytes.extend((self.word as u16).to_le_bytes());
                (self.word, self.filled) = (0, 0);
            }
        }
    }

    fn align(&mut self) {
        while self.filled > 0 {
            self.put(0, 1);
        }
    }

    /// 20 lengths of a pretree in which two codes have one bit.
    fn pretree(&mut self, codes: [u32; 2]) {
        (0..20).for_each(|code| self.put(u32::from(codes.contains(&code)), 4));
    }

    /// A tree of so many codes: the first `short` have one bit less than the rest; the lengths are those of before, if any.
    fn tree(&mut self, codes: u32, short: u32, bits: u32, first: u32, before: Before) {
        match before {
            // A length is written as what is taken from the one before it, which is 0, modulo 17.
            Before::Nothing => {
                self.pretree([17 - bits, 18 - bits]);
                (first..first + codes).for_each(|code| self.put(u32::from(code < short), 1));
            }
            Before::TheSame => {
                self.pretree([0, 17]);
                (0..codes).for_each(|_| self.put(0, 1));
            }
        }
    }

    /// A code of such a tree.
    fn code(&mut self, code: u32, short: u32, bits: u32) {
        match code < short {
            true => self.put(code, bits - 1),
            false => self.put(2 * short + code - short, bits),
        }
    }
}

/// What trees were before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    TheSame,
}

/// The blocks of a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Verbatim = 1,
    Aligned = 2,
    Stored = 3,
}

/// Where each slot of distances begins, and how many bits follow it.
fn slots(count: usize) -> Vec<(u32, u32)> {
    let (mut slots, mut base) = (Vec::new(), 0);
    for slot in 0..count as u32 {
        let bits = match slot {
            0..4 => 0,
            _ => (slot / 2 - 1).min(17),
        };
        slots.push((base, bits));
        base += 1 << bits;
    }
    slots
}

/// Packs into blocks of 32 KiB; `translated` is what the stream says of calls, and `kinds` how many bytes each block of the
/// stream has, the last all that remain.
pub(super) fn pack(
    plain: &[u8],
    window_bits: u8,
    translated: Option<i32>,
    kinds: &[(Kind, usize)],
) -> Vec<Block> {
    let count = match window_bits {
        15..=19 => 2 * usize::from(window_bits),
        20 => 42,
        _ => 50,
    };
    let slots = slots(count);
    let main = 256 + 8 * count as u32;
    // With `short` codes of one bit less, every code of `bits` bits is taken.
    let bits = main.next_power_of_two().ilog2();
    let short = (1 << bits) - main;
    let mut out = Bits::default();
    match translated {
        None => out.put(0, 1),
        Some(size) => {
            out.put(1, 1);
            out.put(size.cast_unsigned(), 32);
        }
    }
    let (mut at, mut blocks, mut last, mut before) = (0, Vec::new(), [1_usize; 3], Before::Nothing);
    let mut frame = Vec::new();
    for (number, (kind, size)) in kinds.iter().enumerate() {
        let size = match number + 1 == kinds.len() {
            true => plain.len() - at,
            false => *size,
        };
        let (begin, block_end) = (at, at + size);
        out.put(*kind as u32, 3);
        out.put(size as u32, 24);
        if *kind == Kind::Stored {
            // A whole word, where none was begun.
            out.put(0, 16 - out.filled);
            for distance in last {
                out.bytes.extend((distance as u32).to_le_bytes());
            }
        } else {
            if *kind == Kind::Aligned {
                (0..8).for_each(|_| out.put(3, 3));
            }
            out.tree(256, short, bits, 0, before);
            out.tree(main - 256, short, bits, 256, before);
            out.tree(249, 7, 8, 0, before);
            before = Before::TheSame;
        }
        while at < block_end {
            let frame_end = (at / FRAME_BYTES + 1) * FRAME_BYTES;
            let end = frame_end.min(block_end);
            if *kind == Kind::Stored {
                out.bytes.extend(&plain[at..end]);
                at = end;
                if at == block_end && (at - begin) % 2 == 1 {
                    out.bytes.push(0);
                }
            }
            while at < end {
                let Some((distance, length)) = longest(plain, at, end, 1 << window_bits, last[0])
                else {
                    out.code(u32::from(plain[at]), short, bits);
                    at += 1;
                    continue;
                };
                let (slot, footer) = match last.iter().position(|it| *it == distance) {
                    Some(slot) => {
                        last.swap(0, slot);
                        (slot as u32, None)
                    }
                    None => {
                        let formatted = distance as u32 + 2;
                        let slot = slots.iter().rposition(|(base, _)| *base <= formatted);
                        let slot = slot.expect("a slot");
                        let (base, bits) = slots[slot];
                        last = [distance, last[0], last[1]];
                        (slot as u32, Some((formatted - base, bits)))
                    }
                };
                let rest = length as u32 - 2;
                out.code(256 + slot * 8 + rest.min(7), short, bits);
                if rest >= 7 {
                    out.code(rest - 7, 7, 8);
                }
                // The codes of the three lowest bits are the bits themselves.
                if let Some((value, bits)) = footer {
                    out.put(value, bits);
                }
                at += length;
            }
            if at == frame_end || at == plain.len() {
                out.align();
                frame.append(&mut out.bytes);
                blocks.push(Block {
                    bytes: std::mem::take(&mut frame),
                    plain: (at - (at - 1) / FRAME_BYTES * FRAME_BYTES) as u16,
                });
            }
        }
    }
    blocks
}

const FRAME_BYTES: usize = 32 * 1024;

/// What stood before, at a few distances that the text is made of.
fn longest(
    plain: &[u8],
    at: usize,
    end: usize,
    window: usize,
    last: usize,
) -> Option<(usize, usize)> {
    let most = at.min(window - 3);
    let near = (1..=most.min(256)).chain([last, most / 2, most]);
    let length = |distance: usize| {
        let from = plain[at..end].iter().zip(&plain[at - distance..]);
        from.take(257)
            .take_while(|(one, other)| one == other)
            .count()
    };
    let found = near
        .filter(|it| (1..=most).contains(it))
        .map(|it| (it, length(it)));
    found
        .max_by_key(|(_, length)| *length)
        .filter(|(_, length)| *length >= 2)
}
