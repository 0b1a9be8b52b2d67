//! One thing wrong.

use proptest::prelude::*;

use super::image::{BLOCK, Node, Parts, image, sample};
use super::judged::{accepted, has_tools};
use super::*;
use crate::tests::{find, put};

/// What `unsquashfs` 4.5.1 says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unsquashfs {
    Refuses,
    /// For that reason; the list of these is what we differ in.
    Accepts(&'static str),
}
use Unsquashfs::{Accepts, Refuses};

const LAST: &str = "it looks no further than its last table";
const BY_NAME: &str = "it looks at one of the two";
const AS_IT_IS: &str = "it takes as many bytes as there are";

type Mutant = (&'static str, &'static str, Unsquashfs, fn(&mut Parts));

/// Writes into the entry of a name.
fn put_listed(parts: &mut Parts, name: &[u8], before: usize, value: &[u8]) {
    let at = find(&parts.folders, name) - before;
    put(&mut parts.folders, at, value);
}

/// Writes into the inode of a number.
fn put_inode(parts: &mut Parts, number: u32, at: usize, value: &[u8]) {
    let at = parts.inode(number) + at;
    put(&mut parts.inodes, at, value);
}

// Numbers of inodes: 1 `app`, 2 `docs/readme`, 3 `docs`, 4 `empty`, 5 `hole`, 6 `link`, 7 the root.
const MUTANTS: &[Mutant] = &[
    ("magic", "does not begin", Refuses, |it| it.head[0] = b'x'),
    ("version", "does not begin", Refuses, |it| it.head[30] = 1),
    ("size of blocks", "size of its blocks", Refuses, |it| {
        it.head[13] = 0x20
    }),
    (
        "tables in another order",
        "where its tables are",
        Refuses,
        |it| put(&mut it.head, 72, &97_u64.to_le_bytes()),
    ),
    ("longer than the file", "ends before", Refuses, |it| {
        put(&mut it.head, 40, &(1_u64 << 40).to_le_bytes())
    }),
    ("bytes behind", "stands behind", Accepts(LAST), |it| {
        it.behind = b"PK\x05\x06".to_vec()
    }),
    ("many zeros behind", "stands behind", Accepts(LAST), |it| {
        it.behind = vec![0; 65 * 1024]
    }),
    ("root outside", "outside of it", Refuses, |it| {
        put(&mut it.head, 32, &(1_u64 << 60).to_le_bytes())
    }),
    ("root that is a file", "root is no folder", Refuses, |it| {
        let at = it.inode(1) as u64;
        put(&mut it.head, 32, &at.to_le_bytes());
    }),
    (
        "inode behind its block",
        "begins behind its block",
        Refuses,
        |it| put_listed(it, b"empty", 8, &0x1f00_u16.to_le_bytes()),
    ),
    (
        "inode of another kind",
        "not listed as what it is",
        Accepts(BY_NAME),
        |it| put_listed(it, b"empty", 4, &3_u16.to_le_bytes()),
    ),
    (
        "inode of another number",
        "not listed as what it is",
        Accepts(BY_NAME),
        |it| put_listed(it, b"empty", 6, &9_u16.to_le_bytes()),
    ),
    (
        "kind that is not known",
        "a kind that is not known",
        Accepts(BY_NAME),
        |it| put_listed(it, b"empty", 4, &8_u16.to_le_bytes()),
    ),
    (
        "inode of a kind that is not known",
        "a kind that is not known",
        Refuses,
        |it| put_inode(it, 4, 0, &15_u16.to_le_bytes()),
    ),
    ("folder in itself", "in itself", Refuses, |it| {
        let root = it.inode(7) as u16;
        put_listed(it, b"docs", 8, &root.to_le_bytes());
        put_listed(it, b"docs", 6, &6_u16.to_le_bytes());
    }),
    ("names out of order", "stand in order", Refuses, |it| {
        put_listed(it, b"empty", 0, b"a")
    }),
    ("a name twice", "stand in order", Refuses, |it| {
        put_listed(it, b"twin", 0, b"link")
    }),
    ("a name that leaves", "leaves its folder", Refuses, |it| {
        put_listed(it, b"app", 2, &1_u16.to_le_bytes());
        put_listed(it, b"app", 0, b"..");
        let at = find(&it.folders, b"..p") + 2;
        it.folders.remove(at);
        let bytes = it.folders.len() as u16 + 3;
        let docs = u16::from_le_bytes([it.inodes[it.inode(7) + 26], it.inodes[it.inode(7) + 27]]);
        put_inode(it, 7, 24, &(bytes - docs).to_le_bytes());
    }),
    ("a name with a slash", "leaves its folder", Refuses, |it| {
        put_listed(it, b"empty", 0, b"em/ty")
    }),
    (
        "a name that is too long",
        "length of a name",
        Refuses,
        |it| put_listed(it, b"empty", 2, &256_u16.to_le_bytes()),
    ),
    (
        "list that ends in an entry",
        "ends inside an entry",
        Refuses,
        |it| {
            let bytes = it.folders.len() as u16;
            put_inode(it, 7, 24, &(bytes - 20).to_le_bytes());
        },
    ),
    (
        "list that is shorter than none",
        "length of a folder",
        Accepts("it takes it for empty"),
        |it| {
            put_inode(it, 7, 24, &2_u16.to_le_bytes());
        },
    ),
    (
        "more entries than there may be",
        "more entries",
        Refuses,
        |it| {
            let at = find(&it.folders, b"app") - 20;
            put(&mut it.folders, at, &256_u32.to_le_bytes());
        },
    ),
    ("block outside", "outside of it", Refuses, |it| {
        put_inode(it, 1, 16, &(1_u64 << 40).to_le_bytes())
    }),
    (
        "block in the header",
        "outside of it",
        Accepts("it reads what it is told to"),
        |it| put_inode(it, 1, 16, &8_u64.to_le_bytes()),
    ),
    (
        "block that is shorter",
        "bytes unpacked",
        Accepts(AS_IT_IS),
        |it| put_inode(it, 1, 56, &(100_u32 | 1 << 24).to_le_bytes()),
    ),
    (
        "block that is longer than one",
        "length of a block",
        Accepts(AS_IT_IS),
        |it| put_inode(it, 1, 56, &((BLOCK as u32 + 1) | (1 << 24)).to_le_bytes()),
    ),
    (
        "block that is no stream",
        "cannot be unpacked",
        Refuses,
        |it| put_inode(it, 1, 56, &(BLOCK as u32).to_le_bytes()),
    ),
    (
        "fragment that is not there",
        "fragment that is not there",
        Refuses,
        |it| put_inode(it, 1, 44, &1_u32.to_le_bytes()),
    ),
    (
        "fragment of which nothing is left",
        "outside of it",
        Accepts(AS_IT_IS),
        |it| put_inode(it, 2, 24, &13_u32.to_le_bytes()),
    ),
    (
        "fragment without anything in it",
        "without anything",
        Accepts(AS_IT_IS),
        |it| put_inode(it, 4, 20, &0_u32.to_le_bytes()),
    ),
    (
        "size of which there are no blocks",
        "the length of a block",
        Refuses,
        |it| {
            put_inode(it, 5, 28, &((1_u32 << 31) + 4).to_le_bytes());
        },
    ),
    ("link without a target", "target of a link", Refuses, |it| {
        put_inode(it, 6, 20, &0_u32.to_le_bytes())
    }),
    (
        "link of a target that is too long",
        "target of a link",
        Refuses,
        |it| put_inode(it, 6, 20, &4097_u32.to_le_bytes()),
    ),
    (
        "link of a target with a NUL",
        "target of a link",
        Refuses,
        |it| put_inode(it, 6, 24, b"\0"),
    ),
];

