//! Archives of a writer of our own with one thing wrong, and real ones with any byte wrong.

use proptest::prelude::*;

use super::*;
use crate::checks::Outcome;
use crate::walk::tests::{bad, look};

/// What an archive is made of. Numbers are one byte each, as all of them are small.
#[derive(Clone)]
pub(crate) struct Made {
    version: [u8; 2],
    packed: Vec<u8>,
    begins: u8,
    sizes: Vec<u8>,
    /// Coders, and how they are connected.
    block: Vec<u8>,
    unpacked: Vec<u8>,
    crc: Vec<u8>,
    substreams: Vec<u8>,
    names: Vec<u8>,
    /// Further properties of the files.
    files: Vec<u8>,
    count: u8,
    behind_header: Vec<u8>,
    gap: Vec<u8>,
    behind: Vec<u8>,
}

fn crc(bytes: &[u8]) -> [u8; 4] {
    let found = checksum(CrcAlgorithm::Crc32IsoHdlc, bytes);
    u32::try_from(found).expect("32 bits").to_le_bytes()
}

fn name(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().chain([0]);
    units.flat_map(u16::to_le_bytes).collect()
}

fn property(id: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).expect("short");
    [&[id, length], content].concat()
}

impl Made {
    /// One file, as it is.
    pub(crate) fn new(path: &str, content: &[u8]) -> Self {
        let size = u8::try_from(content.len()).expect("short");
        Self {
            version: [0, 4],
            packed: content.to_vec(),
            begins: 0,
            sizes: vec![size],
            block: vec![1, 1, 0],
            unpacked: vec![size],
            crc: [&[10, 1][..], &crc(content)].concat(),
            substreams: Vec::new(),
            names: [&[0][..], &name(path)].concat(),
            files: Vec::new(),
            count: 1,
            behind_header: Vec::new(),
            gap: Vec::new(),
            behind: Vec::new(),
        }
    }

    fn header(&self) -> Vec<u8> {
        let streams = u8::try_from(self.sizes.len()).expect("few");
        let packed = [&[6, self.begins, streams, 9][..], &self.sizes, &[0]].concat();
        let blocks = [
            &[7, 11, 1, 0][..],
            &self.block,
            &[12],
            &self.unpacked,
            &self.crc,
            &[0],
        ];
        let files = [
            &[5, self.count][..],
            &property(17, &self.names),
            &self.files,
            &[0],
        ];
        [
            &[1, 4][..],
            &packed,
            &blocks.concat(),
            &self.substreams,
            &[0],
            &files.concat(),
            &[0],
            &self.behind_header,
        ]
        .concat()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let header = self.header();
        let at = (self.packed.len() + self.gap.len()) as u64;
        let start = [
            &at.to_le_bytes()[..],
            &(header.len() as u64).to_le_bytes(),
            &crc(&header),
        ]
        .concat();
        [
            MAGIC,
            &self.version,
            &crc(&start),
            &start,
            &self.packed,
            &self.gap,
            &header,
            &self.behind,
        ]
        .concat()
    }
}

type Mutant = (&'static str, &'static str, fn(&mut Made));

