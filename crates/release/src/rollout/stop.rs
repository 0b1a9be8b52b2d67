//! The transitions that never raise exposure: pause, halt, and the way back.

use std::collections::BTreeMap;

use super::{Head, Outcome, TransitionError, changed, chosen, no_platform, withdrawn};
use crate::platform::PlatformPattern;
use crate::refusal::Refusal;
use crate::revision::{PlatformState, Stage};
use crate::version::Version;

/// Freezes the share: clients in it are still offered the candidate.
pub fn pause(head: Head, patterns: &[PlatformPattern]) -> Result<Outcome, TransitionError> {
    let mut state = head.state.clone();
    let (mut changes, mut there) = (BTreeMap::new(), Vec::new());
    for (platform, entry) in &mut state.platforms.known {
        let Some(progress) = entry
            .rollout
            .as_mut()
            .filter(|_| chosen(patterns, *platform))
        else {
            continue;
        };
        match &progress.stage {
            Stage::Baking => {
                progress.stage = Stage::Paused;
                changes.insert(
                    platform.to_string(),
                    format!(
                        "`{}` stays with those who have it offered",
                        progress.version
                    ),
                );
            }
            Stage::Paused | Stage::Halted => there.push(platform.to_string()),
            Stage::Complete | Stage::RolledBack | Stage::Newer(_) => {}
        }
    }
    match (changes.is_empty(), there.is_empty()) {
        (false, _) => Ok(changed(state, changes)),
        (true, false) => Ok(Outcome::Already(format!(
            "nothing is baking on {}",
            there.join(", ")
        ))),
        (true, true) => Err(no_platform("pause", &head.state)),
    }
}

/// Stops offering the candidate to anybody.
///
/// Where it was complete, the baseline before it is what everyone gets again; clients that have it keep it. This is
/// the one transition that an older binary may make of a newer document, so it touches nothing but what it must.
pub fn halt(head: Head, patterns: &[PlatformPattern]) -> Result<Outcome, TransitionError> {
    let mut state = head.state.clone();
    let (mut changes, mut there) = (BTreeMap::new(), Vec::new());
    for (platform, entry) in &mut state.platforms.known {
        let Some(progress) = entry
            .rollout
            .as_mut()
            .filter(|_| chosen(patterns, *platform))
        else {
            continue;
        };
        let version = progress.version.clone();
        match progress.stage {
            Stage::Halted | Stage::RolledBack => there.push(platform.to_string()),
            Stage::Complete => {
                progress.stage = Stage::Halted;
                progress.tier = last_tier(&state.rollouts, &progress.id);
                let shown = step_back(entry);
                withdrawn(entry, version.clone());
                changes.insert(
                    platform.to_string(),
                    format!("`{version}` is offered to nobody; everyone else gets {shown}"),
                );
            }
            Stage::Baking | Stage::Paused | Stage::Newer(_) => {
                progress.stage = Stage::Halted;
                let shown = entry
                    .baseline
                    .as_ref()
                    .map_or("nothing".to_owned(), |version| format!("`{version}`"));
                changes.insert(
                    platform.to_string(),
                    format!("`{version}` is offered to nobody; everyone gets {shown}"),
                );
                withdrawn(entry, version);
            }
        }
    }
    for name in state.platforms.halt_newer(patterns) {
        changes.insert(
            crate::name::printable(&name),
            "halted; only a newer lastmile knows this platform".to_owned(),
        );
    }
    match (changes.is_empty(), there.is_empty()) {
        (false, _) => Ok(changed(state, changes)),
        (true, false) => Ok(Outcome::Already(format!(
            "nothing is offered on {}",
            there.join(", ")
        ))),
        (true, true) => Err(no_platform("halt", &head.state)),
    }
}

fn last_tier(rollouts: &BTreeMap<String, crate::revision::Rollout>, id: &str) -> usize {
    rollouts
        .get(id)
        .map_or(0, |rollout| rollout.tiers.len().saturating_sub(1))
}

