//! The transitions of a channel: what `start`, `advance`, `pause`, `resume`, `halt`, `rollback`, and `follow` make of
//! its state.
//!
//! Each takes a state by value and gives the next one, or says that it is there already, or refuses. Exposure falls by
//! halt, rollback, and a resume at a lower tier alone; it rises by start, by one tier of `advance`, and by resume.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::digest::Sha256;
use crate::name::{App, Channel, CohortName, TierName};
use crate::platform::{Platform, PlatformPattern};
use crate::projection::versions_named;
use crate::refusal::Refusal;
use crate::revision::{ChannelState, PlatformState, Progress, Rollout, Stage, Tier};
use crate::share::BasisPoints;
use crate::time::{Timestamp, spoken};
use crate::version::Version;

mod advance;
mod stop;

pub use advance::{Advance, Step, advance, resume};
pub use stop::{halt, pause, rollback};

/// How many earlier baselines are kept as ways back.
pub const PAST_MAX: usize = 10;
/// How many withdrawn versions are remembered.
const WITHDRAWN_MAX: usize = 32;

/// What a transition comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is so already; nothing is written.
    Already(String),
    /// The next state, and the platforms that changed with what happened to each.
    Change {
        /// The next state.
        state: Box<ChannelState>,
        /// One line for each platform that changed.
        changes: BTreeMap<String, String>,
    },
}

/// Why a transition does not happen.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TransitionError {
    /// A rule says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The plan was made on another revision.
    #[error(
        "planned on revision {expected}, but the channel is at revision {found}; look again with `lastmile rollout plan`"
    )]
    Stale {
        /// What the plan was made on.
        expected: u64,
        /// What the channel is at.
        found: u64,
    },
}

/// A channel as a transition finds it.
#[derive(Debug, Clone)]
pub struct Head {
    /// Its newest revision; 0 before the first.
    pub revision: u64,
    /// The state of that revision.
    pub state: ChannelState,
}

impl Head {
    /// The number that the next revision will have.
    pub fn next(&self) -> u64 {
        self.revision + 1
    }

    fn expect(&self, expected: Option<u64>) -> Result<(), TransitionError> {
        match expected {
            Some(expected) if expected != self.revision => Err(TransitionError::Stale {
                expected,
                found: self.revision,
            }),
            _ => Ok(()),
        }
    }
}

/// A release to be let out, and how.
#[derive(Debug, Clone)]
pub struct Start {
    /// The app, for the salt.
    pub app: App,
    /// The channel, for the salt.
    pub channel: Channel,
    /// The version.
    pub version: Version,
    /// The digest of its record.
    pub record: Sha256,
    /// Whether it was yanked.
    pub yanked: bool,
    /// The platforms it has artifacts for, already narrowed to those asked for.
    pub platforms: Vec<Platform>,
    /// Its tiers; none gives it to everyone at once.
    pub tiers: Vec<Tier>,
    /// The feeds to project.
    pub feeds: Vec<String>,
    /// Where the CDN serves `public/`.
    pub public_url: String,
    /// The channels that take over what completes here.
    pub followers: Vec<Channel>,
    /// The revision that the plan was made on, if it was.
    pub expect: Option<u64>,
}

/// Begins a rollout on every platform of the release. What another rollout was doing there is superseded; platforms
/// that the release does not have are left alone.
pub fn start(head: Head, start: Start) -> Result<Outcome, TransitionError> {
    let next = head.next();
    let mut state = head.state.clone();
    let mut changes = BTreeMap::new();
    if start.yanked {
        return Err(Refusal::Yanked(start.version).into());
    }
    if start.platforms.is_empty() {
        return Err(Refusal::NoPlatform {
            verb: "start",
            why: "the release has no artifact for what was asked".to_owned(),
        }
        .into());
    }
    let id = format!("{}/{}/{}#{next}", start.app, start.channel, start.version);
    for platform in &start.platforms {
        let entry = state.platforms.known.entry(*platform).or_default();
        if is_under_way(entry, &start.version, *platform)? {
            continue;
        }
        let progress = Progress {
            id: id.clone(),
            version: start.version.clone(),
            stage: Stage::Baking,
            tier: 0,
            since: next,
            unknown: serde_json::Map::new(),
        };
        entry.withdrawn.retain(|version| *version != start.version);
        let superseded = entry
            .rollout
            .replace(progress)
            .filter(|old| old.stage != Stage::Complete);
        let instead = superseded
            .map(|old| format!("; `{}` ({}) is superseded", old.version, old.stage))
            .unwrap_or_default();
        let to = match start.tiers.first() {
            Some(tier) => format!("tier `{}`", tier.name),
            None => {
                complete(entry);
                "everyone".to_owned()
            }
        };
        changes.insert(
            platform.to_string(),
            format!("`{}` to {to}{instead}", start.version),
        );
    }
    if changes.is_empty() {
        return Ok(Outcome::Already(format!(
            "`{}` is on its way or complete on every platform asked for",
            start.version
        )));
    }
    head.expect(start.expect)?;
    let Start {
        version,
        record,
        tiers,
        feeds,
        public_url,
        followers,
        ..
    } = start;
    state.records.insert(version.clone(), record);
    let rollout = Rollout {
        version,
        record,
        salt: id.clone(),
        tiers,
        unknown: serde_json::Map::new(),
    };
    state.rollouts.insert(id, rollout);
    // A feed that was ever shown is shown for good: its clients still read it, and must be reached by a halt.
    for feed in feeds {
        if !state.feeds.contains(&feed) {
            state.feeds.push(feed);
        }
    }
    (state.public_url, state.followers) = (public_url, followers);
    Ok(changed(state, changes))
}

