//! Signed files, and what stands beside them: judged as the product judges them.

use release::{Platform, Timestamp};

/// Judges a program or package, and its signer.
pub(crate) fn inspect(bytes: &[u8]) {
    let trust =
        signing::Trust::microsoft().with_legacy_digests(signing::LegacyDigests::AcceptedBefore2016);
    let mut reader = std::io::Cursor::new(bytes);
    let at = Timestamp::from_unix(1_795_392_000).expect("November 2026");
    if let Some(found) = signing::inspect(&mut reader, at, &trust).expect("bytes in memory") {
        drop(found.judge(&signing::authenticode::Signer::default()));
        drop(found.judge_apple(&signing::apple::Signer {
            team_id: "SNAKEOIL01".to_owned(),
            hardened_runtime: signing::apple::HardenedRuntime::Required,
            notarized: signing::apple::Notarized::Required,
        }));
    }
    // A program is looked at without its mark as well.
    drop(signing::authenticode::inspect(&mut reader, at, &trust));
}

/// Judges a script, which is one by its name.
pub(crate) fn script(bytes: &[u8], name: &str) {
    let trust = signing::Trust::microsoft();
    let at = Timestamp::from_unix(1_795_392_000).expect("November 2026");
    let mut reader = std::io::Cursor::new(bytes);
    drop(signing::inspect_named(&mut reader, name, at, &trust).expect("bytes in memory"));
}

/// Reads a repository, one document of which is another.
pub(crate) fn repository(bytes: &[u8], other: &str) {
    let rule = signing::tuf::Rule {
        root: "root.json".to_owned(),
        metadata: "metadata".to_owned(),
        targets: None,
    };
    let name = "atlas.exe".parse().expect("a name");
    let version = "1.4.0".parse().expect("a version");
    let at = Timestamp::from_unix(1_795_392_000).expect("November 2026");
    let read = |file: &str, _: u64| {
        Ok::<_, std::convert::Infallible>(match file {
            file if file == other => Some(bytes.to_vec()),
            "2.root.json" => {
                Some(include_bytes!("../../signing/fixtures/tuf/metadata/2.root.json").to_vec())
            }
            "3.root.json" => {
                Some(include_bytes!("../../signing/fixtures/tuf/metadata/3.root.json").to_vec())
            }
            "timestamp.json" => {
                Some(include_bytes!("../../signing/fixtures/tuf/metadata/timestamp.json").to_vec())
            }
            "6.snapshot.json" => {
                Some(include_bytes!("../../signing/fixtures/tuf/metadata/6.snapshot.json").to_vec())
            }
            _ => None,
        })
    };
    let pinned = include_bytes!("../../signing/fixtures/tuf/root.json");
    for root in [bytes, pinned] {
        let found =
            signing::tuf::Repository::read(&rule, Some(root), &[&name], (&version, at), read);
        drop(found.expect("files in memory"));
    }
}

/// Verifies a signature of a key that is read with it.
pub(crate) fn openpgp(bytes: &[u8]) {
    let keys = include_bytes!("../../signing/fixtures/openpgp/snake-oil.gpg.asc");
    let keys = signing::OpenPgpKeys::parse(keys).expect("our own key");
    let fingerprint = keys.fingerprints().next().expect("a key");
    let opened = signing::openpgp::open(Some(bytes), &keys, fingerprint, "atlas.tar.gz");
    let mut verifier = opened.verifier();
    if let Some(verifier) = &mut verifier {
        verifier.update(b"the bytes of an archive");
    }
    let at = Timestamp::from_unix(1_795_392_000).expect("November 2026");
    drop(opened.checks(verifier, "atlas.tar.gz", at));
}

/// Reads a repository whose release file says anything, signed by a key that is read with it.
pub(crate) fn apt(bytes: &[u8]) {
    let key = include_bytes!("../../signing/fixtures/openpgp/snake-oil.gpg.asc");
    let keys = signing::OpenPgpKeys::parse(key).expect("our own key");
    let rule = signing::AptRule {
        release: "dists/stable/InRelease".to_owned(),
        signer: signing::OpenPgpRule {
            key: "key.asc".to_owned(),
            fingerprint: keys.fingerprints().next().expect("a key"),
        },
    };
    let at = Timestamp::from_unix(1_795_392_000).expect("November 2026");
    let mut file = |_: &str, _| Ok::<_, std::convert::Infallible>(Some(bytes.to_vec()));
    let read = signing::AptRepository::read(&rule, Some(&keys), at, &mut file);
    drop(read.expect("bytes in memory"));
}

