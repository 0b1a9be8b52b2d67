//! Squirrel.Windows' `RELEASES`: a line for each package, `SHA1 name bytes`, and a share behind a `#`
//! (Squirrel.Windows 2.0, `ReleaseEntry.cs`). Velopack writes the same for clients that come from Squirrel.

use release::{Kind, Listed, ListedDigest, Listing, Os};

use crate::FeedError;
use crate::built::{hex, installs, text};

/// Lines that are read.
const LINES_MAX: usize = 10_000;

pub(super) fn read(name: &str, bytes: &[u8]) -> Option<Result<Listing, FeedError>> {
    let is_feed = name == "RELEASES" || name.starts_with("RELEASES-");
    is_feed.then(|| listing(bytes))
}

fn listing(bytes: &[u8]) -> Result<Listing, FeedError> {
    let mut files = Vec::new();
    for line in text(bytes)?.lines() {
        // What stands behind a `#` is the share, or nothing.
        let entry = line.split('#').next().unwrap_or_default();
        if entry.trim().is_empty() {
            continue;
        }
        if files.len() >= LINES_MAX {
            return Err(FeedError::TooLarge);
        }
        let parts: Vec<_> = entry.split_ascii_whitespace().collect();
        let listed = match parts.as_slice() {
            [sha1, url, size] => listed(sha1, url, size),
            _ => None,
        };
        let wrong = || format!("expected `SHA1 name bytes`, found `{line}`");
        files.push(listed.ok_or_else(|| FeedError::Malformed(wrong()))?);
    }
    Ok(Listing {
        updater: "Squirrel",
        version: None,
        files,
        installs: installs(
            |it| it.os() == Os::Windows,
            &[Kind::SquirrelFull, Kind::VelopackFull],
        ),
    })
}

fn listed(sha1: &str, url: &str, size: &str) -> Option<Listed> {
    let mut listed = Listed {
        url: url.to_owned(),
        size: Some(size.parse().ok()?),
        digests: vec![ListedDigest::Sha1(hex(sha1)?)],
        ..Listed::default()
    };
    listed.version = Some(version_of(&listed.name())?);
    Some(listed)
}

/// The version in the name of a package, `atlas-1.4.0-beta1-full.nupkg`: it begins at the first part that is a number, as
/// Squirrel has it.
fn version_of(name: &str) -> Option<String> {
    let stem = name.strip_suffix(".nupkg")?;
    let stem = stem
        .strip_suffix("-full")
        .or_else(|| stem.strip_suffix("-delta"))?;
    let begins = stem.match_indices('-').map(|(at, _)| at + 1);
    let mut versions = begins.filter_map(|at| stem.get(at..));
    let is_version = |rest: &&str| {
        let numbers = rest.split(['-', '+']).next().unwrap_or_default();
        let mut numbers = numbers.split('.');
        numbers.clone().count() >= 2 && numbers.all(|it| it.parse::<u64>().is_ok())
    };
    versions.find(is_version).map(str::to_owned)
}
