//! Copies with one thing wrong: the right check must fail, and nothing may panic.

use proptest::prelude::*;

use super::*;
use crate::packages::tests::{Copy, is_unsigned, verdict};
use crate::tests::find;
use crate::tests::spoilt::{Mutant, Spoilt, each_fails_its_check};
use crate::zip::tests::{Member, archive};

/// Puts a file behind the signature, as whoever appends to a zip archive does.
fn append(copy: &mut Copy) {
    let alone = archive(&[Member::new("late.txt", b"late")]);
    let (at, end) = (copy.directory(), copy.end());
    let file_bytes = 30 + "late.txt".len() + 4;
    let mut record = alone[file_bytes..alone.len() - 22].to_vec();
    record[42..46].copy_from_slice(&(at as u32).to_le_bytes());
    let mut end_record = copy.bytes.split_off(end);
    let count = u16::from_le_bytes([end_record[10], end_record[11]]) + 1;
    end_record[8..10].copy_from_slice(&count.to_le_bytes());
    end_record[10..12].copy_from_slice(&count.to_le_bytes());
    copy.bytes.extend(&record);
    let bytes = (copy.bytes.len() - at) as u32;
    copy.bytes
        .splice(at..at, alone[..file_bytes].iter().copied());
    end_record[12..16].copy_from_slice(&bytes.to_le_bytes());
    end_record[16..20].copy_from_slice(&((at + file_bytes) as u32).to_le_bytes());
    copy.bytes.extend(end_record);
}

const MUTANTS: &[Mutant<Copy>] = &[
    ("nothing", SIGNED, "", |_| {}),
    ("name of a file", SIGNED, "msix.parse", |it| it.flip(32)),
    ("content of a file", SIGNED, "msix.digest", |it| it.flip(40)),
    ("content of a file", SIGNED, "msix.blocks", |it| it.flip(40)),
    ("date of a file", SIGNED, "msix.digest", |it| it.flip(10)),
    ("date in the directory", SIGNED, "msix.digest", |it| {
        let at = it.directory();
        it.flip(at + 12);
    }),
    ("attributes in the directory", SIGNED, "msix.digest", |it| {
        let at = it.directory();
        it.flip(at + 38);
    }),
    ("date of the content types", SIGNED, "msix.digest", |it| {
        let at = find(&it.bytes, b"[Content_Types].xml");
        it.flip(at - 20);
    }),
    ("comment of the archive", SIGNED, "msix.digest", |it| {
        let at = it.end();
        it.put(at + 20, &[1]);
        it.bytes.push(b'!');
    }),
    ("byte behind the file", SIGNED, "msix.parse", |it| {
        it.bytes.push(0)
    }),
    ("JAR behind the file", SIGNED, "msix.parse", |it| {
        it.bytes.extend(b"PK\x05\x06");
        it.bytes.extend([0; 18]);
    }),
    (
        "file behind the signature",
        SIGNED,
        "msix.signature-last",
        append,
    ),
    (
        "file behind the signature",
        SIGNED,
        "msix.block-map",
        append,
    ),
    (
        "extra field of the signature",
        SIGNED,
        "msix.signature-last",
        |it| {
            it.extend_record(&[&[0x99, 0x99, 40, 0][..], &[0; 40]].concat());
        },
    ),
    ("signature in another case", SIGNED, "msix.signed", |it| {
        for at in [it.header() + 30, it.record() + 46] {
            it.put(at, b"APPXSignature.p7x");
        }
    }),
    ("magic of the signature", SIGNED, "cms.parse", |it| {
        let at = it.signature() - 1;
        it.flip_signed(at);
    }),
    ("checksum of the signature", SIGNED, "cms.parse", |it| {
        let at = it.signature() + 200;
        it.flip(at);
    }),
    ("structure of the signature", SIGNED, "cms.parse", |it| {
        let at = it.signature() + 5;
        it.flip_signed(at);
    }),
    ("kind of package", SIGNED, "cms.parse", |it| {
        it.flip_found(&[0x4b, 0xdf, 0xc5, 0x0a], 1);
    }),
    ("signed digest of the files", SIGNED, "msix.digest", |it| {
        it.flip_found(b"AXPC", 9)
    }),
    (
        "signed digest of the directory",
        SIGNED,
        "msix.digest",
        |it| it.flip_found(b"AXCD", 9),
    ),
    ("signed digest of the types", SIGNED, "msix.digest", |it| {
        it.flip_found(b"AXCT", 9)
    }),
    (
        "signed digest of the block map",
        SIGNED,
        "msix.digest",
        |it| it.flip_found(b"AXBM", 9),
    ),
    ("letters of a digest", SIGNED, "msix.digest", |it| {
        it.flip_found(b"AXBM", 3)
    }),
    (
        "binding of the digests",
        SIGNED,
        "cms.message-digest",
        |it| it.flip_found(b"AXBM", 9),
    ),
    ("signature itself", SIGNED, "cms.signature", |it| {
        let signature = it.signed().signers[0].signature.to_vec();
        it.flip_found(&signature, 20);
    }),
    ("timestamp", SIGNED, "timestamp.token", |it| {
        let token = it.token();
        it.flip_found(&token, token.len() - 9);
    }),
    ("package in a bundle", BUNDLE, "msix.digest", |it| {
        let at = find(&it.bytes, b"x64.msix");
        it.flip(at + 8 + 10);
    }),
    ("kind of bundle", BUNDLE, "cms.parse", |it| {
        it.flip_found(&[0xb3, 0x58, 0x5f, 0x0f], 1);
    }),
];

#[test]
fn each_mutant_fails_its_check() {
    let (nothing, mutants) = MUTANTS.split_first().expect("mutants");
    assert_eq!(failed(&look(Copy::of(nothing.1).bytes())), [""; 0]);
    assert_eq!(failed(&look(Copy::of(BUNDLE).bytes())), [""; 0]);
    each_fails_its_check(mutants.iter().copied(), "msix", look);
}

#[test]
fn what_differs_is_named() {
    for (tag, what) in [("AXPC", "the files"), ("AXBM", "the block map")] {
        let mut copy = Copy::of(SIGNED);
        copy.flip_found(tag.as_bytes(), 9);
        let found = look(copy.bytes());
        let reason = found.failed().find(|it| it.id.as_str() == "msix.digest");
        let reason = &reason.expect("a failed check").reason;
        let named = format!("other digests (SHA-256) are signed of {what} ({tag});");
        assert!(reason.starts_with(&named), "{reason}");
    }
}

#[test]
fn a_package_cut_short_is_never_valid() {
    for length in (0..SIGNED.len()).step_by(3) {
        let found = verdict(&SIGNED[..length]);
        assert!(found.is_none_or(|it| it == Verdict::Invalid), "{length}");
    }
}

proptest! {
    #[test]
    fn a_package_with_a_flipped_bit_is_valid_only_where_nothing_is_said(
        at in 0..SIGNED.len(),
        bit in 0..8_u8,
    ) {
        let mut copy = Copy::of(SIGNED);
        prop_assume!(at < copy.bytes.len());
        copy.bytes[at] ^= 1 << bit;
        let is_valid = verdict(&copy.bytes) == Some(Verdict::Valid);
        prop_assert!(!is_valid || is_unsigned(&Copy::of(SIGNED), at), "byte {at}");
    }
}