const MUTANTS: &[Mutant] = &[
    ("another version", "version 1.0", |it| it.version = [1, 0]),
    ("a later version", "version 0.5", |it| it.version = [0, 5]),
    ("trailing data", "its headers say", |it| it.behind.push(0)),
    ("a byte between", "named by nothing", |it| it.gap.push(0)),
    ("a byte before", "named by nothing", |it| it.begins = 1),
    ("packed bytes twice", "named by nothing", |it| {
        it.sizes = vec![9]
    }),
    (
        "two streams for one coder",
        "do not belong together",
        |it| it.sizes = vec![7, 1],
    ),
    ("fewer bytes than stated", "than its archive states", |it| {
        it.unpacked = vec![9];
    }),
    ("more bytes than stated", "than its archive states", |it| {
        it.unpacked = vec![7];
        it.crc[2..].copy_from_slice(&crc(&CONTENT[..7]));
    }),
    ("another checksum", "does not have the checksum", |it| {
        it.crc[2] ^= 1
    }),
    ("something behind the header", "behind its header", |it| {
        it.behind_header.push(0)
    }),
    ("a second property of names", "has the property 17", |it| {
        it.files = property(17, &it.names.clone());
    }),
    ("an unknown property", "has the property 26", |it| {
        it.files = property(26, &[0])
    }),
    ("a comment", "has the property 22", |it| {
        it.files = property(22, &[0])
    }),
    ("names elsewhere", "stand elsewhere", |it| it.names[0] = 1),
    ("a name without its end", "no UTF-16", |it| {
        it.names.truncate(5)
    }),
    ("half a surrogate", "no UTF-16", |it| {
        it.names[1..3].copy_from_slice(&[0, 0xd8])
    }),
    ("a name too many", "no UTF-16", |it| {
        it.names.extend(name("b"))
    }),
    ("more files than names", "no UTF-16", |it| it.count = 2),
    ("more files than streams", "do not belong together", |it| {
        it.count = 2;
        it.names.extend(name("b"));
    }),
    ("fewer files than streams", "do not belong together", |it| {
        it.substreams = [
            &[8, 13, 2, 9, 3, 10, 1][..],
            &crc(b"MZ "),
            &crc(b"code!"),
            &[0],
        ]
        .concat();
    }),
    ("sizes beyond the block", "do not belong together", |it| {
        it.substreams = [&[8, 13, 2, 9, 9, 10, 1][..], &[0; 9]].concat();
    }),
    (
        "a stream that is no file's",
        "do not belong together",
        |it| {
            it.count = 0;
            it.names.truncate(1);
        },
    ),
    ("an encrypted file", "encrypted", |it| {
        it.block = vec![1, 0x24, 6, 0xf1, 7, 1, 2, 0x13, 0];
    }),
    ("a method that is not known", "the method 7f", |it| {
        it.block = vec![1, 1, 0x7f]
    }),
    ("PPMd", "PPMd", |it| {
        it.block = vec![1, 0x23, 3, 4, 1, 5, 6, 0, 0, 0, 1]
    }),
    (
        "properties of what has none",
        "properties or inputs",
        |it| {
            it.block = vec![1, 0x21, 0, 1, 0];
        },
    ),
    ("a coder of two inputs", "properties or inputs", |it| {
        it.block = vec![1, 0x11, 0, 2, 1, 0, 1];
        it.sizes = vec![4, 4];
    }),
    ("a coder of two outputs", "connected in no way", |it| {
        it.block = vec![1, 0x11, 0, 1, 2];
    }),
    ("a flag that is kept free", "connected in no way", |it| {
        it.block = vec![1, 0x81, 0]
    }),
    ("no coder", "connected in no way", |it| it.block = vec![0]),
    ("too many coders", "connected in no way", |it| {
        it.block = vec![9]
    }),
    (
        "a coder that is its own input",
        "properties or inputs",
        |it| {
            // The second one is connected to itself, and nobody reads it.
            it.block = vec![2, 1, 0, 1, 0, 1, 1];
            it.unpacked = vec![8, 8];
        },
    ),
    ("an output taken twice", "connected in no way", |it| {
        it.block = vec![3, 1, 0, 1, 0, 1, 0, 1, 0, 2, 0];
        it.unpacked = vec![8, 8, 8];
    }),
    ("an input that is not there", "connected in no way", |it| {
        it.block = vec![2, 1, 0, 1, 0, 5, 0];
    }),
    (
        "something behind a stream",
        "something stands behind",
        |it| {
            // RFC 1951: the last block, which is stored.
            it.packed = [&[1, 8, 0, 0xf7, 0xff], CONTENT, &[0]].concat();
            it.sizes = vec![14];
            it.block = vec![1, 0x23, 4, 1, 8, 0];
        },
    ),
    ("a dictionary without end", "needs a dictionary", |it| {
        it.block = vec![1, 0x23, 3, 1, 1, 5, 0x5d, 0xff, 0xff, 0xff, 0xff];
        // 4 GiB are said to come of it.
        it.unpacked = vec![0xf0, 0xff, 0xff, 0xff, 0xff];
    }),
    ("a file that is to be removed", "to be removed", |it| {
        it.count = 2;
        it.names.extend(name("b"));
        it.files = [
            property(14, &[0x40]),
            property(15, &[0x80]),
            property(16, &[0x80]),
        ]
        .concat();
    }),
    ("a folder with content", "contradict one another", |it| {
        it.files = property(21, &[1, 0, 0x10, 0, 0, 0]);
    }),
    ("a link of Windows", "contradict one another", |it| {
        it.files = property(21, &[1, 0, 0, 4, 0, 0]);
    }),
    ("a device", "contradict one another", |it| {
        it.files = property(21, &[1, 0, 0, 0x80, 0xff, 0x61]);
    }),
    ("attributes of more files", "behind its header", |it| {
        it.files = property(21, &[1, 0, 0x20, 0, 0, 0, 0]);
    }),
    ("a filler that is none", "has the property 25", |it| {
        it.files = property(25, &[1])
    }),
    ("a name that leaves", "leaves its folder", |it| {
        it.names = [&[0][..], &name("../a.exe")].concat();
    }),
    ("an absolute name", "absolute", |it| {
        it.names = [&[0][..], &name("/a.exe")].concat()
    }),
    ("a drive", "absolute", |it| {
        it.names = [&[0][..], &name("C:a.exe")].concat()
    }),
    ("a backslash", "read differently", |it| {
        it.names = [&[0][..], &name("a\\b.exe")].concat();
    }),
    ("one name twice", "is there twice", |it| {
        it.count = 2;
        it.names.extend(name("a.exe"));
        it.files = [property(14, &[0x40]), property(15, &[0x80])].concat();
    }),
];

