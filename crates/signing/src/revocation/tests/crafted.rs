//! Lists that no tool makes, signed with the key of the authority all the same.

use super::*;
use crate::der::{BIT_STRING, BOOLEAN, ENUMERATED, GENERALIZED_TIME, INTEGER, OCTET_STRING};
use crate::der::{OBJECT_IDENTIFIER, SEQUENCE, context};
use crate::oid;
use crate::revocation::answer::{AnswerError, Found};
use crate::revocation::ocsp::element;

/// The parts of a list, each in DER.
struct Parts {
    version: Vec<u8>,
    next_update: Vec<u8>,
    entries: Vec<u8>,
    extensions: Vec<u8>,
}

fn at(days: i64) -> Vec<u8> {
    element(GENERALIZED_TIME, &[in_days(days).as_bytes()])
}

fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical {
        element(BOOLEAN, &[&[0xff]])
    } else {
        Vec::new()
    };
    let oid = element(OBJECT_IDENTIFIER, &[oid]);
    element(
        SEQUENCE,
        &[&oid, &critical, &element(OCTET_STRING, &[value])],
    )
}

fn entry(serial: &[u8], days: i64, extensions: &[Vec<u8>]) -> Vec<u8> {
    let serial = element(INTEGER, &[serial]);
    let extensions = match extensions {
        [] => Vec::new(),
        some => element(SEQUENCE, &[&some.concat()]),
    };
    element(SEQUENCE, &[&serial, &at(days), &extensions])
}

impl Parts {
    fn new() -> Self {
        Self {
            version: element(INTEGER, &[&[1]]),
            next_update: at(7),
            entries: Vec::new(),
            extensions: Vec::new(),
        }
    }

    fn with(entries: &[Vec<u8>]) -> Self {
        Self {
            entries: element(SEQUENCE, &[&entries.concat()]),
            ..Self::new()
        }
    }

    fn signed(&self, pki: &Pki) -> Vec<u8> {
        let ca = pki.der("ca");
        let issuer = parsed(&ca).subject.raw();
        let oid = element(OBJECT_IDENTIFIER, &[oid::ECDSA_WITH_SHA256.0]);
        let algorithm = element(SEQUENCE, &[&oid]);
        let inside = element(
            SEQUENCE,
            &[
                &self.version,
                &algorithm,
                issuer,
                &at(-1),
                &self.next_update,
                &self.entries,
                &self.extensions,
            ],
        );
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("signed");
        std::fs::write(&file, &inside).expect("a file");
        let (key, file) = (pki.key("ca"), file.to_string_lossy().into_owned());
        let ran = pki.openssl(&["dgst", "-sha256", "-sign", &key.to_string_lossy(), &file]);
        assert!(ran.status.success(), "{ran:?}");
        let signature = element(BIT_STRING, &[&[0], &ran.stdout]);
        element(SEQUENCE, &[&inside, &algorithm, &signature])
    }

    fn judged(&self, pki: &Pki) -> Result<Found, AnswerError> {
        let (leaf, ca) = (pki.der("leaf"), pki.der("ca"));
        let (leaf, ca) = (parsed(&leaf), parsed(&ca));
        let places = Places::of(&leaf).expect("places");
        crl::judge(&self.signed(pki), &about(&leaf, &ca), &places)
    }
}

fn serial(pki: &Pki) -> Vec<u8> {
    parsed(&pki.der("leaf")).serial.to_vec()
}

