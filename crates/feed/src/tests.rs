//! Golden files of the situations that matter, and what no file may ever say.

use std::collections::BTreeMap;

use proptest::prelude::*;
use release::revision::{ChannelState, PlatformState, Platforms, Progress, Rollout, Stage, Tier};
use release::{Artifact, Catalog, Crc64, FileName, Kind, Sha256, Sha512};

use super::*;

fn v(text: &str) -> release::Version {
    text.parse().expect("a version")
}

fn artifact(name: &str, platform: Platform, kind: Kind) -> Artifact {
    let name: FileName = name.parse().expect("a name");
    let bytes = name.as_str().as_bytes();
    Artifact {
        size: bytes.len() as u64,
        sha256: Sha256::of(bytes),
        sha512: Some(Sha512::of(bytes)),
        crc64nvme: Crc64::from_value(1),
        unknown: Default::default(),
        name,
        platform,
        kind,
    }
}

fn catalog(versions: &[&str], platforms: &[Platform]) -> Catalog {
    let release = |version: &&str| {
        let one = |platform: &Platform| match platform.os() {
            release::Os::Windows => vec![artifact(
                &format!("Atlas-{version}-{}.exe", platform.arch()),
                *platform,
                Kind::Nsis,
            )],
            release::Os::Macos => vec![
                artifact(&format!("Atlas-{version}.dmg"), *platform, Kind::Dmg),
                artifact(&format!("Atlas-{version}-mac.zip"), *platform, Kind::Zip),
            ],
            _ => vec![
                artifact(
                    &format!("Atlas-{version}.AppImage"),
                    *platform,
                    Kind::AppImage,
                ),
                artifact(
                    &format!("atlas-{version}-linux-x64.tar.gz"),
                    *platform,
                    Kind::TarGz,
                ),
            ],
        };
        let artifacts = platforms.iter().flat_map(one).collect();
        let date = "2026-11-23T08:00:00Z".parse().ok();
        (
            v(version),
            release::projection::CatalogRelease {
                date,
                artifacts,
                ..Default::default()
            },
        )
    };
    Catalog(versions.iter().map(release).collect())
}

/// A view with 1.3.0 as the baseline and 1.4.0 at a tier, on each platform in its own stage.
fn view(baseline: Option<&str>, stages: &[(Platform, Stage)], share: &str) -> ChannelView {
    let tier = |name: &str, share: Option<&str>| Tier {
        name: name.parse().expect("a name"),
        share: share.map(|share| share.parse().expect("a share")),
        cohort: share
            .is_none()
            .then(|| "internal".parse().expect("a cohort")),
        soak: Default::default(),
        unknown: Default::default(),
    };
    let share = (!share.is_empty()).then_some(share);
    let rollout = Rollout {
        version: v("1.4.0"),
        record: Sha256::of(b""),
        salt: "s".to_owned(),
        tiers: vec![tier("one", share), tier("all", Some("100%"))],
        unknown: Default::default(),
    };
    let entry = |stage: &Stage| {
        let complete = *stage == Stage::Complete;
        let baseline = if complete {
            Some(v("1.4.0"))
        } else {
            baseline.map(v)
        };
        let progress = Progress {
            id: "r".to_owned(),
            version: v("1.4.0"),
            stage: stage.clone(),
            tier: 0,
            since: 2,
            unknown: Default::default(),
        };
        PlatformState {
            public: baseline.clone(),
            baseline,
            rollout: Some(progress),
            ..Default::default()
        }
    };
    let known: BTreeMap<_, _> = stages
        .iter()
        .map(|(platform, stage)| (*platform, entry(stage)))
        .collect();
    let platforms: Vec<_> = known.keys().copied().collect();
    let state = ChannelState {
        public_url: "https://dl.atlas.example".to_owned(),
        rollouts: BTreeMap::from([("r".to_owned(), rollout)]),
        platforms: Platforms {
            known,
            newer: Default::default(),
        },
        ..Default::default()
    };
    ChannelView {
        schema: 1,
        min_writer: 1,
        app: "atlas".parse().expect("an app"),
        channel: "stable".parse().expect("a channel"),
        revision: 12,
        digest: Sha256::of(b""),
        state,
        releases: catalog(&["1.3.0", "1.4.0"], &platforms),
        unknown: Default::default(),
    }
}

