//! Writes images as `hdiutil` does.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc_fast::{CrcAlgorithm, checksum};

/// How blocks are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Raw,
    Zlib,
    Bzip2,
    Lzfse,
    Xz,
}

impl Form {
    pub(crate) fn kind(self) -> u32 {
        match self {
            Self::Raw => 1,
            Self::Zlib => 0x8000_0005,
            Self::Bzip2 => 0x8000_0006,
            Self::Lzfse => 0x8000_0007,
            Self::Xz => 0x8000_0008,
        }
    }

    pub(crate) fn pack(self, plain: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::best;
        match self {
            Self::Raw => plain.to_vec(),
            Self::Zlib => {
                let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), level());
                writer.write_all(plain).expect("memory");
                writer.finish().expect("memory")
            }
            Self::Bzip2 => {
                let level = bzip2::Compression::best();
                let mut writer = bzip2::write::BzEncoder::new(Vec::new(), level);
                writer.write_all(plain).expect("memory");
                writer.finish().expect("memory")
            }
            Self::Lzfse => {
                let mut packed = Vec::new();
                lzfse_rust::encode_bytes(plain, &mut packed).expect("memory");
                packed
            }
            Self::Xz => xz(plain),
        }
    }
}

fn xz(plain: &[u8]) -> Vec<u8> {
    let mut xz = Command::new("xz");
    xz.args(["--compress", "--stdout"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = xz.spawn().expect("xz");
    let mut input = child.stdin.take().expect("a pipe");
    let plain = plain.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&plain));
    let output = child.wait_with_output().expect("xz");
    writer.join().expect("a thread").expect("a pipe");
    output.stdout
}

/// A block as a table describes it: kind, sectors from the beginning of the table, how many, and its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Described {
    pub(crate) kind: u32,
    pub(crate) sector: u64,
    pub(crate) sectors: u64,
    pub(crate) packed: Vec<u8>,
    /// Where its bytes are said to lie, where that is not where they do.
    pub(crate) offset: Option<u64>,
}

/// A table of blocks.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) first: u64,
    pub(crate) sectors: u64,
    pub(crate) crc32: u32,
    pub(crate) blocks: Vec<Described>,
}

/// The sectors of a block.
pub(crate) const BLOCK_SECTORS: usize = 512;

impl Table {
    /// A table of all bytes, whose zeros are not stored.
    pub(crate) fn new(name: &'static str, first: u64, plain: &[u8], form: Form) -> Self {
        assert_eq!(plain.len() % 512, 0);
        let mut sector = 0;
        let blocks = plain.chunks(BLOCK_SECTORS * 512).map(|chunk| {
            let is_zero = chunk.iter().all(|byte| *byte == 0);
            let sectors = (chunk.len() / 512) as u64;
            let block = Described {
                kind: if is_zero { 0 } else { form.kind() },
                sector,
                sectors,
                packed: if is_zero {
                    Vec::new()
                } else {
                    form.pack(chunk)
                },
                offset: None,
            };
            sector += sectors;
            block
        });
        Self {
            name,
            first,
            blocks: blocks.collect(),
            sectors: sector,
            crc32: crc32(plain),
        }
    }
}

pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    u32::try_from(checksum(CrcAlgorithm::Crc32IsoHdlc, bytes)).expect("32 bits")
}

fn stated(sum: u32) -> Vec<u8> {
    let mut bytes = [2_u32, 32, sum].map(u32::to_be_bytes).concat();
    bytes.resize(136, 0);
    bytes
}

/// An image of tables, with every checksum.
pub(crate) fn of_tables(tables: &[Table], sectors: u64) -> Vec<u8> {
    let mut data = Vec::new();
    let mut pieces = String::new();
    let mut sums = Vec::new();
    for table in tables {
        let mut mish = b"mish\0\0\0\x01".to_vec();
        for number in [table.first, table.sectors, 0] {
            mish.extend(number.to_be_bytes());
        }
        mish.resize(0x40, 0);
        mish.extend(stated(table.crc32));
        sums.extend(table.crc32.to_be_bytes());
        let count = u32::try_from(table.blocks.len() + 1).expect("small");
        mish.extend(count.to_be_bytes());
        let end = Described {
            kind: 0xffff_ffff,
            sector: table.sectors,
            sectors: 0,
            packed: Vec::new(),
            offset: None,
        };
        for block in table.blocks.iter().chain([&end]) {
            mish.extend(block.kind.to_be_bytes());
            mish.extend([0; 4]);
            let offset = block.offset.unwrap_or(data.len() as u64);
            for number in [
                block.sector,
                block.sectors,
                offset,
                block.packed.len() as u64,
            ] {
                mish.extend(number.to_be_bytes());
            }
            data.extend(&block.packed);
        }
        let encoded = BASE64.encode(mish);
        pieces.push_str(&format!(
            "<dict><key>Attributes</key><string>0x0050</string><key>CFName</key><string>{}</string><key>Data</key><data>{encoded}</data><key>ID</key><string>0</string></dict>",
            table.name
        ));
    }
    let list = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict><key>resource-fork</key><dict><key>blkx</key><array>{pieces}</array></dict></dict></plist>\n"
    );
    let mut koly = b"koly\0\0\0\x04\0\0\x02\0\0\0\0\x01".to_vec();
    for number in [0, 0, data.len() as u64, 0, 0] {
        koly.extend(number.to_be_bytes());
    }
    koly.extend([0, 0, 0, 1, 0, 0, 0, 1]);
    koly.resize(0x50, 7);
    koly.extend(stated(crc32(&data)));
    koly.extend((data.len() as u64).to_be_bytes());
    koly.extend((list.len() as u64).to_be_bytes());
    koly.resize(0x160, 0);
    koly.extend(stated(crc32(&sums)));
    koly.extend([0, 0, 0, 1]);
    koly.extend(sectors.to_be_bytes());
    koly.resize(512, 0);
    [data, list.into_bytes(), koly].concat()
}

