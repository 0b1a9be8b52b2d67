//! Small images signed under a PKI of our own (`fixtures/apple/disk_images.py`), and copies of them with one thing wrong.

mod judge;

use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::apple::{HardenedRuntime, Notarized, Signer};
use crate::checks::Outcome;
use crate::digest::DigestAlgorithm;
use crate::format::Format;
use crate::inspection;
use crate::reading::u64_at;
use crate::report::Verdict;
use crate::tar;
use crate::tests::{day, failed, find, printable, put, time};
use crate::walk;

macro_rules! image {
    ($name:literal) => {
        include_bytes!(concat!("../../fixtures/apple/", $name, ".dmg"))
    };
}

const GOOD: &[u8] = image!("good");
/// Of the same team, with data of the same length.
const OTHER: &[u8] = image!("other");
const TEAM: &str = "SNAKE0OIL1";
const TICKET: u32 = 0x10002;

pub(crate) fn trust() -> Trust {
    let root = include_str!("../../fixtures/apple/disk-images.pem");
    Trust::microsoft().with_extra_roots(root).expect("a root")
}

fn look(bytes: &[u8]) -> Inspection {
    let found = inspection::inspect(&mut Cursor::new(bytes), day(), &trust());
    printable(found.map(|it| it.expect("a disk image")))
}

/// The checks that do not pass under the strictest policy.
fn judged(found: &Inspection) -> Vec<&'static str> {
    let signer = Signer {
        team_id: TEAM.to_owned(),
        hardened_runtime: HardenedRuntime::Required,
        notarized: Notarized::Required,
    };
    let judged = found.judge_apple(&signer).into_iter();
    let bad = judged.filter(|it| it.outcome != Outcome::Pass);
    bad.map(|it| it.id.as_str()).collect()
}

/// An image by its parts.
#[derive(Clone)]
struct Copy {
    data: Vec<u8>,
    list: Vec<u8>,
    signature: Vec<u8>,
    koly: Vec<u8>,
}

fn wide(koly: &[u8], at: usize) -> usize {
    usize::try_from(u64_at(koly, at).expect("there")).expect("small")
}

fn part(bytes: &[u8], koly: &[u8], at: usize) -> Vec<u8> {
    let offset = wide(koly, at);
    bytes[offset..offset + wide(koly, at + 8)].to_vec()
}

impl Copy {
    fn of(bytes: &[u8]) -> Self {
        let koly = bytes[bytes.len() - 512..].to_vec();
        Self {
            data: part(bytes, &koly, 0x18),
            list: part(bytes, &koly, 0xd8),
            signature: part(bytes, &koly, 0x128),
            koly,
        }
    }

    fn good() -> Self {
        Self::of(GOOD)
    }

    fn bytes(&self) -> Vec<u8> {
        [&self.data[..], &self.list, &self.signature, &self.koly].concat()
    }

    fn number(&mut self, at: usize, value: usize) {
        put(&mut self.koly, at, &(value as u64).to_be_bytes());
    }

    /// Puts the lengths of the parts into the end, as a tool would that knows the format.
    fn placed(mut self) -> Vec<u8> {
        let (data, list) = (self.data.len(), self.list.len());
        self.number(0x20, data);
        self.number(0xd8, data);
        self.number(0xe0, list);
        let signature = self.signature.len();
        self.number(0x128, if signature == 0 { 0 } else { data + list });
        self.number(0x130, signature);
        self.bytes()
    }

    /// The parts of the signature.
    fn blobs(&self) -> Vec<(u32, Vec<u8>)> {
        let big = |at| u32_at(&self.signature, at).expect("there");
        let size = |at| usize::try_from(big(at)).expect("small");
        let blob = |index: usize| {
            let offset = size(12 + 8 * index + 4);
            let end = offset + size(offset + 4);
            (big(12 + 8 * index), self.signature[offset..end].to_vec())
        };
        (0..size(8)).map(blob).collect()
    }

    fn with_blobs(mut self, blobs: &[(u32, Vec<u8>)]) -> Self {
        let be = |number: usize| u32::try_from(number).expect("small").to_be_bytes();
        let (mut index, mut body) = (Vec::new(), Vec::new());
        let start = 12 + 8 * blobs.len();
        for (kind, blob) in blobs {
            index.extend(kind.to_be_bytes());
            index.extend(be(start + body.len()));
            body.extend_from_slice(blob);
        }
        let magic = 0xfade_0cc0_u32.to_be_bytes();
        self.signature = [magic, be(start + body.len()), be(blobs.len())].concat();
        self.signature.extend([index, body].concat());
        self
    }
}

