//! Images, maps, and volumes with one thing wrong, each of which must be refused for that.

mod containers;
mod volumes;

use super::hfs::made;
use super::image::{
    APFS, Described, FIRST, Form, HFS, Map, Table, apple_map, guid_table, of_tables, of_volume,
};
use super::volume::Volume;
use super::*;

/// A volume, the disk around it, and where the volume ends.
struct Disk {
    table: Vec<u8>,
    volume: Vec<u8>,
    sectors: u64,
}

impl Disk {
    fn new(volume: &[u8]) -> Self {
        let mut volume = volume.to_vec();
        volume.resize(volume.len().next_multiple_of(512), 0);
        let count = volume.len() as u64 / 512;
        let sectors = FIRST + count + 40;
        let table = guid_table(&[(HFS, FIRST, FIRST + count - 1)], sectors);
        Self {
            table,
            volume,
            sectors,
        }
    }

    fn tables(&self) -> Vec<Table> {
        vec![
            Table::new("GUID table", 0, &self.table, Form::Zlib),
            Table::new("disk image", FIRST, &self.volume, Form::Zlib),
        ]
    }

    fn with_table(&self, table: Vec<u8>) -> Vec<u8> {
        let disk = Self {
            table,
            volume: self.volume.clone(),
            sectors: self.sectors,
        };
        of_tables(&disk.tables(), self.sectors)
    }
}

fn refused(what: &str, image: &[u8], expected: &str) {
    crate::tests::keep(&format!("{what}.dmg"), image);
    let reason = look(image).expect_err(what);
    assert!(reason.contains(expected), "{what}: {reason}");
    assert!(!reason.chars().any(char::is_control), "{what}: {reason}");
}

/// What is done to the blocks of the volume, and why it is refused.
type Spoil = fn(&mut Vec<Table>);

const BLOCKS: [(&str, Spoil, &str); 15] = [
    (
        "tables that overlap",
        |it| it[1].first = 20,
        "two blocks of the image unpack",
    ),
    (
        "a gap",
        |it| it[1].blocks[1].sector += 1,
        "one behind the other",
    ),
    (
        "the same again",
        |it| it[1].blocks[1].sector -= 1,
        "one behind the other",
    ),
    ("too long", |it| it[1].sectors -= 1, "longer than"),
    ("too short", |it| it[1].sectors += 1, "shorter than"),
    (
        "of no kind",
        |it| it[1].blocks[0].kind = 0x8000_0009,
        "of a kind that is not known",
    ),
    ("ADC", |it| it[1].blocks[0].kind = 0x8000_0004, "ADC"),
    (
        "an end before the end",
        |it| it[1].blocks[1].kind = 0xffff_ffff,
        "is not the last",
    ),
    (
        "raw and of another length",
        |it| it[1].blocks[0].kind = 1,
        "another length in the file",
    ),
    (
        "outside the data",
        |it| it[1].blocks[0].offset = Some(1 << 40),
        "does not lie in the data",
    ),
    (
        "an offset past all numbers",
        |it| it[1].blocks[0].offset = Some(u64::MAX),
        "one cannot be read",
    ),
    (
        "in one place",
        |it| it[1].blocks[1].offset = Some(0),
        "from one place of its data",
    ),
    (
        "the wrong checksum",
        |it| it[1].crc32 ^= 1,
        "`disk image` unpacks to bytes that do not have",
    ),
    (
        "another byte",
        |it| {
            let packed = &mut it[1].blocks[0].packed;
            let middle = packed.len() / 2;
            packed[middle] ^= 0x10;
        },
        "begins at sector 40",
    ),
    (
        "bytes behind a block",
        |it| it[1].blocks[0].packed.push(0),
        "length that is stated",
    ),
];

