//! electron-builder's `latest.yml`, `latest-mac.yml`, `latest-linux-arm64.yml`, the same for other channels, and the
//! `app-update.yml` that it puts into each app (electron-builder 26, electron-updater 6.8.10).

use std::collections::BTreeMap;

use release::{Listed, ListedDigest, Listing, Os, Platform, Sha512};
use serde::Deserialize;

use crate::electron_updater::kinds;
use crate::{FeedError, read as from_yaml};

/// Channels that are known by name; files of others are known by what they say.
const CHANNELS: [&str; 3] = ["latest", "beta", "alpha"];
/// How the names of files for systems other than Windows end.
const SUFFIXES: [(&str, &[Platform]); 4] = [
    (
        "-mac",
        &[
            Platform::MacosX64,
            Platform::MacosArm64,
            Platform::MacosUniversal,
        ],
    ),
    ("-linux", &[Platform::LinuxX64]),
    ("-linux-arm64", &[Platform::LinuxArm64]),
    ("-linux-arm", &[Platform::LinuxArmv7l]),
];
const WINDOWS: &[Platform] = &[
    Platform::WindowsX64,
    Platform::WindowsArm64,
    Platform::WindowsIa32,
];

#[derive(Deserialize)]
struct Update {
    version: String,
    #[serde(default)]
    files: Vec<File>,
    /// What an installer from the web loads, for each architecture (nsis-web).
    packages: Option<BTreeMap<String, Package>>,
    /// What clients before version 4 read.
    path: Option<String>,
    sha512: Option<Sha512>,
}

#[derive(Deserialize)]
struct File {
    url: String,
    size: Option<u64>,
    sha512: Option<Sha512>,
}

#[derive(Deserialize)]
struct Package {
    path: String,
    size: Option<u64>,
    sha512: Option<Sha512>,
}

pub(super) fn read(name: &str, bytes: &[u8]) -> Option<Result<Listing, FeedError>> {
    let stem = name.strip_suffix(".yml")?;
    let suffix = SUFFIXES.iter().find_map(|(suffix, platforms)| {
        let channel = stem.strip_suffix(suffix)?;
        Some((channel, *platforms))
    });
    let (channel, platforms) = suffix.unwrap_or((stem, WINDOWS));
    let is_known = CHANNELS.contains(&channel);
    let found = from_yaml::<Update>(bytes).and_then(|update| listing(update, platforms));
    // Whoever has a channel of another name has such a file too, and any other YAML is no feed.
    (is_known || found.is_ok()).then_some(found)
}

fn listing(update: Update, platforms: &[Platform]) -> Result<Listing, FeedError> {
    let Update {
        version,
        files,
        packages,
        path,
        sha512,
    } = update;
    let stated = |url: String, size, sha512: Option<Sha512>| {
        let missing = || FeedError::Malformed("a file has no `sha512`".to_owned());
        let digest = sha512.ok_or_else(missing)?;
        Ok(Listed {
            url,
            size,
            digests: vec![ListedDigest::Sha512(digest)],
            ..Listed::default()
        })
    };
    let files = files
        .into_iter()
        .map(|it| stated(it.url, it.size, it.sha512));
    let mut files = files.collect::<Result<Vec<_>, _>>()?;
    for package in packages.into_iter().flat_map(BTreeMap::into_values) {
        let Package { path, size, sha512 } = package;
        files.push(stated(path, size, sha512)?);
    }
    let older = path.map(|path| stated(path, None, sha512)).transpose()?;
    files.extend(older);
    if files.is_empty() {
        let reason = "neither `files` nor `path` names a file".to_owned();
        return Err(FeedError::Malformed(reason));
    }
    let installs = platforms
        .iter()
        .map(|it| (*it, kinds(it.os())))
        .filter(|(platform, _)| platform.os() != Os::Web);
    Ok(Listing {
        updater: "electron-updater",
        version: Some(version),
        files,
        installs: installs.collect(),
    })
}

/// What an installed app reads of its own `app-update.yml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppUpdate {
    /// Who may have signed what it installs.
    #[serde(default)]
    publisher_name: Option<Names>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Several(Vec<String>),
}

/// The `publisherName` of an `app-update.yml`: any of these may have signed; none where the app does not ask.
///
/// # Errors
/// Where it is no such file.
pub fn publisher_names(bytes: &[u8]) -> Result<Option<Vec<String>>, FeedError> {
    let update: AppUpdate = from_yaml(bytes)?;
    Ok(update.publisher_name.map(|names| match names {
        Names::One(name) => vec![name],
        Names::Several(names) => names,
    }))
}