#[test]
fn a_list_that_could_be_read_in_two_ways_says_nothing() {
    let Some(pki) = pki() else { return };
    let leaf = serial(pki);
    assert!(
        Parts::new()
            .judged(pki)
            .is_ok_and(|it| it.status == Status::Good)
    );
    let none = element(SEQUENCE, &[]);
    let bare = |parts: Parts| parts.judged(pki).expect_err("refused").to_string();
    let endless = Parts {
        next_update: Vec::new(),
        ..Parts::new()
    };
    assert_eq!(endless.judged(pki), Err(AnswerError::Endless));
    let first = Parts {
        version: Vec::new(),
        extensions: element(context(0), &[&none]),
        ..Parts::new()
    };
    assert!(bare(first).contains("version 1 has extensions"));
    let third = Parts {
        version: element(INTEGER, &[&[2]]),
        ..Parts::new()
    };
    assert!(bare(third).contains("unknown version"));
    let twice = element(
        SEQUENCE,
        &[
            &extension(&[0x2a, 3], false, &[]),
            &extension(&[0x2a, 3], false, &[]),
        ],
    );
    let twice = Parts {
        extensions: element(context(0), &[&twice]),
        ..Parts::new()
    };
    assert!(bare(twice).contains("twice"));
    // Of entries about others.
    let reason =
        |number: u8| extension(oid::CRL_REASON.0, false, &element(ENUMERATED, &[&[number]]));
    for (entry, why) in [
        (
            entry(&[1], -1, &[extension(&[0x2a, 3], true, &[])]),
            "must be understood",
        ),
        (
            entry(
                &[1],
                -1,
                &[extension(oid::CERTIFICATE_ISSUER.0, true, &none)],
            ),
            "several authorities",
        ),
        (entry(&[1], -1, &[reason(8)]), "expected a reason"),
        (entry(&[1], -1, &[reason(1), reason(4)]), "twice"),
        (
            element(SEQUENCE, &[&element(INTEGER, &[&[1]])]),
            "ends inside",
        ),
        (element(INTEGER, &[&leaf]), "ends inside"),
    ] {
        let said = bare(Parts::with(&[entry]));
        assert!(
            said.contains(why) || said.contains("expected an element"),
            "{why}: {said}"
        );
    }
}

#[test]
fn the_worst_of_two_entries_counts_and_zeros_hide_nothing() {
    let Some(pki) = pki() else { return };
    let leaf = serial(pki);
    let reason =
        |number: u8| extension(oid::CRL_REASON.0, false, &element(ENUMERATED, &[&[number]]));
    let two = [
        entry(&leaf, -5, &[reason(4)]),
        entry(&leaf, -1, &[reason(1)]),
    ];
    for entries in [two.clone(), [two[1].clone(), two[0].clone()]] {
        let found = Parts::with(&entries).judged(pki).expect("a list");
        let Status::Revoked(revoked) = found.status else {
            panic!("{found:?}")
        };
        assert!(!revoked.is_harmless(), "{revoked:?}");
        assert_eq!(
            revoked.since().date(),
            format!(
                "{}-{}-{}",
                &in_days(-5)[..4],
                &in_days(-5)[4..6],
                &in_days(-5)[6..8]
            )
        );
    }
    let padded = [vec![0, 0], leaf].concat();
    let found = Parts::with(&[entry(&padded, -1, &[])])
        .judged(pki)
        .expect("a list");
    assert!(matches!(found.status, Status::Revoked(_)), "{found:?}");
}

#[test]
fn a_list_of_a_hundred_thousand_is_searched_and_a_giant_refused() {
    let Some(pki) = pki() else { return };
    let many: Vec<_> = (0..100_000_u32)
        .map(|serial| entry(&[&[1][..], &serial.to_be_bytes()].concat(), -1, &[]))
        .collect();
    let last = [many, vec![entry(&serial(pki), -1, &[])]].concat();
    let parts = Parts::with(&last);
    assert!(matches!(
        parts.judged(pki).expect("a list").status,
        Status::Revoked(_)
    ));
    let giant = vec![0x30; crl::BYTES_MAX + 1];
    let (leaf, ca) = (pki.der("leaf"), pki.der("ca"));
    let (leaf, ca) = (parsed(&leaf), parsed(&ca));
    let places = Places::of(&leaf).expect("places");
    let error = crl::judge(&giant, &about(&leaf, &ca), &places).expect_err("too large");
    assert!(error.to_string().contains("too large"), "{error}");
}
