//! Cabinets of `fixtures/packages`, and copies of them with one thing wrong: the right check must fail, and nothing may
//! panic.

pub(crate) mod contents;

use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::report::Verdict;
use crate::tests::spoilt::{Mutant, Spoilt, each_fails_its_check, number, of_the_signature};
use crate::tests::{day, failed, find, packages_trust, printable, put, time};

const PLAIN: &[u8] = include_bytes!("../../fixtures/packages/plain.cab");
const SIGNED: &[u8] = include_bytes!("../../fixtures/packages/signed.cab");
const HELD_UP: &[u8] = include_bytes!("../../fixtures/packages/held-up.cab");
/// The first of a set, and the second; osslsigncode 2.9 calls the signature of the first valid and refuses the second.
const SET: &[u8] = include_bytes!("../../fixtures/packages/set.cab");
const LAST: &[u8] = include_bytes!("../../fixtures/packages/last.cab");
/// With 9 bytes of somebody else in the reserve, and 8 that nobody uses.
const RESERVE: &[u8] = include_bytes!("../../fixtures/packages/reserve.cab");

fn look(bytes: &[u8]) -> Inspection {
    printable(inspect(&mut Cursor::new(bytes), day(), &packages_trust()))
}

#[test]
fn cabinets_that_are_signed_are_valid_and_named() {
    for bytes in [SIGNED, HELD_UP, SET, LAST, RESERVE] {
        let found = look(bytes);
        assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
        let signer = found.signatures[0].signer.as_ref().expect("a signer");
        assert_eq!(signer.organization.as_deref(), Some("Snake Oil Ltd"));
    }
    let found = look(SIGNED);
    assert_eq!(
        found.signatures[0].timestamps[0].time,
        time("2026-06-01T00:00:00Z")
    );
    assert_eq!(found.checks[0].reason, "a cabinet");
    assert_eq!(look(HELD_UP).signatures.len(), 2);
    let part = |bytes| look(bytes).checks[0].reason.clone();
    assert!(part(SET).contains("cabinet 1 of a set"));
    assert!(part(LAST).contains("cabinet 2 of a set"));
    let found = inspect(&mut Cursor::new(SIGNED), day(), &Trust::microsoft());
    let found = found.expect("bytes in memory");
    assert_eq!(found.verdict, Verdict::Untrusted);
    assert_eq!(failed(&found), ["timestamp.chain", "x509.path"]);
}

#[test]
fn a_cabinet_without_a_signature_is_unsigned() {
    let found = look(PLAIN);
    assert_eq!(found.verdict, Verdict::Unsigned);
    assert_eq!(failed(&found), ["cab.signed"]);
}

/// A copy that can be spoiled.
struct Copy(Vec<u8>);

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

    fn signature(&self) -> usize {
        number(&self.0, 44)
    }
}

/// Offset of the first folder in `signed.cab`, which has a reserve of 20 bytes.
const FOLDER: usize = 60;

