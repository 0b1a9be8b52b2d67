//! Packages with one thing wrong: the check that must fail, and what rpm 4.18 thinks of it.

use pgp::composed::KeyType;
use pgp::crypto::hash::HashAlgorithm;
use pgp::types::KeyVersion;
use proptest::prelude::*;

use super::build::{PAYLOAD, Package, bytes, header, number, text};
use super::{Owner, SIGNED, Terms, database, failed, is_there, keys_of, look, rpmkeys};
use crate::openpgp::tests::owner::MADE;
use crate::report::Verdict;
use crate::tests::keep;

/// What `rpmkeys` 4.18 says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rpm {
    Refuses,
    /// For that reason; the list of these is what we differ in.
    Accepts(&'static str),
}
use Rpm::{Accepts, Refuses};

type Mutant = (&'static str, &'static str, Rpm, fn(&mut Package, &Owner));

fn terms() -> Terms {
    Terms::at(SIGNED)
}

fn stranger() -> Owner {
    Owner::new(77)
}

const V4: &[Mutant] = &[
    ("magic of the lead", "rpm.parse", Refuses, |it, _| {
        it.lead[3] ^= 1
    }),
    ("version of the lead", "rpm.parse", Refuses, |it, _| {
        it.lead[4] = 9
    }),
    (
        "kind of signature in the lead",
        "rpm.parse",
        Refuses,
        |it, _| it.lead[79] = 1,
    ),
    (
        "byte of the payload",
        "rpm.payload-digest",
        Refuses,
        |it, _| it.payload[9] ^= 1,
    ),
    ("byte behind", "rpm.payload-digest", Refuses, |it, _| {
        it.behind = |file| file.push(0)
    }),
    ("cut payload", "rpm.payload-digest", Refuses, |it, _| {
        it.behind = |file| file.truncate(file.len() - 1)
    }),
    ("no payload", "rpm.payload-digest", Refuses, |it, _| {
        it.payload.clear()
    }),
    (
        "version of the package",
        "openpgp.signature",
        Refuses,
        |it, _| it.header[2] = text(1001, "1.4.1"),
    ),
    (
        "version, and digests made right",
        "openpgp.signature",
        Refuses,
        |it, owner| {
            let signature = it.signature[0].clone();
            it.header[2] = text(1001, "1.4.1");
            it.sign_v4(owner, &terms());
            it.signature[0] = signature;
        },
    ),
    (
        "payload, and digests made right",
        "openpgp.signature",
        Refuses,
        |it, owner| {
            let (signature, other) = (it.signature[0].clone(), b"another".to_vec());
            let digest =
                crate::digest::hex(&crate::digest::DigestAlgorithm::Sha256.hash(&[&other]));
            *Package::tag(&mut it.header, 5092) = super::build::texts(5092, &[&digest]);
            it.payload = other;
            it.sign_v4(owner, &terms());
            it.signature[0] = signature;
        },
    ),
    (
        "byte of the signature",
        "openpgp.signature",
        Refuses,
        |it, _| {
            let last = it.signature[0].data.len() - 1;
            it.signature[0].data[last] ^= 1;
        },
    ),
    (
        "signature cut short",
        "openpgp.present",
        Refuses,
        |it, _| {
            it.signature[0].data.pop();
            it.signature[0].count -= 1;
        },
    ),
    (
        "two signatures in one tag",
        "openpgp.present",
        Refuses,
        |it, _| {
            it.signature[0] = bytes(it.signature[0].tag, it.signature[0].data.repeat(2));
        },
    ),
    ("no signature", "rpm.signed", Refuses, |it, _| {
        drop(it.signature.remove(0))
    }),
    (
        "signature of another package",
        "openpgp.signature",
        Refuses,
        |it, owner| {
            it.signature[0] = Package::v4("another", owner, &terms()).signature[0].clone();
        },
    ),
    (
        "signature by a stranger",
        "openpgp.key",
        Refuses,
        |it, _| {
            let signature = stranger().sign(&it.header_bytes(), &terms());
            it.signature[0] = bytes(267, signature);
        },
    ),
    (
        "a good one and a bad one",
        "openpgp.signature",
        Refuses,
        |it, owner| {
            it.signature
                .insert(0, bytes(267, owner.sign(b"other", &terms())));
        },
    ),
    (
        "signature of the future",
        "openpgp.time",
        Accepts("it does not look at the clock"),
        |it, owner| it.sign_v4(owner, &Terms::at("2027-01-01T00:00:00Z")),
    ),
    (
        "signature before the key",
        "openpgp.key-validity",
        Accepts("it does not look at the clock"),
        |it, owner| it.sign_v4(owner, &Terms::at("2025-01-01T00:00:00Z")),
    ),
    (
        "signature by SHA-1",
        "openpgp.weak-digest",
        Accepts("SHA-1 is not weak to it"),
        |it, owner| it.sign_v4(owner, &terms().hash(HashAlgorithm::Sha1)),
    ),
    (
        "SHA-1 of the header",
        "rpm.header-digest",
        Refuses,
        |it, _| *Package::tag(&mut it.signature, 269) = text(269, &"0".repeat(40)),
    ),
    (
        "SHA-256 of the header",
        "rpm.header-digest",
        Refuses,
        |it, _| *Package::tag(&mut it.signature, 273) = text(273, &"0".repeat(64)),
    ),
    (
        "MD5 of everything",
        "rpm.header-digest",
        Refuses,
        |it, _| Package::tag(&mut it.signature, 1004).data[0] ^= 1,
    ),
    (
        "size",
        "rpm.header-digest",
        Accepts("it does not compare the size"),
        |it, _| Package::tag(&mut it.signature, 1000).data[3] ^= 1,
    ),
    (
        "digest of 16 digits",
        "rpm.signature-header",
        Refuses,
        |it, _| *Package::tag(&mut it.signature, 273) = text(273, &"0".repeat(16)),
    ),
    (
        "name of a package in the signature header",
        "rpm.signature-header",
        Accepts("it drops foreign tags later, when it installs"),
        |it, _| it.signature.push(text(1009, "other")),
    ),
    (
        "number instead of text",
        "rpm.signature-header",
        Accepts("it skips a digest of another type"),
        |it, _| *Package::tag(&mut it.signature, 273) = number(273, 1),
    ),
    (
        "something in the reserve",
        "rpm.signature-header",
        Accepts("the reserve is only room to it"),
        |it, _| Package::tag(&mut it.signature, 1008).data[5] = 1,
    ),
    (
        "tag twice in the signature header",
        "rpm.parse",
        Accepts("it takes one of them"),
        |it, _| it.signature.push(bytes(1008, vec![0; 4])),
    ),
    (
        "tag twice in the header",
        "rpm.parse",
        Accepts("it takes one of them"),
        |it, owner| {
            it.header.push(number(5093, 8));
            it.sign_v4(owner, &terms());
        },
    ),
    (
        "tags out of order",
        "rpm.parse",
        Accepts("order is nothing to it in version 4"),
        |it, owner| {
            it.header.swap(1, 2);
            it.sign_v4(owner, &terms());
        },
    ),
    (
        "no digest of the payload",
        "rpm.payload-digest",
        Refuses,
        |it, owner| {
            it.header.retain(|tag| tag.tag < 5092);
            it.sign_v4(owner, &terms());
        },
    ),
    (
        "digest of the payload by SHA-1",
        "rpm.payload-digest",
        Accepts("it takes each for SHA-256, whatever is said"),
        |it, owner| {
            *Package::tag(&mut it.header, 5093) = number(5093, 2);
            it.sign_v4(owner, &terms());
        },
    ),
    (
        "two digests of the payload",
        "rpm.payload-digest",
        Accepts("it takes one of them"),
        |it, owner| {
            let digest =
                crate::digest::hex(&crate::digest::DigestAlgorithm::Sha256.hash(&[PAYLOAD]));
            *Package::tag(&mut it.header, 5092) = super::build::texts(5092, &[&digest, &digest]);
            it.sign_v4(owner, &terms());
        },
    ),
    ("magic of the header", "rpm.parse", Refuses, |it, _| {
        it.behind = |file| file[96] ^= 1
    }),
    ("entries past the end", "rpm.parse", Refuses, |it, _| {
        it.behind = |file| file[107] = 30
    }),
    ("4 GiB of entries", "rpm.parse", Refuses, |it, _| {
        it.behind = |file| file[104..108].fill(0xff)
    }),
    ("4 GiB of data", "rpm.parse", Refuses, |it, _| {
        it.behind = |file| file[108..112].fill(0xff)
    }),
    ("cut in the header", "rpm.parse", Refuses, |it, _| {
        it.behind = |file| file.truncate(400)
    }),
    (
        "an entry outside of the region",
        "rpm.parse",
        Accepts("it lets them in, in signature headers"),
        |it, _| {
            it.behind = |file| {
                // The trailer of the signature header counts one entry less.
                let package = header_end(file);
                file[package - 5] = file[package - 5].wrapping_add(16);
            }
        },
    ),
];

