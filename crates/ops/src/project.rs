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
    let Some(mut head) = place.log().head().await? else {
        return Ok(None);
    };
    let mut written = Vec::new();
    for _ in 0..ROUNDS {
        let (view, mut lagging) = view(place, &head).await?;
        for (key, bytes) in projections(&view, &mut lagging) {
            match settle(place, &key, &bytes, head.revision.revision).await {
                Ok(true) => written.push(key.path()),
                Ok(false) => {}
                Err(error) => lagging.push(Lag {
                    what: key.path(),
                    why: error.to_string(),
                }),
            }
        }
        let newest = place.log().head().await?;
        match newest {
            Some(newest) if newest.revision.revision > head.revision.revision => head = newest,
            _ => {
                written.sort_unstable();
                written.dedup();
                return Ok(Some(Convergence {
                    revision: head.revision.revision,
                    written,
                    lagging,
                }));
            }
        }
    }
    // Others keep writing; each of them projects what it wrote, so nothing is left behind.
    Ok(Some(Convergence {
        revision: head.revision.revision,
        written,
        lagging: Vec::new(),
    }))
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

/// The channel as clients may see it, with the releases that its state names. A release whose record is missing or
/// damaged is left out, so that nothing offers it, and named.
pub async fn view(place: &Place, head: &StoredRevision) -> Result<(ChannelView, Vec<Lag>), Error> {
    let mut lagging = Vec::new();
    let yanked = yanked(place).await?;
    let mut releases = Catalog::default();
    for version in versions_named(&head.revision.state) {
        let key = Key::Record(place.app.clone(), version.clone());
        let Some(found) = place.store.read(&key).await? else {
            lagging.push(Lag {
                what: key.path(),
                why: "the release record is missing, so its version is not offered".to_owned(),
            });
            continue;
        };
        let frozen = head
            .revision
            .state
            .rollouts
            .values()
            .find(|rollout| rollout.version == version);
        if frozen.is_some_and(|rollout| rollout.record != Sha256::of(&found.bytes)) {
            lagging.push(Lag {
                what: key.path(),
                why: "the release record was changed after its rollout started".to_owned(),
            });
            continue;
        }
        match document::parse::<ReleaseRecord>(&found.bytes, &key.path()) {
            Ok(record) => {
                let withdrawn = yanked.contains(&version);
                releases
                    .0
                    .insert(version, CatalogRelease::new(record, withdrawn));
            }
            Err(error) => lagging.push(Lag {
                what: key.path(),
                why: error.to_string(),
            }),
        }
    }
    Ok((
        ChannelView::new(&head.revision, head.digest, releases),
        lagging,
    ))
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
