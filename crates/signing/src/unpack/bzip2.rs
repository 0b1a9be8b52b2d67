//! bzip2, and what NSIS makes of it: no header, no checksums, and marks of one byte instead of six (NSIS, `Source/bzip2`).
//!
//! The format has no specification of its authors; block layout and codes are those of Joe Tsai, "BZIP2 Format Specification".

use std::io::{self, Read};

use crc_fast::{CrcAlgorithm, Digest};

use super::exact::{StreamError, ended};

/// Which of the two is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Standard,
    Nsis,
}

/// Bytes of a block for each step of a level, and the steps that NSIS has.
const LEVEL_BYTES: usize = 100_000;
const NSIS_LEVEL: usize = 9;
const BLOCK_MARK: u64 = 0x3141_5926_5359;
const END_MARK: u64 = 0x1772_4538_5090;
/// Symbols that are read with one code before the next one is selected.
const GROUP_SYMBOLS: usize = 50;
/// The most that a block of 900,000 bytes needs.
const SELECTORS_MAX: u64 = 18_002;
const CODE_BITS_MAX: u32 = 20;

/// Bits, the highest of a byte first.
struct Bits<R> {
    input: R,
    buffer: Vec<u8>,
    at: usize,
    held: u64,
    count: u32,
}

impl<R: Read> Bits<R> {
    fn byte(&mut self) -> io::Result<Option<u8>> {
        if self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
            self.input
                .by_ref()
                .take(32 * 1024)
                .read_to_end(&mut self.buffer)?;
        }
        let byte = self.buffer.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        Ok(byte)
    }

    /// Holds as many bits, if there are.
    fn fill(&mut self, bits: u32) -> io::Result<()> {
        while self.count < bits {
            let Some(byte) = self.byte()? else {
                return Ok(());
            };
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
        }
        Ok(())
    }

    /// At most 48 bits.
    fn take(&mut self, bits: u32) -> io::Result<u64> {
        self.fill(bits)?;
        let rest = self.count.checked_sub(bits).ok_or(StreamError::Truncated)?;
        let value = self.held >> rest & ((1 << bits) - 1);
        self.count = rest;
        Ok(value)
    }

    fn number(&mut self, bits: u32) -> io::Result<usize> {
        Ok(usize::try_from(self.take(bits)?).unwrap_or(usize::MAX))
    }

    fn is_set(&mut self) -> io::Result<bool> {
        Ok(self.take(1)? == 1)
    }

    fn symbol(&mut self, code: &Code) -> io::Result<usize> {
        self.fill(CODE_BITS_MAX)?;
        // Behind the end there are zeros, which `take` does not give.
        let shown = match self.count.checked_sub(CODE_BITS_MAX) {
            Some(rest) => self.held >> rest,
            None => self.held << (CODE_BITS_MAX - self.count),
        } & ((1 << CODE_BITS_MAX) - 1);
        let (bits, symbol) = code.find(shown).ok_or(StreamError::Damaged)?;
        self.take(bits)?;
        Ok(symbol)
    }
}

/// A canonical code.
struct Code {
    /// For each length: the first word that is longer, in as many bits as the longest has, and what is taken from a word to
    /// have its place among the symbols.
    lengths: Vec<(u32, u64, u64)>,
    symbols: Vec<usize>,
}

impl Code {
    fn new(lengths: &[u32]) -> Self {
        let mut code = Self {
            lengths: Vec::new(),
            symbols: Vec::with_capacity(lengths.len()),
        };
        let mut word = 0_u64;
        for bits in 1..=CODE_BITS_MAX {
            let first = code.symbols.len() as u64;
            let of_length = lengths.iter().enumerate();
            let of_length = of_length.filter(|(_, length)| **length == bits);
            code.symbols.extend(of_length.map(|(symbol, _)| symbol));
            let count = code.symbols.len() as u64 - first;
            if count > 0 {
                let limit = (word + count) << (CODE_BITS_MAX - bits);
                code.lengths.push((bits, limit, word.wrapping_sub(first)));
            }
            word = (word + count) << 1;
        }
        code
    }

    /// The symbol with which so many bits begin.
    fn find(&self, shown: u64) -> Option<(u32, usize)> {
        let mut lengths = self.lengths.iter();
        let (bits, _, base) = lengths.find(|(_, limit, _)| shown < *limit)?;
        let place = (shown >> (CODE_BITS_MAX - bits)).wrapping_sub(*base);
        let symbol = self.symbols.get(usize::try_from(place).ok()?)?;
        Some((*bits, *symbol))
    }
}