/// Where the signature header ends in a file.
fn header_end(file: &[u8]) -> usize {
    let number = |at: usize| {
        let bytes = file[at..].first_chunk::<4>().expect("a number");
        usize::try_from(u32::from_be_bytes(*bytes)).expect("small")
    };
    96 + 16 + number(104) * 16 + number(108)
}

#[test]
fn each_mutant_fails_its_check_and_is_judged() {
    // Not over Ed25519, which signs no weak digest.
    let owner = Owner::with(1, KeyVersion::V4, &KeyType::Rsa(2048), MADE);
    let keys = keys_of(&[&owner]);
    let plain = Package::v4("atlas", &owner, &terms());
    assert_eq!(look(&plain.file(), &keys).verdict, Verdict::Valid);
    let judge = is_there("rpmkeys").then(|| {
        let exported = owner.export(&owner.certificate());
        let text = crate::openpgp::tests::armoured("PGP PUBLIC KEY BLOCK", &exported);
        database(&[text.as_bytes()])
    });
    if let Some(database) = &judge {
        assert!(rpmkeys(database.path(), &plain.file()));
    }
    let mut wrong = Vec::new();
    for (what, check, expected, spoil) in V4 {
        let mut copy = plain.clone();
        spoil(&mut copy, &owner);
        let file = copy.file();
        keep(&format!("{what}.rpm"), &file);
        let found = look(&file, &keys);
        let ids = failed(&found);
        if found.verdict == Verdict::Valid || !ids.contains(check) {
            wrong.push(format!("{what}: expected {check}, found {ids:?}"));
        }
        if let Some(database) = &judge {
            let accepts = rpmkeys(database.path(), &file);
            if accepts != matches!(expected, Accepts(_)) {
                wrong.push(format!(
                    "{what}: rpmkeys accepts: {accepts}, expected {expected:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const V6: &[Mutant] = &[
    (
        "byte of the payload",
        "rpm.payload-digest",
        Refuses,
        |it, _| it.payload[9] ^= 1,
    ),
    ("byte behind", "rpm.payload-digest", Refuses, |it, _| {
        it.behind = |file| file.push(0)
    }),
    (
        "version of the package",
        "openpgp.signature",
        Refuses,
        |it, _| it.header[2] = text(1001, "1.4.1"),
    ),
    ("no signature", "rpm.signed", Refuses, |it, _| {
        it.signature.retain(|tag| tag.tag != 278)
    }),
    (
        "signature that is no base64",
        "rpm.signature-header",
        Refuses,
        |it, _| it.signature[1].data[9] = b'!',
    ),
    (
        "signature by a stranger",
        "openpgp.key",
        Refuses,
        |it, _| it.sign_v6(&[&stranger()], &terms()),
    ),
    (
        "SHA3-256 of the header",
        "rpm.header-digest",
        Refuses,
        |it, _| *Package::tag(&mut it.signature, 279) = text(279, &"0".repeat(64)),
    ),
    (
        "tag of version 4",
        "rpm.signature-header",
        Refuses,
        |it, _| it.signature.push(number(1000, 1)),
    ),
    (
        "SHA-512 of the payload",
        "rpm.payload-digest",
        Refuses,
        |it, owner| {
            *Package::tag(&mut it.header, 5121) = text(5121, &"0".repeat(128));
            it.sign_v6(&[owner], &terms());
        },
    ),
    (
        "SHA3-256 of the payload",
        "rpm.payload-digest",
        Refuses,
        |it, owner| {
            *Package::tag(&mut it.header, 5123) = text(5123, &"0".repeat(64));
            it.sign_v6(&[owner], &terms());
        },
    ),
    (
        "seventeen signatures",
        "rpm.signature-header",
        Refuses,
        |it, owner| it.sign_v6(&[owner; 17], &terms()),
    ),
];

#[test]
fn each_mutant_of_version_6_fails_its_check() {
    let (owner, other) = (Owner::new(1), Owner::new(2));
    let plain = Package::v6("atlas", &[&owner, &other], &terms());
    let mut wrong = Vec::new();
    for (what, check, _, spoil) in V6 {
        let mut copy = plain.clone();
        spoil(&mut copy, &owner);
        let found = look(&copy.file(), &keys_of(&[&owner, &other]));
        let ids = failed(&found);
        if found.verdict == Verdict::Valid || !ids.contains(check) {
            wrong.push(format!("{what}: expected {check}, found {ids:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_stripped_package_is_unsigned_and_nothing_else() {
    let owner = Owner::new(1);
    let mut package = Package::v4("atlas", &owner, &terms());
    package.signature.remove(0);
    let found = look(&package.file(), &keys_of(&[&owner]));
    assert_eq!(found.verdict, Verdict::Unsigned);
    assert_eq!(failed(&found), ["rpm.signed"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Anything may be written anywhere; the answer may be anything but a panic, and `valid` only where header and payload
    /// are what they were.
    #[test]
    fn random_changes_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
        in_headers in any::<bool>(),
        is_v6 in any::<bool>(),
    ) {
        let owner = Owner::new(1);
        let package = match is_v6 {
            true => Package::v6("atlas", &[&owner], &terms()),
            false => Package::v4("atlas", &owner, &terms()),
        };
        let original = package.file();
        let mut copy = original.clone();
        let length = if in_headers { 96 + header(62, &package.signature).len() } else { original.len() };
        for (at, byte) in changes {
            copy[at.index(length)] = byte;
        }
        if let Some(cut) = cut {
            copy.truncate(cut.index(original.len()));
        }
        if look(&copy, &keys_of(&[&owner])).verdict == Verdict::Valid {
            let at = package.header_at();
            prop_assert_eq!(&copy[at..], &original[at..]);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let owner = Owner::new(1);
        let mut file = Package::v4("atlas", &owner, &terms()).file();
        file.truncate(104);
        file.extend(bytes);
        prop_assert_ne!(look(&file, &keys_of(&[&owner])).verdict, Verdict::Valid);
    }
}
