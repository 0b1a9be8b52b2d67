//! Copies with one thing wrong: the right check must fail, and nothing may panic.

use proptest::prelude::*;

use super::*;
use crate::tests::spoilt::{Mutant, Spoilt, each_fails_its_check, number, of_the_signature};
use crate::tests::{find, put};

const SECTOR: usize = 512;
const FREE: [u8; 4] = [0xff; 4];

/// A copy of a package of version 3 with one FAT sector.
struct Copy(Vec<u8>);

impl Copy {
    /// Where a sector is.
    fn sector(&self, sector: usize) -> usize {
        assert!(sector * SECTOR < self.0.len());
        (sector + 1) * SECTOR
    }

    /// Where what follows a sector stands in the FAT.
    fn fat(&self, sector: usize) -> usize {
        self.sector(number(&self.0, 76)) + 4 * sector
    }

    /// Where the directory entry of this name is.
    fn entry(&self, name: &str) -> usize {
        let name = name.encode_utf16().chain([0]);
        let name: Vec<_> = name.flat_map(u16::to_le_bytes).collect();
        let directory = self.sector(number(&self.0, 48));
        let mut entries = self.0[directory..].chunks(128);
        let found = entries.position(|entry| entry.starts_with(&name));
        directory + 128 * found.expect("an entry")
    }

    /// The first sector of a long stream.
    fn start(&self, name: &str) -> usize {
        number(&self.0, self.entry(name) + 116)
    }
}

