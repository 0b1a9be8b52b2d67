//! Velopack's `releases.<channel>.json`: every package with its digests (Velopack 1.2, `VelopackAsset`).

use release::{Kind, Listed, ListedDigest, Listing, Platform, Sha256};
use serde::Deserialize;

use crate::FeedError;
use crate::built::{hex, installs, json};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Feed {
    assets: Vec<Asset>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asset {
    version: String,
    file_name: String,
    #[serde(rename = "SHA1")]
    sha1: Option<String>,
    #[serde(rename = "SHA256")]
    sha256: Option<String>,
    size: u64,
}

pub(super) fn read(name: &str, bytes: &[u8]) -> Option<Result<Listing, FeedError>> {
    let channel = name.strip_prefix("releases.")?.strip_suffix(".json")?;
    Some(json(bytes).and_then(|feed| listing(feed, channel)))
}

fn listing(feed: Feed, channel: &str) -> Result<Listing, FeedError> {
    let files = feed
        .assets
        .into_iter()
        .map(listed)
        .collect::<Result<_, _>>()?;
    // A channel is named after its system, if nobody named it: `win`, `osx-arm64`, `linux`.
    let begins = [("win", "windows"), ("osx", "macos"), ("linux", "linux")];
    let system = begins.iter().find(|(short, _)| channel.starts_with(short));
    let is_served = |platform: Platform| match system {
        Some((_, os)) => platform.os().as_str() == *os && is_of_arch(platform, channel),
        None => false,
    };
    Ok(Listing {
        updater: "Velopack",
        version: None,
        files,
        installs: installs(is_served, &[Kind::VelopackFull]),
    })
}

/// Whether a channel is for an architecture: all, where it names none.
fn is_of_arch(platform: Platform, channel: &str) -> bool {
    let mut named = ["x64", "arm64", "x86"]
        .iter()
        .filter(|it| channel.ends_with(**it));
    match named.next() {
        Some(&"x86") => platform == Platform::WindowsIa32,
        Some(arch) => platform.arch() == *arch,
        None => true,
    }
}

fn listed(asset: Asset) -> Result<Listed, FeedError> {
    let Asset {
        version,
        file_name,
        sha1,
        sha256,
        size,
    } = asset;
    let wrong = |what| FeedError::Malformed(format!("`{file_name}` has {what}"));
    let sha1 = sha1.filter(|text| !text.is_empty()).map(|text| {
        let digest = hex(&text).ok_or_else(|| wrong("a `SHA1` that is none"));
        digest.map(ListedDigest::Sha1)
    });
    let sha256 = sha256.filter(|text| !text.is_empty()).map(|text| {
        let digest = text.parse::<Sha256>();
        let digest = digest.map_err(|_| wrong("a `SHA256` that is none"));
        digest.map(ListedDigest::Sha256)
    });
    let digests: Vec<_> = sha1.into_iter().chain(sha256).collect::<Result<_, _>>()?;
    if digests.is_empty() {
        return Err(wrong("no digest"));
    }
    Ok(Listed {
        url: file_name.clone(),
        version: Some(version),
        compared: None,
        size: Some(size),
        digests,
        signature: None,
    })
}
