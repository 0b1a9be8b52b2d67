//! How what is packed is unpacked: coders behind one another, of which one may take four streams.

use std::cell::RefCell;
use std::io::{self, BufReader, Read, Seek};

use lzma_rust2::filter::bcj::BcjReader;
use lzma_rust2::filter::bcj2::Bcj2Reader;
use lzma_rust2::filter::delta::DeltaReader;
use thiserror::Error;

use super::SIGNATURE_HEADER_BYTES;
use super::header::{Block, Coder, Input};
use crate::reading::{Part, Shared};
use crate::unpack::bzip2::{Bzip2, Form};
use crate::unpack::exact::{Deflate, Exactly, Limits, Lzma, Lzma2, dictionary, ended};
use crate::walk::room;

/// Why a block is not unpacked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum CoderError {
    #[error("it is encrypted, so nobody without its password knows what is inside")]
    Encrypted,
    #[error("it is packed with {0}, which this version cannot unpack")]
    Method(String),
    #[error("a coder has properties or inputs that its method does not have")]
    Properties,
    #[error(
        "its dictionaries are larger than the {max} bytes that are given to all",
        max = Limits::DICTIONARY_BYTES
    )]
    Dictionaries,
}

/// What is done to the one input of most coders.
enum Method {
    Copy,
    Lzma { properties: u8, dictionary: u32 },
    Lzma2 { dictionary: u32 },
    Deflate,
    Bzip2,
    Delta { distance: usize },
    Branches(Branches, usize),
    Bcj2,
}

#[derive(Clone, Copy)]
enum Branches {
    X86,
    PowerPc,
    Ia64,
    Arm,
    ArmThumb,
    Arm64,
    Sparc,
    RiscV,
}

impl Method {
    /// By the identifiers of the LZMA SDK, `Methods.txt`.
    fn of(coder: &Coder) -> io::Result<Self> {
        let properties = coder.properties.as_slice();
        let wrong = || room::refused(CoderError::Properties);
        let branches = |which| match properties {
            [] => Ok(Self::Branches(which, 0)),
            [a, b, c, d] => {
                let at = u32::from_le_bytes([*a, *b, *c, *d]);
                Ok(Self::Branches(
                    which,
                    usize::try_from(at).map_err(|_| wrong())?,
                ))
            }
            _ => Err(wrong()),
        };
        let plain = |method| match properties {
            [] => Ok(method),
            _ => Err(wrong()),
        };
        match coder.method.as_slice() {
            [0] => plain(Self::Copy),
            [3] => match properties {
                [distance] => Ok(Self::Delta {
                    distance: usize::from(*distance) + 1,
                }),
                _ => Err(wrong()),
            },
            [3, 3, 1, 3] => branches(Branches::X86),
            [3, 3, 2, 5] => branches(Branches::PowerPc),
            [3, 3, 4, 1] => branches(Branches::Ia64),
            [3, 3, 5, 1] => branches(Branches::Arm),
            [3, 3, 7, 1] => branches(Branches::ArmThumb),
            [3, 3, 8, 5] => branches(Branches::Sparc),
            [10] => branches(Branches::Arm64),
            [11] => branches(Branches::RiscV),
            [3, 3, 1, 0x1b] => plain(Self::Bcj2),
            [0x21] => match properties {
                [bits] => Ok(Self::Lzma2 {
                    dictionary: dictionary(
                        lzma2_dictionary(*bits).ok_or_else(wrong)?,
                        Some(coder.unpacked),
                    )?,
                }),
                _ => Err(wrong()),
            },
            [3, 1, 1] => match properties {
                [properties, a, b, c, d] => {
                    let stated = u32::from_le_bytes([*a, *b, *c, *d]);
                    Ok(Self::Lzma {
                        properties: *properties,
                        dictionary: dictionary(stated, Some(coder.unpacked))?,
                    })
                }
                _ => Err(wrong()),
            },
            [4, 1, 8] => plain(Self::Deflate),
            [4, 2, 2] => plain(Self::Bzip2),
            [6, 0xf1, 7, 1] => Err(room::refused(CoderError::Encrypted)),
            method => {
                let hex: String = method.iter().map(|byte| format!("{byte:02x}")).collect();
                let name = match method {
                    [3, 4, 1] => "PPMd".to_owned(),
                    [4, 1, 9] => "Deflate64".to_owned(),
                    [4, 0xf7, 0x11, 1] => "zstd".to_owned(),
                    _ => format!("the method {hex}"),
                };
                Err(room::refused(CoderError::Method(name)))
            }
        }
    }

    fn dictionary(&self) -> u64 {
        match self {
            Self::Lzma { dictionary, .. } | Self::Lzma2 { dictionary } => u64::from(*dictionary),
            _ => 0,
        }
    }
}

