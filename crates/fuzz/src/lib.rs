//! Every parser of bytes that somebody else wrote. None of them may panic, hang, or take more memory than a limit.
//!
//! One list serves the tests, which throw mutated real documents at it, and libFuzzer: for some seconds each by
//! `tests/fuzz.sh`, and for hours by
//! `RUSTC_BOOTSTRAP=1 LASTMILE_PARSER=latest.yml cargo fuzz run --fuzz-dir crates/fuzz -s none --features libfuzzer parser <corpus>`,
//! where any folder of real files is a corpus, say the one that `lastmile demo` leaves.

mod signed;

use release::{
    Channel, ChannelView, Claim, Client, FileName, GitHubNote, Platform, ReleaseRecord, Revision,
    Version, decide, document,
};

use signed::{apt, inspect, nsis, openpgp, repository, script, sevenz, snap, succeed, walk};

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
