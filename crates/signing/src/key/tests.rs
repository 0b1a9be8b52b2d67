//! Wycheproof: signatures that have been accepted wrongly by somebody before.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::tests::shared;

pub(crate) fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().expect("hexadecimal");
    let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(pair).collect()
}

fn algorithm(name: &Value) -> Option<DigestAlgorithm> {
    match name.as_str()? {
        "SHA-1" => Some(DigestAlgorithm::Sha1),
        "SHA-256" => Some(DigestAlgorithm::Sha256),
        "SHA-384" => Some(DigestAlgorithm::Sha384),
        "SHA-512" => Some(DigestAlgorithm::Sha512),
        _ => None,
    }
}

/// How a group of vectors was signed; none where it asks for what this crate refuses before any arithmetic.
fn scheme(group: &Value) -> Option<Scheme> {
    let digest = algorithm(&group["sha"])?;
    match group["type"].as_str()? {
        "EcdsaVerify" => Some(Scheme::Ecdsa(digest)),
        "RsassaPkcs1Verify" => Some(Scheme::RsaPkcs1(digest)),
        "RsassaPssVerify" | "RsassaPssWithParametersVerify" => {
            let salt_bytes = usize::try_from(group["sLen"].as_u64()?).ok()?;
            let usual = group["mgf"] == "MGF1" && group["mgfSha"] == group["sha"];
            usual.then_some(Scheme::RsaPss { digest, salt_bytes })
        }
        _ => None,
    }
}

#[test]
fn wycheproof_has_no_vector_that_is_judged_wrongly() {
    let Some(corpus) = shared() else { return };
    let (mut count, mut other) = (0, BTreeMap::<_, usize>::new());
    let mut acceptable = BTreeMap::<_, usize>::new();
    let folder = std::fs::read_dir(corpus.join("wycheproof")).expect("a folder");
    for file in folder {
        let path = file.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("JSON");
        let suite: Value = serde_json::from_str(&text).expect("JSON");
        for group in suite["testGroups"].as_array().expect("groups") {
            let tests = group["tests"].as_array().expect("tests");
            let Some(scheme) = scheme(group) else {
                let kind = group["type"].as_str().expect("a type").to_owned();
                *other.entry(kind).or_default() += tests.len();
                continue;
            };
            let der = bytes(&group["publicKeyDer"]);
            let key = PublicKey::read(&mut Cursor::new(&der)).expect("a key");
            for test in tests {
                let hash = scheme.digest().hash(&[&bytes(&test["msg"])]);
                let verified = key.verify(scheme, &hash, &bytes(&test["sig"]));
                let where_ = format!("{} {test}", path.display());
                match test["result"].as_str() {
                    Some("valid") => assert_eq!(verified, Ok(()), "{where_}"),
                    Some("invalid") => assert!(verified.is_err(), "{where_}"),
                    // Either answer is right; this crate refuses.
                    Some("acceptable") => {
                        assert_eq!(verified, Err(KeyError::Wrong), "{where_}");
                        *acceptable.entry(test["flags"].to_string()).or_default() += 1;
                    }
                    _ => panic!("{where_}"),
                }
                count += 1;
            }
        }
    }
    assert_eq!(count, 7_108);
    // A DigestInfo without the NULL of its algorithm.
    assert_eq!(
        acceptable,
        BTreeMap::from([("[\"MissingNull\"]".to_owned(), 10)])
    );
    // Numbers side by side instead of in DER, which no format here has; PSS with another digest in its mask than over the
    // message, which is refused as it is read; and what `ed25519` judges.
    let others = [
        ("EcdsaP1363Verify", 1_192),
        ("EddsaVerify", 151),
        ("RsassaPssVerify", 234),
        ("RsassaPssWithParametersVerify", 304),
    ];
    assert_eq!(
        other,
        others.map(|(kind, count)| (kind.to_owned(), count)).into()
    );
}

/// Made by `openssl pkeyutl`, see `fixtures/README.md`.
#[test]
fn a_bare_digest_is_taken_only_where_it_is_asked_for() {
    let key = include_bytes!("../../fixtures/pki/bare-digest.pub.der");
    let signature = include_bytes!("../../fixtures/pki/bare-digest.sig");
    let key = PublicKey::read(&mut Cursor::new(key)).expect("a key");
    let hash = DigestAlgorithm::Sha1.hash(&[b"bare"]);
    let scheme = Scheme::RsaPkcs1(DigestAlgorithm::Sha1);
    assert_eq!(key.verify(scheme, &hash, signature), Err(KeyError::Wrong));
    assert_eq!(key.verify_bare(&hash, signature), Ok(()));
    let other = DigestAlgorithm::Sha1.hash(&[b"other"]);
    assert_eq!(key.verify_bare(&other, signature), Err(KeyError::Wrong));
}

#[test]
fn keys_that_are_no_keys_verify_nothing() {
    let scheme = Scheme::RsaPkcs1(DigestAlgorithm::Sha256);
    for (modulus, exponent) in [
        (&[][..], &[3][..]),
        (&[0xff; 256], &[]),
        (&[0xff; 256], &[1]),
        (&[0xff; 256], &[2]),
        (&[0xfe; 256], &[1, 0, 1]),
        (&[0xff; 256], &[0xff; 16]),
        (&[0xff; 4096], &[1, 0, 1]),
    ] {
        let key = PublicKey::Rsa { modulus, exponent };
        assert!(key.verify(scheme, &[0; 32], &[0; 256]).is_err());
        assert!(key.verify_bare(&[0; 20], &[0; 256]).is_err());
    }
    let curve = Curve::P256;
    for point in [&[][..], &[0], &[4; 65], &[2; 33]] {
        let key = PublicKey::Ec { curve, point };
        let scheme = Scheme::Ecdsa(DigestAlgorithm::Sha256);
        assert!(
            key.verify(scheme, &[0; 32], &[0x30, 6, 2, 1, 1, 2, 1, 1])
                .is_err()
        );
        assert_eq!(key.verify_bare(&[0; 20], &[0]), Err(KeyError::Mismatch));
    }
}
