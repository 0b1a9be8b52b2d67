//! Trees of codes of up to 16 bits, of which only the lengths are known: shorter codes come first, and of one length those of
//! smaller numbers.

use super::Damaged;
use super::bits::Bits;

const LENGTH_MAX: usize = 16;

pub(super) struct Tree {
    /// What each code means, in their order.
    meanings: Vec<u16>,
    /// For each length, from one: the first 16 bits that no code of that length begins, how many codes are shorter, and the
    /// first 16 bits of the first code.
    lengths: [(u32, usize, u32); LENGTH_MAX],
}

impl Tree {
    /// Every 16 bits begin with one code, or there is no code at all, which is damage only where one is read.
    pub(super) fn of(lengths: &[u8]) -> Result<Self, Damaged> {
        let (mut meanings, mut end) = (Vec::new(), 0_u32);
        let mut found = [(0, 0, 0); LENGTH_MAX];
        for (length, place) in (1..).zip(&mut found) {
            let (start, before) = (end, meanings.len());
            for (meaning, _) in (0..).zip(lengths).filter(|(_, it)| **it == length) {
                meanings.push(meaning);
                end += 1 << (LENGTH_MAX - usize::from(length));
            }
            *place = (end, before, start);
        }
        match end == 0 || end == 1 << LENGTH_MAX {
            true => Ok(Self {
                meanings,
                lengths: found,
            }),
            false => Err(Damaged),
        }
    }

    pub(super) fn decode(&self, bits: &mut Bits<'_>) -> Result<u16, Damaged> {
        let next = u32::from(bits.peek());
        let mut lengths = (1..).zip(&self.lengths);
        let (length, (_, before, start)) =
            lengths.find(|(_, (end, ..))| next < *end).ok_or(Damaged)?;
        bits.take(length)?;
        let within = (next - start) >> (LENGTH_MAX as u32 - length);
        let meaning = self.meanings.get(before + within as usize);
        meaning.copied().ok_or(Damaged)
    }
}
