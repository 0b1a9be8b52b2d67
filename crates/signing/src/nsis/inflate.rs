//! Deflate (RFC 1951) as NSIS has it: the zlib of version 2 does not repeat the length of a stored block inverted, so no other
//! decoder reads what it packs; version 3 does. Which of the two a stream is its first stored block tells, as the version is
//! known from what is packed.

use std::io::{self, Read};

use crate::unpack::exact::{StreamError, ended};

const WINDOW_BYTES: usize = 32 * 1024;
const CODE_BITS_MAX: usize = 15;
/// RFC 1951, 3.2.7: the order in which lengths of code lengths stand.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];
/// RFC 1951, 3.2.5: the shortest match of each symbol, and the bits that follow it.
const LENGTHS: [(usize, u32); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// Bits, the lowest of a byte first.
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

    fn fill(&mut self, bits: u32) -> io::Result<()> {
        while self.count < bits {
            let Some(byte) = self.byte()? else {
                return Ok(());
            };
            self.held |= u64::from(byte) << self.count;
            self.count += 8;
        }
        Ok(())
    }

    /// At most 32 bits.
    fn take(&mut self, bits: u32) -> io::Result<usize> {
        self.fill(bits)?;
        let value = self.held & ((1 << bits) - 1);
        self.count = self.count.checked_sub(bits).ok_or(StreamError::Truncated)?;
        self.held >>= bits;
        usize::try_from(value).map_err(|_| StreamError::Damaged.into())
    }

    fn symbol(&mut self, code: &Code) -> io::Result<usize> {
        self.fill(15)?;
        let shown = usize::try_from(self.held & 0x7fff).unwrap_or(0);
        let (bits, symbol) = code.find(shown).ok_or(StreamError::Damaged)?;
        self.take(bits)?;
        Ok(symbol)
    }

    fn align(&mut self) -> io::Result<()> {
        self.take(self.count % 8).map(drop)
    }
}

/// Bits of the table that most words are found in.
const QUICK_BITS: usize = 9;

/// A canonical code.
struct Code {
    /// For the bits that come next: the length of the word, and its symbol. Longer words have no length here.
    quick: Vec<(u8, u16)>,
    /// How many words of each length there are.
    counts: [usize; CODE_BITS_MAX + 1],
    symbols: Vec<u16>,
}

impl Code {
    fn new(lengths: &[u8]) -> Result<Self, StreamError> {
        let mut counts = [0; CODE_BITS_MAX + 1];
        for length in lengths {
            *counts
                .get_mut(usize::from(*length))
                .ok_or(StreamError::Damaged)? += 1;
        }
        if let Some(unused) = counts.first_mut() {
            *unused = 0;
        }
        let mut code = Self {
            quick: vec![(0, 0); 1 << QUICK_BITS],
            counts,
            symbols: Vec::with_capacity(lengths.len()),
        };
        let mut word = 0_usize;
        for bits in 1..=CODE_BITS_MAX {
            word <<= 1;
            let of_length = lengths.iter().zip(0_u16..);
            for (_, symbol) in of_length.filter(|(length, _)| usize::from(**length) == bits) {
                code.symbols.push(symbol);
                code.fill_quick(word, bits, symbol);
                word += 1;
            }
            // More words than there are of that length.
            if word > 1 << bits {
                return Err(StreamError::Damaged);
            }
        }
        Ok(code)
    }

    fn fill_quick(&mut self, word: usize, bits: usize, symbol: u16) {
        if bits > QUICK_BITS {
            return;
        }
        let reversed = word.reverse_bits() >> (usize::BITS as usize - bits);
        let places = self.quick.iter_mut().skip(reversed).step_by(1 << bits);
        for place in places {
            *place = (u8::try_from(bits).unwrap_or(0), symbol);
        }
    }

    fn find(&self, shown: usize) -> Option<(u32, usize)> {
        let (bits, symbol) = *self.quick.get(shown & ((1 << QUICK_BITS) - 1))?;
        if bits > 0 {
            return Some((u32::from(bits), usize::from(symbol)));
        }
        let (mut word, mut first, mut index) = (0_usize, 0_usize, 0_usize);
        for (bits, count) in (1_u32..).zip(self.counts.iter().skip(1)) {
            word |= shown >> (bits - 1) & 1;
            if let Some(place) = word.checked_sub(first).filter(|place| place < count) {
                return Some((bits, usize::from(*self.symbols.get(index + place)?)));
            }
            index += count;
            first = (first + count) << 1;
            word <<= 1;
        }
        None
    }
}

/// What follows the length of a stored block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lengths {
    Once,
    Twice,
}

enum State {
    /// Between blocks.
    Between,
    Stored(usize),
    Coded(Box<(Code, Code)>),
    Ended,
}

/// A stream, with its window of 32 KiB.
pub(super) struct Inflate<R> {
    bits: Bits<R>,
    state: State,
    is_last: bool,
    lengths: Option<Lengths>,
    window: Vec<u8>,
    /// Bytes given so far.
    given: usize,
    /// What is still to be repeated, and from how far back.
    repeat: usize,
    distance: usize,
}