const WINDOWS: Platform = Platform::WindowsX64;

fn latest(view: &ChannelView) -> electron_updater::Latest {
    let files = Feed::ElectronUpdater.render(view);
    assert_eq!(files.len(), 1, "{files:?}");
    electron_updater::parse(&files[0].bytes).expect("our own file")
}

#[test]
fn a_staged_candidate() {
    let files =
        Feed::ElectronUpdater.render(&view(Some("1.3.0"), &[(WINDOWS, Stage::Baking)], "10.75%"));
    assert_eq!(files[0].file, "latest.yml");
    insta::assert_snapshot!(String::from_utf8_lossy(&files[0].bytes), @r"
    version: 1.4.0
    files:
    - url: https://dl.atlas.example/atlas/releases/1.4.0/Atlas-1.4.0-x64.exe
      sha512: l6YdMjknD2B5gfA0mLIBf5Orj/zNMWtjIrgagB56FozizXzLXZ/ZT7sSdanXmHqpCnJ0L9Stz6JS8hgypnNLYw==
      size: 19
    path: https://dl.atlas.example/atlas/releases/1.4.0/Atlas-1.4.0-x64.exe
    sha512: l6YdMjknD2B5gfA0mLIBf5Orj/zNMWtjIrgagB56FozizXzLXZ/ZT7sSdanXmHqpCnJ0L9Stz6JS8hgypnNLYw==
    releaseDate: 2026-11-23T08:00:00Z
    stagingPercentage: 10
    x-lastmile:
      revision: 12
      channel: stable
    ");
    assert_eq!(
        Feed::revision_of(&files[0].bytes).expect("a stamp"),
        Stamp {
            revision: 12,
            channel: "stable".to_owned()
        }
    );
}

/// What a build of electron-builder leaves for a platform is read for that platform, and written under the same name.
#[test]
fn a_file_is_named_as_its_clients_ask() {
    let stable = "stable".parse().expect("a channel");
    for (platform, name) in [
        (Platform::WindowsX64, "latest.yml"),
        (Platform::MacosArm64, "latest-mac.yml"),
        (Platform::LinuxX64, "latest-linux.yml"),
        (Platform::LinuxArm64, "latest-linux-arm64.yml"),
        (Platform::LinuxArmv7l, "latest-linux-arm.yml"),
    ] {
        assert_eq!(electron_updater::file_for(&stable, platform), name);
    }
}

#[test]
fn nothing_to_offer() {
    let files = Feed::ElectronUpdater.render(&view(None, &[(WINDOWS, Stage::Halted)], "10%"));
    insta::assert_snapshot!(String::from_utf8_lossy(&files[0].bytes), @r"
    version: 0.0.0
    files: []
    stagingPercentage: 0
    x-lastmile:
      revision: 12
      channel: stable
    ");
}

#[test]
fn which_version_a_file_shows() {
    let shown = |baseline, stage, share| {
        let latest = latest(&view(baseline, &[(WINDOWS, stage)], share));
        (latest.version.to_string(), latest.staging_percentage)
    };
    let old = ("1.3.0".to_owned(), None);
    assert_eq!(shown(Some("1.3.0"), Stage::Baking, ""), old, "a cohort");
    assert_eq!(
        shown(Some("1.3.0"), Stage::Baking, "0.5%"),
        old,
        "below one percent"
    );
    assert_eq!(
        shown(Some("1.3.0"), Stage::Baking, "1%"),
        ("1.4.0".to_owned(), Some(1))
    );
    assert_eq!(
        shown(Some("1.3.0"), Stage::Paused, "99.99%"),
        ("1.4.0".to_owned(), Some(99))
    );
    assert_eq!(
        shown(Some("1.3.0"), Stage::Baking, "100%"),
        ("1.4.0".to_owned(), None)
    );
    assert_eq!(shown(Some("1.3.0"), Stage::Halted, "10%"), old);
    assert_eq!(shown(Some("1.3.0"), Stage::RolledBack, "10%"), old);
    assert_eq!(
        shown(Some("1.3.0"), Stage::Newer("ramping".to_owned()), "10%"),
        old
    );
    assert_eq!(
        shown(Some("1.3.0"), Stage::Complete, "10%"),
        ("1.4.0".to_owned(), None)
    );
    assert_eq!(
        shown(None, Stage::Halted, "10%"),
        ("0.0.0".to_owned(), Some(0))
    );
}

#[test]
fn platforms_that_share_a_file_get_the_lowest_version_of_theirs() {
    let both = view(
        Some("1.3.0"),
        &[
            (WINDOWS, Stage::Baking),
            (Platform::WindowsArm64, Stage::Halted),
        ],
        "10%",
    );
    assert_eq!(
        (latest(&both).version, latest(&both).staging_percentage),
        (v("1.3.0"), None)
    );
    assert_eq!(latest(&both).files.len(), 2);
    let agreed = view(
        Some("1.3.0"),
        &[
            (WINDOWS, Stage::Baking),
            (Platform::WindowsArm64, Stage::Baking),
        ],
        "10%",
    );
    let latest = latest(&agreed);
    assert_eq!(
        (latest.version, latest.staging_percentage),
        (v("1.4.0"), Some(10))
    );
    assert!(
        latest.files[0].url.contains("x64") && latest.files[1].url.contains("arm64"),
        "x64 first: {latest:?}",
        latest = latest.files
    );
}

/// A platform that stopped, and whose baseline is in a kind that this updater does not install, would otherwise be
/// served the version it stopped on from the file that it shares.
#[test]
fn a_stopped_platform_whose_baseline_cannot_be_shown_stops_the_file() {
    let stages = [
        (Platform::WindowsX64, Stage::Baking),
        (Platform::WindowsArm64, Stage::Halted),
    ];
    let mut view = view(Some("1.3.0"), &stages, "100%");
    let baseline = view.releases.0.get_mut(&v("1.3.0")).expect("the baseline");
    for artifact in &mut baseline.artifacts {
        if artifact.platform == Platform::WindowsArm64 {
            artifact.kind = Kind::Exe;
        }
    }
    let shown = Feed::ElectronUpdater.shows(&view, Platform::WindowsX64);
    assert_eq!(shown.version, None, "{shown}");
    assert!(
        shown.why.contains("was stopped on windows-arm64"),
        "{shown}"
    );
}

/// A file that was shown once is written again even where nothing readable is left to show in it.
#[test]
fn a_file_without_a_readable_release_says_nothing_instead_of_going_stale() {
    let stages = [(Platform::WindowsX64, Stage::Halted)];
    let mut view = view(Some("1.3.0"), &stages, "10%");
    view.releases.0.clear();
    let latest = latest(&view);
    assert_eq!(
        (latest.staging_percentage, latest.files.len()),
        (Some(0), 0)
    );
}

#[test]
fn only_what_clients_install_is_listed() {
    let mac = latest(&view(
        Some("1.3.0"),
        &[(Platform::MacosUniversal, Stage::Complete)],
        "10%",
    ));
    assert!(
        mac.files.len() == 1 && mac.files[0].url.ends_with(".zip"),
        "{mac:?}"
    );
    let web = Feed::ElectronUpdater.render(&view(
        Some("1.3.0"),
        &[(Platform::Web, Stage::Complete)],
        "10%",
    ));
    assert!(web.is_empty() || !String::from_utf8_lossy(&web[0].bytes).contains("tar.gz"));
}

#[test]
fn the_manifest_shows_the_baseline() {
    let files = Feed::Manifest.render(&view(
        Some("1.3.0"),
        &[(Platform::LinuxX64, Stage::Baking)],
        "100%",
    ));
    assert_eq!(files[0].file, "manifest.json");
    insta::assert_snapshot!(String::from_utf8_lossy(&files[0].bytes), @r###"
    {
      "releases": [
        {
          "assets": [
            {
              "digest": "sha256:e5beab0a70828c395a1f6f139088cf2d4c2cfdc845ec1ad3da3f2c2673e503c8",
              "name": "atlas-1.3.0-linux-x64.tar.gz",
              "url": "https://dl.atlas.example/atlas/releases/1.3.0/atlas-1.3.0-linux-x64.tar.gz"
            }
          ],
          "date": "2026-11-23T08:00:00Z",
          "version": "1.3.0"
        }
      ],
      "schema": 1,
      "x-lastmile": {
        "channel": "stable",
        "revision": 12
      }
    }
    "###);
    let none = Feed::Manifest.render(&view(None, &[(Platform::LinuxX64, Stage::Halted)], "100%"));
    assert!(String::from_utf8_lossy(&none[0].bytes).contains("\"releases\": []"));
}

#[test]
fn the_clients_own_formula() {
    // bytes 12..16 of the id: 0, half, and all ones.
    let id = |tail: &str| format!("f81d4fae-7dec-51d0-a765-00a0{tail}");
    assert!(is_in(&id("00000000"), 1) && !is_in(&id("00000000"), 0));
    assert!(is_in(&id("7fffffff"), 50) && !is_in(&id("80000000"), 50));
    assert!(
        !is_in(&id("ffffffff"), 100),
        "the client, too, leaves the last of four billion out"
    );
    assert!(!is_in("not a uuid", 100) && !is_in("", 100));
}

fn is_in(id: &str, percent: u16) -> bool {
    electron_updater::is_within(id, percent)
}

fn stages() -> impl Strategy<Value = Stage> {
    prop_oneof![
        Just(Stage::Baking),
        Just(Stage::Paused),
        Just(Stage::Halted),
        Just(Stage::Complete),
        Just(Stage::RolledBack)
    ]
}

proptest! {
    #[test]
    fn no_file_says_what_it_must_not(one in stages(), two in stages(), bp in 0_u16..=10_000, has_baseline: bool, yanked: bool) {
        let share = format!("{}.{:02}%", bp / 100, bp % 100);
        let mut view = view(has_baseline.then_some("1.3.0"), &[(WINDOWS, one.clone()), (Platform::WindowsArm64, two.clone())], &share);
        if let Some(release) = view.releases.0.get_mut(&v("1.4.0")) {
            release.yanked = yanked;
        }
        let latest = latest(&view);
        let may_show = |stage: &Stage| stage.is_offering() || *stage == Stage::Complete;
        if latest.version == v("1.4.0") {
            prop_assert!(!yanked, "{one} {two}");
            prop_assert!(u32::from(latest.staging_percentage.unwrap_or(100)) * 100 <= u32::from(bp) || one == Stage::Complete || two == Stage::Complete || bp == 10_000);
            // Clients of a platform that stopped never see it.
            prop_assert!(may_show(&one) && may_show(&two), "{one} {two}");
        }
        for file in &latest.files {
            let named = view.releases.0.iter().any(|(version, release)| release.artifacts.iter().any(|artifact| file.url.ends_with(&format!("/{version}/{}", artifact.name))));
            prop_assert!(named, "{}", file.url);
        }
    }

    #[test]
    fn reading_back_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = electron_updater::parse(&bytes);
        let _ = Feed::revision_of(&bytes);
    }
}