/// The image without its ticket, or with another one.
fn stapled(ticket: Option<Vec<u8>>) -> Vec<u8> {
    let copy = Copy::good();
    let mut blobs = copy.blobs();
    blobs.retain(|(kind, _)| *kind != TICKET);
    blobs.extend(ticket.map(|it| (TICKET, it)));
    copy.with_blobs(&blobs).placed()
}

#[test]
fn a_good_image_is_good_only_under_its_root() {
    let found = look(GOOD);
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    assert_eq!(found.kind, Kind::AppleDiskImage);
    assert_eq!(judged(&found), [""; 0]);
    let apple = found.signatures[0].apple.as_ref().expect("a report");
    assert_eq!(apple.certificate, Some("Developer ID Application"));
    assert_eq!(apple.notarized, Some(time("2026-06-01T00:01:00Z")));
    let other = inspection::inspect(&mut Cursor::new(GOOD), day(), &Trust::microsoft());
    let other = other.expect("bytes").expect("an image");
    assert_eq!(other.verdict, Verdict::Untrusted);
    let expected = ["ticket.chain", "timestamp.chain", "x509.path"];
    assert_eq!(failed(&other), expected);
}

#[test]
fn a_ticket_may_come_and_go_and_what_is_inside_is_known_by_it_alone() {
    let found = look(&stapled(None));
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    let unnotarized = ["apple.hardened-runtime", "apple.notarized"];
    assert_eq!(judged(&found), unnotarized);
    let mut others = Copy::of(OTHER).blobs().into_iter();
    let ticket = others.find(|(kind, _)| *kind == TICKET).expect("a ticket");
    let found = look(&stapled(Some(ticket.1)));
    assert_eq!(failed(&found), ["ticket.coverage"]);
    assert_eq!(found.verdict, Verdict::Invalid);
    assert_eq!(judged(&found), unnotarized);
}

#[test]
fn a_certificate_for_the_app_store_is_not_for_developer_id() {
    let found = look(image!("app-store"));
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    assert!(judged(&found).contains(&"apple.developer-id"));
}

#[test]
fn an_image_without_a_signature_is_unsigned() {
    let mut bare = Copy::good();
    bare.signature.clear();
    let found = look(&bare.clone().placed());
    assert_eq!(failed(&found), ["dmg.signed"], "{found:#?}");
    assert_eq!(found.verdict, Verdict::Unsigned);
    // The signature is still there, and the end does not say so: an image that was tampered with, not one that is unsigned.
    let mut hidden = Copy::good();
    hidden.number(0x128, 0);
    hidden.number(0x130, 0);
    let found = look(&hidden.bytes());
    assert_eq!(failed(&found), ["dmg.signed", "dmg.trailing-data"]);
    assert_eq!(found.verdict, Verdict::Invalid);
}

#[test]
fn the_end_of_the_image_must_be_signed_as_it_is() {
    for (bytes, expected) in [
        (&image!("unbound")[..], &["dmg.koly"][..]),
        (image!("wrong-end"), &["dmg.koly"]),
        // What would lie in a bundle lies nowhere in an image.
        (image!("with-list"), &["macho.special-slots"]),
    ] {
        let found = look(bytes);
        assert_eq!(failed(&found), expected, "{found:#?}");
        assert_eq!(found.verdict, Verdict::Invalid);
    }
}

#[test]
fn an_image_in_an_archive_is_known_by_its_name() {
    let member = |name: &str, bytes: &[u8]| tar::tests::member(name, b'0', bytes);
    let tar = tar::tests::archive(&[
        member("a.dmg", GOOD),
        member("b.DMG", &GOOD[..4000]),
        member("c.txt", b"text"),
    ]);
    let settings = walk::Settings {
        at: day(),
        trust: &trust(),
        room: walk::tests::room,
        signed: walk::Signed::Opened,
    };
    let found = walk::walk(&mut Cursor::new(tar), settings).expect("bytes");
    let found = found.expect("a container");
    let leaves = found.leaves.iter();
    let leaves: Vec<_> = leaves.map(|it| (it.path.as_str(), it.verdict())).collect();
    let inside = [
        "Snake.app/Contents/Frameworks/library.dylib",
        "Snake.app/Contents/Frameworks/Oil.framework/Versions/A/Oil",
        "Snake.app/Contents/MacOS/Snake",
        "Snake.app",
    ];
    let inside = inside.map(|path| format!("a.dmg!/{path}"));
    let mut expected = vec![("a.dmg", Verdict::Valid)];
    expected.extend(inside.iter().map(|path| (path.as_str(), Verdict::Valid)));
    expected.push(("b.DMG", Verdict::Invalid));
    assert_eq!(leaves, expected);
}

