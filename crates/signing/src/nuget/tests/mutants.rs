//! Copies with one thing wrong: the right check must fail, and nothing may panic.

use proptest::prelude::*;

use super::*;
use crate::packages::tests::{Copy, is_unsigned, verdict};
use crate::tests::find;
use crate::tests::spoilt::{Mutant, Spoilt, each_fails_its_check};

const MUTANTS: &[Mutant<Copy>] = &[
    ("name of a file", AUTHOR, "nuget.parse", |it| it.flip(34)),
    ("name in the directory", AUTHOR, "nuget.parse", |it| {
        let at = it.directory();
        it.flip(at + 47);
    }),
    ("content of a file", AUTHOR, "nuget.digest", |it| {
        it.flip(50)
    }),
    ("date of a file", AUTHOR, "nuget.digest", |it| it.flip(10)),
    ("date in the directory", AUTHOR, "nuget.digest", |it| {
        let at = it.directory();
        it.flip(at + 12);
    }),
    (
        "attributes in the directory",
        AUTHOR,
        "nuget.digest",
        |it| {
            let at = it.directory();
            it.flip(at + 38);
        },
    ),
    ("file behind a signature", FIRST, "nuget.digest", |it| {
        let at = find(&it.bytes, b"SnakeOil.nuspec");
        it.flip(at + 20);
    }),
    ("byte behind the file", AUTHOR, "nuget.parse", |it| {
        it.bytes.push(0)
    }),
    ("comment of the archive", AUTHOR, "nuget.digest", |it| {
        let at = it.end();
        it.put(at + 20, &[1]);
        it.bytes.push(b'!');
    }),
    (
        "extra field of the signature",
        AUTHOR,
        "nuget.signature-entry",
        |it| it.extend_record(&[0x99, 0x99, 0, 0]),
    ),
    ("signature in another case", AUTHOR, "nuget.parse", |it| {
        for at in [it.header() + 30, it.record() + 46] {
            it.put(at, b".Signature.p7s");
        }
    }),
    ("structure of the signature", AUTHOR, "cms.parse", |it| {
        let at = it.signature() + 5;
        it.flip_signed(at);
    }),
    ("checksum of the signature", AUTHOR, "cms.parse", |it| {
        let at = it.signature() + 200;
        it.flip(at);
    }),
    ("version of the content", AUTHOR, "nuget.content", |it| {
        it.flip_found(b"Version:1", 8);
    }),
    ("signed digest", AUTHOR, "nuget.digest", |it| {
        it.flip_found(b"-Hash:", 10);
    }),
    (
        "binding of the content",
        AUTHOR,
        "cms.message-digest",
        |it| it.flip_found(b"-Hash:", 10),
    ),
    ("signature itself", AUTHOR, "cms.signature", |it| {
        let signature = it.signed().signers[0].signature.to_vec();
        it.flip_found(&signature, 20);
    }),
    ("role", AUTHOR, "cms.signature", |it| {
        it.flip_found(crate::oid::PROOF_OF_ORIGIN.0, 10);
    }),
    ("timestamp", AUTHOR, "timestamp.token", |it| {
        it.flip_found(b"20260601000000Z", 2);
    }),
    (
        "signature below a countersignature",
        COUNTERSIGNED,
        "cms.message-digest",
        |it| {
            let signature = it.signed().signers[0].signature.to_vec();
            it.flip_found(&signature, 20);
        },
    ),
    (
        "role of a countersignature",
        COUNTERSIGNED,
        "nuget.countersignature",
        |it| it.flip_found(crate::oid::PROOF_OF_RECEIPT.0, 10),
    ),
];

#[test]
fn each_mutant_fails_its_check() {
    each_fails_its_check(MUTANTS.iter().copied(), "nupkg", look);
}

#[test]
fn a_package_cut_short_is_never_valid() {
    for length in 0..AUTHOR.len() {
        let found = verdict(&AUTHOR[..length]);
        assert!(found.is_none_or(|it| it == Verdict::Invalid), "{length}");
    }
}

proptest! {
    #[test]
    fn a_package_with_a_flipped_bit_is_valid_only_where_nothing_is_said(
        at in 0..COUNTERSIGNED.len(),
        bit in 0..8_u8,
    ) {
        let mut copy = Copy::of(COUNTERSIGNED);
        copy.bytes[at] ^= 1 << bit;
        let is_valid = verdict(&copy.bytes) == Some(Verdict::Valid);
        prop_assert!(!is_valid || is_unsigned(&Copy::of(COUNTERSIGNED), at), "byte {at}");
    }
}
