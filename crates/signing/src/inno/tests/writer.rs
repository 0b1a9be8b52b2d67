//! Programs that carry an installer, and lists of files as they are wanted.

use crate::inno::loader::crc32;

fn short(value: usize) -> [u8; 4] {
    (value as u32).to_le_bytes()
}

/// The table with its checksum, in the form until 6.4 or since.
pub(super) fn table(version: u32, total: u64, list_at: u64, data_at: u64) -> Vec<u8> {
    let mut table = b"rDlPtS\xcd\xe6\xd7{\x0b*".to_vec();
    table.extend(version.to_le_bytes());
    // Where and what the engine is, which nobody reads here.
    if version == 1 {
        for field in [total, 0, 0, 0, list_at, data_at] {
            table.extend(short(field as usize));
        }
    } else {
        for field in [total, 0, 0, list_at, data_at] {
            table.extend(field.to_le_bytes());
        }
        table.extend([0; 4]);
    }
    sealed(table)
}

/// With the checksum of all behind it.
pub(super) fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = crc32(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// Where a program ends, whose only section is its resources.
pub(super) const PROGRAM_BYTES: usize = 0x600;

/// A program with these tables as its resources of that number, each in a language of its own.
pub(super) fn program(tables: &[Vec<u8>]) -> Vec<u8> {
    const ADDRESS: usize = 0x1000;
    const PLACE: usize = 0x400;
    let mut bytes = b"MZ".to_vec();
    bytes.resize(60, 0);
    bytes.extend(short(64));
    bytes.extend(b"PE\0\0\x4c\x01\x01\0");
    bytes.extend([0; 12]);
    bytes.extend([224, 0, 2, 1]);
    let mut header = vec![0; 224];
    let mut put = |at: usize, value: usize| header[at..at + 4].copy_from_slice(&short(value));
    put(0, 0x10b);
    put(32, ADDRESS);
    put(36, 0x200);
    put(56, 2 * ADDRESS);
    put(60, PLACE);
    put(92, 16);
    put(96 + 16, ADDRESS);
    put(96 + 20, PROGRAM_BYTES - PLACE);
    bytes.extend(header);
    bytes.extend(b".rsrc\0\0\0");
    for field in [
        PROGRAM_BYTES - PLACE,
        ADDRESS,
        PROGRAM_BYTES - PLACE,
        PLACE,
        0,
        0,
        0,
        0x4000_0040,
    ] {
        bytes.extend(short(field));
    }
    bytes.resize(PLACE, 0);
    let directory = |entries: Vec<(usize, usize)>| {
        let mut found = vec![0; 14];
        found.extend((entries.len() as u16).to_le_bytes());
        for (number, to) in entries {
            found.extend(short(number));
            found.extend(short(to));
        }
        found
    };
    let (is_directory, languages) = (1 << 31, 48 + 16 + 8 * tables.len());
    let mut resources = directory(vec![(10, is_directory | 24)]);
    resources.extend(directory(vec![(11111, is_directory | 48)]));
    let leaf = |at: usize| (1033 + at, languages + 16 * at);
    resources.extend(directory((0..tables.len()).map(leaf).collect()));
    resources.resize(languages, 0);
    let mut at = languages + 16 * tables.len();
    for table in tables {
        for field in [ADDRESS + at, table.len(), 0, 0] {
            resources.extend(short(field));
        }
        at += table.len();
    }
    tables.iter().for_each(|table| resources.extend(table));
    bytes.extend(resources);
    assert!(bytes.len() <= PROGRAM_BYTES);
    bytes.resize(PROGRAM_BYTES, 0);
    bytes
}

/// An installer: a program, what its files are packed as, and their list.
pub(super) fn installer(version: u32, data: &[u8], list: &[u8]) -> Vec<u8> {
    let data_at = if data.is_empty() { 0 } else { PROGRAM_BYTES };
    let list_at = PROGRAM_BYTES + data.len();
    let total = list_at + list.len();
    let table = table(version, total as u64, list_at as u64, data_at as u64);
    [&program(&[table]), data, list].concat()
}

/// A block that is not packed, of pieces of 4 KiB; since 6.7 its size has 64 bits.
fn block(plain: &[u8], is_long: bool) -> Vec<u8> {
    let mut pieces = Vec::new();
    for piece in plain.chunks(4096) {
        pieces.extend(crc32(piece).to_le_bytes());
        pieces.extend(piece);
    }
    let mut header = (pieces.len() as u64).to_le_bytes().to_vec();
    header.truncate(if is_long { 8 } else { 4 });
    header.push(0);
    let mut block = crc32(&header).to_le_bytes().to_vec();
    block.extend(header);
    block.extend(pieces);
    block
}

/// What the records of one version have besides their texts: how many texts, and how many bytes each field has.
pub(super) struct Form {
    pub(super) mark: &'static str,
    pub(super) header: (usize, &'static [usize]),
    /// What stands in front of the files: languages, messages, permissions, types, components, tasks, folders, keys.
    pub(super) before: &'static [(usize, usize)],
    pub(super) file: (usize, &'static [usize]),
    /// Which of those fields is the number of the content.
    pub(super) location: usize,
    pub(super) is_long: bool,
    pub(super) has_encryption: bool,
}

/// 6.4.3, `TSetupHeader` to `TSetupFileEntry` in the order of `Shared.Struct.pas`.
pub(super) const V6_4_3: Form = Form {
    mark: "Inno Setup Setup Data (6.4.3)",
    header: (
        37,
        &[
            4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 10, 10, 1, 4, 4, 1, 4, 16, 4, 24, 8, 4,
            1, 1, 1, 1, 1, 1, 1, 1, 1, 8, 6,
        ],
    ),
    before: &[(10, 21), (2, 4), (1, 0), (4, 30), (5, 42), (6, 26), (7, 27)],
    file: (10, &[10, 10, 4, 4, 8, 2, 4, 1]),
    location: 2,
    is_long: false,
    has_encryption: false,
};

/// 7.0.
pub(super) const V7_0: Form = Form {
    mark: "Inno Setup Setup Data (7.0.0.3)",
    header: (
        43,
        &[
            4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 10, 10, 4, 4, 1, 1, 4, 4, 4, 4,
            4, 4, 1, 1, 1, 8, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 8, 8,
        ],
    ),
    before: &[
        (8, 19),
        (2, 4),
        (1, 0),
        (4, 30),
        (5, 39),
        (6, 23),
        (7, 27),
        (3, 0),
    ],
    file: (16, &[32, 1, 10, 10, 4, 4, 8, 2, 1, 8, 1]),
    location: 4,
    is_long: true,
    has_encryption: true,
};

/// A content of a list.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) slices: (u32, u32),
    pub(super) start: u64,
    pub(super) at: u64,
    pub(super) bytes: u64,
    pub(super) packed: u64,
    pub(super) digest: [u8; 32],
    /// Calls 4, encrypted 8, packed 16.
    pub(super) flags: u8,
}

impl Form {
    /// The first part of a list: one of each entry in front of the files, and these, whose contents have these numbers.
    pub(super) fn entries(&self, files: &[(&str, u32)], locations: usize) -> Vec<u8> {
        let texts = |count: usize| vec![[1, 0, 0, 0, b'x']; count].concat();
        let (count, fields) = self.header;
        let mut bytes = texts(count);
        let mut counts = vec![1; self.before.len()];
        counts.extend([files.len(), locations]);
        for (at, size) in fields.iter().enumerate() {
            let value = counts.get(at).copied().unwrap_or(0);
            let mut field = value.to_le_bytes().to_vec();
            field.resize(*size, 0);
            bytes.extend(field);
        }
        for (count, size) in self.before {
            bytes.extend(texts(*count));
            bytes.extend(vec![7; *size]);
        }
        for (name, location) in files {
            let (count, fields) = self.file;
            bytes.extend(short(0));
            bytes.extend(short(2 * name.encode_utf16().count()));
            bytes.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
            bytes.extend(texts(count - 2));
            for (at, size) in fields.iter().enumerate() {
                match at == self.location {
                    true => bytes.extend(location.to_le_bytes()),
                    false => bytes.extend(vec![7; *size]),
                }
            }
        }
        // What follows the files is not read.
        bytes.extend([7; 100]);
        bytes
    }

    pub(super) fn places(&self, places: &[Place]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for place in places {
            bytes.extend(place.slices.0.to_le_bytes());
            bytes.extend(place.slices.1.to_le_bytes());
            match self.is_long {
                true => bytes.extend(place.start.to_le_bytes()),
                false => bytes.extend(short(place.start as usize)),
            }
            for field in [place.at, place.bytes, place.packed] {
                bytes.extend(field.to_le_bytes());
            }
            bytes.extend(place.digest);
            bytes.extend([7; 16]);
            bytes.push(place.flags);
        }
        bytes
    }

    /// A list of these two parts; `encryption` is how it is encrypted, in versions that say so in front.
    pub(super) fn list(&self, entries: &[u8], places: &[u8], encryption: u8) -> Vec<u8> {
        let mut bytes = self.mark.as_bytes().to_vec();
        bytes.resize(64, 0);
        if self.has_encryption {
            let mut header = [7; 49];
            header[0] = encryption;
            bytes.extend(crc32(&header).to_le_bytes());
            bytes.extend(header);
        }
        bytes.extend(block(entries, self.is_long));
        bytes.extend(block(places, self.is_long));
        bytes
    }
}
