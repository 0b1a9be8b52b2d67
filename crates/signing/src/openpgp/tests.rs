//! Signatures of keys that are made here and by GnuPG: what is accepted, and what must not be.

pub(crate) mod judge;
mod keys;
mod mutants;
mod noise;
pub(crate) mod owner;

use release::Timestamp;

use super::*;
use crate::tests::day;
use judge::{gpg, gpgv, is_there, sqv};
use owner::{MADE, Owner, SIGNED, Terms};

const DATA: &[u8] = b"an artifact\n";

/// Everything that is checked of a signature over data by a key.
fn look(keys: &[u8], signature: &[u8], data: &[u8], by: Fingerprint, at: Timestamp) -> Vec<Check> {
    let keys = OpenPgpKeys::parse(keys).expect("keys");
    let opened = open(Some(signature), &keys, by, "atlas.tar.gz");
    let mut verifier = opened.verifier();
    if let Some(verifier) = &mut verifier {
        data.chunks(5).for_each(|piece| verifier.update(piece));
    }
    let checks = opened.checks(verifier, "atlas.tar.gz", at);
    for check in &checks {
        assert!(!check.reason.chars().any(char::is_control), "{check:?}");
    }
    assert!(!checks.is_empty());
    let at_once = verify_document(data, Some(signature), &keys, by, "atlas.tar.gz", at);
    assert_eq!(at_once, checks);
    checks
}

/// The ids of the checks that failed.
fn failed(checks: &[Check]) -> Vec<&'static str> {
    let failed = checks.iter().filter(|check| !check.is_pass());
    failed.map(|check| check.id.as_str()).collect()
}

pub(crate) fn armoured(title: &str, bytes: &[u8]) -> String {
    use base64::Engine as _;
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let text = encode(bytes);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines = lines.collect::<Vec<_>>().join("\n");
    // RFC 9580 section 6.1.1. We do not look at it; rpm does.
    let crc = bytes.iter().fold(0x00b7_04ce_u32, |crc, byte| {
        let crc = crc ^ u32::from(*byte) << 16;
        (0..8).fold(crc, |crc, _| {
            let carry = if crc & 0x0080_0000 == 0 {
                0
            } else {
                0x0186_4cfb
            };
            crc << 1 ^ carry
        })
    });
    let crc = encode(&crc.to_be_bytes()[1..]);
    format!(
        "-----BEGIN {title}-----\nComment: of a test\n\n{lines}\n={crc}\n-----END {title}-----\n"
    )
}

#[test]
fn a_signature_by_the_pinned_key_is_good() {
    let owner = Owner::new(1);
    let keys = owner.export(&owner.certificate());
    let by = owner.fingerprint();
    let terms = Terms::at(SIGNED);
    for signature in [owner.sign(DATA, &terms), owner.sign_by_subkey(DATA, &terms)] {
        let checks = look(&keys, &signature, DATA, by, day());
        assert_eq!(failed(&checks), [""; 0], "{checks:#?}");
        let ids: Vec<_> = checks.iter().map(|check| check.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "openpgp.present",
                "openpgp.key",
                "openpgp.signature",
                "openpgp.key-validity",
                "openpgp.weak-digest",
                "openpgp.time"
            ]
        );
        assert!(checks[1].reason.contains(&by.to_string()), "{checks:#?}");
        let text = armoured("PGP SIGNATURE", &signature);
        let text_keys = armoured("PGP PUBLIC KEY BLOCK", &keys);
        let checks = look(text_keys.as_bytes(), text.as_bytes(), DATA, by, day());
        assert_eq!(failed(&checks), [""; 0], "{checks:#?}");
        assert!(gpgv(&keys, &signature, DATA) != Some(false));
        assert!(sqv(&keys, &signature, DATA) != Some(false));
    }
}

#[test]
fn keys_of_every_kind_and_version_are_taken() {
    use pgp::composed::KeyType;
    use pgp::crypto::ecc_curve::ECCCurve;
    use pgp::types::KeyVersion::{V4, V6};
    for (version, kind) in [
        (V4, KeyType::Rsa(2048)),
        (V4, KeyType::ECDSA(ECCCurve::P256)),
        (V4, KeyType::ECDSA(ECCCurve::P384)),
        (V4, KeyType::ECDSA(ECCCurve::P521)),
        (V6, KeyType::Ed25519),
        (V6, KeyType::ECDSA(ECCCurve::P256)),
        (V6, KeyType::Ed448),
    ] {
        let owner = Owner::with(2, version, &kind, MADE);
        let terms = Terms::at(SIGNED).hash(pgp::crypto::hash::HashAlgorithm::Sha512);
        let certificate = {
            let terms = Terms {
                at: MADE,
                ..terms.clone()
            }
            .for_signing();
            owner::Certificate {
                of_key: vec![owner.about_key(pgp::packet::SignatureType::Key, &terms)],
                of_name: vec![owner.names(&terms)],
                of_subkey: Vec::new(),
            }
        };
        let keys = owner.export(&certificate);
        let signature = owner.sign(DATA, &terms);
        let checks = look(&keys, &signature, DATA, owner.fingerprint(), day());
        assert_eq!(failed(&checks), [""; 0], "{kind:?}: {checks:#?}");
        let other = look(&keys, &signature, b"another", owner.fingerprint(), day());
        assert_eq!(failed(&other), ["openpgp.signature"], "{kind:?}");
        if version == V4 {
            assert!(gpgv(&keys, &signature, DATA) != Some(false), "{kind:?}");
        }
    }
}