/// A stream, unpacked a block at a time: at most 4 MB of memory.
pub(crate) struct Bzip2<R> {
    bits: Bits<R>,
    form: Form,
    level: usize,
    /// Checksums of the whole, of the block as stated, and of what was given of it.
    sum: u32,
    block_sum: u32,
    digest: Digest,
    is_begun: bool,
    is_ended: bool,
    /// For each byte of the sorted block: the byte, and above it the place of the next one.
    table: Vec<u32>,
    next: u32,
    left: usize,
    /// The byte before, how often it stood there in a row, and how often it is still to be given.
    last: u8,
    run: u8,
    repeat: u8,
}

impl<R: Read> Bzip2<R> {
    pub(crate) fn new(input: R, form: Form) -> Self {
        Self {
            bits: Bits {
                input,
                buffer: Vec::new(),
                at: 0,
                held: 0,
                count: 0,
            },
            form,
            level: NSIS_LEVEL,
            sum: 0,
            block_sum: 0,
            digest: Digest::new(CrcAlgorithm::Crc32Bzip2),
            is_begun: false,
            is_ended: false,
            table: Vec::new(),
            next: 0,
            left: 0,
            last: 0,
            run: 0,
            repeat: 0,
        }
    }

    /// Closes a block, and opens the next one, if there is.
    fn advance(&mut self) -> io::Result<()> {
        if !self.is_begun && self.form == Form::Standard {
            let mark = self.bits.take(24)?;
            let level = self.bits.take(8)?;
            self.level = usize::try_from(level.wrapping_sub(u64::from(b'0'))).unwrap_or(0);
            if mark != 0x42_5a68 || !(1..=9).contains(&self.level) {
                return Err(StreamError::Properties.into());
            }
        } else if self.is_begun && self.form == Form::Standard {
            let found = u32::try_from(self.digest.finalize()).unwrap_or(0);
            if found != self.block_sum {
                return Err(StreamError::Damaged.into());
            }
            self.sum = self.sum.rotate_left(1) ^ found;
        }
        self.is_begun = true;
        self.digest = Digest::new(CrcAlgorithm::Crc32Bzip2);
        let (bits, begins, ends) = match self.form {
            Form::Standard => (48, BLOCK_MARK, END_MARK),
            Form::Nsis => (8, BLOCK_MARK >> 40, END_MARK >> 40),
        };
        let mark = self.bits.take(bits)?;
        if mark == begins {
            return self.block();
        }
        if mark != ends {
            return Err(StreamError::Damaged.into());
        }
        if self.form == Form::Standard && self.bits.take(32)? != u64::from(self.sum) {
            return Err(StreamError::Damaged.into());
        }
        self.is_ended = true;
        self.table = Vec::new();
        if self.bits.count >= 8 || self.bits.byte()?.is_some() {
            return Err(StreamError::Behind.into());
        }
        ended(&mut self.bits.input)
    }

    fn block(&mut self) -> io::Result<()> {
        if self.form == Form::Standard {
            self.block_sum = u32::try_from(self.bits.take(32)?).unwrap_or(0);
            // Blocks that are mixed up have not been made since 1997.
            if self.bits.is_set()? {
                return Err(StreamError::Properties.into());
            }
        }
        let origin = self.bits.number(24)?;
        let mut used = Vec::new();
        let rows = self.bits.take(16)?;
        for row in (0..16_u8).filter(|row| rows >> (15 - row) & 1 == 1) {
            let columns = self.bits.take(16)?;
            let columns = (0..16_u8).filter(|column| columns >> (15 - column) & 1 == 1);
            used.extend(columns.map(|column| row << 4 | column));
        }
        if used.is_empty() {
            return Err(StreamError::Damaged.into());
        }
        let (selectors, codes) = self.codes(used.len() + 2)?;
        let mut counts = [0_u32; 256];
        self.symbols(used, &selectors, &codes, &mut counts)?;
        if origin >= self.table.len() {
            return Err(StreamError::Damaged.into());
        }
        // The inverse of the Burrows-Wheeler transform.
        let mut sum = 0;
        for count in &mut counts {
            (sum, *count) = (sum + *count, sum);
        }
        for place in 0..self.table.len() {
            let byte = self.table.get(place).map_or(0, |word| *word & 0xff);
            let Some(count) = counts.get_mut(byte as usize) else {
                continue;
            };
            if let Some(word) = self.table.get_mut(*count as usize) {
                *word |= u32::try_from(place).unwrap_or(0) << 8;
            }
            *count += 1;
        }
        self.next = self.table.get(origin).map_or(0, |word| *word >> 8);
        self.left = self.table.len();
        (self.run, self.repeat) = (0, 0);
        Ok(())
    }