#[test]
fn data_that_begins_as_another_archive_makes_no_archive_of_the_image() {
    let mut copy = Copy::good();
    put(&mut copy.data, 0, b"\xfd7zXZ\0");
    let settings = walk::Settings {
        at: day(),
        trust: &trust(),
        room: walk::tests::room,
        signed: walk::Signed::Opened,
    };
    let found = walk::walk(&mut Cursor::new(copy.bytes()), settings);
    let found = found.expect("bytes").expect("a container");
    assert_eq!(found.container, "disk image");
    let failed: Vec<_> = found.checks.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(
        (failed, found.verdict()),
        (vec!["contents.parse"], Verdict::Invalid)
    );
}

type Spoil = fn(&mut Copy);

/// What is done to a good image, and the checks that must fail, all of them.
const MUTANTS: &[(&str, &[&str], Spoil)] = &[
    ("data", &["dmg.data-checksum", "macho.page-hashes"], |it| {
        it.data[9] ^= 1
    }),
    (
        "data, with its checksum",
        &["dmg.koly", "macho.page-hashes"],
        |it| {
            it.data[9] ^= 1;
            let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &it.data);
            put(&mut it.koly, 0x58, &sum.to_be_bytes()[4..]);
        },
    ),
    (
        "checksum in the property list",
        &["dmg.data-checksum", "macho.page-hashes"],
        |it| {
            let other = Copy::of(OTHER);
            let last = |bytes: &[u8], needle: &[u8]| {
                let mut windows = bytes.windows(needle.len());
                windows.rposition(|window| window == needle).expect("there")
            };
            let (at, end) = (last(&it.list, b"<data>"), last(&it.list, b"</data>"));
            let others = last(&other.list, b"<data>");
            let piece = other.list[others..others + end - at].to_vec();
            put(&mut it.list, at, &piece);
        },
    ),
    ("end of the property list", &["macho.page-hashes"], |it| {
        *it.list.last_mut().expect("a byte") = b' ';
    }),
    ("flags in the end", &["dmg.koly"], |it| it.koly[15] ^= 2),
    ("last byte of the end", &["dmg.koly"], |it| {
        it.koly[511] ^= 1;
    }),
    (
        "checksum in the end",
        &["dmg.data-checksum", "dmg.koly"],
        |it| {
            it.koly[0x5b] ^= 1;
        },
    ),
    (
        "checksum of checksums in the end",
        &["dmg.data-checksum", "dmg.koly"],
        |it| it.koly[0x168] ^= 1,
    ),
    (
        "kind of the checksum",
        &["dmg.data-checksum", "dmg.koly"],
        |it| it.koly[0x53] = 4,
    ),
    ("no checksum", &["dmg.koly"], |it| it.koly[0x53] = 0),
    ("version of the end", &["dmg.parse"], |it| it.koly[7] = 5),
    ("segments", &["dmg.parse"], |it| it.koly[0x3f] = 2),
    ("place of the data", &["dmg.parse"], |it| {
        it.number(0x18, 1 << 40)
    }),
    (
        "data that begins later",
        &["dmg.data-checksum", "dmg.koly", "dmg.trailing-data"],
        |it| it.number(0x18, 1),
    ),
    (
        "property list that ends early",
        &["dmg.koly", "dmg.trailing-data"],
        |it| {
            let bytes = it.list.len() - 1;
            it.number(0xe0, bytes);
        },
    ),
    ("signature without a length", &["dmg.parse"], |it| {
        it.number(0x130, 0);
    }),
    (
        "signature that ends early",
        &["dmg.trailing-data", "macho.super-blob"],
        |it| {
            let bytes = it.signature.len() - 1;
            it.number(0x130, bytes);
        },
    ),
    ("magic of the signature", &["macho.super-blob"], |it| {
        it.signature[3] ^= 1;
    }),
    (
        "flags of the code directory",
        &["apple.cms-binding", "ticket.coverage"],
        |it| {
            let at = find(&it.signature, b"\xfa\xde\x0c\x02");
            it.signature[at + 13] ^= 1;
        },
    ),
    (
        "bytes before the property list",
        &["dmg.data-checksum", "dmg.koly", "macho.page-hashes"],
        |it| {
            it.data.push(0);
            let data = it.data.len();
            it.number(0x20, data);
            it.number(0xd8, data);
            let bytes = it.list.len() - 1;
            it.list.truncate(bytes);
            it.number(0xe0, bytes);
        },
    ),
    ("bytes behind the signature", &["dmg.trailing-data"], |it| {
        it.signature.extend([0; 8]);
        let bytes = it.signature.len();
        it.number(0x130, bytes);
    }),
    (
        "bytes between signature and end",
        &["dmg.trailing-data"],
        |it| {
            it.signature.extend(b"more");
        },
    ),
    (
        "digest in the CMS",
        &["apple.cms-binding", "cms.signature"],
        |it| {
            let blobs = it.blobs();
            let digest = DigestAlgorithm::Sha256.hash(&[&blobs[0].1]);
            let cms = find(&it.signature, &blobs[2].1);
            let at = cms + find(&blobs[2].1, &digest);
            it.signature[at] ^= 1;
        },
    ),
    ("time of the ticket", &["ticket.signature"], |it| {
        let at = find(&it.signature, b"g8tk");
        it.signature[at + 16] ^= 1;
    }),
    (
        "signature of another image by the same team",
        &["dmg.koly", "macho.page-hashes"],
        |it| {
            let other = Copy::of(OTHER);
            it.signature = other.signature;
            let bytes = it.signature.len();
            it.number(0x130, bytes);
        },
    ),
    (
        "data of another image by the same team",
        &["dmg.koly", "macho.page-hashes"],
        |it| {
            let other = Copy::of(OTHER);
            it.data = other.data;
            it.list = other.list;
            let places = it.koly[0x128..0x138].to_vec();
            it.koly = other.koly;
            put(&mut it.koly, 0x128, &places);
        },
    ),
];