impl<R: Read> Inflate<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            bits: Bits {
                input,
                buffer: Vec::new(),
                at: 0,
                held: 0,
                count: 0,
            },
            state: State::Between,
            is_last: false,
            lengths: None,
            window: vec![0; WINDOW_BYTES],
            given: 0,
            repeat: 0,
            distance: 0,
        }
    }

    fn put(&mut self, byte: u8) -> u8 {
        if let Some(place) = self.window.get_mut(self.given % WINDOW_BYTES) {
            *place = byte;
        }
        self.given += 1;
        byte
    }

    fn block(&mut self) -> io::Result<State> {
        if self.is_last {
            // What fills the last byte.
            self.bits.align()?;
            if self.bits.count > 0 || self.bits.byte()?.is_some() {
                return Err(StreamError::Behind.into());
            }
            ended(&mut self.bits.input)?;
            return Ok(State::Ended);
        }
        self.is_last = self.bits.take(1)? == 1;
        match self.bits.take(2)? {
            0 => {
                self.bits.align()?;
                let bytes = self.bits.take(16)?;
                self.bits.fill(16)?;
                let is_repeated =
                    self.bits.count >= 16 && self.bits.held & 0xffff == !bytes as u64 & 0xffff;
                let lengths = if is_repeated {
                    Lengths::Twice
                } else {
                    Lengths::Once
                };
                match *self.lengths.get_or_insert(lengths) {
                    Lengths::Once => {}
                    Lengths::Twice if is_repeated => drop(self.bits.take(16)?),
                    Lengths::Twice => return Err(StreamError::Damaged.into()),
                }
                Ok(State::Stored(bytes))
            }
            1 => {
                let mut lengths = [8; 288];
                for (symbol, length) in lengths.iter_mut().enumerate() {
                    *length = match symbol {
                        144..256 => 9,
                        256..280 => 7,
                        _ => 8,
                    };
                }
                Ok(State::Coded(Box::new((
                    Code::new(&lengths)?,
                    Code::new(&[5; 30])?,
                ))))
            }
            2 => self.codes(),
            _ => Err(StreamError::Damaged.into()),
        }
    }

    /// RFC 1951, 3.2.7.
    fn codes(&mut self) -> io::Result<State> {
        let literals = self.bits.take(5)? + 257;
        let distances = self.bits.take(5)? + 1;
        let count = self.bits.take(4)? + 4;
        if literals > 286 || distances > 30 {
            return Err(StreamError::Damaged.into());
        }
        let mut lengths = [0; 19];
        for place in ORDER.iter().take(count) {
            let length = u8::try_from(self.bits.take(3)?).unwrap_or(0);
            if let Some(of_place) = lengths.get_mut(*place) {
                *of_place = length;
            }
        }
        let code = Code::new(&lengths)?;
        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            let symbol = self.bits.symbol(&code)?;
            let (length, times) = match symbol {
                16 => {
                    let last = *lengths.last().ok_or(StreamError::Damaged)?;
                    (last, 3 + self.bits.take(2)?)
                }
                17 => (0, 3 + self.bits.take(3)?),
                18 => (0, 11 + self.bits.take(7)?),
                length => (u8::try_from(length).unwrap_or(0), 1),
            };
            lengths.resize(lengths.len() + times, length);
        }
        if lengths.len() > literals + distances {
            return Err(StreamError::Damaged.into());
        }
        let (literals, distances) = lengths.split_at(literals);
        Ok(State::Coded(Box::new((
            Code::new(literals)?,
            Code::new(distances)?,
        ))))
    }

    /// Reads where a match stands. None at the end of a block; a literal is given at once.
    fn coded(&mut self) -> io::Result<Option<u8>> {
        let State::Coded(codes) = &self.state else {
            return Ok(None);
        };
        let symbol = self.bits.symbol(&codes.0)?;
        if let Ok(literal) = u8::try_from(symbol) {
            return Ok(Some(self.put(literal)));
        }
        if symbol == 256 {
            self.state = State::Between;
            return Ok(None);
        }
        let length = LENGTHS.get(symbol - 257).ok_or(StreamError::Damaged)?;
        self.repeat = length.0 + self.bits.take(length.1)?;
        let symbol = self.bits.symbol(&codes.1)?;
        let bits = u32::try_from(symbol / 2).map_or(0, |half| half.saturating_sub(1));
        let base = match symbol {
            0..4 => symbol + 1,
            4..30 => ((2 + symbol % 2) << bits) + 1,
            _ => return Err(StreamError::Damaged.into()),
        };
        self.distance = base + self.bits.take(bits)?;
        if self.distance > self.given {
            return Err(StreamError::Damaged.into());
        }
        Ok(None)
    }

    /// The next byte; none at the end.
    fn next(&mut self) -> io::Result<Option<u8>> {
        loop {
            if self.repeat > 0 {
                self.repeat -= 1;
                let from = self.given.wrapping_sub(self.distance) % WINDOW_BYTES;
                let byte = self.window.get(from).copied().unwrap_or(0);
                return Ok(Some(self.put(byte)));
            }
            match self.state {
                State::Ended => return Ok(None),
                State::Between | State::Stored(0) => self.state = self.block()?,
                State::Stored(left) => {
                    self.state = State::Stored(left - 1);
                    let byte = self.bits.take(8)?;
                    return Ok(Some(self.put(u8::try_from(byte).unwrap_or(0))));
                }
                State::Coded(_) => {
                    if let Some(literal) = self.coded()? {
                        return Ok(Some(literal));
                    }
                }
            }
        }
    }
}

impl<R: Read> Read for Inflate<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        for place in buffer {
            let Some(byte) = self.next()? else {
                break;
            };
            *place = byte;
            read += 1;
        }
        Ok(read)
    }
}
