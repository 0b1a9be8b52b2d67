//! A manifest for command-line tools: `manifest.json` for `stable`, `manifest-<channel>.json` for others.
//!
//! The shape is that of the crate self_update's `manifest` backend (1.3): releases with assets, each with an address
//! and a digest. A client takes the asset whose name contains its target, so a tool whose file names carry no target
//! triple sets `.target("linux-x64")`. It cannot stage, so it shows the baseline of each platform.

use std::collections::BTreeMap;

use release::address;
use release::{ChannelView, Kind, Platform, Sha256, Timestamp, Version, document};
use serde::Serialize;

use crate::shown::{Shown, baseline, is_served};
use crate::{FeedFile, Stamp};

/// What a command-line tool replaces itself with.
const KINDS: [Kind; 4] = [Kind::TarGz, Kind::Zip, Kind::Exe, Kind::Binary];

#[derive(Serialize)]
struct Manifest {
    schema: u32,
    releases: Vec<Release>,
    #[serde(rename = "x-lastmile")]
    stamp: Stamp,
}

#[derive(Serialize)]
struct Release {
    version: Version,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<Timestamp>,
    assets: Vec<Asset>,
}

#[derive(Serialize)]
struct Asset {
    name: String,
    url: String,
    digest: String,
}

pub(crate) fn render(view: &ChannelView) -> Vec<FeedFile> {
    let platforms: Vec<_> = view
        .state
        .platforms
        .known
        .keys()
        .copied()
        .filter(|platform| is_served(view, *platform, &KINDS))
        .collect();
    if platforms.is_empty() {
        return Vec::new();
    }
    // Platforms may have different baselines: each release lists the assets of the platforms that are at it.
    let mut releases: BTreeMap<Version, Release> = BTreeMap::new();
    for platform in platforms {
        let Some(version) = baseline(view, platform, &KINDS).version else {
            continue;
        };
        let Some(found) = view.releases.0.get(&version) else {
            continue;
        };
        let assets: Vec<_> = found
            .artifacts_for(platform)
            .filter(|artifact| KINDS.contains(&artifact.kind))
            .map(|artifact| Asset {
                name: artifact.name.to_string(),
                url: address::url(
                    &view.state.public_url,
                    &address::artifact(&view.app, &version, &artifact.name),
                ),
                digest: digest(artifact.sha256),
            })
            .collect();
        let release = releases.entry(version.clone()).or_insert(Release {
            version,
            date: found.date,
            assets: Vec::new(),
        });
        release.assets.extend(assets);
    }
    let stamp = Stamp::of(view);
    let file = if view.channel.is_stable() {
        "manifest.json".to_owned()
    } else {
        format!("manifest-{}.json", view.channel)
    };
    let manifest = Manifest {
        schema: 1,
        releases: releases.into_values().rev().collect(),
        stamp,
    };
    vec![FeedFile {
        file,
        bytes: document::render(&manifest),
    }]
}

fn digest(sha256: Sha256) -> String {
    format!("sha256:{sha256}")
}

pub(crate) fn shows(view: &ChannelView, platform: Platform) -> Shown {
    if is_served(view, platform, &KINDS) {
        baseline(view, platform, &KINDS)
    } else {
        Shown::nothing(
            "no release has an artifact that command-line tools install on this platform",
        )
    }
}