/// Whether the version needs no start on this platform; refuses where a start would be wrong.
fn is_under_way(
    entry: &PlatformState,
    version: &Version,
    platform: Platform,
) -> Result<bool, Refusal> {
    if let Some(rollout) = &entry.rollout {
        let same = rollout.version == *version;
        match &rollout.stage {
            Stage::Baking | Stage::Paused | Stage::Complete if same => return Ok(true),
            Stage::Halted if same => {
                return Err(Refusal::Halted {
                    version: version.clone(),
                    platform,
                });
            }
            Stage::Baking | Stage::Paused if rollout.version > *version => {
                return Err(Refusal::Supersedes {
                    version: version.clone(),
                    active: rollout.version.clone(),
                    platform,
                });
            }
            _ => {}
        }
    }
    match &entry.baseline {
        Some(baseline) if baseline == version => Ok(true),
        Some(baseline) if baseline > version => Err(Refusal::NotNewer {
            version: version.clone(),
            baseline: baseline.clone(),
            platform,
        }),
        _ => Ok(false),
    }
}

/// What completed on a channel, for those that follow it.
#[derive(Debug, Clone)]
pub struct Completed {
    /// The app, for the name of the rollout.
    pub app: App,
    /// The follower.
    pub follower: Channel,
    /// What is complete, with the digest of its record.
    pub versions: BTreeMap<Platform, (Version, Sha256)>,
    /// Where the CDN serves `public/`.
    pub public_url: String,
    /// The feeds of the channel followed.
    pub feeds: Vec<String>,
}

/// Takes over, as the baseline of a following channel, what completed on the channel it follows.
///
/// Only where it is newer than the baseline there, and never a version that this channel itself has halted or rolled
/// back; a candidate of the follower that is newer stays on its way.
pub fn follow(head: Head, completed: &Completed) -> Outcome {
    let next = head.next();
    let mut state = head.state;
    let mut changes = BTreeMap::new();
    for (platform, (version, record)) in &completed.versions {
        let entry = state.platforms.known.entry(*platform).or_default();
        let newer = entry
            .baseline
            .as_ref()
            .is_none_or(|baseline| baseline < version);
        if !newer || entry.withdrawn.contains(version) {
            continue;
        }
        let overtaken = |old: &Progress| old.version <= *version;
        if entry.rollout.as_ref().is_none_or(overtaken) {
            // A rollout of its own, so that it can be halted and rolled back here like any other.
            let id = format!("{}/{}/{version}#{next}", completed.app, completed.follower);
            entry.rollout = Some(Progress {
                id: id.clone(),
                version: version.clone(),
                stage: Stage::Complete,
                tier: 0,
                since: next,
                unknown: serde_json::Map::new(),
            });
            let rollout = Rollout {
                version: version.clone(),
                record: *record,
                salt: id.clone(),
                tiers: Vec::new(),
                unknown: serde_json::Map::new(),
            };
            state.rollouts.insert(id, rollout);
        }
        set_baseline(entry, version.clone());
        state.records.insert(version.clone(), *record);
        changes.insert(
            platform.to_string(),
            format!("baseline `{version}`, as it completed on the channel followed"),
        );
    }
    if changes.is_empty() {
        return Outcome::Already("nothing newer completed on the channel followed".to_owned());
    }
    if state.public_url.is_empty() {
        (state.public_url, state.feeds) = (completed.public_url.clone(), completed.feeds.clone());
    }
    changed(state, changes)
}