/// What is done to which file, and the check that must fail.
const MUTANTS: &[Mutant<Copy>] = &[
    ("magic", SIGNED, "cab.parse", |it| it.flip(3)),
    ("first reserved field", SIGNED, "cab.parse", |it| it.flip(4)),
    ("shorter cabinet", SIGNED, "cab.parse", |it| it.flip(8)),
    ("cabinet of 4 GiB", SIGNED, "cab.parse", |it| {
        it.put(8, &[0xff; 4])
    }),
    ("second reserved field", SIGNED, "cab.digest", |it| {
        it.flip(12)
    }),
    ("files elsewhere", SIGNED, "cab.parse", |it| it.flip(16)),
    ("files past the end", SIGNED, "cab.parse", |it| {
        it.put(16, &[0xff; 4])
    }),
    ("third reserved field", SIGNED, "cab.digest", |it| {
        it.flip(20)
    }),
    ("version", SIGNED, "cab.parse", |it| it.flip(24)),
    ("folders", SIGNED, "cab.parse", |it| it.flip(26)),
    ("65,535 folders", SIGNED, "cab.parse", |it| {
        it.put(26, &[0xff; 2])
    }),
    ("count of files", SIGNED, "cab.digest", |it| it.flip(28)),
    ("flags", SIGNED, "cab.parse", |it| it.put(30, &[12])),
    ("no reserve", SIGNED, "cab.parse", |it| it.put(30, &[0])),
    ("name of a cabinet before", SIGNED, "cab.parse", |it| {
        it.put(30, &[5])
    }),
    ("set", SIGNED, "cab.digest", |it| it.flip(32)),
    ("number in the set", SIGNED, "cab.digest", |it| it.flip(34)),
    ("number in the set of a part", LAST, "cab.digest", |it| {
        it.put(34, &[2])
    }),
    ("longer reserve", SIGNED, "cab.parse", |it| it.flip(36)),
    ("reserve of 64 KiB", SIGNED, "cab.parse", |it| {
        it.put(36, &[0xff; 2])
    }),
    ("reserve of folders", SIGNED, "cab.parse", |it| {
        it.put(38, &[4])
    }),
    ("reserve of data", SIGNED, "cab.parse", |it| {
        it.put(39, &[4])
    }),
    (
        "another's bytes in the reserve",
        SIGNED,
        "cab.parse",
        |it| it.put(40, &[4]),
    ),
    ("another's bytes", RESERVE, "cab.digest", |it| it.flip(44)),
    ("another's length", RESERVE, "cab.parse", |it| it.flip(40)),
    ("unused end of the reserve", RESERVE, "cab.parse", |it| {
        let at = find(&it.0, b"another's") + 9 + 16;
        it.flip(at);
    }),
    ("place of another length", SIGNED, "cab.parse", |it| {
        it.put(42, &[15])
    }),
    ("no place", SIGNED, "cab.signed", |it| it.put(42, &[0])),
    ("signature elsewhere", SIGNED, "cab.parse", |it| it.flip(44)),
    ("signature at 4 GiB", SIGNED, "cab.parse", |it| {
        it.put(44, &[0xff; 8])
    }),
    ("longer signature", SIGNED, "cab.parse", |it| {
        it.put(49, &[0xff])
    }),
    ("signature of 4 GiB", SIGNED, "cab.parse", |it| {
        it.put(48, &[0xff; 4])
    }),
    ("shorter signature", SIGNED, "cab.trailing-data", |it| {
        let bytes = number(&it.0, 48) - 1;
        let bytes = u32::try_from(bytes).expect("small").to_le_bytes();
        it.put(48, &bytes);
        it.0.push(0);
    }),
    ("signature of nothing", SIGNED, "cms.parse", |it| {
        it.put(48, &[0; 4])
    }),
    ("zeros for a place", SIGNED, "cab.signed", |it| {
        it.put(44, &[0; 8])
    }),
    ("end of the place", SIGNED, "cab.parse", |it| it.flip(59)),
    ("data elsewhere", SIGNED, "cab.parse", |it| it.flip(FOLDER)),
    ("data past the end", SIGNED, "cab.parse", |it| {
        it.put(FOLDER, &[0xff; 4])
    }),
    ("blocks", SIGNED, "cab.parse", |it| it.put(FOLDER + 4, &[1])),
    ("65,535 blocks", SIGNED, "cab.parse", |it| {
        it.put(FOLDER + 4, &[0xff; 2])
    }),
    ("compression", SIGNED, "cab.digest", |it| {
        it.flip(FOLDER + 6)
    }),
    ("name of a file", SIGNED, "cab.digest", |it| {
        let at = find(&it.0, b"hello.txt");
        it.flip(at);
    }),
    ("checksum of a block", SIGNED, "cab.digest", |it| {
        let at = number(&it.0, FOLDER);
        it.flip(at);
    }),
    ("length of a block", SIGNED, "cab.parse", |it| {
        let at = number(&it.0, FOLDER) + 4;
        it.flip(at);
    }),
    ("contents", SIGNED, "cab.digest", |it| {
        let at = find(&it.0, b"hello, cabinet");
        it.flip(at);
    }),
    ("name of the next cabinet", SET, "cab.digest", |it| {
        let at = find(&it.0, b"next.cab");
        it.flip(at);
    }),
    ("name of the next disk", SET, "cab.digest", |it| {
        let at = find(&it.0, b"disk 2");
        it.flip(at);
    }),
    ("shorter name", SET, "cab.parse", |it| {
        let at = find(&it.0, b"next.cab");
        it.put(at + 4, &[0]);
    }),
    ("kind of content", SIGNED, "cms.parse", |it| {
        it.flip_in_signature(crate::oid::SPC_CAB_DATA.0, 9);
    }),
    (
        "bytes behind the signature",
        SIGNED,
        "cab.trailing-data",
        |it| {
            it.0.extend([0; 8]);
            let bytes = number(&it.0, 48) + 8;
            let bytes = u32::try_from(bytes).expect("small").to_le_bytes();
            it.put(48, &bytes);
        },
    ),
    (
        "byte behind the signature",
        SET,
        "cab.trailing-data",
        |it| {
            it.0.push(b'!');
            let bytes = number(&it.0, 48) + 1;
            let bytes = u32::try_from(bytes).expect("small").to_le_bytes();
            it.put(48, &bytes);
        },
    ),
    ("cut by a byte", SIGNED, "cab.parse", |it| {
        it.0.pop();
    }),
    ("signature cut off", SIGNED, "cab.parse", |it| {
        let at = it.signature();
        it.0.truncate(at);
    }),
    ("cut in the headers", SIGNED, "cab.parse", |it| {
        it.0.truncate(50)
    }),
    ("header alone", SIGNED, "cab.parse", |it| it.0.truncate(36)),
    ("four bytes", SIGNED, "cab.parse", |it| it.0.truncate(4)),
    ("empty file", SIGNED, "cab.parse", |it| it.0.clear()),
];

