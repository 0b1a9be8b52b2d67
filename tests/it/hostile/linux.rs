//! Packages of Linux and bundles that are right in shape, to be spoilt.

/// An RPM package of version 4 with a digest over its header and nobody's signature: lead, signature header, header.
pub(crate) fn rpm() -> Vec<u8> {
    /// The reserved region that a header begins with, and texts: tag, kind, text.
    fn header(region: u32, texts: &[(u32, u32, &str)]) -> Vec<u8> {
        let (mut index, mut store) = (Vec::new(), Vec::new());
        for (tag, kind, text) in texts {
            let at = u32::try_from(store.len()).expect("small");
            for field in [*tag, *kind, at, 1] {
                index.extend(field.to_be_bytes());
            }
            store.extend(text.bytes());
            store.push(0);
        }
        let entries = u32::try_from(texts.len() + 1).expect("few");
        let trailer_at = u32::try_from(store.len()).expect("small");
        for field in [region, 7, 0_u32.wrapping_sub(entries * 16), 16] {
            store.extend(field.to_be_bytes());
        }
        let mut first = Vec::new();
        for field in [region, 7, trailer_at, 16] {
            first.extend(field.to_be_bytes());
        }
        let mut bytes = vec![0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0];
        bytes.extend(entries.to_be_bytes());
        bytes.extend(u32::try_from(store.len()).expect("small").to_be_bytes());
        [bytes, first, index, store].concat()
    }
    let mut lead = vec![0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0, 0, 1];
    lead.extend(b"hello-1.4.0-1");
    lead.resize(96, 0);
    lead[77] = 1;
    lead[79] = 5;
    let payload = b"no archive";
    let sha256 = release::Sha256::of(payload).to_string();
    let main = header(
        63,
        &[(1000, 6, "hello"), (1001, 6, "1.4.0"), (5092, 8, &sha256)],
    );
    let digest = release::Sha256::of(&main).to_string();
    let mut signature = header(62, &[(273, 6, &digest)]);
    signature.resize(signature.len().next_multiple_of(8), 0);
    [lead, signature, main, payload.to_vec()].concat()
}

/// An AppImage: an ELF image of no segments and of two sections, what `.sha256_sig` has and names, and a squashfs.
pub(crate) fn appimage() -> Vec<u8> {
    let texts = b"-----BEGIN PGP SIGNATURE-----\n\nAA\n-----END PGP SIGNATURE-----\n";
    let names = b"\0.sha256_sig\0.shstrtab\0";
    let (texts_at, names_at) = (64, 64 + texts.len());
    let table_at = names_at + names.len();
    let entry = |name: u32, kind: u32, at: usize, bytes: usize| {
        let mut entry = [name.to_le_bytes(), kind.to_le_bytes()].concat();
        entry.extend([0; 16]);
        for field in [at, bytes] {
            entry.extend(u64::try_from(field).expect("small").to_le_bytes());
        }
        entry.resize(64, 0);
        entry
    };
    let mut bytes = b"\x7fELF\x02\x01\x01\0AI\x02".to_vec();
    bytes.resize(32, 0);
    for field in [64, table_at] {
        bytes.extend(u64::try_from(field).expect("small").to_le_bytes());
    }
    bytes.extend([0; 4]);
    for field in [64_u16, 56, 0, 64, 3, 2] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(texts);
    bytes.extend(names);
    bytes.extend(entry(0, 0, 0, 0));
    bytes.extend(entry(1, 1, texts_at, texts.len()));
    bytes.extend(entry(13, 3, names_at, names.len()));
    bytes.extend(include_bytes!(
        "../../../crates/signing/fixtures/archives/zstd.squashfs"
    ));
    bytes
}

/// A Debian package of three members.
pub(crate) fn deb() -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    let gzip = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let members: [(&str, &[u8]); 3] = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", &gzip),
        ("data.tar.gz", &gzip),
    ];
    for (name, content) in members {
        let size = content.len();
        let header = format!(
            "{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n",
            0, 0, 0, "100644"
        );
        bytes.extend(header.bytes());
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(2), b'\n');
    }
    bytes
}

/// A Sigstore bundle over an attestation; nothing in it was signed.
pub(crate) const BUNDLE: &str = r#"{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
"verificationMaterial": {"certificate": {"rawBytes": "MIIB"}, "tlogEntries": [{"logIndex": "1", "logId": {"keyId": "wNI9atQGlz+VWfO6LRygH4QUfY/8W4RFwiT5i5WRgB0="},
"kindVersion": {"kind": "dsse", "version": "0.0.1"}, "integratedTime": "1795392000", "inclusionPromise": {"signedEntryTimestamp": "MEU="},
"inclusionProof": {"logIndex": "1", "rootHash": "AAAA", "treeSize": "2", "hashes": ["AAAA"], "checkpoint": {"envelope": "rekor.sigstore.dev\n2\nAAAA\n\n"}},
"canonicalizedBody": "e30="}], "timestampVerificationData": {"rfc3161Timestamps": []}},
"dsseEnvelope": {"payload": "eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJuYW1lIjoiYSIsImRpZ2VzdCI6eyJzaGEyNTYiOiIwMCJ9fV0sInByZWRpY2F0ZVR5cGUiOiJodHRwczovL3Nsc2EuZGV2L3Byb3ZlbmFuY2UvdjEiLCJwcmVkaWNhdGUiOnt9fQ==",
"payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "MEU="}]}}"#;

/// The release file of a repository of apt.
pub(crate) const RELEASE: &str = "Suite: stable
Codename: stable
Date: Wed, 25 Nov 2026 00:00:00 UTC
Valid-Until: Wed, 02 Dec 2026 00:00:00 +0000
Components: main
SHA256:
 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 main/binary-amd64/Packages
 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 main/binary-amd64/Packages.gz
";

/// Its index.
pub(crate) const PACKAGES: &str = "Package: atlas
Version: 1:1.4.0~rc1-2
Architecture: amd64
Filename: pool/main/a/atlas_1.4.0_amd64.deb
Size: 1000
SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
Description: a package
 of more lines than one

Package: atlas
Version: 1.3.0
Architecture: amd64
Filename: pool/main/a/atlas_1.3.0_amd64.deb
Size: 999
SHA256: 01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b
";

/// The release file, signed in place over something else.
pub(crate) fn in_release() -> String {
    let signature = include_str!("../../../crates/signing/fixtures/openpgp/atlas.tar.gz.asc");
    format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{RELEASE}{signature}")
}
