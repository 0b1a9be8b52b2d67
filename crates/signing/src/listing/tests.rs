//! Feeds held against files: what is right passes, and each thing that is wrong fails its check.

use super::*;
use crate::checks::Outcome;
use release::listing::Compared;

const BYTES: &[u8] = b"atlas 1.4.0";

fn stood(bytes: &[u8]) -> Stood {
    Stood::of(&mut &bytes[..]).expect("bytes in memory")
}

fn listed(url: &str) -> Listed {
    Listed {
        url: url.to_owned(),
        version: None,
        compared: None,
        size: Some(BYTES.len() as u64),
        digests: vec![
            ListedDigest::Sha1(stood(BYTES).sha1),
            ListedDigest::Sha256(Sha256::of(BYTES)),
            ListedDigest::Sha512(Sha512::of(BYTES)),
        ],
        signature: Some("c2ln".to_owned()),
    }
}

fn feed() -> FoundFeed {
    let older = Listed {
        version: Some("1.3.0".to_owned()),
        ..listed("Atlas-1.3.0.exe")
    };
    FoundFeed {
        path: "dist/latest.yml".to_owned(),
        listing: Ok(Listing {
            updater: "electron-updater",
            version: Some("1.4.0".to_owned()),
            files: vec![listed("https://dl.example/Atlas-1.4.0.exe"), older],
            installs: vec![(Platform::WindowsX64, &[Kind::Nsis])],
        }),
        files: vec![
            Some(Resolved {
                stood: stood(BYTES),
                signature: Some("c2ln\n".to_owned()),
            }),
            None,
        ],
    }
}

fn artifacts() -> Vec<Offered> {
    vec![Offered {
        name: "Atlas-1.4.0.exe".to_owned(),
        platform: Platform::WindowsX64,
        kind: Kind::Nsis,
        sha256: Sha256::of(BYTES),
    }]
}

