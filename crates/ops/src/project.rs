//! Projections: deriving everything that clients read from the newest revision, until it stands.
//!
//! Whatever calls this may have died before, or be late: a projection carries its revision, an older one never replaces
//! a newer one, and after writing the head is looked at again.

use std::fmt;
use std::str::FromStr as _;

use feed::Feed;
use release::document;
use release::name::printable;
use release::projection::{Catalog, CatalogRelease, ChannelView, versions_named};
use release::{ReleaseRecord, Sha256, Version};
use serde::Serialize;
use store::{Key, Projected, StoreError, StoredRevision};

use crate::error::Error;
use crate::place::Place;

/// How often the head may move while projections are written.
const ROUNDS: u32 = 16;

/// Something that does not show the newest revision yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lag {
    /// What lags: a path, or the name of a feed.
    pub what: String,
    /// Why.
    pub why: String,
}

impl Lag {
    pub(crate) fn new(what: String, why: &impl fmt::Display) -> Self {
        let why = why.to_string();
        Self { what, why }
    }
}

impl fmt::Display for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.what, self.why)
    }
}

/// What converging came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Convergence {
    /// The revision that everything not lagging shows, or a newer one.
    pub revision: u64,
    /// The paths that were written.
    pub written: Vec<String>,
    /// What does not show it.
    pub lagging: Vec<Lag>,
}

impl Convergence {
    /// An error where something lags.
    pub fn complete(self) -> Result<Self, Error> {
        if self.lagging.is_empty() {
            Ok(self)
        } else {
            Err(Error::Lagging {
                revision: self.revision,
                lagging: self.lagging,
            })
        }
    }
}

/// Derives and writes all projections of a channel, and reads them back. `None` before its first revision.
pub async fn converge(place: &Place) -> Result<Option<Convergence>, Error> {
    match place.log().head().await? {
        Some(head) => Ok(Some(converge_from(place, head).await)),
        None => Ok(None),
    }
}

/// The same from a head that was found or written just now. What fails here is late, not undone, so it lags.
pub(crate) async fn converge_from(place: &Place, mut head: StoredRevision) -> Convergence {
    let mut written = Vec::new();
    let mut lagging = Vec::new();
    for _ in 0..ROUNDS {
        let (view, late) = view(place, &head).await;
        lagging = late;
        for (key, bytes) in projections(&view, &mut lagging) {
            match settle(place, &key, &bytes, head.revision.revision).await {
                Ok(true) => written.push(key.path()),
                Ok(false) => {}
                Err(error) => lagging.push(Lag::new(key.path(), &error)),
            }
        }
        match place.log().head().await {
            Ok(Some(newest)) if newest.revision.revision > head.revision.revision => head = newest,
            // Whoever wrote a newer revision projects it; that it could not be looked for is worth saying.
            Err(error) => {
                lagging.push(Lag::new("the newest revision".to_owned(), &error));
                break;
            }
            Ok(_) => break,
        }
    }
    written.sort_unstable();
    written.dedup();
    Convergence {
        revision: head.revision.revision,
        written,
        lagging,
    }
}

/// Writes one projection and reads it back: what counts is what a client would get now. Whether it was written.
async fn settle(place: &Place, key: &Key, bytes: &[u8], revision: u64) -> Result<bool, StoreError> {
    let read = |stored: &[u8]| revision_of(key, stored);
    let projected = place.store.project(key, bytes, revision, read).await?;
    if projected == Projected::Written {
        let found = place.store.read(key).await?;
        let shows = found
            .as_ref()
            .and_then(|found| revision_of(key, &found.bytes));
        if shows.is_none_or(|shows| shows < revision) {
            return Err(StoreError::Failed {
                action: "read back",
                key: key.path(),
                store: place.store.location().to_string(),
                reason: format!(
                    "it shows {}, expected revision {revision}",
                    shows.map_or("no revision".to_owned(), |n| format!("revision {n}"))
                ),
            });
        }
    }
    Ok(projected == Projected::Written)
}