#[test]
fn one_thing_wrong_fails_its_check() {
    let of_the_signature = of_the_signature(SIGNED, "cab.digest", "cab.trailing-data");
    let mutants = MUTANTS.iter().copied().chain(of_the_signature);
    each_fails_its_check(mutants, "cab", look);
}

#[test]
fn a_signature_of_another_cabinet_fails() {
    let (set, signed) = (Copy(SET.to_vec()), Copy(SIGNED.to_vec()));
    let mut swapped = SIGNED[..signed.signature()].to_vec();
    swapped.extend(&SET[set.signature()..]);
    put(&mut swapped, 48, &SET[48..52]);
    let found = look(&swapped);
    assert_eq!(failed(&found), ["cab.digest"]);
    assert_eq!(found.verdict, Verdict::Invalid);
}

/// Blocks of no data, which all folders share: their number is limited, not only their bytes.
#[test]
fn many_folders_over_the_same_blocks_cost_little() {
    let (folders, blocks) = (20_000_usize, 60_000_usize);
    let number = |number: usize| u32::try_from(number).expect("small").to_le_bytes();
    let files = 36 + 8 * folders;
    let mut bytes = PLAIN[..36].to_vec();
    put(&mut bytes, 8, &number(files + 8 * blocks));
    put(&mut bytes, 16, &number(files));
    put(&mut bytes, 26, &number(folders)[..2]);
    let folder = [number(files), number(blocks)].concat();
    bytes.extend(folder.repeat(folders));
    bytes.resize(files + 8 * blocks, 0);
    let found = look(&bytes);
    assert_eq!(failed(&found), ["cab.parse"]);
    assert!(found.checks[0].reason.contains("blocks of data"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Anything may be written anywhere; the answer may be anything but a panic, and `valid` only where the cabinet is
    /// what it was.
    #[test]
    fn random_changes_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
        in_headers in any::<bool>(),
        of in 0..4_usize,
    ) {
        let original = [SIGNED, SET, LAST, RESERVE][of];
        let mut copy = original.to_vec();
        let length = if in_headers { 120 } else { original.len() };
        for (at, byte) in changes {
            copy[at.index(length)] = byte;
        }
        if let Some(cut) = cut {
            copy.truncate(cut.index(original.len()));
        }
        if look(&copy).verdict == Verdict::Valid {
            let end = number(original, 8);
            prop_assert_eq!(&copy[..end], &original[..end]);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let mut bytes = bytes;
        let length = bytes.len().min(26);
        put(&mut bytes, 0, &SIGNED[..length]);
        prop_assert_ne!(look(&bytes).verdict, Verdict::Valid);
    }
}
