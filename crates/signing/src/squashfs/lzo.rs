//! LZO1X, which snaps that shall start quickly are packed with (Linux `Documentation/staging/lzo.rst`, as there is no other
//! description). A stream ends with a mark, which is read here to be sure that all of it is there.

/// Bytes that a distance of the shortest matches behind many literals is longer than it says.
const FAR: usize = 0x800;
/// The same of those that reach farthest.
const FARTHEST: usize = 0x4000;

/// How many literals stood before an instruction: up to three belong to the one before, or it was a run of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    None,
    Some,
    Run,
}

struct Stream<'a> {
    packed: &'a [u8],
    plain: Vec<u8>,
    most: usize,
}

/// Unpacks a stream to at most so many bytes; none where it is none, or is longer.
pub(super) fn unpack(packed: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut stream = Stream {
        packed,
        plain: Vec::new(),
        most,
    };
    let mut before = stream.first()?;
    while let Some(next) = stream.instruction(before)? {
        before = next;
    }
    stream.packed.is_empty().then_some(stream.plain)
}

impl Stream<'_> {
    fn byte(&mut self) -> Option<usize> {
        let (first, rest) = self.packed.split_first()?;
        self.packed = rest;
        Some(usize::from(*first))
    }

    /// A number of two bytes: 14 bits of a distance, and 2 of literals that follow.
    fn pair(&mut self) -> Option<(usize, usize)> {
        let (low, high) = (self.byte()?, self.byte()?);
        let number = low | high << 8;
        Some((number >> 2, number & 3))
    }

    /// A length that did not fit: each byte of zeros is 255 more, and the last one is added.
    fn length(&mut self) -> Option<usize> {
        let mut length = 0_usize;
        loop {
            match self.byte()? {
                0 => length = length.checked_add(255).filter(|it| *it <= self.most)?,
                last => return length.checked_add(last),
            }
        }
    }

    fn literals(&mut self, count: usize) -> Option<()> {
        let (piece, rest) = self.packed.split_at_checked(count)?;
        if self.plain.len() + count > self.most {
            return None;
        }
        self.plain.extend_from_slice(piece);
        self.packed = rest;
        Some(())
    }

    /// Copies what stands a distance back, which may be what is being copied.
    fn matched(&mut self, distance: usize, length: usize) -> Option<()> {
        let from = self.plain.len().checked_sub(distance)?;
        if distance == 0 || length > self.most - self.plain.len() {
            return None;
        }
        for at in from..from + length {
            let byte = *self.plain.get(at)?;
            self.plain.push(byte);
        }
        Some(())
    }

    /// A stream may begin with literals.
    fn first(&mut self) -> Option<Before> {
        let Some(count) = self.packed.first().and_then(|it| it.checked_sub(17)) else {
            return Some(Before::None);
        };
        // What newer kernels write into memory begins so, and what is on disks never.
        if count == 0 {
            return None;
        }
        self.byte()?;
        self.literals(count.into())?;
        Some(match count {
            1..=3 => Before::Some,
            _ => Before::Run,
        })
    }

    /// One instruction. None behind the mark at the end.
    fn instruction(&mut self, before: Before) -> Option<Option<Before>> {
        let code = self.byte()?;
        let (distance, length, literals) = match (code, before) {
            (0..16, Before::None) => {
                let count = match code {
                    0 => self.length()?.checked_add(18)?,
                    code => code + 3,
                };
                self.literals(count)?;
                return Some(Some(Before::Run));
            }
            (0..16, before) => {
                let distance = 1 + (code >> 2) + (self.byte()? << 2);
                match before {
                    Before::Run => (distance + FAR, 3, code & 3),
                    _ => (distance, 2, code & 3),
                }
            }
            (16..32, _) => {
                let length = match code & 7 {
                    0 => self.length()?.checked_add(9)?,
                    length => length + 2,
                };
                let (low, literals) = self.pair()?;
                let distance = ((code & 8) << 11) + low;
                if distance == 0 {
                    // The mark is an instruction that would copy three bytes.
                    return (length == 3 && literals == 0).then_some(None);
                }
                (distance + FARTHEST, length, literals)
            }
            (32..64, _) => {
                let length = match code & 31 {
                    0 => self.length()?.checked_add(33)?,
                    length => length + 2,
                };
                let (low, literals) = self.pair()?;
                (1 + low, length, literals)
            }
            _ => {
                let distance = 1 + ((code >> 2) & 7) + (self.byte()? << 3);
                (distance, (code >> 5) + 1, code & 3)
            }
        };
        self.matched(distance, length)?;
        self.literals(literals)?;
        Some(Some(match literals {
            0 => Before::None,
            _ => Before::Some,
        }))
    }
}