impl Spoilt for Copy {
    fn of(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// The bytes of the signature, in place. The stream is short, and the mini stream is in one piece.
    fn signature(&self) -> usize {
        let oid = [
            0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 2,
        ];
        find(&self.0, &oid) - 4
    }
}

type Spoil = fn(&mut Copy);

/// What is done to which file, and the check that must fail.
const MUTANTS: &[Mutant<Copy>] = &[
    ("magic", SIGNED, "msi.parse", |it| it.flip(7)),
    ("version", SIGNED, "msi.parse", |it| it.flip(26)),
    ("byte order", SIGNED, "msi.parse", |it| it.flip(28)),
    ("sector size", SIGNED, "msi.parse", |it| it.flip(30)),
    ("mini sector size", SIGNED, "msi.parse", |it| it.flip(32)),
    ("directory sectors", SIGNED, "msi.parse", |it| it.flip(40)),
    ("no FAT", SIGNED, "msi.parse", |it| it.put(44, &[0; 4])),
    ("FAT of 4 GiB", SIGNED, "msi.parse", |it| it.put(44, &FREE)),
    ("two FAT sectors", SIGNED, "msi.parse", |it| {
        it.put(44, &[2])
    }),
    ("no directory", SIGNED, "msi.parse", |it| {
        it.put(48, &[0xfe, 0xff, 0xff, 0xff]);
    }),
    ("directory past the end", SIGNED, "msi.parse", |it| {
        it.put(48, &[0xff, 0xff, 0, 0]);
    }),
    ("mini cutoff", SIGNED, "msi.parse", |it| it.flip(57)),
    ("mini FAT elsewhere", SIGNED, "msi.parse", |it| {
        it.put(60, &FREE)
    }),
    ("mini FAT where data is", SIGNED, "msi.parse", |it| {
        let start = it.start("ab");
        it.put(60, &[u8::try_from(start).expect("small"), 0]);
    }),
    ("FAT elsewhere", SIGNED, "msi.parse", |it| it.put(76, &FREE)),
    ("FAT where data is", SIGNED, "msi.parse", |it| {
        let start = it.start("ab");
        it.put(76, &[u8::try_from(start).expect("small"), 0]);
    }),
    ("chain into itself", SIGNED, "msi.parse", |it| {
        let start = it.start("ab");
        let at = it.fat(start + 3);
        it.put(at, &[u8::try_from(start).expect("small"), 0, 0, 0]);
    }),
    ("chain of one sector", SIGNED, "msi.parse", |it| {
        let start = it.start("ab");
        let at = it.fat(start);
        it.put(at, &[u8::try_from(start).expect("small"), 0, 0, 0]);
    }),
    ("chain that ends early", SIGNED, "msi.parse", |it| {
        let at = it.fat(it.start("ab") + 3);
        it.put(at, &[0xfe, 0xff, 0xff, 0xff]);
    }),
    ("chain past the end", SIGNED, "msi.parse", |it| {
        let at = it.fat(it.start("ab") + 3);
        it.put(at, &[0xf0, 0, 0, 0]);
    }),
    ("FAT past the end of the file", SIGNED, "msi.parse", |it| {
        let at = it.fat(127);
        it.put(at, &[0xfe, 0xff, 0xff, 0xff]);
    }),
    ("name", METADATA, "msi.metadata", |it| {
        let at = it.entry("ab");
        it.put(at, b"z");
    }),
    ("name of nothing", SIGNED, "msi.parse", |it| {
        let at = it.entry("ab");
        it.put(at + 64, &[2, 0]);
    }),
    ("odd name", SIGNED, "msi.parse", |it| {
        let at = it.entry("ab");
        it.put(at + 64, &[5, 0]);
    }),
    ("long name", SIGNED, "msi.parse", |it| {
        let at = it.entry("ab");
        it.put(at + 64, &[66, 0]);
    }),
    ("name with a NUL inside", SIGNED, "msi.parse", |it| {
        let at = it.entry("ab");
        it.put(at, &[0]);
    }),
    ("two of a name", SIGNED, "msi.parse", |it| {
        let at = it.entry("\u{100}");
        it.put(at, &[b'a', 0]);
    }),
    ("names that change the order", SIGNED, "msi.digest", |it| {
        let at = it.entry("\u{100}");
        it.put(at, b"z");
    }),
    ("shorter stream", SIGNED, "msi.digest", |it| {
        let at = it.entry("ab") + 120;
        it.flip(at);
    }),
    ("shorter stream, metadata", METADATA, "msi.metadata", |it| {
        let at = it.entry("ab") + 120;
        it.flip(at);
    }),
    ("stream of 4 GiB", SIGNED, "msi.parse", |it| {
        let at = it.entry("ab") + 120;
        it.put(at, &FREE);
    }),
    ("short stream of 4,095 bytes", SIGNED, "msi.parse", |it| {
        let at = it.entry("a") + 120;
        it.put(at, &[0xff, 0x0f]);
    }),
    ("stream from nowhere", SIGNED, "msi.parse", |it| {
        let at = it.entry("ab") + 116;
        it.put(at, &FREE);
    }),
    ("two streams in one place", SIGNED, "msi.parse", |it| {
        let (one, other) = (it.entry("a"), it.entry("\u{100}"));
        let start = it.0[other + 116..other + 120].to_vec();
        it.put(one + 116, &start);
    }),
    ("stream in the directory", SIGNED, "msi.parse", |it| {
        let at = it.entry("ab") + 116;
        let start = it.0[48..52].to_vec();
        it.put(at, &start);
    }),
    ("class of the root", SIGNED, "msi.digest", |it| {
        let at = it.entry("Root Entry") + 80;
        it.flip(at);
    }),
    (
        "class of the root, metadata",
        METADATA,
        "msi.metadata",
        |it| {
            let at = it.entry("Root Entry") + 80;
            it.flip(at);
        },
    ),
    ("class of a storage", SIGNED, "msi.digest", |it| {
        let at = it.entry("Storage") + 95;
        it.flip(at);
    }),
    ("state of a stream", METADATA, "msi.metadata", |it| {
        let at = it.entry("ab") + 96;
        it.flip(at);
    }),
    ("state of the root", METADATA, "msi.metadata", |it| {
        let at = it.entry("Root Entry") + 96;
        it.flip(at);
    }),
    ("creation of a storage", METADATA, "msi.metadata", |it| {
        let at = it.entry("Storage") + 100;
        it.flip(at);
    }),
    ("modification of a stream", METADATA, "msi.metadata", |it| {
        let at = it.entry("a") + 115;
        it.flip(at);
    }),
    ("name inside a storage", METADATA, "msi.metadata", |it| {
        let at = it.entry("empty");
        it.flip(at);
    }),
    ("neither storage nor stream", SIGNED, "msi.parse", |it| {
        let at = it.entry("ab") + 66;
        it.put(at, &[7]);
    }),
    ("stream that was a storage", SIGNED, "msi.parse", |it| {
        let at = it.entry("Storage") + 66;
        it.put(at, &[2]);
    }),
    ("no root", SIGNED, "msi.parse", |it| {
        let at = it.entry("Root Entry") + 66;
        it.put(at, &[1]);
    }),
    ("tree into itself", SIGNED, "msi.parse", |it| {
        let top = it.entry("Root Entry") + 76;
        let top = it.0[top..top + 4].to_vec();
        let at = it.entry("ab") + 68;
        it.put(at, &top);
    }),
    ("storage inside itself", SIGNED, "msi.parse", |it| {
        let top = it.entry("Root Entry") + 76;
        let top = it.0[top..top + 4].to_vec();
        let at = it.entry("Storage") + 76;
        it.put(at, &top);
    }),
    ("tree through the root", SIGNED, "msi.parse", |it| {
        let at = it.entry("a") + 72;
        it.put(at, &[0; 4]);
    }),
    ("tree past the end", SIGNED, "msi.parse", |it| {
        let at = it.entry("Root Entry") + 76;
        it.put(at, &[0xff, 0xff, 0xff, 0x0f]);
    }),
    ("mini stream of 4 GiB", SIGNED, "msi.parse", |it| {
        let at = it.entry("Root Entry") + 120;
        it.put(at, &FREE);
    }),
    ("mini stream of nothing", SIGNED, "msi.parse", |it| {
        let at = it.entry("Root Entry") + 120;
        it.put(at, &[0; 4]);
    }),
    ("contents of a long stream", SIGNED, "msi.digest", |it| {
        let at = it.sector(it.start("ab")) + 3000;
        it.flip(at);
    }),
    ("contents of a short stream", SIGNED, "msi.digest", |it| {
        let at = find(&it.0, b"first of all");
        it.flip(at);
    }),
    ("contents inside a storage", SIGNED, "msi.digest", |it| {
        let at = find(&it.0, b"inside");
        it.flip(at);
    }),
    ("emptied stream", SIGNED, "msi.digest", |it| {
        let at = it.entry("ab") + 120;
        it.put(at, &[0; 4]);
    }),
    ("digest of metadata", METADATA, "msi.metadata", |it| {
        let entry = it.entry("\u{5}MsiDigitalSignatureEx");
        let at = it.sector(it.start("Root Entry"));
        let at = at + 64 * number(&it.0, entry + 116);
        it.flip(at);
    }),
    ("no digest of metadata", METADATA, "msi.digest", |it| {
        let at = it.entry("\u{5}MsiDigitalSignatureEx");
        it.put(at, b"x");
    }),
    ("signature under another name", SIGNED, "msi.signed", |it| {
        let at = it.entry("\u{5}DigitalSignature");
        it.put(at, b"x");
    }),
    ("signature that is a storage", SIGNED, "msi.signed", |it| {
        let at = it.entry("\u{5}DigitalSignature");
        it.put(at + 66, &[1]);
    }),
    ("signature of nothing", SIGNED, "cms.parse", |it| {
        let at = it.entry("\u{5}DigitalSignature") + 120;
        it.put(at, &[0; 4]);
    }),
    ("signature cut short", SIGNED, "cms.parse", |it| {
        let at = it.entry("\u{5}DigitalSignature") + 121;
        it.put(at, &[1]);
    }),
    (
        "bytes behind the signature",
        SIGNED,
        "msi.trailing-data",
        |it| {
            let at = it.entry("\u{5}DigitalSignature") + 120;
            let bytes = number(&it.0, at);
            let (room, signature) = (bytes.next_multiple_of(64), it.signature());
            assert!(room > bytes);
            it.put(signature + bytes, b"!");
            it.put(at, &u32::try_from(room).expect("small").to_le_bytes());
        },
    ),
    ("kind of package", SIGNED, "cms.parse", |it| {
        it.flip_in_signature(&[0xf1, 0x10, 0x0c, 0], 3);
    }),
    ("kind of content", SIGNED, "cms.parse", |it| {
        it.flip_in_signature(crate::oid::SPC_SIP_INFO.0, 9);
    }),
    (
        "free sector behind the file",
        SIGNED,
        "msi.trailing-data",
        |it| {
            it.0.extend([b' '; SECTOR]);
        },
    ),
    (
        "free sector of zeros",
        METADATA,
        "msi.trailing-data",
        |it| {
            it.0.extend([0; SECTOR]);
        },
    ),
    ("cut by a byte", SIGNED, "msi.parse", |it| {
        it.0.pop();
    }),
    ("cut by half", SIGNED, "msi.parse", |it| {
        it.0.truncate(it.0.len() / 2);
    }),
    ("header alone", SIGNED, "msi.parse", |it| {
        it.0.truncate(SECTOR)
    }),
    ("eight bytes", SIGNED, "msi.parse", |it| it.0.truncate(8)),
    ("empty file", SIGNED, "msi.parse", |it| it.0.clear()),
];

#[test]
fn one_thing_wrong_fails_its_check() {
    let of_the_signature = of_the_signature(SIGNED, "msi.digest", "msi.trailing-data");
    let mutants = MUTANTS.iter().copied().chain(of_the_signature);
    each_fails_its_check(mutants, "msi", look);
}

/// Without `\5MsiDigitalSignatureEx` this is how little an MSI's signature covers. The report says so.
#[test]
fn what_nobody_signs_may_change() {
    let harmless: [(&str, &[u8], Spoil); 4] = [
        ("name without metadata", SIGNED, |it| {
            let at = it.entry("ab");
            it.put(at + 2, b"c");
        }),
        ("time without metadata", SIGNED, |it| {
            let at = it.entry("a") + 108;
            it.flip(at);
        }),
        ("times of the root", METADATA, |it| {
            let at = it.entry("Root Entry") + 108;
            it.flip(at);
        }),
        ("class of a stream", METADATA, |it| {
            let at = it.entry("ab") + 80;
            it.flip(at);
        }),
    ];
    for (what, bytes, spoil) in harmless {
        let mut copy = Copy(bytes.to_vec());
        spoil(&mut copy);
        let found = look(&copy.0);
        assert_eq!(failed(&found), [""; 0], "{what}");
        assert_eq!(found.verdict, Verdict::Valid, "{what}");
    }
}

/// Room between sectors in use is left by honest writers. It passes, and the reason counts what is in it.
#[test]
fn room_that_is_not_in_use_is_counted() {
    let counted = |copy: &Copy| {
        let found = look(&copy.0);
        assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
        let reason = reason(&found, MSI_TRAILING_DATA).to_owned();
        let (_, count) = reason.split_once("not in use, ")?;
        Some(count.split(' ').next()?.to_owned())
    };
    let copy = Copy(SIGNED.to_vec());
    assert_eq!(counted(&copy), None);
    // 5,000 bytes end in the tenth sector.
    let mut tail = Copy(SIGNED.to_vec());
    let at = tail.sector(tail.start("ab")) + 5000;
    tail.put(at, b"hidden");
    assert_eq!(counted(&tail).as_deref(), Some("6"));
    let mut mini = Copy(SIGNED.to_vec());
    let at = find(&mini.0, b"inside") + 6;
    mini.put(at, b"too");
    assert_eq!(counted(&mini).as_deref(), Some("3"));
    // A free sector in the middle: the FAT moves behind it.
    let mut gap = Copy(SIGNED.to_vec());
    let (fat, old) = (number(&gap.0, 76), gap.fat(0));
    let table = gap.0[old..old + SECTOR].to_vec();
    gap.put(old, &[b'x'; SECTOR]);
    gap.0.extend(table);
    gap.put(76, &u32::try_from(fat + 1).expect("small").to_le_bytes());
    let (free, moved) = (gap.fat(fat), gap.fat(fat + 1));
    gap.put(free, &FREE);
    gap.put(moved, &[0xfd, 0xff, 0xff, 0xff]);
    assert_eq!(counted(&gap).as_deref(), Some("512"));
}

#[test]
fn a_signature_of_another_package_fails() {
    let (mut other, signed) = (Copy(OTHER.to_vec()), Copy(SIGNED.to_vec()));
    let (to, from) = (
        other.sector(other.start("ab")),
        signed.sector(signed.start("ab")),
    );
    other.put(to, &SIGNED[from..from + 5000]);
    let found = look(&other.0);
    assert_eq!(failed(&found), ["msi.digest"]);
    assert_eq!(found.verdict, Verdict::Invalid);
}

/// A table of 4 GiB and a directory of as much are refused by the file's length, before anything is taken for them.
#[test]
fn a_file_that_only_claims_to_be_large_costs_nothing() {
    let mut copy = Copy(SIGNED[..SECTOR].to_vec());
    copy.put(44, &[0xff, 0xff, 0xff, 0x7f]);
    copy.put(72, &FREE);
    copy.0.resize(4 * SECTOR, 0);
    assert_eq!(failed(&look(&copy.0)), ["msi.parse"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Anything may be written anywhere; the answer may be anything but a panic, and `valid` only where all streams, and
    /// their names where those are signed, are what they were.
    #[test]
    fn random_changes_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
        in_tables in any::<bool>(),
        with_metadata in any::<bool>(),
    ) {
        let original = if with_metadata { METADATA } else { SIGNED };
        let mut copy = Copy(original.to_vec());
        // The directory and the FAT end the file.
        let start = if in_tables { copy.sector(number(&copy.0, 48)) } else { 0 };
        for (at, byte) in changes {
            let at = start + at.index(original.len() - start);
            copy.0[at] = byte;
        }
        if let Some(cut) = cut {
            copy.0.truncate(cut.index(original.len()));
        }
        let found = look(&copy.0);
        if found.verdict == Verdict::Valid {
            let comparable = |bytes: &[u8]| {
                let mut found = streams(bytes).expect("it is valid");
                let excluded = "\u{5}DigitalSignature".encode_utf16().flat_map(u16::to_le_bytes);
                let excluded: Vec<_> = excluded.collect();
                found.retain(|(name, _)| *name != excluded);
                if !with_metadata {
                    // Then empty streams may come and go, too.
                    found.iter_mut().for_each(|(name, _)| name.clear());
                    found.retain(|(_, contents)| !contents.is_empty());
                }
                found.sort();
                found
            };
            prop_assert_eq!(comparable(&copy.0), comparable(original));
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        let mut bytes = bytes;
        let head = PLAIN[..76].to_vec();
        let length = head.len().min(bytes.len());
        put(&mut bytes, 0, &head[..length]);
        prop_assert_ne!(look(&bytes).verdict, Verdict::Valid);
    }
}