#[test]
fn each_mutant_fails_its_checks() {
    let mut wrong = Vec::new();
    for (what, expected, spoil) in MUTANTS {
        let mut copy = Copy::good();
        spoil(&mut copy);
        let found = look(&copy.bytes());
        if failed(&found) != *expected || found.verdict != Verdict::Invalid {
            wrong.push(format!("{what}: expected {expected:?}, found {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_does_not_end_as_an_image_does_is_none() {
    let mut longer = GOOD.to_vec();
    longer.push(0);
    let found = inspection::inspect(&mut Cursor::new(&longer), day(), &trust());
    assert!(found.expect("bytes").is_none(), "its end is its mark");
    for bytes in [&longer[..], b"koly", b""] {
        let found = printable(inspect(&mut Cursor::new(bytes), day(), &trust()));
        assert_eq!(failed(&found), ["dmg.parse"]);
        assert_eq!(found.verdict, Verdict::Invalid);
    }
    // What begins as a program is one, whatever it ends with.
    let bytes = [b"MZ", GOOD].concat();
    let format = inspection::format_of(&mut Cursor::new(bytes)).expect("bytes");
    assert_eq!(format, Format::Pe);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn every_byte_counts(at in 0..GOOD.len(), flip in 1_u8.., cut in 0..GOOD.len()) {
        let mut bytes = GOOD.to_vec();
        bytes[at] ^= flip;
        // A CMS carries what nobody signs: certificates that no path needs, parameters.
        let cms = find(GOOD, b"\xfa\xde\x0b\x01");
        let found = inspect(&mut Cursor::new(&bytes), day(), &trust()).expect("bytes");
        if !(cms..GOOD.len() - 512).contains(&at) {
            prop_assert_eq!(found.verdict, Verdict::Invalid, "byte {}", at);
        }
        let found = inspect(&mut Cursor::new(&GOOD[..cut]), day(), &trust()).expect("bytes");
        prop_assert_eq!(found.verdict, Verdict::Invalid);
        let found = inspect(&mut Cursor::new(&GOOD[cut..]), day(), &trust()).expect("bytes");
        prop_assert!(cut == 0 || found.verdict == Verdict::Invalid);
    }

    #[test]
    fn no_end_makes_it_panic(places in proptest::collection::vec((0_usize..63, any::<u64>()), 1..6)) {
        let mut copy = Copy::good();
        for (at, value) in places {
            put(&mut copy.koly, 8 + at * 8, &value.to_be_bytes());
        }
        let bytes = copy.bytes();
        let found = inspect(&mut Cursor::new(&bytes), day(), &trust()).expect("bytes");
        prop_assert!(bytes == GOOD || found.verdict != Verdict::Valid);
    }
}
