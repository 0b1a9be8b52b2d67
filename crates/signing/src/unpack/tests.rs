//! Streams that end where they say, with the checksums that they state.

use std::io::Write as _;

use super::*;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).expect("memory");
    encoder.finish().expect("memory")
}

/// `printf hello | xz -c`.
const XZ: &[u8] = &[
    0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01,
    0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x04, 0x68, 0x65, 0x6c, 0x6c, 0x6f,
    0x00, 0x00, 0x00, 0x00, 0xb1, 0x37, 0xb9, 0xdb, 0xe5, 0xda, 0x1e, 0x9b, 0x00, 0x01, 0x1d, 0x05,
    0xb8, 0x2d, 0x80, 0xaf, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
];

/// `printf hello | zstd -c`.
const ZSTD: &[u8] = &[
    0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x29, 0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0xa3, 0x6d,
    0x9f, 0x88,
];

fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let packing = Packing::of_head(bytes).expect("a packing");
    let mut plain = Vec::new();
    packing.unpacked(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

#[test]
fn streams_are_read_one_behind_the_other() {
    let gzipped = gzip(b"hello");
    for (what, bytes) in [("gzip", gzipped.as_slice()), ("xz", XZ), ("zstd", ZSTD)] {
        assert_eq!(read(bytes).expect(what), b"hello", "{what}");
        let twice = [bytes, bytes].concat();
        assert_eq!(read(&twice).expect(what), b"hellohello", "{what}");
    }
}

#[test]
fn streams_that_are_cut_spoilt_or_followed_are_errors() {
    let gzipped = gzip(b"hello");
    for (what, bytes) in [("gzip", gzipped.as_slice()), ("xz", XZ), ("zstd", ZSTD)] {
        for end in 7..bytes.len() {
            read(&bytes[..end]).expect_err(&format!("{what} cut at {end}"));
        }
        read(&[bytes, b"more"].concat()).expect_err(&format!("{what} with more behind"));
        let mut spoilt = bytes.to_vec();
        let at = spoilt.len() - if what == "gzip" { 5 } else { 1 };
        spoilt[at] ^= 1;
        read(&spoilt).expect_err(&format!("{what} with another checksum"));
    }
}

#[test]
fn a_header_cannot_ask_for_more_memory_than_the_limit() {
    // A window of 2^41 bytes.
    let mut wide = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8];
    wide.extend_from_slice(&[0; 16]);
    read(&wide).expect_err("a window without end");
}
