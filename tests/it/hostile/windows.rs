//! Archives and installers of Windows that are right in shape, to be spoilt.

const PLAIN: &[u8] = b"MZ all work and no play, all work and no play";

/// The same, by bzip2 (`bzip2 -9`).
const BZIP2: &[u8] = &[
    0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0x78, 0x2a, 0xf8, 0xa8, 0x00, 0x00,
    0x05, 0x97, 0x80, 0x40, 0x04, 0x00, 0x02, 0x00, 0x10, 0x24, 0x0d, 0xd0, 0xa0, 0x20, 0x00, 0x20,
    0xaa, 0x93, 0xd2, 0x63, 0x49, 0xb4, 0x84, 0x00, 0x00, 0xbc, 0x65, 0x96, 0xd2, 0xea, 0x64, 0xbb,
    0xe5, 0x21, 0x4a, 0x30, 0xc3, 0xa8, 0x6d, 0xe3, 0xd7, 0xe2, 0xee, 0x48, 0xa7, 0x0a, 0x12, 0x0f,
    0x05, 0x5f, 0x15, 0x00,
];

/// The same, by LZMA with an end mark (`xz --format=raw --lzma1=dict=4KiB`).
const LZMA: &[u8] = &[
    0x00, 0x26, 0x96, 0x80, 0x05, 0x11, 0xfc, 0x67, 0x07, 0x4d, 0xea, 0x8f, 0xfc, 0x14, 0x31, 0x71,
    0x20, 0x60, 0x9c, 0x85, 0x40, 0xd4, 0x61, 0xe7, 0xe3, 0xd3, 0x18, 0x1b, 0x89, 0x33, 0xff, 0xff,
    0xf1, 0x89, 0x70, 0x00,
];

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

fn short(bytes: &[u8]) -> u8 {
    u8::try_from(bytes.len()).expect("short")
}

/// A 7z archive of three files: as it is, by bzip2, and by LZMA with a filter for code (7zFormat.txt of the LZMA SDK).
pub(crate) fn sevenz() -> Vec<u8> {
    let size = short(PLAIN);
    let packed = [PLAIN, BZIP2, LZMA].concat();
    let sizes = [size, short(BZIP2), short(LZMA)];
    let filtered = [
        2, 0x23, 3, 1, 1, 5, 0x5d, 0, 0x10, 0, 0, 4, 3, 3, 1, 3, 1, 0,
    ];
    let sums = [10, 1]
        .into_iter()
        .chain(crc32(PLAIN).to_le_bytes().repeat(3));
    let names: Vec<u8> = "a.exe\0b.exe\0c/d.exe\0"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let header = [
        &[1, 4, 6, 0, 3, 9][..],
        &sizes,
        &[0, 7, 11, 3, 0, 1, 1, 0, 1, 3, 4, 2, 2],
        &filtered,
        &[12],
        &[size; 4],
        &sums.collect::<Vec<_>>(),
        &[0, 0, 5, 3, 17, short(&names) + 1, 0],
        &names,
        &[21, 14, 1, 0, 0x20, 0x80, 0xed, 0x81],
        &[0x20, 0, 0, 0].repeat(2),
        &[0, 0],
    ]
    .concat();
    let start = [
        &(packed.len() as u64).to_le_bytes()[..],
        &(header.len() as u64).to_le_bytes(),
        &crc32(&header).to_le_bytes(),
    ]
    .concat();
    let first = [
        &b"7z\xbc\xaf\x27\x1c\0\x04"[..],
        &crc32(&start).to_le_bytes(),
        &start,
    ];
    [first.concat(), packed, header].concat()
}

/// A program of 512 bytes without sections.
fn program() -> Vec<u8> {
    let mut bytes = vec![0; 512];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[60] = 64;
    bytes[64..68].copy_from_slice(b"PE\0\0");
    bytes[84] = 224;
    bytes[88..90].copy_from_slice(&[0x0b, 1]);
    bytes[180] = 16;
    bytes
}

/// How the blocks of an installer stand there.
pub(crate) enum Blocks {
    Apart,
    /// In one stored block of deflate.
    Solid,
}

/// An installer of NSIS without a checksum: a file, and an uninstaller (NSIS, `Source/exehead/fileform.h`).
pub(crate) fn nsis(blocks: &Blocks) -> Vec<u8> {
    let strings = b"\0\x03\x95\x80\\a\0a.exe\0\x03\x9a\x80\\b.dll\0\x02\x1a\x23\\gone.exe\0";
    let patch = [&[2, 0, 0, 0, 8, 0, 0, 0][..], b"hi", &[0; 4]].concat();
    let uninstaller_at = u32::try_from(4 + PLAIN.len()).expect("small");
    let patch_bytes = u32::from(short(&patch));
    let entries = [
        [11, 1, 1, 0, 0, 0, 0],
        [20, 0, 7, 0, 0, 0, 0],
        [20, 0, 13, 0, 0, 0, 0],
        [62, 23, uninstaller_at, patch_bytes, 0, 0, 0],
    ];
    let (entries_at, entries_bytes) = (4 + 8 * 8, 4 * 28);
    let strings_at = entries_at + entries_bytes;
    let languages_at = strings_at + u32::from(short(strings));
    let parts = [
        [0, 0],
        [0, 0],
        [entries_at, 4],
        [strings_at, 0],
        [languages_at, 0],
        [0, 0],
        [0, 0],
        [0, 0],
    ];
    let numbers = [0]
        .into_iter()
        .chain(parts.concat())
        .chain(entries.concat());
    let mut header: Vec<u8> = numbers.flat_map(u32::to_le_bytes).collect();
    header.extend(strings);
    let data: Vec<u8> = [&header, PLAIN, &patch, b"no installer"]
        .iter()
        .flat_map(|block| [&u32::from(short(block)).to_le_bytes()[..], block].concat())
        .collect();
    let data = match blocks {
        Blocks::Apart => data,
        Blocks::Solid => {
            let length = u16::try_from(data.len()).expect("one block");
            [&[1][..], &length.to_le_bytes(), &data].concat()
        }
    };
    let reach = u32::try_from(28 + data.len()).expect("small");
    let first = [
        &[4, 0, 0, 0][..],
        b"\xef\xbe\xad\xdeNullsoftInst",
        &u32::try_from(header.len()).expect("small").to_le_bytes(),
        &reach.to_le_bytes(),
    ];
    [program(), first.concat(), data].concat()
}
