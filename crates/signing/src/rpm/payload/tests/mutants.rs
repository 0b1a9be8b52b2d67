//! Payloads with one thing wrong: the check that must fail, and what rpm 4.18 does with the package.

use std::io::Cursor;

use proptest::prelude::*;

use super::build::{Filled, gzip};
use super::{Things, bad, installed, is_there, look, shown};
use crate::rpm::tests::build::{Package, number};
use crate::walk::tests::things::Thing;

/// What `rpm --install` 4.18 says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rpm {
    Refuses,
    /// For that reason; the list of these is what we differ in.
    Accepts(&'static str),
}
use Rpm::{Accepts, Refuses};

const FILES: &str = "rpm.file-digests";
const PARSE: &str = "contents.parse";
const HEADER: &str = "it installs what the header says";
const BEHIND: &str = "it does not read on behind the last entry";

type Mutant = (&'static str, &'static str, Rpm, fn(&mut Filled));

const MUTANTS: &[Mutant] = &[
    ("byte of a file", FILES, Refuses, |it| {
        it.packed[3].content[0] ^= 1
    }),
    ("digest of a file", FILES, Refuses, |it| {
        it.listed[3].digest = "0".repeat(64)
    }),
    ("file that has no digest", FILES, Refuses, |it| {
        it.listed[3].digest.clear()
    }),
    ("digest that is none", FILES, Refuses, |it| {
        it.listed[3].digest = "x".repeat(64)
    }),
    ("file that is missing", FILES, Refuses, |it| {
        drop(it.packed.remove(3))
    }),
    (
        "program that is missing under both names",
        FILES,
        Refuses,
        |it| drop(it.packed.drain(..2)),
    ),
    ("file that is not listed", FILES, Refuses, |it| {
        let mut more = it.packed[3].clone();
        more.name.push('2');
        it.packed.push(more);
    }),
    ("file that is listed alone", FILES, Refuses, |it| {
        let mut more = it.listed[3].clone();
        (more.name, more.inode) = ("more", 9);
        it.listed.push(more);
    }),
    ("file that is there twice", FILES, Refuses, |it| {
        it.packed.push(it.packed[3].clone())
    }),
    ("file that is listed twice", FILES, Refuses, |it| {
        it.listed.push(it.listed[3].clone())
    }),
    (
        "ghost that is there",
        FILES,
        Accepts("it installs the file"),
        |it| {
            let mut more = it.packed[3].clone();
            more.name = "./usr/share/atlas/ghost".to_owned();
            it.packed.push(more);
        },
    ),
    ("size of a file in the header", FILES, Refuses, |it| {
        it.listed[3].size += 1
    }),
    ("mode of a file", FILES, Accepts(HEADER), |it| {
        it.packed[3].mode |= 0o111
    }),
    ("file that is a folder", FILES, Accepts(HEADER), |it| {
        it.packed[3].mode = 0o040_755
    }),
    ("target of a link", FILES, Accepts(HEADER), |it| {
        it.packed[4].content[0] = b'/'
    }),
    (
        "content with the first of two names",
        FILES,
        Refuses,
        |it| {
            let content = std::mem::take(&mut it.packed[1].content);
            it.packed[0].content = content;
        },
    ),
    (
        "names of one file with two digests",
        FILES,
        Accepts("it compares that of the last name"),
        |it| it.listed[0].digest = "0".repeat(64),
    ),
    ("folder that is not there", FILES, Refuses, |it| {
        it.listed[3].folder = 9
    }),
    ("path that leaves the root", FILES, Refuses, |it| {
        it.folders[2] = "/usr/share/../../";
        it.packed[3].name = "./usr/share/../../file".to_owned();
    }),
    ("name with a slash", FILES, Refuses, |it| {
        it.listed[3].name = "sub/file";
        it.packed[3].name = "./usr/share/atlas/sub/file".to_owned();
    }),
    ("device", FILES, Refuses, |it| {
        it.listed[3].mode = 0o020_644;
        it.packed[3].mode = 0o020_644;
    }),
    ("list that is too short", FILES, Refuses, |it| {
        it.header = |tags| {
            let digests = Package::tag(tags, 1035);
            digests.count -= 1;
            digests.data.pop();
        };
    }),
    ("list of digests that is missing", FILES, Refuses, |it| {
        it.header = |tags| tags.retain(|tag| tag.tag != 1035);
    }),
    (
        "sizes in two lists",
        FILES,
        Accepts("it takes one of them"),
        |it| {
            it.header = |tags| {
                let mut long = Package::tag(tags, 1028).clone();
                (long.tag, long.kind) = (5008, 5);
                let numbers = long.data.chunks(4);
                long.data = numbers.flat_map(|it| [&[0; 4], it].concat()).collect();
                let at = tags.iter().position(|tag| tag.tag > 5008);
                tags.insert(at.expect("digests of the payload"), long);
            };
        },
    ),
    ("algorithm that is not known", FILES, Refuses, |it| {
        it.header = |tags| *Package::tag(tags, 5011) = number(5011, 99);
    }),
    ("format of the payload", FILES, Refuses, |it| {
        it.format = "drpm"
    }),
    ("way to pack that is not known", FILES, Refuses, |it| {
        it.compressor = Some("lzip")
    }),
    ("packed in another way", FILES, Refuses, |it| {
        it.compressor = Some("bzip2")
    }),
    (
        "not packed at all",
        FILES,
        Accepts("its library for gzip reads it as it is"),
        |it| it.pack = |plain| plain,
    ),
    ("packed with xz, by its name", PARSE, Refuses, |it| {
        it.compressor = Some("xz")
    }),
    ("old form of cpio", PARSE, Refuses, |it| {
        it.plain = |bytes| bytes[..6].copy_from_slice(b"070707");
    }),
    ("payload that is cut", PARSE, Refuses, |it| {
        it.pack = |plain| {
            let mut packed = gzip(plain);
            packed.truncate(packed.len() / 2);
            packed
        };
    }),
    ("checksum of the packed payload", PARSE, Refuses, |it| {
        it.pack = |plain| {
            let mut packed = gzip(plain);
            let at = packed.len() - 6;
            packed[at] ^= 1;
            packed
        };
    }),
    (
        "bytes behind the last entry",
        PARSE,
        Accepts(BEHIND),
        |it| {
            it.plain = |bytes| bytes.extend(b"more");
        },
    ),
    (
        "bytes behind the packed payload",
        PARSE,
        Accepts(BEHIND),
        |it| it.pack = |plain| [gzip(plain), b"more".to_vec()].concat(),
    ),
];