#[test]
fn each_mutant_is_refused_and_judged() {
    let plain = Parts::of(&sample());
    let folder = tempfile::tempdir().expect("a folder");
    let has_judge = has_tools();
    let mut wrong = Vec::new();
    for (number, (what, expected, judged, spoil)) in MUTANTS.iter().enumerate() {
        let mut copy = plain.clone();
        spoil(&mut copy);
        let file = copy.file();
        match read(&file) {
            Err(error) if error.contains(expected) => {}
            found => wrong.push(format!("{what}: expected {expected}, found {found:?}")),
        }
        let out = folder.path().join(number.to_string());
        if has_judge && accepted(&file, &out) != matches!(judged, Accepts(_)) {
            wrong.push(format!("{what}: expected that unsquashfs {judged:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn devices_are_refused_and_depth_is_limited() {
    let device = Node::Folder(vec![("null", Node::Device)]);
    let error = read(&image(&device)).expect_err("a device");
    assert_eq!(error, SquashfsError::Device("null".to_owned()).to_string());
    let mut deep = Node::Folder(Vec::new());
    for _ in 0..140 {
        deep = Node::Folder(vec![("d", deep)]);
    }
    let error = read(&image(&deep)).expect_err("deep");
    assert!(error.contains("deeper than is read"), "{error}");
}

/// A file that is two archives is none: who unpacks the other one gets what nobody looked at.
#[test]
fn an_image_that_begins_as_a_tar_archive_too_is_refused() {
    let mut parts = Parts::of(&Node::Folder(vec![(
        "data",
        Node::File(0o644, vec![1; BLOCK]),
    )]));
    let look = |parts: &Parts| walk(&mut Cursor::new(parts.file()), &mut |_, _| Ok(()));
    assert!(look(&parts).is_ok());
    put(&mut parts.data, 257 - 96, b"ustar");
    let error = look(&parts).expect_err("a tar archive");
    assert_eq!(error.to_string(), SquashfsError::Tar.to_string());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Anything may be written anywhere; the answer may be anything but a panic.
    #[test]
    fn noise_is_no_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
        tables in any::<bool>(),
    ) {
        let mut bytes = image(&sample());
        let from = if tables { 96 + BLOCK } else { 0 };
        let length = bytes.len();
        for (at, byte) in changes {
            bytes[from + at.index(length - from)] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(length));
            prop_assert!(read(&bytes).is_err());
        }
        let _ = read(&bytes);
    }
}

/// Literals, a match that reaches into itself, lengths that do not fit, and everything that is none.
#[test]
fn streams_of_lzo_end_with_their_mark() {
    let end = [0x11, 0, 0];
    let text = [&[17 + 4][..], b"abcd", &end].concat();
    assert_eq!(lzo::unpack(&text, 4).as_deref(), Some(&b"abcd"[..]));
    assert_eq!(lzo::unpack(&text, 3), None);
    assert_eq!(lzo::unpack(&text[..text.len() - 1], 4), None);
    assert_eq!(lzo::unpack(&[&text[..], b"\0"].concat(), 4), None);
    // Behind `ab`: a match of 33 and 255 and 7 bytes that is 2 back, then one literal.
    let long = [&[17 + 2][..], b"ab", &[32, 0, 7, 1 << 2 | 1, 0], b"c", &end].concat();
    let expected = [&b"ab".repeat(1 + 295 / 2)[..], b"ac"].concat();
    assert_eq!(lzo::unpack(&long, 298).as_deref(), Some(&expected[..]));
    assert_eq!(lzo::unpack(&long, 297), None);
    for (what, stream) in [
        ("nothing", &[][..]),
        ("what memory has", &[17, 1, 0, 0x11, 0, 0]),
        (
            "a match before the beginning",
            &[17 + 1, b'a', 64, 9, 0x11, 0, 0],
        ),
        ("a mark of another length", &[17 + 1, b'a', 0x12, 0, 0]),
        ("a mark with literals", &[17 + 1, b'a', 0x11, 1, 0, b'x']),
        ("zeros without an end", &[0; 5000]),
    ] {
        assert_eq!(lzo::unpack(stream, 4096), None, "{what}");
    }
}
