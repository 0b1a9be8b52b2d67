//! Noise: whatever the bytes are, nothing panics, and nothing that was changed is believed.

use proptest::prelude::*;
use serde_json::Value;

use super::failed;
use super::sample::{CERTIFICATE, PAYLOAD, SIGNATURE, STAMP, Sample};

/// What stands in base64.
const PARTS: [&str; 9] = [
    PAYLOAD,
    SIGNATURE,
    CERTIFICATE,
    STAMP,
    "/messageSignature/signature",
    "/messageSignature/messageDigest/digest",
    "/verificationMaterial/tlogEntries/0/canonicalizedBody",
    "/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp",
    "/verificationMaterial/tlogEntries/0/inclusionProof/hashes/0",
];

/// What is a number.
const NUMBERS: [&str; 4] = [
    "/verificationMaterial/tlogEntries/0/logIndex",
    "/verificationMaterial/tlogEntries/0/integratedTime",
    "/verificationMaterial/tlogEntries/0/inclusionProof/logIndex",
    "/verificationMaterial/tlogEntries/0/inclusionProof/treeSize",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// No panic; and where a changed file still holds, nothing was changed of what is covered.
    #[test]
    fn noise_is_never_believed(which in 0..3_usize, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let samples = [Sample::public(), Sample::private(), Sample::message()];
        let Some(sample) = samples.into_iter().nth(which).flatten() else {
            return Ok(());
        };
        let mut bytes = sample.bundle.to_string().into_bytes();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] = byte;
        }
        let found = sample.judge(&bytes);
        if failed(&found).is_empty() {
            // Nor when and by whom. Of a timestamp token, the name by which it calls its certificate is not covered.
            prop_assert_eq!(found, sample.checks());
            let found: Value = serde_json::from_slice(&bytes).expect("JSON");
            for part in [PAYLOAD, SIGNATURE, CERTIFICATE, "/messageSignature/signature"] {
                prop_assert_eq!(found.pointer(part), sample.bundle.pointer(part), "{}", part);
            }
        }
    }

    /// The same inside of what stands in base64: certificates, tokens, statements, bodies of the log.
    #[test]
    fn noise_inside_is_never_believed(which in 0..3_usize, part in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), flip in 1..=255_u8, cut in any::<bool>()) {
        let samples = [Sample::public(), Sample::private(), Sample::message()];
        let Some(whole) = samples.into_iter().nth(which).flatten() else {
            return Ok(());
        };
        let parts: Vec<_> = PARTS.iter().filter(|part| whole.bundle.pointer(part).is_some()).collect();
        let part = part.get(&parts);
        let mut sample = [Sample::public, Sample::private, Sample::message][which]().expect("there");
        sample.spoil(part, |bytes| {
            let at = at.index(bytes.len());
            if cut {
                bytes.truncate(at);
            } else {
                bytes[at] ^= flip;
            }
        });
        let found = sample.checks();
        if failed(&found).is_empty() {
            prop_assert_eq!(**part, STAMP);
            prop_assert_eq!(found, whole.checks());
        }
    }
}

/// Numbers of the log at their ends.
#[test]
fn numbers_of_the_log_are_never_believed() {
    let ends = [0, 1, i64::MAX.unsigned_abs(), u64::MAX - 1, u64::MAX];
    for (part, number) in NUMBERS.iter().flat_map(|part| ends.map(|it| (part, it))) {
        for value in [Value::from(number), number.to_string().into()] {
            let Some(mut sample) = Sample::public() else {
                return;
            };
            *sample.at(part) = value;
            assert_ne!(failed(&sample.checks()), [""; 0], "{part} {number}");
        }
    }
}
