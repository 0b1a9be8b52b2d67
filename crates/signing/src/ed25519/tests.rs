use serde_json::Value;

use super::*;
use crate::key::tests::bytes;
use crate::tests::shared;

/// In pieces, as a file is read.
fn in_pieces(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    key.verifier(signature).is_some_and(|mut verifier| {
        message.chunks(7).for_each(|piece| verifier.update(piece));
        verifier.holds()
    })
}

#[test]
fn wycheproof_has_no_vector_that_is_judged_wrongly() {
    let Some(corpus) = shared() else { return };
    let path = corpus.join("wycheproof/ed25519_test.json");
    let suite = std::fs::read_to_string(path).expect("JSON");
    let suite: Value = serde_json::from_str(&suite).expect("JSON");
    let (mut valid, mut invalid) = (0, 0);
    for group in suite["testGroups"].as_array().expect("groups") {
        let key = PublicKey::from_bytes(&bytes(&group["publicKey"]["pk"]));
        for test in group["tests"].as_array().expect("tests") {
            let (message, signature) = (bytes(&test["msg"]), bytes(&test["sig"]));
            let found = key.is_some_and(|key| key.verify(&message, &signature));
            let pieces = key.is_some_and(|key| in_pieces(&key, &message, &signature));
            assert_eq!(found, pieces, "{test}");
            match test["result"].as_str() {
                Some("valid") => {
                    assert!(found, "{test}");
                    valid += 1;
                }
                Some("invalid") => {
                    assert!(!found, "{test}");
                    invalid += 1;
                }
                _ => panic!("{test}"),
            }
        }
    }
    assert_eq!((valid, invalid), (88, 63));
}

/// Points of small order, which Wycheproof has none of as keys: any message would be signed by R = identity, S = 0.
#[test]
fn keys_of_small_order_are_none() {
    let mut identity = [0; 32];
    identity[0] = 1;
    // y = -1, of order 2, and y = 0, of order 4.
    let mut two = [0xff; 32];
    (two[0], two[31]) = (0xec, 0x7f);
    for weak in [identity, two, [0; 32]] {
        assert_eq!(PublicKey::from_bytes(&weak), None);
    }
    assert_eq!(PublicKey::from_bytes(&[9; 31]), None);
    assert_eq!(PublicKey::from_bytes(&[]), None);
}