/// The ids of the checks that fail, each once.
fn failed(feeds: &[FoundFeed], artifacts: &[Offered]) -> Vec<&'static str> {
    let version = "1.4.0".parse().expect("a version");
    let reports = judge(feeds, &version, artifacts);
    let checks = reports.iter().flat_map(|it| &it.checks);
    let mut ids: Vec<_> = checks
        .filter(|check| check.outcome != Outcome::Pass)
        .map(|check| check.id.as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn with(change: impl FnOnce(&mut FoundFeed, &mut Listing)) -> Vec<FoundFeed> {
    let mut feed = feed();
    let mut listing = feed.listing.clone().expect("a listing");
    change(&mut feed, &mut listing);
    feed.listing = feed.listing.map(|_| listing);
    vec![feed]
}

#[test]
fn a_feed_that_is_right_passes() {
    assert_eq!(failed(&[feed()], &artifacts()), [""; 0]);
    // Names as electron-builder writes them, and without what need not be stated.
    let spaced = with(|_, listing| {
        listing.files = vec![Listed {
            size: None,
            signature: None,
            ..listed("Atlas-Setup-1.4.0.exe")
        }];
    });
    let mut artifacts = artifacts();
    artifacts[0].name = "Atlas Setup 1.4.0.exe".to_owned();
    assert_eq!(failed(&spaced, &artifacts), [""; 0]);
}

#[test]
fn each_thing_that_is_wrong_fails_its_check() {
    let all = artifacts();
    let wrong_digest = |digest| with(move |_, listing| listing.files[0].digests = vec![digest]);
    for digest in [
        ListedDigest::Sha1([0; 20]),
        ListedDigest::Sha256(Sha256::of(b"")),
        ListedDigest::Sha512(Sha512::of(b"")),
    ] {
        assert_eq!(failed(&wrong_digest(digest), &all), ["feed.digest"]);
    }
    let size = with(|_, listing| listing.files[0].size = Some(1));
    assert_eq!(failed(&size, &all), ["feed.size"]);
    let absent = with(|feed, _| feed.files[0] = None);
    assert_eq!(failed(&absent, &all), ["feed.coverage"]);
    let unread = with(|feed, _| feed.listing = Err("no YAML".to_owned()));
    assert_eq!(failed(&unread, &all), ["feed.parse"]);
    let stale = with(|_, listing| listing.version = Some("1.3.0".to_owned()));
    assert_eq!(failed(&stale, &all), ["feed.version"]);
    let newer = with(|_, listing| listing.files[1].version = Some("2.0.0".to_owned()));
    assert_eq!(failed(&newer, &all), ["feed.version"]);
    let none = with(|feed, listing| {
        feed.files.clear();
        listing.files.clear();
    });
    assert_eq!(failed(&none, &all), ["feed.coverage"]);
    // An artifact of the same bytes for another platform is no artifact of this one.
    let mut other = artifacts();
    other[0].platform = Platform::WindowsArm64;
    let arm = with(|_, listing| listing.installs = vec![(Platform::WindowsArm64, &[Kind::Nsis])]);
    assert_eq!(failed(&arm, &other), [""; 0]);
    other[0].name = "Atlas-arm64.exe".to_owned();
    other[0].sha256 = Sha256::of(b"arm64");
    assert_eq!(failed(&arm, &other), ["feed.coverage"]);
}

/// Tauri's feeds hold the content of a `.sig`, and other updaters' have signatures of another kind.
#[test]
fn a_signature_of_tauris_is_compared_or_at_least_read() {
    let real = include_str!("../../fixtures/tauri/atlas.app.tar.gz.sig");
    let of = |updater, stated: &str, beside: Option<&str>| {
        let feeds = with(|feed, listing| {
            listing.updater = updater;
            listing.files[0].signature = Some(stated.to_owned());
            let resolved = feed.files[0].as_mut().expect("a file");
            resolved.signature = beside.map(str::to_owned);
        });
        failed(&feeds, &artifacts())
    };
    assert_eq!(of(TAURI, "c2ln", Some("c2ln\n")), [""; 0]);
    assert_eq!(of(TAURI, "Zz==", Some("c2ln\n")), ["feed.signature"]);
    assert_eq!(of(TAURI, real, None), [""; 0]);
    let inside_only = "dW50cnVzdGVkIGNvbW1lbnQ6IHg=";
    for stated in ["GARBAGE", "", inside_only, "https://dl.example/a.sig"] {
        assert_eq!(of(TAURI, stated, None), ["feed.signature"], "{stated}");
    }
    assert_eq!(of("Sparkle", "c2ln", Some("another")), [""; 0]);
}

/// Sparkle compares build numbers: what is shown may be anything.
#[test]
fn an_item_of_a_higher_build_is_newer() {
    let item = |shown: &str, build: &str, system: &str, channel: Option<&str>| Listed {
        version: Some(shown.to_owned()),
        compared: Some(Compared {
            build: build.to_owned(),
            system: system.to_owned(),
            channel: channel.map(str::to_owned),
        }),
        ..listed("Atlas.zip")
    };
    let of = |other: Listed| {
        let feeds = with(|feed, listing| {
            listing.version = None;
            listing.files = vec![item("1.4.0", "140", "macos", None), other];
            feed.files[1] = feed.files[0].clone();
        });
        failed(&feeds, &artifacts())
    };
    for (shown, build) in [
        ("1.3.0", "99999"),
        ("2.0", "5000"),
        ("2.0", "1"),
        ("1.4.0 (142)", "142"),
    ] {
        assert_eq!(
            of(item(shown, build, "macos", None)),
            ["feed.version"],
            "{shown}"
        );
    }
    for (shown, build) in [
        ("1.3.0", "130"),
        ("1.3", "139"),
        ("1.3 (old)", "1.39"),
        ("1.4.0", "142"),
    ] {
        assert_eq!(of(item(shown, build, "macos", None)), [""; 0], "{shown}");
    }
    // Other clients do not see it, and then what is shown must tell.
    assert_eq!(of(item("1.3.0", "200", "windows", None)), [""; 0]);
    assert_eq!(of(item("1.3.0", "200", "macos", Some("beta"))), [""; 0]);
    assert_eq!(of(item("1.3 (x)", "1", "windows", None)), ["feed.version"]);
}

#[test]
fn a_version_that_cannot_be_ordered_is_not_older() {
    let of = |text: &str| {
        let feeds = with(|_, listing| listing.files[1].version = Some(text.to_owned()));
        failed(&feeds, &artifacts())
    };
    for text in [
        "1.3",
        "1.3.9.9",
        "v1.3.0",
        "1",
        "1.4.0-beta.1",
        "1.4.0-beta1",
    ] {
        assert_eq!(of(text), [""; 0], "{text}");
    }
    for text in [
        "2",
        "1.5",
        "1.4.0.1",
        "newest",
        "1.4.0 (142)",
        "1.3.0.0.0",
        "",
    ] {
        assert_eq!(of(text), ["feed.version"], "{text}");
    }
}

/// What no rule calls an artifact was verified by nobody: an archive, or a package of differences.
#[test]
fn what_a_feed_lists_for_this_version_is_an_artifact() {
    for name in ["evil.zip", "Atlas-1.4.0-delta.nupkg"] {
        let more = with(|feed, listing| {
            listing.files.push(Listed {
                url: name.to_owned(),
                ..Listed::default()
            });
            feed.files.push(Some(Resolved {
                stood: stood(b"evil"),
                signature: None,
            }));
        });
        assert_eq!(failed(&more, &artifacts()), ["feed.coverage"]);
        // Of another version it is not looked at.
        let older = |mut feed: FoundFeed| {
            let listing = feed.listing.as_mut().expect("a listing");
            listing.files[2].version = Some("1.3.0".to_owned());
            feed
        };
        let older: Vec<_> = more.into_iter().map(older).collect();
        assert_eq!(failed(&older, &artifacts()), [""; 0]);
    }
    // No artifact is for whom the feed is.
    let mut linux = artifacts();
    linux[0].platform = Platform::LinuxX64;
    linux[0].sha256 = Sha256::of(b"linux");
    assert_eq!(failed(&[feed()], &linux), ["feed.coverage"]);
}

#[test]
fn feeds_of_one_updater_are_judged_together() {
    let mut all = artifacts();
    all.push(Offered {
        name: "Atlas-1.4.0-arm64.exe".to_owned(),
        platform: Platform::WindowsArm64,
        sha256: Sha256::of(b"arm64"),
        ..all[0].clone()
    });
    let both: &[(Platform, &[Kind])] = &[
        (Platform::WindowsX64, &[Kind::Nsis]),
        (Platform::WindowsArm64, &[Kind::Nsis]),
    ];
    let one = with(|_, listing| listing.installs = both.to_vec()).remove(0);
    let mut other = one.clone();
    other.files = vec![Some(Resolved {
        stood: stood(b"arm64"),
        signature: None,
    })];
    if let Ok(listing) = &mut other.listing {
        listing.files = vec![Listed {
            url: "Atlas-1.4.0-arm64.exe".to_owned(),
            ..Listed::default()
        }];
    }
    assert_eq!(failed(std::slice::from_ref(&one), &all), ["feed.coverage"]);
    assert_eq!(failed(&[one, other], &all), [""; 0]);
}