    /// Which code is taken for which group, and the codes.
    fn codes(&mut self, symbols: usize) -> io::Result<(Vec<usize>, Vec<Code>)> {
        let groups = self.bits.number(3)?;
        let count = self.bits.take(15)?;
        if !(2..=6).contains(&groups) || !(1..=SELECTORS_MAX).contains(&count) {
            return Err(StreamError::Damaged.into());
        }
        let mut order: Vec<_> = (0..groups).collect();
        let mut selectors = Vec::new();
        for _ in 0..count {
            let mut place = 0;
            while self.bits.is_set()? {
                place += 1;
                if place >= groups {
                    return Err(StreamError::Damaged.into());
                }
            }
            let selected = order.remove(place);
            order.insert(0, selected);
            selectors.push(selected);
        }
        let mut codes = Vec::new();
        for _ in 0..groups {
            let mut length = u32::try_from(self.bits.take(5)?).unwrap_or(0);
            let mut lengths = Vec::with_capacity(symbols);
            for _ in 0..symbols {
                loop {
                    if !(1..=CODE_BITS_MAX).contains(&length) {
                        return Err(StreamError::Damaged.into());
                    }
                    if !self.bits.is_set()? {
                        break;
                    }
                    length = match self.bits.is_set()? {
                        true => length - 1,
                        false => length + 1,
                    };
                }
                lengths.push(length);
            }
            codes.push(Code::new(&lengths));
        }
        Ok((selectors, codes))
    }

    /// Reads the block as it is sorted, and counts its bytes.
    fn symbols(
        &mut self,
        mut front: Vec<u8>,
        selectors: &[usize],
        codes: &[Code],
        counts: &mut [u32; 256],
    ) -> io::Result<()> {
        let block_max = self.level * LEVEL_BYTES;
        let end = front.len() + 1;
        let table = &mut self.table;
        table.clear();
        let mut put = |byte: u8, times: usize| {
            if times > block_max - table.len() {
                return Err(StreamError::Damaged);
            }
            table.resize(table.len() + times, u32::from(byte));
            if let Some(count) = counts.get_mut(usize::from(byte)) {
                *count += u32::try_from(times).unwrap_or(0);
            }
            Ok(())
        };
        let (mut run, mut weight) = (0_usize, 1_usize);
        for selector in selectors {
            let code = codes.get(*selector).ok_or(StreamError::Damaged)?;
            for _ in 0..GROUP_SYMBOLS {
                let symbol = self.bits.symbol(code)?;
                if symbol < 2 {
                    // No block is that long, and the numbers do not wrap.
                    if weight > 2 * NSIS_LEVEL * LEVEL_BYTES {
                        return Err(StreamError::Damaged.into());
                    }
                    run += weight << symbol;
                    weight <<= 1;
                    continue;
                }
                if run > 0 {
                    put(front.first().copied().unwrap_or(0), run)?;
                    (run, weight) = (0, 1);
                }
                if symbol == end {
                    return Ok(());
                }
                let place = symbol - 1;
                let byte = *front.get(place).ok_or(StreamError::Damaged)?;
                front.copy_within(..place, 1);
                if let Some(first) = front.first_mut() {
                    *first = byte;
                }
                put(byte, 1)?;
            }
        }
        Err(StreamError::Damaged.into())
    }

    /// The next byte of the block.
    fn step(&mut self) -> u8 {
        let word = self.table.get(self.next as usize).copied().unwrap_or(0);
        self.next = word >> 8;
        self.left -= 1;
        u8::try_from(word & 0xff).unwrap_or(0)
    }
}

impl<R: Read> Read for Bzip2<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.left == 0 && self.repeat == 0 {
            if self.is_ended {
                return Ok(0);
            }
            self.advance()?;
        }
        let mut read = 0;
        for place in buffer.iter_mut() {
            if self.repeat > 0 {
                self.repeat -= 1;
            } else if self.left == 0 {
                break;
            } else {
                let byte = self.step();
                self.run = if byte == self.last { self.run + 1 } else { 1 };
                self.last = byte;
                // Four in a row are followed by how many more there are.
                if self.run == 4 {
                    self.run = 0;
                    if self.left == 0 {
                        return Err(StreamError::Damaged.into());
                    }
                    self.repeat = self.step();
                }
            }
            *place = self.last;
            read += 1;
        }
        if self.form == Form::Standard {
            self.digest.update(buffer.get(..read).unwrap_or_default());
        }
        Ok(read)
    }
}
