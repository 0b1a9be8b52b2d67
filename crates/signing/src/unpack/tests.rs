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

/// `printf hello | bzip2 -c`.
const BZIP2: &[u8] = &[
    0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0x19, 0x31, 0x65, 0x3d, 0x00, 0x00,
    0x00, 0x81, 0x00, 0x02, 0x44, 0xa0, 0x00, 0x21, 0x9a, 0x68, 0x33, 0x4d, 0x07, 0x33, 0x8b, 0xb9,
    0x22, 0x9c, 0x28, 0x48, 0x0c, 0x98, 0xb2, 0x9e, 0x80,
];

/// `printf hello | lzma -c`.
const LZMA: &[u8] = &[
    0x5d, 0x00, 0x00, 0x80, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x34, 0x19,
    0x49, 0xee, 0x8e, 0x68, 0x21, 0xff, 0xff, 0xff, 0xb9, 0xe0, 0x00, 0x00,
];

/// Each with its checksum.
fn streams() -> [(&'static str, Vec<u8>); 4] {
    [
        ("gzip", gzip(b"hello")),
        ("xz", XZ.to_vec()),
        ("zstd", ZSTD.to_vec()),
        ("bzip2", BZIP2.to_vec()),
    ]
}

fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let packing = Packing::of_head(bytes).expect("a packing");
    let mut plain = Vec::new();
    packing.unpacked(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

#[test]
fn streams_are_read_one_behind_the_other() {
    for (what, bytes) in streams() {
        let bytes = bytes.as_slice();
        assert_eq!(read(bytes).expect(what), b"hello", "{what}");
        let twice = [bytes, bytes].concat();
        assert_eq!(read(&twice).expect(what), b"hellohello", "{what}");
    }
}

#[test]
fn streams_that_are_cut_spoilt_or_followed_are_errors() {
    for (what, bytes) in streams() {
        let bytes = bytes.as_slice();
        for end in 10..bytes.len() {
            read(&bytes[..end]).expect_err(&format!("{what} cut at {end}"));
        }
        read(&[bytes, b"more"].concat()).expect_err(&format!("{what} with more behind"));
        let mut spoilt = bytes.to_vec();
        let behind = match what {
            "gzip" => 5,
            "bzip2" => 3,
            _ => 1,
        };
        let at = spoilt.len() - behind;
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

fn read_lzma(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    Packing::Lzma.unpacked(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

#[test]
fn a_stream_of_lzma_ends_where_the_file_does() {
    assert_eq!(read_lzma(LZMA).expect("a stream"), b"hello");
    for end in 0..LZMA.len() {
        read_lzma(&LZMA[..end]).expect_err(&format!("cut at {end}"));
    }
    read_lzma(&[LZMA, b"m"].concat()).expect_err("more behind");
    read_lzma(&[LZMA, LZMA].concat()).expect_err("another behind");
    // A dictionary of 2 GiB.
    let mut wide = LZMA.to_vec();
    wide[4] = 0x80;
    read_lzma(&wide).expect_err("a dictionary without end");
}
