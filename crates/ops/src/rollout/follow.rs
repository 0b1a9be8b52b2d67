//! Channels that follow another: what completes there becomes the baseline here, if it is newer.

use std::collections::BTreeMap;

use release::Version;
use release::platform::Platform;
use release::revision::Stage;
use release::rollout;
use store::StoredRevision;

use super::{Call, Changed, append};
use crate::error::Error;
use crate::place::{Author, Place};
use crate::project::converge;

/// Writes a revision on each following channel whose baseline is lower than what completed on this one, and projects
/// it. Gives the revision each is at. Doing it again changes nothing, so `reconcile` finishes what a crash left.
pub async fn catch_up(
    place: &Place,
    author: &Author,
    head: &StoredRevision,
) -> Result<BTreeMap<String, u64>, Error> {
    let state = &head.revision.state;
    let completed: BTreeMap<Platform, Version> = state
        .platforms
        .known
        .iter()
        .filter_map(|(platform, entry)| {
            let progress = entry
                .rollout
                .as_ref()
                .filter(|progress| progress.stage == Stage::Complete)?;
            Some((*platform, progress.version.clone()))
        })
        .collect();
    let mut followed = BTreeMap::new();
    if completed.is_empty() {
        return Ok(followed);
    }
    for channel in &state.followers {
        let follower = place.sibling(channel);
        let versions = completed
            .iter()
            .map(|(platform, version)| format!("{platform}={version}"))
            .collect::<Vec<_>>()
            .join(",");
        let call = Call::new(
            "follow",
            [
                ("channel", place.channel.to_string()),
                ("versions", versions),
            ],
        );
        let mut changed = Changed {
            verb: "follow",
            revision: 0,
            already: None,
            changes: BTreeMap::new(),
            followed: BTreeMap::new(),
            notes: Vec::new(),
            projected: Vec::new(),
        };
        let transition = async |head| {
            Ok(rollout::follow(
                head,
                &completed,
                &state.public_url,
                &state.feeds,
            ))
        };
        append(&follower, author, &call, transition, &mut changed).await?;
        if let Some(convergence) = converge(&follower).await? {
            convergence.complete()?;
        }
        followed.insert(channel.to_string(), changed.revision);
    }
    Ok(followed)
}