/// Judges assertions of a snap, by the key of the store that made them.
pub(crate) fn snap(bytes: &[u8]) {
    let key = "pAg2ItHmkEOrc9GLcgUpSZVhX8pvYUxOQXliS0jwY5h_SZ2I516UbMmNrvwpBUsY";
    let at = Timestamp::from_unix(1_795_392_000).expect("November 2026");
    let mut hasher = signing::snap::Hasher::default();
    hasher.update(include_bytes!("../../signing/fixtures/snap/hello.snap"));
    let subject = hasher.finish();
    for key in [None, Some(key.parse().expect("a key"))] {
        let rule = signing::SnapRule {
            account: "snakeoil".to_owned(),
            name: "hello".to_owned(),
            key,
        };
        let checks = signing::snap::judge(Some(bytes), &rule, &subject, "hello.snap", at);
        assert!(!checks.is_empty());
    }
}

/// Looks into a container, and judges what is inside.
pub(crate) fn walk(bytes: &[u8]) {
    let trust = signing::Trust::microsoft();
    let settings = signing::walk::Settings {
        at: Timestamp::from_unix(1_795_392_000).expect("November 2026"),
        trust: &trust,
        room: || Ok(Box::new(std::io::Cursor::new(Vec::new()))),
        signed: signing::walk::Signed::Opened,
    };
    let mut reader = std::io::Cursor::new(bytes);
    if let Some(contents) = signing::walk::walk(&mut reader, settings).expect("bytes in memory") {
        let _ = contents.verdict();
    }
}

/// Asks whether an artifact would be accepted after itself, on macOS and on Windows.
pub(crate) fn succeed(bytes: &[u8], kind: release::Kind) {
    let trust = signing::Trust::microsoft();
    let settings = signing::walk::Settings {
        at: Timestamp::from_unix(1_795_392_000).expect("November 2026"),
        trust: &trust,
        room: || Ok(Box::new(std::io::Cursor::new(Vec::new()))),
        signed: signing::walk::Signed::Opened,
    };
    let mut reader = std::io::Cursor::new(bytes);
    let facts = signing::continuity::facts(&mut reader, kind, settings);
    let facts = facts.expect("bytes in memory");
    for platform in [Platform::MacosUniversal, Platform::WindowsX64] {
        let released = signing::continuity::Released {
            path: "an artifact".to_owned(),
            platform,
            kind,
            facts: facts.clone(),
            sparkle: signing::continuity::InAppcasts::Unlisted,
            keyed: Vec::new(),
        };
        let both = std::slice::from_ref(&released);
        drop(signing::continuity::compare(
            signing::continuity::Comparison {
                previous: both,
                next: both,
                publishers: &[],
            },
        ));
    }
}

/// A 7z archive whose first header is right: where the other one stands, and the checksums of both.
pub(crate) fn sevenz(bytes: &[u8]) -> Vec<u8> {
    let mut whole = bytes.to_vec();
    let size = bytes.get(20..).and_then(<[u8]>::first_chunk);
    let size = size.map_or(0, |size| u64::from_le_bytes(*size));
    let header = usize::try_from(size)
        .ok()
        .and_then(|size| bytes.len().checked_sub(size));
    let Some(at) = header.filter(|at| *at >= 32) else {
        return whole;
    };
    let sum = crc32(&bytes[at..]);
    whole[..8].copy_from_slice(b"7z\xbc\xaf\x27\x1c\0\x04");
    whole[12..20].copy_from_slice(&(at as u64 - 32).to_le_bytes());
    whole[28..32].copy_from_slice(&sum.to_le_bytes());
    let sum = crc32(&whole[12..32]);
    whole[8..12].copy_from_slice(&sum.to_le_bytes());
    whole
}

/// An installer of NSIS whose data end where the file does, behind a program of 512 bytes.
pub(crate) fn nsis(bytes: &[u8]) -> Vec<u8> {
    let mut whole = bytes.to_vec();
    let reach = bytes
        .len()
        .checked_sub(512)
        .and_then(|it| u32::try_from(it).ok());
    if let (Some(reach), Some(field)) = (reach, whole.get_mut(512 + 24..512 + 28)) {
        field.copy_from_slice(&reach.to_le_bytes());
    }
    whole
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}
