//! One thing wrong.

use proptest::prelude::*;

use super::*;

type Mutant = (&'static str, &'static str, fn(&mut AppImage, &Owner));

/// Where the entry of a section is, in an ELF image whose table ends it.
fn entry(file: &[u8], section: usize) -> usize {
    file.len() - (6 - section) * 64
}

const MUTANTS: &[Mutant] = &[
    ("mark", "appimage.parse", |it, _| {
        it.behind = |elf| elf[9] = b'X'
    }),
    (
        "type 1, whose image is an ISO",
        "appimage.parse",
        |it, _| it.behind = |elf| elf[10] = 1,
    ),
    ("class", "appimage.parse", |it, _| {
        it.behind = |elf| elf[4] = 3
    }),
    ("big-endian", "appimage.parse", |it, _| {
        it.behind = |elf| elf[5] = 2
    }),
    ("table of sections outside", "appimage.parse", |it, _| {
        it.behind = |elf| elf[46] = 1
    }),
    ("size of an entry", "appimage.parse", |it, _| {
        it.behind = |elf| elf[58] = 56
    }),
    ("no sections", "appimage.parse", |it, _| {
        it.behind = |elf| elf[60] = 0
    }),
    ("names outside of the table", "appimage.parse", |it, _| {
        it.behind = |elf| elf[62] = 9
    }),
    ("a section behind the end", "appimage.parse", |it, _| {
        it.behind = |elf| {
            let at = entry(elf, 1) + 34;
            elf[at] = 1;
        };
    }),
    ("a segment behind the end", "appimage.parse", |it, _| {
        it.behind = |elf| elf[64 + 34] = 1
    }),
    ("no image", "appimage.parse", |it, _| it.image.clear()),
    ("another thing behind it", "appimage.parse", |it, _| {
        it.image[0] = b'x'
    }),
    ("bytes before the image", "appimage.parse", |it, _| {
        it.behind = |elf| elf.extend([0; 16])
    }),
    ("no signature", "appimage.signed", |it, _| it.set(3, "")),
    ("byte of the program", "openpgp.signature", |it, _| {
        it.parts[1].2[9] ^= 1
    }),
    ("byte of the image", "openpgp.signature", |it, _| {
        it.image[300] ^= 1
    }),
    ("byte behind", "openpgp.signature", |it, _| it.image.push(0)),
    ("byte of the signature", "openpgp.present", |it, _| {
        // The letter is none of base64.
        let at = find(&it.parts[3].2, b"\n\n") + 20;
        it.parts[3].2[at] = b'*';
    }),
    (
        "signature of another file",
        "openpgp.signature",
        |it, owner| {
            let signature = owner.sign(b"0000", &Terms::at(SIGNED));
            it.set(3, &armoured("PGP SIGNATURE", &signature));
        },
    ),
    (
        "signature over the bytes of the digest",
        "openpgp.signature",
        |it, owner| {
            let mut zeroed = it.clone();
            zeroed.set(3, "");
            zeroed.set(4, "");
            let digest = sha2::Sha256::digest(zeroed.file());
            let signature = owner.sign(&digest, &Terms::at(SIGNED));
            it.set(3, &armoured("PGP SIGNATURE", &signature));
        },
    ),
    (
        "signature by the key that is put in",
        "openpgp.key",
        |it, _| *it = AppImage::signed(&Owner::new(9)),
    ),
    ("two signatures", "openpgp.present", |it, owner| {
        let signature = owner.sign(it.text().as_bytes(), &Terms::at(SIGNED));
        let both = [&signature[..], &signature].concat();
        it.set(3, &armoured("PGP SIGNATURE", &both));
    }),
    (
        "bytes behind the signature",
        "appimage.sections",
        |it, _| it.parts[3].2[SIGNATURE_BYTES - 1] = 1,
    ),
    ("text behind the signature", "appimage.sections", |it, _| {
        let at = it.parts[3]
            .2
            .iter()
            .position(|byte| *byte == 0)
            .expect("room");
        put(&mut it.parts[3].2, at, b"#!/bin/sh");
    }),
    (
        "a second block behind the signature",
        "appimage.sections",
        |it, _| {
            let text = String::from_utf8(it.parts[3].2.clone()).expect("text");
            let text = text.trim_end_matches('\0').repeat(2);
            it.set(3, &text);
        },
    ),
    (
        "signature without armour",
        "appimage.sections",
        |it, owner| {
            let signature = owner.sign(it.text().as_bytes(), &Terms::at(SIGNED));
            it.set(3, "");
            put(&mut it.parts[3].2, 0, &signature);
        },
    ),
    ("another thing than a key", "appimage.sections", |it, _| {
        it.set(4, "PK\x05\x06")
    }),
    ("bytes behind the key", "appimage.sections", |it, _| {
        it.parts[4].2[KEY_BYTES - 1] = 1
    }),
    ("two sections of one name", "appimage.sections", |it, _| {
        it.parts.insert(3, (".sha256_sig", 1, vec![0; 16]))
    }),
    (
        "a section that is too large",
        "appimage.sections",
        |it, _| it.parts[4].2.resize(65 * 1024, 0),
    ),
    // What is taken for zeros would say that it is to be taken for zeros.
    ("a section over the table", "appimage.sections", |it, _| {
        it.behind = |elf| {
            let (at, table) = (entry(elf, 4), elf.len() as u64 - 64);
            put(elf, at + 24, &table.to_le_bytes());
            put(elf, at + 32, &8_u64.to_le_bytes());
        };
    }),
    ("a section over the header", "appimage.sections", |it, _| {
        it.behind = |elf| {
            let at = entry(elf, 4);
            put(elf, at + 24, &8_u64.to_le_bytes());
        };
    }),
    (
        "a section over the other one",
        "appimage.sections",
        |it, _| {
            it.behind = |elf| {
                let (from, to) = (entry(elf, 3), entry(elf, 4));
                let range: Vec<u8> = elf[from + 24..from + 40].to_vec();
                put(elf, to + 24, &range);
            };
        },
    ),
];

#[test]
fn each_mutant_fails_its_check() {
    let owner = Owner::new(1);
    let keys = keys_of(&owner);
    let plain = AppImage::signed(&owner);
    assert_eq!(look(&plain.file(), &keys).verdict, Verdict::Valid);
    let mut wrong = Vec::new();
    for (what, check, spoil) in MUTANTS {
        let mut copy = plain.clone();
        spoil(&mut copy, &owner);
        let found = look(&copy.file(), &keys);
        let ids = failed(&found);
        if found.verdict == Verdict::Valid || ids != [*check] {
            wrong.push(format!("{what}: expected {check}, found {ids:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Anything may be written anywhere; the answer may be anything but a panic, and `valid` only where what is signed is
    /// what it was.
    #[test]
    fn random_changes_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let owner = Owner::new(1);
        let original = AppImage::signed(&owner).file();
        let mut copy = original.clone();
        for (at, byte) in changes {
            copy[at.index(original.len())] = byte;
        }
        if let Some(cut) = cut {
            copy.truncate(cut.index(original.len()));
        }
        if look(&copy, &keys_of(&owner)).verdict == Verdict::Valid {
            let from = find(&original, b"-----BEGIN PGP SIGNATURE");
            let room = from..from + SIGNATURE_BYTES + KEY_BYTES;
            let outside = |file: &[u8]| [&file[..room.start], &file[room.end..]].concat();
            prop_assert_eq!(outside(&copy), outside(&original));
        }
    }
}
