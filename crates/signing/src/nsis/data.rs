//! How the data of an installer are compressed: nothing says it, so it is told by the first bytes, and by the one way in which
//! they are a header.

use std::io::{self, Read};

use super::inflate::Inflate;
use super::{Limits, NsisError};
use crate::unpack::bzip2::{Bzip2, Form};
use crate::unpack::exact::{Exactly, Lzma, dictionary};

/// Bytes by which a method is told.
pub(super) const HEAD_BYTES: u64 = 12;
/// The highest bit of a size says that the block is compressed.
const IS_COMPRESSED: u32 = 0x8000_0000;

/// What data are compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// With a byte in front that says whether code was filtered, or without.
    Lzma {
        has_flag: bool,
    },
    Bzip2,
    Deflate,
}

impl Method {
    /// What data with such a beginning may be compressed with.
    fn candidates(head: &[u8]) -> Vec<Self> {
        let mut found = Vec::new();
        match head {
            [0x5d, 0, 0, _, _, 0, 0..0x80, ..] => found.push(Self::Lzma { has_flag: false }),
            [0 | 1, 0x5d, 0, 0, _, _, 0, 0..0x80, ..] => found.push(Self::Lzma { has_flag: true }),
            [0x31, 0..14, ..] => found.push(Self::Bzip2),
            _ => {}
        }
        // Each of the others can begin a stream of deflate too.
        found.push(Self::Deflate);
        found
    }

    fn reader<'s>(self, mut input: impl Read + 's) -> io::Result<Box<dyn Read + 's>> {
        Ok(match self {
            Self::Bzip2 => Box::new(Bzip2::new(input, Form::Nsis)),
            Self::Deflate => Box::new(Inflate::new(input)),
            Self::Lzma { has_flag } => {
                let mut head = [0; 6];
                let (flag, head) = match has_flag {
                    true => {
                        input.read_exact(&mut head)?;
                        (head[0], &head[1..])
                    }
                    false => {
                        input.read_exact(&mut head[1..])?;
                        (0, &head[1..])
                    }
                };
                let [properties, a, b, c, d] = *head else {
                    return Err(NsisError::Header.into());
                };
                let stated = u32::from_le_bytes([a, b, c, d]);
                let plain = Lzma::new(input, properties, dictionary(stated, None)?, None)?;
                match flag {
                    0 => Box::new(plain),
                    _ => Box::new(lzma_rust2::filter::bcj::BcjReader::new_x86(plain, 0)),
                }
            }
        })
    }
}

/// How the blocks stand in the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// All in one stream.
    Solid(Method),
    /// Each by itself. None where no block was compressed so far.
    Apart(Option<Method>),
}

impl Layout {
    /// In which ways the data may be read that begin so.
    pub(super) fn candidates(head: &[u8], header_bytes: u32) -> Vec<Self> {
        let Some((size, rest)) = head.split_first_chunk() else {
            return Vec::new();
        };
        let size = u32::from_le_bytes(*size);
        if size == header_bytes {
            return vec![Self::Apart(None)];
        }
        let mut found: Vec<_> = Method::candidates(head)
            .into_iter()
            .map(Self::Solid)
            .collect();
        if size & IS_COMPRESSED != 0 {
            found.extend(
                Method::candidates(rest)
                    .into_iter()
                    .map(|it| Self::Apart(Some(it))),
            );
        }
        found
    }
}

/// The blocks, one behind the other.
pub(super) struct Blocks<'s, R> {
    layout: Layout,
    input: Input<'s, R>,
    /// Where the next block begins, as instructions count; none before the header was read.
    at: Option<u64>,
}

enum Input<'s, R> {
    Solid(Box<dyn Read + 's>),
    Apart(R),
}

impl<'s, R: Read + 's> Blocks<'s, R> {
    pub(super) fn new(layout: Layout, input: R) -> io::Result<Self> {
        let input = match layout {
            Layout::Solid(method) => Input::Solid(method.reader(input)?),
            Layout::Apart(_) => Input::Apart(input),
        };
        Ok(Self {
            layout,
            input,
            at: None,
        })
    }

    /// The header, which is the first block.
    pub(super) fn header(&mut self, bytes: u32) -> io::Result<Vec<u8>> {
        if u64::from(bytes) > Limits::HEADER_BYTES {
            return Err(NsisError::TooLarge.into());
        }
        let mut header = Vec::new();
        let wanted = u64::from(bytes);
        let passed = self.next(|_, content| {
            content.take(wanted + 1).read_to_end(&mut header)?;
            match header.len() as u64 == wanted {
                true => Ok(()),
                false => Err(NsisError::Header.into()),
            }
        })?;
        self.at = Some(0);
        match passed {
            true => Ok(header),
            false => Err(NsisError::Header.into()),
        }
    }

    /// Hands the next block on, with where it begins. False at the end.
    pub(super) fn next(
        &mut self,
        then: impl FnOnce(u64, &mut dyn Read) -> io::Result<()>,
    ) -> io::Result<bool> {
        let at = self.at.unwrap_or(0);
        let input: &mut dyn Read = match &mut self.input {
            Input::Solid(plain) => plain,
            Input::Apart(input) => input,
        };
        let Some(size) = size(input)? else {
            return Ok(false);
        };
        let is_solid = matches!(self.layout, Layout::Solid(_));
        let bytes = match (is_solid, size & IS_COMPRESSED) {
            (true, 0) | (false, _) => u64::from(size & !IS_COMPRESSED),
            (true, _) => return Err(NsisError::Block.into()),
        };
        self.at = Some(at.saturating_add(4 + bytes));
        let mut raw = Exactly::new(input.take(bytes), bytes);
        if is_solid || size & IS_COMPRESSED == 0 {
            then(at, &mut raw)?;
            io::copy(&mut raw, &mut io::sink())?;
            return Ok(true);
        }
        let mut head = Vec::new();
        raw.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
        let method = match self.layout {
            Layout::Apart(Some(method)) => method,
            _ => *Method::candidates(&head).first().ok_or(NsisError::Block)?,
        };
        self.layout = Layout::Apart(Some(method));
        let mut plain = method.reader(head.as_slice().chain(raw))?;
        then(at, &mut plain)?;
        // To its end, behind which nothing may stand.
        io::copy(&mut plain, &mut io::sink())?;
        Ok(true)
    }
}

/// The size of a block; none at the end of the data.
fn size(input: &mut dyn Read) -> io::Result<Option<u32>> {
    let mut size = Vec::new();
    input.take(4).read_to_end(&mut size)?;
    match size.first_chunk() {
        Some(size) => Ok(Some(u32::from_le_bytes(*size))),
        None if size.is_empty() => Ok(None),
        None => Err(NsisError::Block.into()),
    }
}