/// The baseline steps back to the one before. Says what that is.
fn step_back(entry: &mut PlatformState) -> String {
    entry.baseline = entry.past.pop();
    entry.public = entry.baseline.clone();
    entry.baseline.as_ref().map_or(
        "nothing, as there is no earlier baseline".to_owned(),
        |version| format!("`{version}`"),
    )
}

/// Makes an earlier release the baseline again: the one named, or the last before the one that is withdrawn.
///
/// Only what was a baseline of this channel is a way back. Old bits are never relabelled: clients whose updater cannot
/// go down stay where they are until a newer release, and the verb says so.
pub fn rollback(
    head: Head,
    patterns: &[PlatformPattern],
    to: Option<&Version>,
    expect: Option<u64>,
) -> Result<Outcome, TransitionError> {
    let mut state = head.state.clone();
    let (mut changes, mut there) = (BTreeMap::new(), Vec::new());
    for (platform, entry) in &mut state.platforms.known {
        if !chosen(patterns, *platform) || (entry.baseline.is_none() && entry.rollout.is_none()) {
            continue;
        }
        let offered = entry
            .rollout
            .as_ref()
            .filter(|old| matches!(old.stage, Stage::Baking | Stage::Paused | Stage::Halted));
        let target = match (to, offered) {
            (Some(to), _) => Some(to.clone()),
            (None, Some(_)) => entry.baseline.clone(),
            (None, None) if entry.rolled_back.is_some() => entry.baseline.clone(),
            (None, None) => entry.past.last().cloned(),
        };
        let Some(target) = target else {
            // Nothing was before it here, so nothing is what everyone gets; the other platforms still go back.
            let version = offered
                .map(|old| old.version.clone())
                .or(entry.baseline.clone());
            changes.insert(
                platform.to_string(),
                format!(
                    "nothing is offered, as there is no earlier baseline; {} withdrawn",
                    shown(version.as_ref())
                ),
            );
            go_back(entry, None, version);
            continue;
        };
        let is_baseline = entry.baseline.as_ref() == Some(&target);
        if is_baseline && offered.is_none() {
            there.push(format!("{platform} at `{target}`"));
            continue;
        }
        if !is_baseline && !entry.past.contains(&target) {
            let past = entry
                .past
                .iter()
                .map(|version| format!("`{version}`"))
                .collect::<Vec<_>>()
                .join(", ");
            let past = if past.is_empty() {
                "none".to_owned()
            } else {
                past
            };
            return Err(Refusal::NeverBaseline {
                version: target,
                platform: *platform,
                past,
            }
            .into());
        }
        let bad = offered
            .map(|old| old.version.clone())
            .max(entry.baseline.clone().filter(|_| !is_baseline));
        changes.insert(
            platform.to_string(),
            format!(
                "`{target}` is the baseline again; {} withdrawn",
                shown(bad.as_ref())
            ),
        );
        go_back(entry, Some(target), bad);
    }
    match (changes.is_empty(), there.is_empty()) {
        (true, false) => Ok(Outcome::Already(there.join(", "))),
        (true, true) => Err(no_platform("rollback", &head.state)),
        (false, _) => {
            head.expect(expect)?;
            Ok(changed(state, changes))
        }
    }
}

fn shown(version: Option<&Version>) -> String {
    version.map_or("nothing is".to_owned(), |version| format!("`{version}` is"))
}

fn go_back(entry: &mut PlatformState, target: Option<Version>, bad: Option<Version>) {
    if let Some(at) = entry
        .past
        .iter()
        .position(|past| Some(past) == target.as_ref())
    {
        entry.past.truncate(at);
    }
    let both = [entry.baseline.clone(), bad.clone()];
    for version in both.into_iter().flatten() {
        if Some(&version) != target.as_ref() {
            withdrawn(entry, version);
        }
    }
    entry.public = target.clone();
    entry.baseline = target;
    entry.rolled_back = bad.max(entry.rolled_back.take());
    if let Some(progress) = &mut entry.rollout {
        progress.stage = Stage::RolledBack;
    }
}
