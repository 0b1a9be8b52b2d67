//! `rollout plan`: what a step would do, before it is taken, with the command that takes it. Writes nothing.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use feed::Feed;
use release::projection::ChannelView;
use release::revision::{ChannelState, Progress, Stage};
use release::rollout::{self, Outcome};
use release::time::spoken;
use release::{Platform, Timestamp};
use serde::Serialize;
use store::StoredRevision;

use super::advance::entries;
use super::start::{Start, prepared};
use super::status::exposed;
use super::{as_head, existing};
use crate::error::Error;
use crate::place::Place;
use crate::project::view;

/// What would happen.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The revision that the plan is made on.
    pub revision: u64,
    /// What a `start` would change, by platform, if one was asked for.
    pub changes: BTreeMap<String, String>,
    /// Why nothing would change, if so.
    pub already: Option<String>,
    /// What comes next.
    pub steps: Vec<NextStep>,
    /// What each feed can do with it.
    pub feeds: BTreeMap<String, String>,
}

/// One step.
#[derive(Debug, Clone, Serialize)]
pub struct NextStep {
    /// The command that takes it.
    pub command: String,
    /// The platforms it takes along.
    pub platforms: Vec<Platform>,
    /// Who would be offered the candidate then.
    pub exposure: String,
    /// When its turn comes, if that is not now.
    pub not_before: Option<Timestamp>,
    /// How long that is from now.
    pub wait: Option<String>,
}

/// Plans a start, or the next steps of what is on its way.
pub async fn plan(place: &Place, start: Option<&Start>) -> Result<Plan, Error> {
    place.store.recall().await;
    match start {
        Some(request) => plan_start(place, request).await,
        None => {
            let head = existing(place).await?;
            plan_next(place, &head).await
        }
    }
}

async fn plan_start(place: &Place, request: &Start) -> Result<Plan, Error> {
    let head = place.log().head().await?;
    let before = as_head(head.as_ref());
    let revision = before.revision;
    let prepared = prepared(place, request).await?;
    let (state, changes, already) = match rollout::start(before, prepared.clone())? {
        Outcome::Already(why) => (None, BTreeMap::new(), Some(why)),
        Outcome::Change { state, changes } => (Some(state), changes, None),
    };
    let mut steps = Vec::new();
    if let Some(progress) = state.as_deref().and_then(|state| {
        state
            .platforms
            .known
            .values()
            .filter_map(|entry| entry.rollout.as_ref())
            .find(|progress| progress.since == revision + 1)
    }) {
        let exposure = match (&progress.stage, state.as_deref()) {
            (Stage::Complete, _) | (_, None) => "everyone".to_owned(),
            (_, Some(state)) => exposed(state, progress, 0),
        };
        let only: String = request
            .platforms
            .iter()
            .map(|pattern| format!(" --platform {pattern}"))
            .collect();
        let command = format!(
            "lastmile rollout start --channel {} --version {} --expect {revision}{only}",
            place.channel, request.version
        );
        steps.push(NextStep {
            command,
            platforms: prepared.platforms,
            exposure,
            not_before: None,
            wait: None,
        });
    }
    let feeds = request
        .feeds
        .iter()
        .filter_map(|name| Feed::from_str(name).ok());
    let feeds = feeds
        .map(|feed| (feed.as_str().to_owned(), feed.staging().to_string()))
        .collect();
    Ok(Plan {
        revision,
        changes,
        already,
        steps,
        feeds,
    })
}

async fn plan_next(place: &Place, head: &StoredRevision) -> Result<Plan, Error> {
    let (view, _) = view(place, head).await;
    let entered = place.log().times(entries(&view.state)).await?;
    let now = place.store.now();
    let mut steps: BTreeMap<String, NextStep> = BTreeMap::new();
    for (platform, entry) in &view.state.platforms.known {
        let Some(progress) = &entry.rollout else {
            continue;
        };
        let Some((command, exposure)) = next_command(place, head, &view, progress) else {
            continue;
        };
        let soak = soak_end(&view.state, progress, entered.get(&progress.since).copied());
        let not_before = soak.filter(|end| progress.stage == Stage::Baking && *end > now);
        let step = steps.entry(command.clone()).or_insert(NextStep {
            command,
            platforms: Vec::new(),
            exposure,
            not_before,
            wait: None,
        });
        step.platforms.push(*platform);
        step.not_before = step.not_before.max(not_before);
        step.wait = step.not_before.map(|end| spoken(end.since(now)));
    }
    // Where platforms are at different steps, each command names its own.
    let on_their_way = steps
        .values()
        .map(|step| step.platforms.len())
        .sum::<usize>();
    let mut steps: Vec<NextStep> = steps.into_values().collect();
    for step in &mut steps {
        if step.platforms.len() < on_their_way {
            let only = step.platforms.iter();
            step.command
                .extend(only.map(|platform| format!(" --platform {platform}")));
        }
    }
    Ok(Plan {
        revision: head.revision.revision,
        changes: BTreeMap::new(),
        already: None,
        steps,
        feeds: feeds_of(&view),
    })
}

fn soak_end(
    state: &ChannelState,
    progress: &Progress,
    entered: Option<Timestamp>,
) -> Option<Timestamp> {
    let tier = state.rollouts.get(&progress.id)?.tiers.get(progress.tier)?;
    Some(entered?.plus(tier.soak.duration()))
}

/// The command that takes a platform one step further, and whom it would reach.
fn next_command(
    place: &Place,
    head: &StoredRevision,
    view: &ChannelView,
    progress: &Progress,
) -> Option<(String, String)> {
    let (channel, expect) = (&place.channel, head.revision.revision);
    let rollout = view.state.rollouts.get(&progress.id)?;
    match progress.stage {
        Stage::Baking => {
            let above = progress.tier.saturating_add(1);
            let next = rollout.tiers.get(above);
            let to = next.map_or("complete".to_owned(), |tier| tier.name.to_string());
            let exposure = match next {
                Some(_) => exposed(&view.state, progress, above),
                None => "everyone, as the baseline".to_owned(),
            };
            Some((
                format!("lastmile rollout advance --channel {channel} --to {to} --expect {expect}"),
                exposure,
            ))
        }
        Stage::Paused | Stage::Halted => {
            let exposure = exposed(&view.state, progress, progress.tier);
            Some((
                format!("lastmile rollout resume --channel {channel} --expect {expect}"),
                exposure,
            ))
        }
        Stage::Complete | Stage::RolledBack | Stage::Newer(_) => None,
    }
}

fn feeds_of(view: &ChannelView) -> BTreeMap<String, String> {
    let feeds = view
        .state
        .feeds
        .iter()
        .filter_map(|name| Feed::from_str(name).ok());
    feeds
        .map(|feed| (feed.as_str().to_owned(), feed.staging().to_string()))
        .collect()
}