/// Who is offered the candidate at a tier: the highest share up to it, and every cohort up to it.
pub fn exposure(rollout: &Rollout, tier: usize) -> (BasisPoints, Vec<&CohortName>) {
    let upto = &rollout.tiers[..rollout.tiers.len().min(tier.saturating_add(1))];
    let share = upto
        .iter()
        .filter_map(|tier| tier.share)
        .max()
        .unwrap_or(BasisPoints::NONE);
    (
        share,
        upto.iter()
            .filter_map(|tier| tier.cohort.as_ref())
            .collect(),
    )
}

/// The candidate becomes what everyone gets.
fn complete(entry: &mut PlatformState) {
    let Some(progress) = &mut entry.rollout else {
        return;
    };
    progress.stage = Stage::Complete;
    let version = progress.version.clone();
    set_baseline(entry, version);
}

fn set_baseline(entry: &mut PlatformState, version: Version) {
    if let Some(old) = entry.baseline.replace(version.clone()) {
        entry.past.retain(|past| *past != old && *past != version);
        entry.past.push(old);
        let surplus = entry.past.len().saturating_sub(PAST_MAX);
        entry.past.drain(..surplus);
    }
    entry.public = Some(version);
    entry.rolled_back = None;
}

/// Remembers that a version was withdrawn here.
fn withdrawn(entry: &mut PlatformState, version: Version) {
    entry.withdrawn.retain(|known| *known != version);
    entry.withdrawn.push(version);
    let surplus = entry.withdrawn.len().saturating_sub(WITHDRAWN_MAX);
    entry.withdrawn.drain(..surplus);
}

/// Drops the rollouts and digests that no platform is part of any more; the log keeps their history.
fn changed(mut state: ChannelState, changes: BTreeMap<String, String>) -> Outcome {
    let named = versions_named(&state);
    let ChannelState {
        rollouts,
        records,
        platforms,
        ..
    } = &mut state;
    let strangers = serde_json::Value::Object(platforms.newer.clone()).to_string();
    records.retain(|version, _| {
        named.contains(version) || strangers.contains(&format!("\"{version}\""))
    });
    rollouts.retain(|id, _| {
        let used = platforms.known.values().any(|entry| {
            entry
                .rollout
                .as_ref()
                .is_some_and(|progress| progress.id == *id)
        });
        used || strangers.contains(id.as_str())
    });
    Outcome::Change {
        state: Box::new(state),
        changes,
    }
}

/// The platforms that a verb acts on: all when none is named.
fn chosen(patterns: &[PlatformPattern], platform: Platform) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.covers(platform))
}

fn no_platform(verb: &'static str, state: &ChannelState) -> TransitionError {
    let shown: Vec<_> = state
        .platforms
        .known
        .iter()
        .map(|(platform, entry)| match &entry.rollout {
            Some(progress) => format!("`{platform}`: `{}` {}", progress.version, progress.stage),
            None => format!("`{platform}`: no rollout"),
        })
        .collect();
    let why = if shown.is_empty() {
        "the channel has none".to_owned()
    } else {
        shown.join(", ")
    };
    Refusal::NoPlatform { verb, why }.into()
}

fn tier_index(rollout: &Rollout, asked: &TierName) -> Result<usize, Refusal> {
    let position = rollout.tiers.iter().position(|tier| tier.name == *asked);
    position.ok_or_else(|| Refusal::NoTier {
        asked: asked.to_string(),
        tiers: tier_names(rollout),
    })
}

fn tier_names(rollout: &Rollout) -> String {
    let names: Vec<_> = rollout
        .tiers
        .iter()
        .map(|tier| format!("`{}`", tier.name))
        .collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// Refuses while the tier has not been watched for as long as it says.
fn soaked(
    tier: &Tier,
    platform: Platform,
    entered: Timestamp,
    now: Timestamp,
) -> Result<(), Refusal> {
    let until = entered.plus(tier.soak.duration());
    if now >= until {
        return Ok(());
    }
    Err(Refusal::SoakNotOver {
        tier: tier.name.to_string(),
        soak: tier.soak.to_string(),
        left: spoken(until.since(now)),
        until: until.to_string(),
        platform,
    })
}

#[cfg(test)]
mod tests;