#[test]
fn blocks_with_one_thing_wrong_are_refused() {
    let Some((_folder, volume, _)) = made() else {
        return;
    };
    let disk = Disk::new(&volume);
    assert!(look(&of_tables(&disk.tables(), disk.sectors)).is_ok());
    for (what, spoil, expected) in BLOCKS {
        let mut tables = disk.tables();
        spoil(&mut tables);
        refused(what, &of_tables(&tables, disk.sectors), expected);
    }
    for (what, bytes) in [("more", 513 * 512), ("less", 511 * 512)] {
        for form in [Form::Zlib, Form::Bzip2, Form::Lzfse, Form::Xz] {
            let mut tables = disk.tables();
            tables[1].blocks[0].kind = form.kind();
            tables[1].blocks[0].packed = form.pack(&vec![5; bytes]);
            refused(
                what,
                &of_tables(&tables, disk.sectors),
                "length that is stated",
            );
        }
    }
    // Each of them few enough.
    let mut zeros = disk.tables();
    let few = 1 << 21;
    let block = |at| Described {
        kind: 0,
        sector: at * few,
        sectors: few,
        packed: Vec::new(),
        offset: None,
    };
    zeros[1].blocks = (0..64).map(block).collect();
    zeros[1].sectors = 64 * few;
    let image = of_tables(&zeros, FIRST + 64 * few);
    refused("zeros", &image, "more zeros than are summed");
    let short = of_tables(&disk.tables(), disk.sectors / 2);
    refused("a disk of fewer sectors", &short, "its blocks end at");
    let mut end = of_tables(&disk.tables(), disk.sectors);
    let at = end.len() - 512;
    crate::tests::put(&mut end, at + 0xd8, &u64::MAX.to_be_bytes());
    refused("a list outside the file", &end, "lies outside the file");
}

#[test]
fn maps_with_one_thing_wrong_are_refused() {
    let Some((_folder, volume, _)) = made() else {
        return;
    };
    let disk = Disk::new(&volume);
    let last = FIRST + disk.volume.len() as u64 / 512 - 1;
    let of = |partitions: &[(&[u8; 16], u64, u64)]| {
        disk.with_table(guid_table(partitions, disk.sectors))
    };
    let other: &[u8; 16] = b"another type....";
    let mut cases = vec![
        (
            "an unknown type",
            of(&[(HFS, FIRST, last), (other, last + 1, last + 2)]),
            "of a type that is not read",
        ),
        (
            "partitions that overlap",
            of(&[(HFS, FIRST, last), (HFS, last, last + 8)]),
            "overlap",
        ),
        (
            "outside",
            of(&[(HFS, FIRST, disk.sectors + 1)]),
            "outside the disk",
        ),
        ("backwards", of(&[(HFS, last, FIRST)]), "cannot be read"),
        (
            "past all numbers",
            of(&[(HFS, FIRST, u64::MAX)]),
            "cannot be read",
        ),
        (
            "no volume",
            of(&[(HFS, FIRST + 1, last)]),
            "none that is read",
        ),
        ("nothing", of(&[]), "none that is read"),
        (
            "a second volume",
            of(&[(HFS, FIRST, last), (APFS, last + 1, last + 8)]),
            "none that is read",
        ),
    ];
    for (what, at, expected) in [
        ("header", 540, "cannot be read"),
        ("table", 1100, "its checksum"),
    ] {
        let mut table = disk.table.clone();
        table[at] ^= 1;
        cases.push((what, disk.with_table(table), expected));
    }
    let mut both = disk.table.clone();
    crate::tests::put(&mut both, 32, b"NXSB");
    cases.push((
        "a volume at the beginning too",
        disk.with_table(both),
        "where they are described",
    ));
    let mut iso = disk.volume.clone();
    iso.resize(iso.len().max(40_000), 0);
    crate::tests::put(&mut iso, 0x8001, b"CD001");
    cases.push((
        "ISO 9660 too",
        of_volume(&iso, HFS, Map::None, Form::Zlib),
        "ISO 9660",
    ));
    let mut two = disk.volume.clone();
    crate::tests::put(&mut two, 32, b"NXSB");
    cases.push((
        "APFS too",
        of_volume(&two, HFS, Map::None, Form::Zlib),
        "HFS+ and APFS",
    ));
    let text = vec![b'x'; 8192];
    cases.push((
        "a text",
        of_volume(&text, HFS, Map::None, Form::Zlib),
        "none that is read",
    ));
    for (kind, count, expected) in [
        ("Apple_UNIX_SVR2", 2, "of a type that is not read"),
        ("Apple_HFS", 2, "overlap"),
    ] {
        let map = apple_map(&vec![(kind, 40, 8); count]);
        let tables = [
            Table::new("map", 0, &map, Form::Zlib),
            Table::new("disk image", FIRST, &disk.volume, Form::Zlib),
        ];
        cases.push((kind, of_tables(&tables, disk.sectors), expected));
    }
    for (what, image, expected) in cases {
        refused(what, &image, expected);
    }
    let two = [&disk.volume[..], &disk.volume[..]].concat();
    let twice = Disk {
        table: guid_table(
            &[(HFS, FIRST, last), (HFS, last + 1, 2 * last + 1 - FIRST)],
            2 * disk.sectors,
        ),
        volume: two,
        sectors: 2 * disk.sectors,
    };
    refused(
        "two volumes",
        &of_tables(&twice.tables(), twice.sectors),
        "it has 2 volumes",
    );
}
