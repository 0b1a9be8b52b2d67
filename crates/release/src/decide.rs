//! The decision: what one client is offered, and why.
//!
//! Pure and total: every client and every state have an answer. One function stands behind the update server, the edge,
//! `rollout explain`, and the SDK, so that they cannot disagree. A missing fact never widens exposure.

use serde::Serialize;

use crate::cohort::Cohort;
use crate::name::CohortName;
use crate::platform::Platform;
use crate::projection::{Catalog, CatalogRelease, OsVersion};
use crate::revision::{ChannelState, PlatformState, Progress};
use crate::rollout::exposure;
use crate::version::Version;

/// What is known of a client. Only the platform is certain.
#[derive(Debug, Clone)]
pub struct Client {
    /// What it runs on.
    pub platform: Platform,
    /// What it has.
    pub version: Option<Version>,
    /// Its stable install id.
    pub id: Option<String>,
    /// The cohorts it says it belongs to.
    pub cohorts: Vec<CohortName>,
    /// Whether a person pressed "check for updates": passes the share, never a halt.
    pub manual: bool,
    /// The version prefix that it is pinned to, `1.4`.
    pub pin: Option<String>,
    /// Its operating system's version.
    pub os: Option<OsVersion>,
    /// Whether its updater can install a lower version.
    pub can_downgrade: bool,
}

impl Client {
    /// A client of which nothing but the platform is known.
    pub fn new(platform: Platform) -> Self {
        Self {
            platform,
            version: None,
            id: None,
            cohorts: Vec::new(),
            manual: false,
            pin: None,
            os: None,
            can_downgrade: false,
        }
    }
}

/// What a client is offered, with the steps that led there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Decision {
    /// The answer.
    pub answer: Answer,
    /// Each step that had a say, in order.
    pub reasons: Vec<String>,
    /// The client's bucket in the rollout, where there are a rollout and an id.
    pub cohort: Option<Cohort>,
}

/// The answer itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Install this.
    Offer {
        /// The version.
        version: Version,
        /// Whether the client is below the minimum version and should not go on without it.
        forced: bool,
    },
    /// Nothing to do.
    NoUpdate,
}

impl Decision {
    /// The version offered, if any.
    pub fn offered(&self) -> Option<&Version> {
        match &self.answer {
            Answer::Offer { version, .. } => Some(version),
            Answer::NoUpdate => None,
        }
    }
}

/// What a client is offered. Target first, then limits on whatever the target is, then whether it is news.
pub fn decide(state: &ChannelState, catalog: &Catalog, client: &Client) -> Decision {
    let mut reasons = Vec::new();
    let empty = PlatformState::default();
    let entry = state
        .platforms
        .known
        .get(&client.platform)
        .unwrap_or(&empty);
    let cohort = cohort_of(state, entry, client);
    let answer = answer(state, entry, catalog, client, cohort, &mut reasons);
    Decision {
        answer,
        reasons,
        cohort,
    }
}

fn answer(
    state: &ChannelState,
    entry: &PlatformState,
    catalog: &Catalog,
    client: &Client,
    cohort: Option<Cohort>,
    reasons: &mut Vec<String>,
) -> Answer {
    if state.rules.killed {
        reasons.push("the kill switch is on: no updates at all".to_owned());
        return Answer::NoUpdate;
    }
    let offerable = |version: &Version| {
        let release = catalog.0.get(version);
        let gone = release.is_none_or(|release| {
            release.yanked || release.artifacts_for(client.platform).next().is_none()
        });
        !gone && !state.rules.blocked.contains(version)
    };
    let withdrawn = is_withdrawn(state, catalog, client);
    let target = if withdrawn {
        reasons.push("its own version is yanked or blocked: the baseline at once".to_owned());
        entry.baseline.clone()
    } else {
        target(state, entry, client, cohort, &offerable, reasons)
    };
    let ways = ways(entry, &offerable);
    let target = target.filter(|version| {
        let good = offerable(version);
        if !good {
            reasons.push(format!(
                "`{version}` is yanked, blocked, or unknown for this platform: not offered"
            ));
        }
        good
    });
    let Some(target) = target.or_else(|| ways.last().map(|version| (*version).clone())) else {
        reasons.push("this platform has no baseline yet: nothing to offer".to_owned());
        return Answer::NoUpdate;
    };
    let target = limited(state, catalog, client, &ways, target, reasons);
    let Some(target) = target else {
        return Answer::NoUpdate;
    };
    news(state, entry, client, target, withdrawn, reasons)
}

