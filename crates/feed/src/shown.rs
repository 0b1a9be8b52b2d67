//! Which version a static file shows of one platform: the rule that feeds without a chooser share.

use std::fmt;

use release::projection::CatalogRelease;
use release::rollout::exposure;
use release::{BasisPoints, ChannelView, Kind, Platform, Version};

/// What a static file shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The version; none where there is nothing to offer.
    pub version: Option<Version>,
    /// The whole percents of clients that take it; none for all.
    pub staged_percent: Option<u16>,
    /// Why.
    pub why: String,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.version, self.staged_percent) {
            (None, _) => write!(f, "nothing: {}", self.why),
            (Some(version), None) => write!(f, "{version} to everyone: {}", self.why),
            (Some(version), Some(percent)) => write!(f, "{version} to {percent} %: {}", self.why),
        }
    }
}

impl Shown {
    pub(crate) fn nothing(why: &str) -> Self {
        Self {
            version: None,
            staged_percent: None,
            why: why.to_owned(),
        }
    }
}

/// The baseline, if it can be offered.
pub(crate) fn baseline(view: &ChannelView, platform: Platform, kinds: &[Kind]) -> Shown {
    let entry = view.state.platforms.known.get(&platform);
    let version = entry
        .and_then(|entry| entry.baseline.as_ref())
        .filter(|version| offerable(view, platform, version, kinds));
    match version {
        Some(version) => Shown {
            version: Some(version.clone()),
            staged_percent: None,
            why: "the baseline".to_owned(),
        },
        None => Shown::nothing("no baseline that can be offered"),
    }
}

/// The candidate in whole percents, where the rollout offers it to at least one percent; else the baseline.
pub(crate) fn staged(view: &ChannelView, platform: Platform, kinds: &[Kind]) -> Shown {
    let baseline = baseline(view, platform, kinds);
    let Some(progress) = view
        .state
        .platforms
        .known
        .get(&platform)
        .and_then(|entry| entry.rollout.as_ref())
    else {
        return baseline;
    };
    let Some(rollout) = view
        .state
        .rollouts
        .get(&progress.id)
        .filter(|_| progress.stage.is_offering())
    else {
        return baseline;
    };
    if !offerable(view, platform, &progress.version, kinds) {
        return baseline;
    }
    let (share, _) = exposure(rollout, progress.tier);
    let because = |why: String| Shown {
        why,
        ..baseline.clone()
    };
    match share.whole_percents() {
        0 => because(format!(
            "the baseline, as a static file cannot show {} to less than 1 % or to a cohort",
            progress.version
        )),
        percent => Shown {
            version: Some(progress.version.clone()),
            staged_percent: (share != BasisPoints::ALL).then_some(percent),
            why: format!("the candidate at {share}"),
        },
    }
}

fn offerable(view: &ChannelView, platform: Platform, version: &Version, kinds: &[Kind]) -> bool {
    let killed = view.state.rules.killed || view.state.rules.blocked.contains(version);
    let release = view
        .releases
        .0
        .get(version)
        .filter(|release| !release.yanked && !killed);
    release.is_some_and(|release| has_kind(release, platform, kinds))
}

/// Whether the feed has something to say about a platform: some release that it names, or could name if its record
/// were readable, is for it. A file that was shown once thus never goes stale.
pub(crate) fn is_served(view: &ChannelView, platform: Platform, kinds: &[Kind]) -> bool {
    let Some(entry) = view.state.platforms.known.get(&platform) else {
        return false;
    };
    let candidate = entry.rollout.as_ref().map(|progress| &progress.version);
    let mut named = entry.baseline.iter().chain(&entry.past).chain(candidate);
    let unreadable =
        !kinds.is_empty() && named.any(|version| !view.releases.0.contains_key(version));
    unreadable
        || view
            .releases
            .0
            .values()
            .any(|release| has_kind(release, platform, kinds))
}

pub(crate) fn has_kind(release: &CatalogRelease, platform: Platform, kinds: &[Kind]) -> bool {
    release
        .artifacts_for(platform)
        .any(|artifact| kinds.contains(&artifact.kind))
}

/// What a file that several platforms share shows: the lowest version of theirs, and the smallest share of it. A client
/// then never gets what another platform's rollout meant for others.
pub(crate) fn lowest(all: Vec<Shown>) -> Shown {
    let agreed = all
        .windows(2)
        .all(|pair| pair[0].version == pair[1].version);
    // Those with nothing at all have no client to mislead, unless nobody has anything.
    let some: Vec<_> = all
        .iter()
        .filter(|shown| shown.version.is_some())
        .cloned()
        .collect();
    let staged = |shown: &Shown| shown.staged_percent.unwrap_or(100);
    let mut least = match some
        .iter()
        .min_by_key(|shown| (shown.version.clone(), staged(shown)))
    {
        Some(least) => least.clone(),
        None => {
            return all
                .into_iter()
                .next()
                .unwrap_or_else(|| Shown::nothing("no platform"));
        }
    };
    if !agreed {
        least.why = format!(
            "{}, the lowest of the platforms that share this file",
            least.why
        );
    }
    least
}
