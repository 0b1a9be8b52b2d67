//! What the labels call a check, in the ids of this crate.

/// The check that a case of the suites must fail.
pub(super) fn failing(case: &str) -> &'static str {
    let (id, _) = CASES
        .iter()
        .find(|(_, cases)| cases.contains(&case))
        .unwrap_or_else(|| panic!("no check is known for {case}"));
    id
}

const CASES: [(&str, &[&str]); 6] = [
    (
        "sigstore.parse",
        &[
            "bundle.content",
            "bundle.verification-material",
            // Its payload is of no type that names artifacts, so its signature is not looked at.
            "dsse.signature",
            "bundle-invalid-base64-signature",
            "bundle-malformed-json",
            "bundle-negative-log-index",
            "bundle-unknown-version",
            // Its last symbol has bits that mean nothing.
            "managed-key-wrong-key",
            "rekor2-checkpoint-missing-log-signature",
            "rekor2-checkpoint-missing-origin",
            "rekor2-checkpoint-missing-root-hash",
            "rekor2-checkpoint-missing-size",
            // Its timestamp is in base64 with line ends.
            "rekor2-timestamp-with-incorrect-time",
        ],
    ),
    (
        "sigstore.certificate",
        &[
            "bundle-empty-certificate-chain",
            "integrated-time-in-future",
            "intoto-expired-certificate",
            "intoto-set-outside-signing-cert-validity",
            "intoto-tsa-timestamp-outside-cert-validity",
            "invalid-ct-key",
            "managed-key-no-key",
            "trust-root-tlog-missing-validity-start",
        ],
    ),
    (
        "sigstore.timestamp",
        &[
            "rekor2-no-timestamp",
            "rekor2-timestamp-outside-trust-root-tsa-validity",
            "rekor2-timestamp-outside-tsa-cert-validity",
            "rekor2-timestamp-payload-mismatch",
            "rekor2-timestamp-untrusted-tsa-with-embedded-cert",
            "rekor2-timestamp-untrusted-tsa-without-embedded-cert",
        ],
    ),
    (
        "sigstore.transparency-log",
        &[
            "bundle-from-wrong-instance",
            "bundle-with-root-cert",
            "checkpoint-bad-keyhint",
            "checkpoint-wrong-roothash",
            "dsse-mismatch-envelope",
            "dsse-mismatch-sig",
            "inclusion-proof-corrupted-hash",
            "incorrect-public-key",
            "intoto-log-entry-mismatch",
            "intoto-missing-inclusion-proof",
            "invalid-checkpoint-signature",
            "invalid-inclusion-proof",
            "rekor2-checkpoint-no-matching-signature",
            "rekor2-dsse-mismatch-envelope",
            "rekor2-dsse-mismatch-sig",
            "rekor2-no-inclusion-proof",
            "set-invalid-signature",
            "wrong-hashedrekord-artifact",
            "wrong-hashedrekord-cert-and-sig",
            "wrong-hashedrekord-entry",
        ],
    ),
    (
        "sigstore.signature",
        &[
            "dsse-invalid-sig",
            "rekor2-dsse-invalid-sig",
            "signature-mismatch",
        ],
    ),
    (
        "sigstore.subject",
        &["message-digest-mismatch", "wrong-material"],
    ),
];
