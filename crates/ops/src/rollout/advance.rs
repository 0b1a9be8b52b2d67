//! `rollout advance` and `rollout resume`: what raises exposure after a start, each bound to the revision it was
//! planned on.

use release::name::TierName;
use release::platform::PlatformPattern;
use release::revision::ChannelState;
use release::rollout::{self, Step};

use super::{Call, Changed, change, existing, listed};
use crate::error::Error;
use crate::place::{Author, Place};

/// One tier further.
#[derive(Debug, Clone)]
pub struct Advance {
    /// The step.
    pub to: Step,
    /// The revision that the plan was made on.
    pub expect: u64,
    /// The platforms; all when empty.
    pub platforms: Vec<PlatformPattern>,
}

/// Offer again.
#[derive(Debug, Clone)]
pub struct Resume {
    /// The tier, where it is lower than the one of the halt.
    pub to: Option<TierName>,
    /// The revision that the plan was made on.
    pub expect: u64,
    /// The platforms; all when empty.
    pub platforms: Vec<PlatformPattern>,
}

/// Takes the next tier, or completes.
pub async fn advance(place: &Place, author: &Author, request: &Advance) -> Result<Changed, Error> {
    place.store.prove().await?;
    existing(place).await?;
    let Advance {
        to,
        expect,
        platforms,
    } = request;
    let arguments = [
        ("to", to.to_string()),
        ("expect", expect.to_string()),
        ("platforms", listed(platforms)),
    ];
    change(
        place,
        author,
        Call::new("advance", arguments).raising(),
        async |head| {
            let entered = place.log().times(entries(&head.state)).await?;
            let request = rollout::Advance {
                to: to.clone(),
                expect: *expect,
                platforms: platforms.clone(),
                entered,
                now: place.store.now(),
            };
            Ok(rollout::advance(head, &request)?)
        },
    )
    .await
}

/// The revisions with which the platforms entered their tiers.
pub(super) fn entries(state: &ChannelState) -> Vec<u64> {
    let rollouts = state
        .platforms
        .known
        .values()
        .filter_map(|entry| entry.rollout.as_ref());
    rollouts.map(|progress| progress.since).collect()
}

/// Offers again what was paused or halted.
pub async fn resume(place: &Place, author: &Author, request: &Resume) -> Result<Changed, Error> {
    place.store.prove().await?;
    existing(place).await?;
    let Resume {
        to,
        expect,
        platforms,
    } = request;
    let to_text = to.as_ref().map(ToString::to_string).unwrap_or_default();
    let arguments = [
        ("to", to_text),
        ("expect", expect.to_string()),
        ("platforms", listed(platforms)),
    ];
    change(
        place,
        author,
        Call::new("resume", arguments).raising(),
        async |head| Ok(rollout::resume(head, platforms, to.as_ref(), *expect)?),
    )
    .await
}