const CONTENT: &[u8] = b"MZ code!";

#[test]
fn one_thing_wrong_is_refused() {
    let good = Made::new("a.exe", CONTENT);
    let contents = look(Cursor::new(good.bytes())).expect("a container");
    assert_eq!(bad(&contents), []);
    assert_eq!((contents.container, contents.files), ("7z archive", 1));
    for (what, expected, spoil) in MUTANTS {
        let mut made = good.clone();
        spoil(&mut made);
        let contents = look(Cursor::new(made.bytes())).expect("a container");
        let [(id, outcome, reason)] = bad(&contents)[..] else {
            panic!("{what}: {contents:?}");
        };
        assert_eq!((id, outcome), ("contents.parse", Outcome::Fail), "{what}");
        assert!(reason.contains(expected), "{what}: {reason}");
    }
}

#[test]
fn attributes_tell_links_and_programs() {
    let mut link = Made::new("link", b"a.exe");
    link.files = property(21, &[1, 0, 0x20, 0x80, 0xff, 0xa1]);
    let link = read(&link.bytes()).expect("an archive");
    assert_eq!(link["link"].0, EntryKind::Link("a.exe".to_owned()));
    let nothing = [MAGIC, &[0, 4], &crc(&[0; 20]), &[0; 20]].concat();
    assert_eq!(read(&nothing), Ok(Found::new()));
}

/// Each byte of a real archive belongs to something that is checked.
#[test]
fn real_archives_with_any_byte_wrong_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.txt"), b"all work ".repeat(40)).expect("a file");
    std::fs::write(folder.path().join("b.exe"), noise(100)).expect("a file");
    for settings in [
        &[][..],
        &["-m0=lzma", "-mhc=off"],
        &["-m0=bzip2", "-mx=1"],
        &["-m0=deflate"],
    ] {
        let Some(good) = packed(folder.path(), settings) else {
            return;
        };
        let found = read(&good).expect("an archive");
        let mut free = Vec::new();
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 0x10;
            match read(&bytes) {
                Ok(other) => {
                    assert!(other == found, "{settings:?} at {at}");
                    free.push(at);
                }
                Err(reason) => assert!(!reason.chars().any(char::is_control), "{reason}"),
            }
            let cut = read(&good[..at]);
            assert!(cut.is_err(), "{settings:?} cut at {at}");
        }
        // What fills the last byte of a stream of deflate is nothing.
        let is_deflate = settings == ["-m0=deflate"];
        assert!(
            free.len() <= usize::from(is_deflate),
            "{settings:?}: {free:?}"
        );
    }
}

/// A header with wounds, and its checksums made right.
fn wounded(good: &[u8], wounds: &[(usize, u8)]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    let at = 32 + usize::from(bytes[12]);
    let length = bytes.len() - at;
    for (place, value) in wounds {
        bytes[at + place % length] = *value;
    }
    let sum = crc(&bytes[at..]);
    bytes[28..32].copy_from_slice(&sum);
    let sum = crc(&bytes[12..32]);
    bytes[8..12].copy_from_slice(&sum);
    bytes
}

proptest! {
    #[test]
    fn no_wound_of_a_header_panics(
        wounds in proptest::collection::vec((any::<usize>(), prop_oneof![0..30_u8, any::<u8>()]), 1..5),
    ) {
        let mut made = Made::new("a.exe", CONTENT);
        made.files = [property(14, &[0]), property(21, &[1, 0, 0x20, 0x80, 0xed, 0x81])].concat();
        drop(read(&wounded(&made.bytes(), &wounds)));
        // Four streams that become one.
        made.block = vec![1, 0x14, 3, 3, 1, 0x1b, 4, 1, 0, 1, 2, 3];
        made.sizes = vec![4, 0, 0, 4];
        drop(read(&wounded(&made.bytes(), &wounds)));
        made.block = vec![2, 0x23, 3, 1, 1, 5, 0x5d, 0, 0x10, 0, 0, 0x21, 0x21, 1, 0, 1, 0];
        made.unpacked = vec![8, 8];
        made.sizes = vec![8];
        drop(read(&wounded(&made.bytes(), &wounds)));
    }

    #[test]
    fn nothing_panics(
        header in proptest::collection::vec(any::<u8>(), 0..200),
        packed in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let start = [
            &(packed.len() as u64).to_le_bytes()[..],
            &(header.len() as u64).to_le_bytes(),
            &crc(&header),
        ]
        .concat();
        let bytes = [MAGIC, &[0, 4], &crc(&start), &start, &packed, &header].concat();
        drop(read(&bytes));
        // A header that is more often one.
        drop(read(&[&bytes[..32], &packed, &[1, 4, 6], &header].concat()));
    }
}
