//! Tauri's static `latest.json`: an address and a signature for each platform (tauri-plugin-updater 2.14,
//! `RemoteRelease`). It states no digests: the signature is what counts.

use std::collections::BTreeMap;

use release::listing::TAURI;
use release::{Kind, Listed, Listing, Os, Platform};
use serde::Deserialize;

use crate::FeedError;
use crate::built::json;

#[derive(Deserialize)]
struct Release {
    /// Also `name`, as older servers say.
    #[serde(alias = "name")]
    version: String,
    platforms: BTreeMap<String, Update>,
}

#[derive(Deserialize)]
struct Update {
    url: String,
    signature: String,
}

pub(super) fn read(name: &str, bytes: &[u8]) -> Option<Result<Listing, FeedError>> {
    if name != "latest.json" {
        return None;
    }
    // The name is anyone's, and its platforms are Tauri's.
    let is_feed = match json::<serde_json::Value>(bytes) {
        Ok(value) => value.get("platforms").is_some() || value.get("signature").is_some(),
        Err(_) => true,
    };
    is_feed.then(|| json(bytes).map(listing))
}

fn listing(release: Release) -> Listing {
    let mut installs = Vec::new();
    let mut files = Vec::new();
    for (target, Update { url, signature }) in release.platforms {
        installs.extend(platforms(&target).iter().map(|it| (*it, kinds(it.os()))));
        files.push(Listed {
            url,
            signature: Some(signature),
            ..Listed::default()
        });
    }
    Listing {
        updater: TAURI,
        version: Some(release.version),
        files,
        installs,
    }
}

/// The platforms of a target, `darwin-aarch64`, or `windows-x86_64-nsis` since 2.10.
fn platforms(target: &str) -> &'static [Platform] {
    let targets: [(&str, &[Platform]); 8] = [
        ("darwin-universal", &[Platform::MacosUniversal]),
        ("darwin-aarch64", &[Platform::MacosArm64]),
        ("darwin-x86_64", &[Platform::MacosX64]),
        ("linux-x86_64", &[Platform::LinuxX64]),
        ("linux-aarch64", &[Platform::LinuxArm64]),
        ("linux-armv7", &[Platform::LinuxArmv7l]),
        ("windows-x86_64", &[Platform::WindowsX64]),
        ("windows-aarch64", &[Platform::WindowsArm64]),
    ];
    let known = targets.iter().find(|(known, _)| target.starts_with(known));
    known.map_or(&[], |(_, platforms)| platforms)
}

/// What is installed: the archive of the app, an installer, or what runs as it is; zipped ones are of version 1.
fn kinds(os: Os) -> &'static [Kind] {
    match os {
        Os::Macos => &[Kind::TarGz],
        Os::Windows => &[Kind::Nsis, Kind::Msi, Kind::Exe, Kind::Zip],
        Os::Linux => &[Kind::AppImage, Kind::Deb, Kind::Rpm, Kind::TarGz],
        Os::Web => &[],
    }
}
