//! Bits in words of 16, little-endian, the highest bit first ([MS-PATCH] 2.1).

use super::Damaged;

pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// Where the next word begins that was not taken in.
    at: usize,
    /// Words that were taken in: the lowest of these bits are to be read yet, so many.
    word: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            word: 0,
            count: 0,
        }
    }

    fn fill(&mut self) {
        while self.count <= 32 {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(word) = rest.first_chunk::<2>() else {
                return;
            };
            self.word = self.word << 16 | u64::from(u16::from_le_bytes(*word));
            self.at += 2;
            self.count += 16;
        }
    }

    /// The next 16 bits without taking them; zeros where there are no more.
    pub(super) fn peek(&mut self) -> u16 {
        if self.count < 16 {
            self.fill();
        }
        let bits = match self.count.checked_sub(16) {
            Some(behind) => self.word >> behind,
            None => self.word << (16 - self.count),
        };
        (bits & 0xffff) as u16
    }

    /// Up to 16 bits.
    pub(super) fn take(&mut self, count: u32) -> Result<u32, Damaged> {
        let bits = u32::from(self.peek());
        self.count = self.count.checked_sub(count).ok_or(Damaged)?;
        Ok(bits.checked_shr(16 - count).unwrap_or(0))
    }

    pub(super) fn byte(&mut self, count: u32) -> Result<u8, Damaged> {
        u8::try_from(self.take(count)?).map_err(|_| Damaged)
    }

    /// 32 bits.
    pub(super) fn long(&mut self) -> Result<u32, Damaged> {
        Ok(self.take(16)? << 16 | self.take(16)?)
    }

    /// Passes to the end of the word, a whole one where none was begun: bytes follow.
    pub(super) fn align(&mut self) -> Result<(), Damaged> {
        let is_begun = !self.count.is_multiple_of(16);
        self.at -= 2 * (self.count as usize / 16);
        (self.word, self.count) = (0, 0);
        match is_begun {
            true => Ok(()),
            false => self.raw(2).map(drop),
        }
    }

    /// Bytes, after the bits were aligned.
    pub(super) fn raw(&mut self, count: usize) -> Result<&'a [u8], Damaged> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let found = rest.get(..count).ok_or(Damaged)?;
        self.at += count;
        Ok(found)
    }

    pub(super) fn raw_long(&mut self) -> Result<u32, Damaged> {
        let found = self.raw(4)?.first_chunk().copied();
        found.map(u32::from_le_bytes).ok_or(Damaged)
    }

    /// Passes a byte, if there is one, after bytes were read.
    pub(super) fn pad(&mut self) -> bool {
        self.raw(1).is_ok()
    }
}