/// The earlier baselines and the baseline, lowest first, that may still be offered.
fn ways<'a>(entry: &'a PlatformState, offerable: &dyn Fn(&Version) -> bool) -> Vec<&'a Version> {
    let mut ways: Vec<_> = entry
        .past
        .iter()
        .chain(&entry.baseline)
        .filter(|version| offerable(version))
        .collect();
    ways.retain(|version| {
        entry
            .baseline
            .as_ref()
            .is_none_or(|baseline| *version <= baseline)
    });
    ways.sort_unstable();
    ways.dedup();
    ways
}

fn is_withdrawn(state: &ChannelState, catalog: &Catalog, client: &Client) -> bool {
    client.version.as_ref().is_some_and(|own| {
        state.rules.blocked.contains(own)
            || catalog.0.get(own).is_some_and(|release| release.yanked)
    })
}

fn cohort_of(state: &ChannelState, entry: &PlatformState, client: &Client) -> Option<Cohort> {
    let rollout = state.rollouts.get(&entry.rollout.as_ref()?.id)?;
    let id = client.id.as_deref().filter(|id| !id.trim().is_empty())?;
    Some(Cohort::of(&rollout.salt, id))
}

/// The candidate where the rollout is active here and reaches this client, else the baseline.
fn target(
    state: &ChannelState,
    entry: &PlatformState,
    client: &Client,
    cohort: Option<Cohort>,
    offerable: &dyn Fn(&Version) -> bool,
    reasons: &mut Vec<String>,
) -> Option<Version> {
    let active = |progress: &&Progress| {
        let offering = progress.stage.is_offering();
        if !offering {
            reasons.push(format!(
                "`{}` is {} on {}",
                progress.version, progress.stage, client.platform
            ));
        }
        offering
    };
    let candidate = entry
        .rollout
        .as_ref()
        .filter(active)
        .filter(|progress| offerable(&progress.version));
    let reached = candidate.and_then(|progress| reached(state, progress, client, cohort, reasons));
    if reached.is_none() {
        let baseline = entry
            .baseline
            .as_ref()
            .map_or("there is none".to_owned(), |version| format!("`{version}`"));
        reasons.push(format!("the baseline: {baseline}"));
    }
    reached.cloned().or_else(|| entry.baseline.clone())
}

/// The candidate, if the tier reaches the client: by cohort, by hand, or by its bucket.
fn reached<'a>(
    state: &ChannelState,
    progress: &'a Progress,
    client: &Client,
    cohort: Option<Cohort>,
    reasons: &mut Vec<String>,
) -> Option<&'a Version> {
    let rollout = state.rollouts.get(&progress.id)?;
    let (share, cohorts) = exposure(rollout, progress.tier);
    let version = &progress.version;
    let (inside, why) = if let Some(named) =
        cohorts.iter().find(|name| client.cohorts.contains(name))
    {
        (
            true,
            format!("`{version}`, as the client is in cohort `{named}`"),
        )
    } else if client.manual {
        (
            true,
            format!("`{version}`, as a person asked: a manual check passes the share"),
        )
    } else {
        match cohort {
            Some(bucket) if bucket.is_within(share) => (
                true,
                format!("`{version}`, as bucket {bucket} is inside {share}"),
            ),
            Some(bucket) => (
                false,
                format!("not `{version}`, as bucket {bucket} is outside {share}"),
            ),
            None => (
                false,
                format!(
                    "not `{version}`, as the client has no id to place it inside or outside {share}"
                ),
            ),
        }
    };
    reasons.push(why);
    inside.then_some(version)
}