const NUMBERED: &[Mutant] = &[
    ("byte of a file", FILES, Refuses, |it| {
        it.packed[3].content[0] ^= 1
    }),
    ("number that is not listed", FILES, Refuses, |it| {
        it.packed[3].name = "00000009".to_owned()
    }),
    ("number of a ghost", FILES, Refuses, |it| {
        it.packed[3].name = "00000004".to_owned()
    }),
    ("number that is there twice", FILES, Refuses, |it| {
        it.packed[3].name = "00000001".to_owned();
    }),
    ("number that is none", PARSE, Refuses, |it| {
        it.packed[3].name = "0000000x".to_owned()
    }),
    ("file that is missing", FILES, Refuses, |it| {
        drop(it.packed.remove(3))
    }),
    ("size of a file in the header", FILES, Refuses, |it| {
        it.listed[3].size += 4
    }),
    (
        "fill that is not zero",
        PARSE,
        Accepts("it skips it"),
        |it| it.plain = |bytes| bytes[15] = 1,
    ),
];

#[test]
fn each_mutant_fails_its_check_and_is_judged() {
    let has_judge = is_there("rpm");
    let mut wrong = Vec::new();
    for (form, plain, mutants) in [
        ("named", Filled::new(), MUTANTS),
        ("numbered", Filled::numbered(), NUMBERED),
    ] {
        for (what, check, expected, spoil) in mutants {
            let mut copy = plain.clone();
            spoil(&mut copy);
            let file = copy.file();
            let contents = look(Cursor::new(&file)).expect("a package");
            let bad = bad(&contents);
            if !matches!(bad[..], [(id, _, _)] if id == *check) {
                wrong.push(format!("{form}, {what}: expected {check}, found {bad:?}"));
            }
            if has_judge {
                let accepts = installed(&file).is_some();
                if accepts != matches!(expected, Accepts(_)) {
                    wrong.push(format!("{form}, {what}: rpm accepts: {accepts}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Anything may be written anywhere; the answer may be anything but a panic, and that all is well only where the payload is
    /// what it was, as its digests say.
    #[test]
    fn random_changes_never_panic(
        is_numbered in any::<bool>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut plain = if is_numbered { Filled::numbered() } else { Filled::new() };
        plain.compressor = None;
        plain.pack = |payload| payload;
        let original = plain.file();
        let mut copy = original.clone();
        for (at, byte) in changes {
            copy[at.index(original.len())] = byte;
        }
        if let Some(cut) = cut {
            copy.truncate(cut.index(original.len()));
        }
        if let Ok(found) = shown(&copy) {
            let contents = |things: &Things| {
                let contents = things.values().map(|it| match it {
                    Thing::File { content, .. } => content.clone(),
                    Thing::Folder | Thing::Link(_) => Vec::new(),
                });
                let mut contents: Vec<_> = contents.collect();
                contents.sort();
                contents
            };
            let expected = shown(&original).expect("a package");
            prop_assert_eq!(contents(&found), contents(&expected));
        }
    }
}
