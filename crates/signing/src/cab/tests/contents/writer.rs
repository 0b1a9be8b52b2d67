//! Cabinets, written as they are wanted ([MS-CAB] 2).

use std::io::Write as _;

/// What one block unpacks to, and its bytes.
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    pub(crate) plain: u16,
}

pub(crate) struct Folder {
    pub(crate) packing: u16,
    pub(crate) blocks: Vec<Block>,
}

/// An entry of the list of files.
#[derive(Clone)]
pub(crate) struct File {
    folder: u16,
    at: u32,
    size: u32,
    name: Vec<u8>,
}

pub(crate) fn file(folder: u16, at: u32, size: u32, name: &[u8]) -> File {
    let name = name.to_vec();
    File {
        folder,
        at,
        size,
        name,
    }
}

/// A folder that is not packed.
pub(crate) fn stored(plain: &[u8]) -> Folder {
    let blocks = plain.chunks(32 * 1024).map(|piece| Block {
        bytes: piece.to_vec(),
        plain: piece.len() as u16,
    });
    Folder {
        packing: 0,
        blocks: blocks.collect(),
    }
}

/// A folder of MSZIP, whose blocks refer to nothing before them.
pub(crate) fn zipped(plain: &[u8]) -> Folder {
    let blocks = plain.chunks(32 * 1024).map(|piece| {
        let level = flate2::Compression::fast();
        let mut encoder = flate2::write::DeflateEncoder::new(b"CK".to_vec(), level);
        encoder.write_all(piece).expect("memory");
        Block {
            bytes: encoder.finish().expect("memory"),
            plain: piece.len() as u16,
        }
    });
    Folder {
        packing: 1,
        blocks: blocks.collect(),
    }
}

pub(crate) fn cabinet(folders: &[Folder], files: &[File]) -> Vec<u8> {
    let mut list = Vec::new();
    for file in files {
        list.extend(file.size.to_le_bytes());
        list.extend(file.at.to_le_bytes());
        list.extend(file.folder.to_le_bytes());
        list.extend([0; 6]);
        list.extend(&file.name);
        list.push(0);
    }
    let files_at = 36 + 8 * folders.len();
    let (mut heads, mut data) = (Vec::new(), Vec::new());
    for folder in folders {
        heads.extend(((files_at + list.len() + data.len()) as u32).to_le_bytes());
        heads.extend((folder.blocks.len() as u16).to_le_bytes());
        heads.extend(folder.packing.to_le_bytes());
        for block in &folder.blocks {
            let mut sizes = (block.bytes.len() as u16).to_le_bytes().to_vec();
            sizes.extend(block.plain.to_le_bytes());
            data.extend((sum(&block.bytes) ^ sum(&sizes)).to_le_bytes());
            data.extend(sizes);
            data.extend(&block.bytes);
        }
    }
    let size = files_at + list.len() + data.len();
    let mut bytes = b"MSCF\0\0\0\0".to_vec();
    for field in [size, 0, files_at, 0] {
        bytes.extend((field as u32).to_le_bytes());
    }
    bytes.extend([3, 1]);
    for field in [folders.len(), files.len(), 0, 0, 0] {
        bytes.extend((field as u16).to_le_bytes());
    }
    [bytes, heads, list, data].concat()
}

/// The sum of [MS-CAB] 3.1, as it is drawn there: byte by byte.
fn sum(bytes: &[u8]) -> u32 {
    let whole = bytes.len() / 4 * 4;
    let rest = bytes.len() - whole;
    let place = |at: usize| match at < whole {
        true => at % 4,
        false => rest - 1 - (at - whole),
    };
    let bytes = bytes.iter().enumerate();
    bytes.fold(0, |sum, (at, byte)| {
        sum ^ u32::from(*byte) << (8 * place(at))
    })
}

/// Takes the sums of all blocks out of a cabinet of one folder.
pub(crate) fn without_sums(bytes: &mut [u8]) {
    let number =
        |bytes: &[u8], at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let mut at = number(bytes, 36) | number(bytes, 38) << 16;
    for _ in 0..number(bytes, 40) {
        bytes[at..at + 4].fill(0);
        at += 8 + number(bytes, at + 4);
    }
}
