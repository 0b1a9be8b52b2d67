//! Files as the file system compresses them.

use std::io::Write as _;

/// A file in one form.
pub(super) struct Compressed {
    pub(super) name: &'static str,
    pub(super) plain: Vec<u8>,
    pub(super) attribute: Vec<u8>,
    pub(super) resource: Option<Vec<u8>>,
}

/// The header of an attribute of a compressed file.
pub(super) fn decmpfs(kind: u32, bytes: usize) -> Vec<u8> {
    [
        b"fpmc",
        &kind.to_le_bytes()[..],
        &(bytes as u64).to_le_bytes(),
    ]
    .concat()
}

/// LZVN as the file system stores it, of bytes that the encoder of LZFSE writes so.
fn lzvn(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    lzfse_rust::encode_bytes(plain, &mut packed).expect("memory");
    assert!(
        packed.starts_with(b"bvxn"),
        "short inputs are written as LZVN"
    );
    packed[12..packed.len() - 4].to_vec()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(plain).expect("memory");
    writer.finish().expect("memory")
}

/// A resource fork of blocks: with the header and table of zlib, or the table of the others.
pub(super) fn resource(blocks: &[Vec<u8>], is_zlib: bool) -> Vec<u8> {
    let number = |value: usize| u32::try_from(value).expect("small");
    let mut table = Vec::new();
    let mut at = match is_zlib {
        true => 4 + 8 * blocks.len(),
        false => 4 * (blocks.len() + 1),
    };
    for block in blocks {
        table.extend(number(at).to_le_bytes());
        if is_zlib {
            table.extend(number(block.len()).to_le_bytes());
        }
        at += block.len();
    }
    if !is_zlib {
        table.extend(number(at).to_le_bytes());
        return [table, blocks.concat()].concat();
    }
    let mut fork = [256, number(at) + 260, number(at) + 4, 50]
        .map(u32::to_be_bytes)
        .concat();
    fork.resize(256, 0);
    fork.extend(number(at).to_be_bytes());
    fork.extend(number(blocks.len()).to_le_bytes());
    fork.extend(table);
    fork.extend(blocks.concat());
    // The map of resources, of which there is one: `cmpf`.
    fork.extend([0; 24]);
    fork.extend([0, 28, 0, 50, 0, 0]);
    fork.extend(b"cmpf\0\0\0\x0a\0\x01\xff\xff\0\0\0\0\0\0\0\0");
    fork
}

/// What a text unpacks to that no coder stores as it is.
pub(super) fn text(bytes: usize) -> Vec<u8> {
    (0..)
        .flat_map(|it: u32| format!("{} ", it.wrapping_mul(2_654_435_761) >> 20).into_bytes())
        .take(bytes)
        .collect()
}

/// Files in every form that is read: number of type, attribute behind its header, and resource fork, all of one text.
pub(super) fn compressed() -> Vec<Compressed> {
    let (short, long) = (text(900), text(134_000));
    let lzfse = |plain: &[u8]| {
        let mut packed = Vec::new();
        lzfse_rust::encode_bytes(plain, &mut packed).expect("memory");
        packed
    };
    let blocks = |pack: &dyn Fn(&[u8]) -> Vec<u8>, raw: u8| -> Vec<Vec<u8>> {
        let mut blocks: Vec<_> = long.chunks(65_536).map(pack).collect();
        blocks[1] = [&[raw][..], &long[65_536..131_072]].concat();
        blocks
    };
    let inline = |kind, packed: Vec<u8>| [decmpfs(kind, short.len()), packed].concat();
    let lzvn_blocks = |plain: &[u8]| match plain.len() < 4096 {
        true => lzvn(plain),
        false => [&[6][..], plain].concat(),
    };
    let forms = [
        ("zlib", short.clone(), inline(3, zlib(&short)), None),
        (
            "plain-zlib",
            short.clone(),
            inline(3, [&[0xff][..], &short].concat()),
            None,
        ),
        ("lzvn", short.clone(), inline(7, lzvn(&short)), None),
        ("lzfse", short.clone(), inline(11, lzfse(&short)), None),
        (
            "zlib-fork",
            long.clone(),
            decmpfs(4, long.len()),
            Some(resource(&blocks(&zlib, 0xff), true)),
        ),
        (
            "lzvn-fork",
            long.clone(),
            decmpfs(8, long.len()),
            Some(resource(&blocks(&lzvn_blocks, 6), false)),
        ),
        (
            "lzfse-fork",
            long.clone(),
            decmpfs(12, long.len()),
            Some(resource(&blocks(&lzfse, 0xff), false)),
        ),
        ("nothing", Vec::new(), decmpfs(3, 0), None),
    ];
    let form = |(name, plain, attribute, resource)| Compressed {
        name,
        plain,
        attribute,
        resource,
    };
    forms.map(form).into()
}
