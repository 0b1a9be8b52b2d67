//! Every parser of bytes that somebody else wrote. None of them may panic, hang, or take more memory than a limit.
//!
//! One list serves the tests, which throw mutated real documents at it, and libFuzzer: for some seconds each by
//! `tests/fuzz.sh`, and for hours by
//! `RUSTC_BOOTSTRAP=1 LASTMILE_PARSER=latest.yml cargo fuzz run --fuzz-dir crates/fuzz -s none --features libfuzzer parser <corpus>`,
//! where any folder of real files is a corpus, say the one that `lastmile demo` leaves.

use release::{
    Channel, ChannelView, Claim, Client, FileName, GitHubNote, Platform, ReleaseRecord, Revision,
    Timestamp, Version, decide, document,
};

/// A parser, and the end of the names of the files that it reads.
#[derive(Debug, Clone, Copy)]
pub struct Parser {
    /// Its name, which is also how the keys or paths of its files end.
    pub reads: &'static str,
    /// Parses, and does with what was parsed what the product does next.
    pub parse: fn(&[u8]),
}

/// All of them.
pub const PARSERS: &[Parser] = &[
    Parser {
        reads: "lastmile.yml",
        parse: |bytes| {
            with_text(bytes, |text| {
                // The error draws a line of the text, so it is part of the parser.
                if let Err(error) = ops::config::Config::parse(text, "lastmile.yml") {
                    drop(error.to_string());
                }
            })
        },
    },
    Parser {
        reads: ".minisig",
        parse: |bytes| {
            signing::is_minisigned(&sums_rule(), b"sums", bytes);
        },
    },
    Parser {
        reads: "minisign.pub",
        parse: |bytes| with_text(bytes, |text| drop(text.parse::<signing::PublicKey>())),
    },
    Parser {
        reads: ".exe",
        parse: |bytes| {
            inspect(bytes);
            walk(bytes);
        },
    },
    Parser {
        reads: ".msi",
        parse: |bytes| {
            inspect(bytes);
            walk(bytes);
        },
    },
    Parser {
        reads: ".cab",
        parse: |bytes| {
            inspect(bytes);
            walk(bytes);
        },
    },
    Parser {
        reads: ".ps1",
        parse: |bytes| script(bytes, "a.ps1"),
    },
    Parser {
        reads: ".wsf",
        parse: |bytes| script(bytes, "a.wsf"),
    },
    Parser {
        reads: ".macho",
        parse: |bytes| {
            inspect(bytes);
            succeed(bytes, release::Kind::Binary);
        },
    },
    Parser {
        reads: ".requirements",
        parse: |bytes| drop(signing::continuity::designated_requirement(bytes)),
    },
    Parser {
        reads: ".dmg",
        parse: |bytes| {
            inspect(bytes);
            walk(bytes);
        },
    },
    Parser {
        reads: ".pkg",
        parse: |bytes| {
            inspect(bytes);
            walk(bytes);
        },
    },
    Parser {
        reads: ".cpio",
        parse: |bytes| walk(bytes),
    },
    Parser {
        reads: ".tar",
        parse: |bytes| walk(bytes),
    },
    Parser {
        reads: ".tar.gz",
        parse: |bytes| walk(bytes),
    },
    Parser {
        reads: ".tar.xz",
        parse: |bytes| walk(bytes),
    },
    Parser {
        reads: ".tar.zst",
        parse: |bytes| walk(bytes),
    },
    Parser {
        reads: ".tar.bz2",
        parse: |bytes| walk(bytes),
    },
    Parser {
        reads: ".asar.zip",
        parse: |bytes| walk(bytes),
    },
    Parser {
        reads: ".zip",
        parse: |bytes| {
            walk(bytes);
            succeed(bytes, release::Kind::Zip);
        },
    },
    Parser {
        reads: ".7z",
        parse: |bytes| {
            walk(bytes);
            walk(&sevenz(bytes));
        },
    },
    Parser {
        reads: "nsis.exe",
        parse: |bytes| {
            walk(bytes);
            walk(&nsis(bytes));
        },
    },
    Parser {
        reads: ".msix",
        parse: |bytes| {
            inspect(bytes);
            succeed(bytes, release::Kind::Msix);
        },
    },
    Parser {
        reads: ".nupkg",
        parse: |bytes| inspect(bytes),
    },
    Parser {
        reads: ".rpm",
        parse: |bytes| {
            inspect(bytes);
            walk(bytes);
        },
    },
    Parser {
        reads: ".deb",
        parse: |bytes| {
            inspect(bytes);
            walk(bytes);
        },
    },
    Parser {
        reads: ".AppImage",
        parse: |bytes| {
            inspect(bytes);
            walk(bytes);
        },
    },
    Parser {
        reads: ".squashfs",
        parse: |bytes| walk(bytes),
    },
    Parser {
        reads: ".assert",
        parse: |bytes| snap(bytes),
    },
    Parser {
        reads: ".gpg.asc",
        parse: |bytes| drop(signing::OpenPgpKeys::parse(bytes)),
    },
    Parser {
        reads: ".tar.gz.asc",
        parse: |bytes| openpgp(bytes),
    },
    Parser {
        reads: "InRelease",
        parse: |bytes| apt(bytes),
    },
    Parser {
        reads: "Release",
        parse: |bytes| with_text(bytes, |text| drop(signing::apt::indexes_of(text))),
    },
    Parser {
        reads: "Packages",
        parse: |bytes| drop(signing::apt::packages_of(bytes)),
    },
    Parser {
        reads: ".app.tar.gz.sig",
        parse: |bytes| {
            let key = include_str!("../../signing/fixtures/tauri/snake-oil.pub");
            let key = key.parse().expect("our own key");
            let opened = signing::tauri::open(Some(bytes), &key, "atlas.app.tar.gz");
            drop(opened.checks(opened.reading(&key), &key));
            let _ = signing::tauri::is_signature(bytes);
        },
    },
    Parser {
        reads: "root.json",
        parse: |bytes| repository(bytes, "timestamp.json"),
    },
    Parser {
        reads: "4.targets.json",
        parse: |bytes| repository(bytes, "4.targets.json"),
    },
    Parser {
        reads: ".sigstore.json",
        parse: |bytes| drop(signing::sigstore::Bundles::read(bytes)),
    },
    Parser {
        reads: ".crl",
        parse: signing::revocation::throw,
    },
    Parser {
        reads: ".ocsp",
        parse: signing::revocation::throw,
    },
    Parser {
        reads: "an answer of Apple",
        parse: signing::revocation::throw,
    },
    Parser {
        reads: ".pem",
        parse: |bytes| {
            with_text(bytes, |text| {
                drop(signing::Trust::nothing().with_extra_roots(text))
            })
        },
    },
    Parser {
        reads: "SHA256SUMS",
        parse: |bytes| {
            if let Ok(sums) = signing::parse_sums(bytes) {
                let entries = sums.iter().map(|(name, digest)| (name, *digest));
                let rendered = signing::render_sums(entries);
                assert_eq!(signing::parse_sums(&rendered).ok(), Some(sums));
            }
        },
    },
    Parser {
        reads: "release.json",
        parse: |bytes| {
            if let Some(record) = same_again::<ReleaseRecord>(bytes) {
                drop(record.platforms());
            }
        },
    },
    Parser {
        reads: "claims/1.4.0.json",
        parse: |bytes| drop(same_again::<Claim>(bytes)),
    },
    Parser {
        reads: "github/1.4.0.json",
        parse: |bytes| drop(same_again::<GitHubNote>(bytes)),
    },
    Parser {
        reads: "an answer of GitHub",
        parse: |bytes| {
            drop(serde_json::from_slice::<github::Release>(bytes));
            drop(serde_json::from_slice::<Vec<github::Asset>>(bytes));
            drop(serde_json::from_slice::<github::Object>(bytes));
        },
    },
    Parser {
        reads: "channels/stable.json",
        parse: |bytes| {
            if let Some(view) = same_again::<ChannelView>(bytes) {
                show(&view);
            }
        },
    },
    Parser {
        reads: "log/0000000002.json",
        parse: |bytes| drop(same_again::<Revision>(bytes)),
    },
    Parser {
        reads: "latest.yml",
        parse: |bytes| {
            drop(feed::electron_updater::parse(bytes));
            drop(feed::Feed::revision_of(bytes));
        },
    },
    Parser {
        reads: "latest-mac.yml",
        parse: |bytes| {
            built("latest-mac.yml", bytes);
            drop(feed::built::publisher_names(bytes));
        },
    },
    Parser {
        reads: "RELEASES",
        parse: |bytes| built("RELEASES", bytes),
    },
    Parser {
        reads: "releases.win.json",
        parse: |bytes| built("releases.win.json", bytes),
    },
    Parser {
        reads: "latest.json",
        parse: |bytes| built("latest.json", bytes),
    },
    Parser {
        reads: "appcast.xml",
        parse: |bytes| {
            listing(signing::sparkle::appcast::read(bytes).map_err(|it| it.to_string()));
            let key = "ORhpwz8wTOiVPn+EMhtg7EKAUbjKGKJuCxOFqtC6FUg=";
            let rule = signing::sparkle::Rule {
                key: key.parse().expect("a key"),
                appcast: "appcast.xml".to_owned(),
            };
            let version = "1.4.0".parse().expect("a version");
            drop(signing::sparkle::Appcast::read(
                &rule,
                Some(bytes),
                &version,
            ));
        },
    },
    Parser {
        reads: "manifest.json",
        parse: |bytes| drop(feed::Feed::revision_of(bytes)),
    },
    Parser {
        reads: "COMMIT_EDITMSG",
        parse: |bytes| {
            // The notes quote the message, so what they make of it is part of the parser.
            let commit = release::commit::Commit {
                id: "0".repeat(40).parse().expect("forty digits"),
                message: release::commit::Message::parse(bytes),
            };
            for line in release::changelog::render([&commit]).lines() {
                assert!(!line.contains(char::is_control));
            }
        },
    },
    Parser {
        reads: "an argument",
        parse: |bytes| {
            with_text(bytes, |text| {
                drop(text.parse::<store::Location>());
                drop(text.parse::<Version>());
                drop(text.parse::<FileName>());
                drop(text.parse::<Channel>());
                drop(text.parse::<Platform>());
                drop(text.parse::<signing::PathPattern>());
                drop(text.parse::<github::ApiUrl>());
                drop(text.parse::<github::Repository>());
                drop(text.parse::<github::Token>());
                drop(text.parse::<release::tag::TagFormat>());
                drop(text.parse::<release::tag::PreId>());
                drop(release::name::printable(text));
            })
        },
    },
];

