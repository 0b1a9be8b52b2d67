//! One block of an image as it lies in the data, and its bytes.

use std::io::{self, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::ZlibDecoder;
use lzfse_rust::LzfseRingDecoder;
use lzma_rust2::XzReader;

/// KiB for the dictionary of xz, which need not be larger than a block.
const XZ_MEMORY_KIB: u32 = 20 * 1024;

/// How a block is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Zlib,
    Bzip2,
    /// With LZVN, which is a kind of block in it.
    Lzfse,
    Xz,
}

/// Unpacks a block to so many bytes. It must be as long as that, and end where its place ends.
pub(super) fn unpack(
    packed: &[u8],
    compression: Compression,
    bytes: usize,
) -> Result<Vec<u8>, String> {
    let mut plain = Vec::with_capacity(bytes.min(packed.len().saturating_mul(8)));
    // One byte more than there may be, so that more is seen.
    let limit = bytes as u64 + 1;
    let mut rest = packed;
    let read = match compression {
        Compression::Zlib => ZlibDecoder::new(&mut rest)
            .take(limit)
            .read_to_end(&mut plain),
        Compression::Bzip2 => BzDecoder::new(&mut rest)
            .take(limit)
            .read_to_end(&mut plain),
        Compression::Xz => XzReader::new_mem_limit(&mut rest, false, XZ_MEMORY_KIB)
            .take(limit)
            .read_to_end(&mut plain),
        Compression::Lzfse => lzfse(packed, limit, &mut plain).inspect(|_| rest = &[]),
    };
    read.map_err(|error| release::name::chain(&error))?;
    match plain.len() == bytes && rest.is_empty() {
        true => Ok(plain),
        false => Err("it does not unpack to the length that is stated of it".to_owned()),
    }
}

/// Its decoder looks for the end of the stream by itself.
fn lzfse(packed: &[u8], limit: u64, plain: &mut Vec<u8>) -> io::Result<usize> {
    let mut decoder = LzfseRingDecoder::default();
    decoder.reader_bytes(packed).take(limit).read_to_end(plain)
}

/// LZVN without a header, as compressed files have it.
pub(super) fn unpack_lzvn(packed: &[u8], bytes: usize) -> Result<Vec<u8>, String> {
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
    let (plain, length) = (number(bytes), number(packed.len()));
    let stream = [b"bvxn", &plain[..], &length[..], packed, b"bvx$"].concat();
    unpack(&stream, Compression::Lzfse, bytes)
}
