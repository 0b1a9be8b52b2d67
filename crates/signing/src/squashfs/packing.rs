//! What blocks are packed with: each block is one whole stream.

use std::io::{self, Read};

use flate2::bufread::ZlibDecoder;
use lzma_rust2::XzReader;
use release::name::printable;
use ruzstd::decoding::FrameDecoder;

use super::SquashfsError;
use super::lzo;

/// What is taken of memory at most while one block is unpacked. None unpacks to more than 1 MiB.
struct Limits;

impl Limits {
    /// KiB for the dictionary of xz, which need not be larger than a block.
    const XZ_MEMORY_KIB: u32 = 4 * 1024;
    /// Bytes of a window of zstd.
    const ZSTD_WINDOW_BYTES: u64 = 2 * 1024 * 1024;
}

/// What an image is packed with. `lzma` and `lz4` are not read: neither snaps nor AppImages have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// A stream of zlib (RFC 1950), whatever it is called.
    Gzip,
    Xz,
    Zstd,
    Lzo,
}

impl Packing {
    pub(super) fn of_number(number: u16) -> Result<Self, SquashfsError> {
        match number {
            1 => Ok(Self::Gzip),
            3 => Ok(Self::Lzo),
            4 => Ok(Self::Xz),
            6 => Ok(Self::Zstd),
            2 => Err(SquashfsError::Packing("lzma")),
            5 => Err(SquashfsError::Packing("lz4")),
            _ => Err(SquashfsError::Packing("something that is not known")),
        }
    }
}

pub(super) struct Unpacker {
    packing: Packing,
    /// Its tables are made once.
    zstd: FrameDecoder,
}

impl Unpacker {
    pub(super) fn new(packing: Packing) -> Self {
        let mut zstd = FrameDecoder::new();
        zstd.set_max_window_size(Limits::ZSTD_WINDOW_BYTES);
        Self { packing, zstd }
    }

    /// Unpacks a block of at most so many bytes.
    pub(super) fn unpack(&mut self, packed: &[u8], most: usize) -> Result<Vec<u8>, SquashfsError> {
        let mut rest = packed;
        let plain = match self.packing {
            Packing::Gzip => whole(ZlibDecoder::new(&mut rest), most),
            Packing::Xz => {
                let xz = XzReader::new_mem_limit(&mut rest, false, Limits::XZ_MEMORY_KIB);
                whole(xz, most)
            }
            Packing::Zstd => return self.zstd(packed, most),
            Packing::Lzo => {
                let plain = lzo::unpack(packed, most);
                return plain.ok_or_else(|| packed_wrong("it is no stream of LZO, or longer"));
            }
        };
        let plain = plain.map_err(|error| packed_wrong(&error.to_string()))?;
        match rest.is_empty() {
            true => Ok(plain),
            false => Err(packed_wrong("something stands behind its stream")),
        }
    }

    fn zstd(&mut self, packed: &[u8], most: usize) -> Result<Vec<u8>, SquashfsError> {
        let mut plain = vec![0; most];
        let decoded = self.zstd.decode_all(packed, &mut plain);
        let bytes = decoded.map_err(|error| packed_wrong(&error.to_string()))?;
        // Another frame, or one that is skipped, is something that other readers do not look at.
        if self.zstd.bytes_read_from_source() != packed.len() as u64 {
            return Err(packed_wrong("it is not one frame"));
        }
        let said = self.zstd.get_checksum_from_data();
        if said.is_some() && said != self.zstd.get_calculated_checksum() {
            return Err(packed_wrong("it has not the checksum that it states"));
        }
        plain.truncate(bytes);
        Ok(plain)
    }
}

fn whole(stream: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    // One byte more than there may be, so that more is seen.
    stream.take(most as u64 + 1).read_to_end(&mut plain)?;
    match plain.len() <= most {
        true => Ok(plain),
        false => Err(io::Error::other("it is longer than a block")),
    }
}

fn packed_wrong(reason: &str) -> SquashfsError {
    SquashfsError::Packed(printable(reason))
}