/// How a disk is parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Map {
    None,
    Guid,
    Apple,
}

/// The type of a partition that holds a volume, in the bytes of a GUID table.
pub(crate) const HFS: &[u8; 16] = b"\0SFH\0\0\xaa\x11\xaa\x11\0\x30\x65\x43\xec\xac";
pub(crate) const APFS: &[u8; 16] = b"\xef\x57\x34\x7c\0\0\xaa\x11\xaa\x11\0\x30\x65\x43\xec\xac";

/// The sector at which the first partition begins.
pub(crate) const FIRST: u64 = 40;

/// A GUID table of partitions: type, first sector, last one. Sectors 0 to 33.
pub(crate) fn guid_table(partitions: &[(&[u8; 16], u64, u64)], sectors: u64) -> Vec<u8> {
    let mut entries = Vec::new();
    for (kind, first, last) in partitions {
        entries.extend(kind.iter());
        entries.extend([9; 16]);
        entries.extend(first.to_le_bytes());
        entries.extend(last.to_le_bytes());
        entries.resize(entries.len().next_multiple_of(128), 0);
    }
    entries.resize(128 * 128, 0);
    let mut header = b"EFI PART\0\0\x01\0\x5c\0\0\0".to_vec();
    header.extend([0; 8]);
    for number in [1, sectors - 1, 34, sectors - 34] {
        header.extend(number.to_le_bytes());
    }
    header.extend([8; 16]);
    header.extend(2_u64.to_le_bytes());
    for number in [128, 128, crc32(&entries)] {
        header.extend(number.to_le_bytes());
    }
    let sum = crc32(&header);
    header[16..20].copy_from_slice(&sum.to_le_bytes());
    header.resize(512, 0);
    let mut mbr = vec![0; 512];
    mbr[446..462].copy_from_slice(b"\0\0\x02\0\xee\xff\xff\xff\x01\0\0\0\xff\xff\xff\xff");
    mbr[510..].copy_from_slice(&[0x55, 0xaa]);
    [mbr, header, entries].concat()
}

/// An Apple map of partitions: type, first sector, how many.
pub(crate) fn apple_map(partitions: &[(&str, u32, u32)]) -> Vec<u8> {
    let mut bytes = b"ER\x02\0".to_vec();
    bytes.resize(512, 0);
    let count = u32::try_from(partitions.len()).expect("small");
    for (kind, first, sectors) in partitions {
        let mut entry = b"PM\0\0".to_vec();
        for number in [count, *first, *sectors] {
            entry.extend(number.to_be_bytes());
        }
        entry.extend(b"disk image");
        entry.resize(48, 0);
        entry.extend(kind.bytes());
        entry.resize(512, 0);
        bytes.extend(entry);
    }
    bytes
}

/// An image of one volume.
pub(crate) fn of_volume(volume: &[u8], kind: &[u8; 16], map: Map, form: Form) -> Vec<u8> {
    let mut volume = volume.to_vec();
    volume.resize(volume.len().next_multiple_of(512), 0);
    let sectors = volume.len() as u64 / 512;
    let short = |number: u64| u32::try_from(number).expect("small");
    match map {
        Map::None => of_tables(&[Table::new("whole disk", 0, &volume, form)], sectors),
        Map::Guid => {
            let all = FIRST + sectors + 40;
            let table = guid_table(&[(kind, FIRST, FIRST + sectors - 1)], all);
            let tables = [
                Table::new("GUID table", 0, &table, form),
                Table::new("disk image", FIRST, &volume, form),
            ];
            of_tables(&tables, all)
        }
        Map::Apple => {
            let partitions = [
                ("Apple_partition_map", 1, 3),
                ("Apple_HFS", short(FIRST), short(sectors)),
                ("Apple_Free", short(FIRST + sectors), 8),
            ];
            let tables = [
                Table::new("map", 0, &apple_map(&partitions), form),
                Table::new("disk image", FIRST, &volume, form),
            ];
            of_tables(&tables, FIRST + sectors + 8)
        }
    }
}