#[test]
fn a_signature_that_is_not_there_fails() {
    let owner = Owner::new(1);
    let keys = OpenPgpKeys::parse(&owner.export(&owner.certificate())).expect("keys");
    let checks = verify_document(DATA, None, &keys, owner.fingerprint(), "atlas", day());
    assert_eq!(failed(&checks), ["openpgp.present"]);
    assert!(checks[0].reason.contains("`atlas.asc`"), "{checks:#?}");
}

#[test]
fn what_gnupg_signs_is_good() {
    if !is_there("gpg") {
        return;
    }
    for (kind, subkey) in [
        ("ed25519", "ed25519"),
        ("rsa2048", "rsa2048"),
        ("nistp256", "ed25519"),
    ] {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("artifact");
        std::fs::write(&file, DATA).expect("a file");
        let file = file.to_str().expect("text");
        gpg(
            home.path(),
            &[
                "--quick-generate-key",
                "oil@snake.example",
                kind,
                "sign",
                "2y",
            ],
        );
        let listed = gpg(home.path(), &["--list-keys", "--with-colons"]);
        let listed = String::from_utf8(listed).expect("text");
        let by = listed
            .lines()
            .find_map(|line| line.strip_prefix("fpr:::::::::"));
        let by = by.expect("a fingerprint").trim_end_matches(':');
        gpg(home.path(), &["--quick-add-key", by, subkey, "sign", "1y"]);
        let keys = gpg(home.path(), &["--export"]);
        let text_keys = gpg(home.path(), &["--armor", "--export"]);
        let whole = format!("{by}!");
        let now = i64::try_from(
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .expect("after 1970")
                .as_secs(),
        );
        let now = Timestamp::from_unix(now.expect("this century") + 5).expect("a time");
        for arguments in [
            &["--detach-sign", "--output", "-", file][..],
            &["--armor", "--detach-sign", "--output", "-", file],
            &[
                "--local-user",
                &whole,
                "--detach-sign",
                "--output",
                "-",
                file,
            ],
        ] {
            let signature = gpg(home.path(), arguments);
            for keys in [&keys, &text_keys] {
                let checks = look(keys, &signature, DATA, by.parse().expect("40 digits"), now);
                assert_eq!(failed(&checks), [""; 0], "{kind}: {checks:#?}");
            }
        }
        let text = gpg(
            home.path(),
            &["--textmode", "--detach-sign", "--output", "-", file],
        );
        let checks = look(&keys, &text, DATA, by.parse().expect("40 digits"), now);
        assert_eq!(failed(&checks), ["openpgp.signature"]);
        assert!(checks[1].reason.contains("--textmode"), "{checks:#?}");
        inline(
            home.path(),
            file,
            &keys,
            by.parse().expect("40 digits"),
            now,
        );
    }
}

/// Texts with everything that the cleartext framework changes: dashes, blanks at ends of lines, and several ends.
fn inline(home: &std::path::Path, file: &str, keys: &[u8], by: Fingerprint, now: Timestamp) {
    let keys = OpenPgpKeys::parse(keys).expect("keys");
    for text in [
        "",
        "one",
        "Origin: Snake  \n- dash\n\n-----BEGIN\n\tlast\t\n",
        "a\r\nb\r\n\n\n",
    ] {
        std::fs::write(file, text).expect("a file");
        let document = gpg(home, &["--clear-sign", "--output", "-", file]);
        let found = verify_cleartext(&document, &keys, by, "InRelease", now);
        let (found, checks) = found.unwrap_or_else(|checks| panic!("{text:?}: {checks:#?}"));
        let lines = |text: &str| -> Vec<String> {
            let lines = text.trim_end_matches('\n').split('\n');
            lines.map(|line| line.trim_end().to_owned()).collect()
        };
        assert_eq!(lines(&found), lines(text));
        assert_eq!(failed(&checks), [""; 0]);
        let other = String::from_utf8(document.clone()).expect("text");
        for (what, spoilt) in [
            ("text before", format!("Origin: other\n{other}")),
            ("text behind", format!("{other}Origin: other\n")),
            (
                "another line",
                other.replacen("\n\n", "\n\nOrigin: other\n", 1),
            ),
            (
                "a header",
                other.replacen("\nHash", "\nOrigin: other\nHash", 1),
            ),
            ("cut", other.chars().take(other.len() / 2).collect()),
        ] {
            let found = verify_cleartext(spoilt.as_bytes(), &keys, by, "InRelease", now);
            assert!(found.is_err(), "{what}: {text:?}");
        }
    }
}
