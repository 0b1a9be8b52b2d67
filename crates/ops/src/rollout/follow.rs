//! Channels that follow another: what completes there becomes the baseline here, if it is newer.

use std::collections::BTreeMap;

use release::name::Channel;
use release::revision::Stage;
use release::rollout::{self, Completed};
use store::StoredRevision;

use super::{Call, Changed, append};
use crate::error::Error;
use crate::place::{Author, Place};
use crate::project::{Lag, converge};

/// What became of the channels that follow one.
#[derive(Debug, Default)]
pub struct Followed {
    /// The revision that each is at.
    pub revisions: BTreeMap<String, u64>,
    /// Those that could not take over what completed, or do not show it.
    pub lagging: Vec<Lag>,
}

/// Writes a revision on each following channel whose baseline is lower than what completed on this one, and projects
/// it. Doing it again changes nothing, so `reconcile` finishes what a crash left. One that fails does not stop others.
pub async fn catch_up(place: &Place, author: &Author, head: &StoredRevision) -> Followed {
    let state = &head.revision.state;
    let complete = state
        .platforms
        .known
        .iter()
        .filter_map(|(platform, entry)| {
            let progress = entry
                .rollout
                .as_ref()
                .filter(|progress| progress.stage == Stage::Complete)?;
            let record = state.rollouts.get(&progress.id)?.record;
            Some((*platform, (progress.version.clone(), record)))
        });
    let versions: BTreeMap<_, _> = complete.collect();
    let mut followed = Followed::default();
    if versions.is_empty() {
        return followed;
    }
    for follower in &state.followers {
        let completed = Completed {
            app: place.app.clone(),
            follower: follower.clone(),
            versions: versions.clone(),
            public_url: state.public_url.clone(),
            feeds: state.feeds.clone(),
        };
        match take_over(place, author, follower, &completed).await {
            Ok((revision, lagging)) => {
                followed.revisions.insert(follower.to_string(), revision);
                followed.lagging.extend(lagging);
            }
            Err(error) => followed
                .lagging
                .push(Lag::new(format!("channel {follower}"), &error)),
        }
    }
    followed
}

async fn take_over(
    place: &Place,
    author: &Author,
    follower: &Channel,
    completed: &Completed,
) -> Result<(u64, Vec<Lag>), Error> {
    let versions = completed
        .versions
        .iter()
        .map(|(platform, (version, _))| format!("{platform}={version}"))
        .collect::<Vec<_>>()
        .join(",");
    let arguments = [
        ("channel", place.channel.to_string()),
        ("versions", versions),
    ];
    let follower = place.sibling(follower);
    let mut changed = Changed::of("follow");
    let transition = async |head| Ok(rollout::follow(head, completed));
    let call = Call::new("follow", arguments);
    append(&follower, author, &call, transition, &mut changed).await?;
    let convergence = converge(&follower).await?;
    Ok((
        changed.revision,
        convergence.map(|done| done.lagging).unwrap_or_default(),
    ))
}