/// Reads a feed that a build left behind, and holds it against files.
fn built(name: &str, bytes: &[u8]) {
    if let Some(read) = feed::built::read(name, bytes) {
        listing(read.map_err(|error| error.to_string()));
    }
}

/// Half of the files that a feed lists are there, and are empty.
fn listing(listing: Result<release::Listing, String>) {
    let stood = signing::listing::Stood::of(&mut std::io::empty()).expect("nothing to read");
    let count = listing.as_ref().map_or(0, |it| it.files.len());
    let files = (0..count).map(|at| {
        let signature = None;
        let stood = stood.clone();
        (at % 2 == 0).then_some(signing::listing::Resolved { stood, signature })
    });
    let feed = signing::listing::FoundFeed {
        path: "dist/a feed".to_owned(),
        files: files.collect(),
        listing,
    };
    drop(signing::listing::judge(
        &[feed],
        &Version::new(1, 4, 0),
        &[],
    ));
}

/// Judges a program or package, and its signer.
fn inspect(bytes: &[u8]) {
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
fn script(bytes: &[u8], name: &str) {
    let trust = signing::Trust::microsoft();
    let at = Timestamp::from_unix(1_795_392_000).expect("November 2026");
    let mut reader = std::io::Cursor::new(bytes);
    drop(signing::inspect_named(&mut reader, name, at, &trust).expect("bytes in memory"));
}

/// Reads a repository, one document of which is another.
fn repository(bytes: &[u8], other: &str) {
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
fn openpgp(bytes: &[u8]) {
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
fn apt(bytes: &[u8]) {
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
fn snap(bytes: &[u8]) {
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
fn walk(bytes: &[u8]) {
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
fn succeed(bytes: &[u8], kind: release::Kind) {
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
            sparkle: None,
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
fn sevenz(bytes: &[u8]) -> Vec<u8> {
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
fn nsis(bytes: &[u8]) -> Vec<u8> {
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

fn with_text(bytes: &[u8], parse: impl FnOnce(&str)) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        parse(text);
    }
}

/// A rule with a key that verifies nothing here: what counts is that the signature is read.
fn sums_rule() -> signing::SumsRule {
    let key = "RWT+uA/ObnE+TXHw1XDCCWu/Au/1JAfesfrxIfwZQUcSXq1mmD8+c7/s";
    signing::SumsRule {
        path: "dist/SHA256SUMS".to_owned(),
        signer: signing::SumsSigner::Minisign(key.parse().expect("the snake-oil key of the demo")),
    }
}

/// What can be read can be written, and reads the same again: nothing is lost by passing through us.
fn same_again<T>(bytes: &[u8]) -> Option<T>
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let document: T = document::parse(bytes, "it").ok()?;
    let again = document::parse(&document::render(&document), "it");
    assert_eq!(again.ok().as_ref(), Some(&document));
    Some(document)
}

/// Everything that is derived from a channel by those who read it.
fn show(view: &ChannelView) {
    for feed in feed::Feed::ALL {
        drop(feed.render(view));
    }
    for platform in Platform::ALL.iter().copied() {
        let client = Client {
            id: Some("an install".to_owned()),
            ..Client::new(platform)
        };
        drop(decide(&view.state, &view.releases, &client));
    }
}