fn revision_of(key: &Key, stored: &[u8]) -> Option<u64> {
    match key {
        Key::Feed(..) => Feed::revision_of(stored).ok().map(|stamp| stamp.revision),
        _ => document::parse::<serde_json::Value>(stored, "projection")
            .ok()?
            .get("revision")?
            .as_u64(),
    }
}

/// The feeds first, as they are what clients act on; then the channel, which is also the hint for finding the head.
fn projections(view: &ChannelView, lagging: &mut Vec<Lag>) -> Vec<(Key, Vec<u8>)> {
    let mut all = Vec::new();
    for name in &view.state.feeds {
        match Feed::from_str(name) {
            Ok(feed) => {
                let files = feed.render(view).into_iter();
                all.extend(files.map(|file| {
                    (
                        Key::Feed(view.app.clone(), feed.as_str(), file.file),
                        file.bytes,
                    )
                }));
            }
            Err(_) => lagging.push(Lag {
                what: printable(name),
                why: "only a newer lastmile writes this feed".to_owned(),
            }),
        }
    }
    all.push((
        Key::Channel(view.app.clone(), view.channel.clone()),
        document::render(view),
    ));
    all
}

/// The channel as clients may see it, with the releases that its state names. A release whose record is missing,
/// changed, or damaged is left out, so that nothing offers it, and named.
pub async fn view(place: &Place, head: &StoredRevision) -> (ChannelView, Vec<Lag>) {
    let mut lagging = Vec::new();
    let yanked = match yanked(place).await {
        Ok(yanked) => yanked,
        Err(error) => {
            lagging.push(Lag::new(Key::yanked_prefix(&place.app), &error));
            yanked_as_shown(place).await
        }
    };
    let mut releases = Catalog::default();
    for version in versions_named(&head.revision.state) {
        match record(place, head, &version).await {
            Ok(record) => {
                let withdrawn = yanked.contains(&version);
                let release = CatalogRelease::new(record, withdrawn);
                releases.0.insert(version, release);
            }
            Err(lag) => lagging.push(lag),
        }
    }
    (
        ChannelView::new(&head.revision, head.digest, releases),
        lagging,
    )
}

/// The record of a version, if it is the one that the channel's state knows by its digest.
async fn record(
    place: &Place,
    head: &StoredRevision,
    version: &Version,
) -> Result<ReleaseRecord, Lag> {
    let key = Key::Record(place.app.clone(), version.clone());
    let lag = |why: &str| Lag {
        what: key.path(),
        why: format!("{why}, so its version is not offered"),
    };
    let found = place.store.read(&key).await;
    let found = found
        .map_err(|error| Lag::new(key.path(), &error))?
        .ok_or_else(|| lag("the release record is missing"))?;
    let digest = Sha256::of(&found.bytes);
    if let Some(known) = head.revision.state.records.get(version)
        && *known != digest
    {
        return Err(lag(&format!(
            "the release record was changed: expected sha256 {known}, found {digest}"
        )));
    }
    document::parse::<ReleaseRecord>(&found.bytes, &key.path())
        .map_err(|error| Lag::new(key.path(), &error))
}

/// The versions that are never to be offered again.
pub async fn yanked(place: &Place) -> Result<Vec<Version>, Error> {
    let prefix = Key::yanked_prefix(&place.app);
    let paths = place.store.list(&prefix).await?;
    let name = |path: &String| {
        path.strip_prefix(&prefix)?
            .strip_suffix(".json")?
            .parse::<Version>()
            .ok()
    };
    Ok(paths.iter().filter_map(name).collect())
}

/// Those among them that clients were told of, where the list itself cannot be read.
async fn yanked_as_shown(place: &Place) -> Vec<Version> {
    let key = Key::Channel(place.app.clone(), place.channel.clone());
    let found = place.store.read(&key).await.ok().flatten();
    let view =
        found.and_then(|found| document::parse::<ChannelView>(&found.bytes, &key.path()).ok());
    let releases = view.map(|view| view.releases.0).unwrap_or_default();
    let yanked = releases.into_iter().filter(|(_, release)| release.yanked);
    yanked.map(|(version, _)| version).collect()
}