/// The target after the limits: watershed, operating system, pin.
fn limited(
    state: &ChannelState,
    catalog: &Catalog,
    client: &Client,
    ways: &[&Version],
    target: Version,
    reasons: &mut Vec<String>,
) -> Option<Version> {
    let mut target = target;
    let mut watersheds: Vec<_> = state
        .rules
        .watersheds
        .iter()
        .filter(|version| ways.contains(version) && **version < target)
        .collect();
    watersheds.sort_unstable();
    // Without a version the client might be below any of them: the lowest is the cautious one.
    let first = watersheds
        .into_iter()
        .find(|version| client.version.as_ref().is_none_or(|own| own < *version));
    if let Some(watershed) = first {
        reasons.push(format!(
            "`{watershed}` first: clients below it pass through it"
        ));
        target = watershed.clone();
    }
    let runs = |version: &Version| {
        catalog
            .0
            .get(version)
            .is_some_and(|release| runs_on(release, client))
    };
    let lower = |fits: &dyn Fn(&Version) -> bool, below: &Version| {
        ways.iter()
            .rev()
            .find(|version| **version < below && fits(version))
            .map(|version| (*version).clone())
    };
    if !runs(&target) {
        let last = lower(&runs, &target);
        let instead = last.as_ref().map_or("none does".to_owned(), |version| {
            format!("`{version}` does")
        });
        reasons.push(format!(
            "`{target}` does not run on this operating system; {instead}"
        ));
        target = last?;
    }
    let Some(pin) = client.pin.as_deref() else {
        return Some(target);
    };
    let pinned = |version: &Version| is_pinned_to(version, pin) && runs(version);
    if pinned(&target) {
        return Some(target);
    }
    match lower(&pinned, &target) {
        Some(version) => {
            reasons.push(format!(
                "pinned to `{}`: `{version}`",
                crate::name::printable(pin)
            ));
            Some(version)
        }
        // An invalid pin must not become a trap that keeps a client on an old version for ever.
        None => {
            reasons.push(format!(
                "no release matches the pin `{}`: ignored",
                crate::name::printable(pin)
            ));
            Some(target)
        }
    }
}

fn runs_on(release: &CatalogRelease, client: &Client) -> bool {
    let minimum = release.minimum_os.get(&client.platform);
    minimum.is_none_or(|minimum| client.os.as_ref().is_some_and(|os| os >= minimum))
}

fn is_pinned_to(version: &Version, pin: &str) -> bool {
    let text = version.to_string();
    text == pin
        || text
            .strip_prefix(pin)
            .is_some_and(|rest| rest.starts_with('.') || rest.starts_with('-'))
}

/// Whether the target is news to the client.
fn news(
    state: &ChannelState,
    entry: &PlatformState,
    client: &Client,
    target: Version,
    withdrawn: bool,
    reasons: &mut Vec<String>,
) -> Answer {
    let Some(own) = &client.version else {
        reasons.push(format!(
            "the client did not say its version: it must itself compare with `{target}`"
        ));
        return Answer::Offer {
            version: target,
            forced: false,
        };
    };
    let below_minimum = state
        .rules
        .minimum
        .as_ref()
        .is_some_and(|minimum| own < minimum);
    if target > *own {
        if below_minimum {
            reasons.push("below the minimum version: forced".to_owned());
        }
        return Answer::Offer {
            version: target,
            forced: below_minimum,
        };
    }
    let back = withdrawn || entry.rolled_back.as_ref().is_some_and(|bad| own <= bad);
    if target < *own && back {
        if client.can_downgrade {
            reasons.push(format!(
                "back from `{own}` to `{target}`: it was withdrawn, and this updater can"
            ));
            return Answer::Offer {
                version: target,
                forced: false,
            };
        }
        reasons.push(format!(
            "`{own}` was withdrawn, but this updater cannot go down: it stays until a newer release"
        ));
        return Answer::NoUpdate;
    }
    reasons.push(format!("`{own}` is not older than `{target}`"));
    Answer::NoUpdate
}

#[cfg(test)]
mod tests;