/// The size that one byte says: 2 or 3 times a power of two.
fn lzma2_dictionary(bits: u8) -> Option<u32> {
    match bits {
        40 => Some(u32::MAX),
        0..40 => Some((2 | u32::from(bits & 1)) << (bits / 2 + 11)),
        _ => None,
    }
}

/// The bytes of a block. They end with an error unless every byte that is packed for it was needed.
///
/// # Errors
/// Where the reader fails; [`CoderError`] as a refusal.
pub(super) fn open<'s, B: Read + Seek>(
    bytes: &'s RefCell<B>,
    block: &Block,
) -> io::Result<Box<dyn Read + 's>> {
    let methods: Vec<_> = block
        .coders
        .iter()
        .map(Method::of)
        .collect::<io::Result<_>>()?;
    let memory: u64 = methods.iter().map(Method::dictionary).sum();
    if memory > u64::from(Limits::DICTIONARY_BYTES) {
        return Err(room::refused(CoderError::Dictionaries));
    }
    let mut opening = Opening {
        bytes,
        block,
        methods,
        opened: 0,
    };
    let plain = opening.coder(block.last)?;
    // Coders that are connected in a circle give nothing to anybody.
    match opening.opened == block.coders.len() {
        true => Ok(plain),
        false => Err(room::refused(CoderError::Properties)),
    }
}

struct Opening<'s, 'b, B> {
    bytes: &'s RefCell<B>,
    block: &'b Block,
    methods: Vec<Method>,
    opened: usize,
}

impl<'s, B: Read + Seek> Opening<'s, '_, B> {
    /// Each coder is the input of one other at most, so this ends.
    fn coder(&mut self, place: usize) -> io::Result<Box<dyn Read + 's>> {
        let wrong = || room::refused(CoderError::Properties);
        let coder = self.block.coders.get(place).ok_or_else(wrong)?;
        self.opened += 1;
        let mut inputs = Vec::new();
        for input in &coder.inputs {
            inputs.push(self.input(*input)?);
        }
        let method = self.methods.get(place).ok_or_else(wrong)?;
        if let Method::Bcj2 = method {
            let reader = Bcj2Reader::try_new(inputs, coder.unpacked)?;
            return Ok(Box::new(Bcj2(Some(reader))));
        }
        let (Some(input), true) = (inputs.pop(), inputs.is_empty()) else {
            return Err(wrong());
        };
        let size = coder.unpacked;
        Ok(match method {
            Method::Copy => exactly(input, size),
            Method::Lzma {
                properties,
                dictionary,
            } => exactly(
                Lzma::new(input, *properties, *dictionary, Some(size))?,
                size,
            ),
            Method::Lzma2 { dictionary } => exactly(Lzma2::new(input, *dictionary), size),
            Method::Deflate => exactly(Deflate::new(input), size),
            Method::Bzip2 => exactly(Bzip2::new(input, Form::Standard), size),
            Method::Delta { distance } => exactly(DeltaReader::new(input, *distance), size),
            Method::Branches(which, at) => exactly(which.reader(input, *at), size),
            Method::Bcj2 => return Err(wrong()),
        })
    }

    fn input(&mut self, input: Input) -> io::Result<Box<dyn Read + 's>> {
        match input {
            Input::Coder(place) => self.coder(place),
            Input::Packed { at, bytes } => {
                let begins = SIGNATURE_HEADER_BYTES.saturating_add(at);
                let packed = begins..begins.saturating_add(bytes);
                Ok(Box::new(Part::new(Shared::new(self.bytes), packed)))
            }
        }
    }
}

fn exactly<'s>(plain: impl Read + 's, bytes: u64) -> Box<dyn Read + 's> {
    Box::new(Exactly::new(plain, bytes))
}

impl Branches {
    fn reader<R: Read>(self, input: R, at: usize) -> BcjReader<BufReader<R>> {
        let input = BufReader::new(input);
        match self {
            Self::X86 => BcjReader::new_x86(input, at),
            Self::PowerPc => BcjReader::new_ppc(input, at),
            Self::Ia64 => BcjReader::new_ia64(input, at),
            Self::Arm => BcjReader::new_arm(input, at),
            Self::ArmThumb => BcjReader::new_arm_thumb(input, at),
            Self::Arm64 => BcjReader::new_arm64(input, at),
            Self::Sparc => BcjReader::new_sparc(input, at),
            Self::RiscV => BcjReader::new_riscv(input, at),
        }
    }
}

/// Four streams made one, all of them read to their ends.
struct Bcj2<R>(Option<Bcj2Reader<R>>);

impl<R: Read> Read for Bcj2<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(reader) = self.0.as_mut().filter(|_| !buffer.is_empty()) else {
            return Ok(0);
        };
        let read = reader.read(buffer)?;
        if let (0, Some(reader)) = (read, self.0.take_if(|_| read == 0)) {
            for mut input in reader.finish()? {
                ended(&mut input)?;
            }
        }
        Ok(read)
    }
}
