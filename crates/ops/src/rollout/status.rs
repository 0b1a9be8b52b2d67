//! `rollout status`: where a channel is, and what each feed shows of it.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use feed::Feed;
use release::projection::ChannelView;
use release::revision::{ChannelState, PlatformState, Progress};
use release::rollout::exposure;
use release::{Platform, Timestamp, Version};
use serde::Serialize;

use super::existing;
use crate::error::Error;
use crate::place::Place;
use crate::project::{Lag, view};

/// Where a channel is.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Its newest revision.
    pub revision: u64,
    /// When that was written.
    pub written: Timestamp,
    /// What was done then.
    pub verb: String,
    /// By whom.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// Each platform.
    pub platforms: BTreeMap<Platform, PlatformStatus>,
    /// Releases that are named but cannot be offered.
    pub problems: Vec<Lag>,
}

/// Where one platform is.
#[derive(Debug, Clone, Serialize)]
pub struct PlatformStatus {
    /// What everyone gets.
    pub baseline: Option<Version>,
    /// What the rollout offers, or offered.
    pub candidate: Option<Version>,
    /// What it is doing.
    pub stage: Option<String>,
    /// Its tier.
    pub tier: Option<String>,
    /// To whom it is offered.
    pub exposure: Option<String>,
    /// What each feed shows, and why.
    pub feeds: BTreeMap<String, String>,
}

/// Reads the head and says where it is.
pub async fn status(place: &Place) -> Result<Status, Error> {
    place.store.recall().await;
    let head = existing(place).await?;
    let (view, problems) = view(place, &head).await;
    let platforms = view.state.platforms.known.iter();
    let platforms = platforms
        .map(|(platform, entry)| (*platform, platform_status(&view, *platform, entry)))
        .collect();
    let revision = head.revision;
    Ok(Status {
        revision: revision.revision,
        written: head.written,
        verb: revision.operation.verb,
        actor: revision.actor.name,
        reason: revision.reason,
        platforms,
        problems,
    })
}

fn platform_status(
    view: &ChannelView,
    platform: Platform,
    entry: &PlatformState,
) -> PlatformStatus {
    let progress = entry.rollout.as_ref();
    let feeds = view
        .state
        .feeds
        .iter()
        .filter_map(|name| Feed::from_str(name).ok());
    PlatformStatus {
        baseline: entry.baseline.clone(),
        candidate: progress.map(|progress| progress.version.clone()),
        stage: progress.map(|progress| progress.stage.to_string()),
        tier: progress.and_then(|progress| tier_name(&view.state, progress)),
        exposure: progress
            .filter(|progress| progress.stage.is_offering())
            .map(|progress| exposed(&view.state, progress, progress.tier)),
        feeds: feeds
            .map(|feed| {
                (
                    feed.as_str().to_owned(),
                    feed.shows(view, platform).to_string(),
                )
            })
            .collect(),
    }
}

pub(super) fn tier_name(state: &ChannelState, progress: &Progress) -> Option<String> {
    state
        .rollouts
        .get(&progress.id)?
        .tiers
        .get(progress.tier)
        .map(|tier| tier.name.to_string())
}

/// Who is offered the candidate at a tier, in words.
pub(super) fn exposed(state: &ChannelState, progress: &Progress, tier: usize) -> String {
    let Some(rollout) = state.rollouts.get(&progress.id) else {
        return "nobody".to_owned();
    };
    let (share, cohorts) = exposure(rollout, tier);
    let cohorts = cohorts.iter().map(|name| format!("cohort `{name}`"));
    let share = (share.get() > 0).then(|| share.to_string());
    let all = cohorts.chain(share).collect::<Vec<_>>().join(" and ");
    if all.is_empty() {
        "nobody".to_owned()
    } else {
        all
    }
}
