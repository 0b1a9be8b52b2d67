//! What is packed where, and by which coders: blocks of coders that are connected, and the files in each.

use super::super::Limits;
use super::{Block, Coder, Cursor, HeaderError, Input, Part, Streams, expect, property};

impl Cursor<'_> {
    pub(super) fn streams(&mut self) -> Result<Streams, HeaderError> {
        let mut streams = Streams::default();
        let mut packed = Vec::new();
        let mut id = self.number()?;
        if id == property::PACKED {
            streams.begins = self.number()?;
            packed = self.packed(streams.begins)?;
            id = self.number()?;
        }
        streams.ends = match packed.last() {
            Some((at, bytes)) => *at + *bytes,
            None => streams.begins,
        };
        if id == property::UNPACKED {
            streams.blocks = self.blocks(&packed)?;
            id = self.number()?;
        } else if !packed.is_empty() {
            return Err(HeaderError::Streams);
        }
        if id == property::SUBSTREAMS {
            self.substreams(&mut streams.blocks)?;
            id = self.number()?;
        } else {
            for block in &mut streams.blocks {
                let (bytes, crc) = (block.unpacked(), block.crc);
                block.parts.push(Part { bytes, crc });
            }
        }
        expect(id, property::END)?;
        Ok(streams)
    }

    /// Where each packed stream stands, and how long it is.
    fn packed(&mut self, begins: u64) -> Result<Vec<(u64, u64)>, HeaderError> {
        let count = self.count()?;
        let (mut at, mut packed) = (begins, Vec::new());
        let mut id = self.number()?;
        if id == property::SIZE {
            for _ in 0..count {
                let bytes = self.number()?;
                packed.push((at, bytes));
                at = at.checked_add(bytes).ok_or(HeaderError::Number)?;
            }
            id = self.number()?;
        }
        // No writer gives them, and no reader compares them: files have their own.
        if id == property::CRC {
            self.digests(count)?;
            id = self.number()?;
        }
        expect(id, property::END)?;
        match packed.len() == count {
            true => Ok(packed),
            false => Err(HeaderError::Streams),
        }
    }

    fn blocks(&mut self, packed: &[(u64, u64)]) -> Result<Vec<Block>, HeaderError> {
        expect(self.number()?, property::FOLDER)?;
        let count = self.count()?;
        self.inside()?;
        let mut packed = packed.iter();
        let mut blocks = Vec::new();
        for _ in 0..count {
            blocks.push(self.block(&mut packed)?);
        }
        if packed.next().is_some() {
            return Err(HeaderError::Streams);
        }
        expect(self.number()?, property::UNPACKED_SIZES)?;
        for coder in blocks.iter_mut().flat_map(|block| &mut block.coders) {
            coder.unpacked = self.number()?;
        }
        let mut id = self.number()?;
        if id == property::CRC {
            let digests = self.digests(count)?;
            for (block, crc) in blocks.iter_mut().zip(digests) {
                block.crc = crc;
            }
            id = self.number()?;
        }
        expect(id, property::END)?;
        Ok(blocks)
    }

    fn block<'p>(
        &mut self,
        packed: &mut impl Iterator<Item = &'p (u64, u64)>,
    ) -> Result<Block, HeaderError> {
        let count = self.count()?;
        if !(1..=Limits::CODERS).contains(&count) {
            return Err(HeaderError::Coders);
        }
        let (mut coders, mut counts) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let flags = self.byte()?;
            let method = self.bytes(usize::from(flags & 0x0f))?.to_vec();
            let (mut inputs, mut outputs) = (1, 1);
            if flags & 0x10 != 0 {
                (inputs, outputs) = (self.count()?, self.count()?);
            }
            let is_wrong = flags & 0xc0 != 0 || outputs != 1;
            if is_wrong || !(1..=Limits::INPUTS).contains(&inputs) {
                return Err(HeaderError::Coders);
            }
            let mut properties = Vec::new();
            if flags & 0x20 != 0 {
                let bytes = self.count()?;
                properties = self.bytes(bytes)?.to_vec();
            }
            counts.push(inputs);
            coders.push(Coder {
                method,
                properties,
                inputs: Vec::new(),
                unpacked: 0,
            });
        }
        let total: usize = counts.iter().sum();
        let mut sources: Vec<Option<Input>> = vec![None; total];
        let mut is_used = vec![false; count];
        let mut connect = |input: usize, source: Input| {
            let place = sources.get_mut(input).filter(|place| place.is_none());
            place
                .map(|place| *place = Some(source))
                .ok_or(HeaderError::Coders)
        };
        for _ in 1..count {
            let (input, output) = (self.count()?, self.count()?);
            match is_used.get_mut(output) {
                Some(is_used) if !*is_used => *is_used = true,
                _ => return Err(HeaderError::Coders),
            }
            connect(input, Input::Coder(output))?;
        }
        let last = is_used.iter().position(|is_used| !is_used);
        let last = last.ok_or(HeaderError::Coders)?;
        // The one input that is left is not named.
        let unconnected = total.checked_sub(count - 1).ok_or(HeaderError::Coders)?;
        let mut unnamed = Vec::new();
        for _ in 0..unconnected {
            let (at, bytes) = *packed.next().ok_or(HeaderError::Streams)?;
            let source = Input::Packed { at, bytes };
            match unconnected {
                1 => unnamed.push(source),
                _ => connect(self.count()?, source)?,
            }
        }
        let mut unnamed = unnamed.into_iter();
        let mut sources = sources.into_iter();
        for (coder, count) in coders.iter_mut().zip(counts) {
            for source in sources.by_ref().take(count) {
                let source = source.or_else(|| unnamed.next());
                coder.inputs.push(source.ok_or(HeaderError::Coders)?);
            }
        }
        Ok(Block {
            coders,
            last,
            crc: None,
            parts: Vec::new(),
        })
    }

    fn substreams(&mut self, blocks: &mut [Block]) -> Result<(), HeaderError> {
        let mut counts = vec![1; blocks.len()];
        let mut id = self.number()?;
        let mut total = blocks.len();
        if id == property::SUBSTREAM_COUNTS {
            total = 0;
            for count in &mut counts {
                *count = self.count()?;
                total = total.checked_add(*count).ok_or(HeaderError::Number)?;
            }
            id = self.number()?;
        }
        if total > Limits::THINGS {
            return Err(HeaderError::Number);
        }
        // The last size of a block is what is left of it.
        for (block, count) in blocks.iter_mut().zip(&counts) {
            let mut left = block.unpacked();
            for _ in 1..*count {
                let bytes = match id {
                    property::SIZE => self.number()?,
                    _ => return Err(HeaderError::Property(id)),
                };
                left = left.checked_sub(bytes).ok_or(HeaderError::Streams)?;
                block.parts.push(Part { bytes, crc: None });
            }
            match count {
                0 if left > 0 => return Err(HeaderError::Streams),
                0 => {}
                _ => block.parts.push(Part {
                    bytes: left,
                    crc: None,
                }),
            }
        }
        if id == property::SIZE {
            id = self.number()?;
        }
        // A block of one file has its checksum.
        for block in blocks.iter_mut() {
            if let [part] = block.parts.as_mut_slice() {
                part.crc = block.crc;
            }
        }
        if id == property::CRC {
            let parts = blocks.iter_mut().flat_map(|block| {
                let is_known = block.parts.len() == 1 && block.crc.is_some();
                let parts = block.parts.iter_mut();
                parts.filter(move |_| !is_known)
            });
            let mut parts: Vec<_> = parts.collect();
            let digests = self.digests(parts.len())?;
            for (part, crc) in parts.iter_mut().zip(digests) {
                part.crc = crc;
            }
            id = self.number()?;
        }
        expect(id, property::END)
    }
}
