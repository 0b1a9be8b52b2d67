//! The two transitions that raise exposure after a start: one tier further, and offering again after a halt.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::{
    Head, Outcome, TransitionError, changed, chosen, complete, no_platform, soaked, tier_index,
};
use crate::name::{NameError, TierName};
use crate::platform::PlatformPattern;
use crate::refusal::Refusal;
use crate::revision::Stage;
use crate::time::Timestamp;

/// Where an `advance` goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A tier, by name.
    Tier(TierName),
    /// What comes after the last tier: the candidate becomes the baseline.
    Complete,
}

impl FromStr for Step {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text == "complete" {
            Ok(Self::Complete)
        } else {
            text.parse().map(Self::Tier)
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tier(name) => fmt::Display::fmt(name, f),
            Self::Complete => f.write_str("complete"),
        }
    }
}

/// An advance that was planned.
#[derive(Debug, Clone)]
pub struct Advance {
    /// The step.
    pub to: Step,
    /// The revision that the plan was made on.
    pub expect: u64,
    /// The platforms; all when empty.
    pub platforms: Vec<PlatformPattern>,
    /// When each revision that some platform entered its tier with was written.
    pub entered: BTreeMap<u64, Timestamp>,
    /// The store's time.
    pub now: Timestamp,
}

/// One tier further, on every chosen platform that is baking. Already there comes before stale, and stale before
/// refused, so that a repeated request succeeds and an outdated one is told so.
pub fn advance(head: Head, request: &Advance) -> Result<Outcome, TransitionError> {
    let next = head.next();
    let mut state = head.state.clone();
    let (mut changes, mut there, mut refusals) = (BTreeMap::new(), Vec::new(), Vec::new());
    for (platform, entry) in &mut state.platforms.known {
        let Some(progress) = entry
            .rollout
            .as_mut()
            .filter(|_| chosen(&request.platforms, *platform))
        else {
            continue;
        };
        let Some(rollout) = state.rollouts.get(&progress.id) else {
            continue;
        };
        let asked = match &request.to {
            Step::Tier(name) => match tier_index(rollout, name) {
                Ok(index) => index,
                // Another platform's rollout may have it.
                Err(refusal) => {
                    refusals.push(refusal);
                    continue;
                }
            },
            Step::Complete => rollout.tiers.len(),
        };
        let at = if progress.stage == Stage::Complete {
            rollout.tiers.len()
        } else {
            progress.tier
        };
        if at == asked {
            there.push(platform.to_string());
            continue;
        }
        let next_move = match &progress.stage {
            Stage::Baking => None,
            Stage::Paused | Stage::Halted => Some("use `lastmile rollout resume` first"),
            Stage::Complete => Some("everyone has it already"),
            Stage::RolledBack | Stage::Newer(_) => Some("start a newer version"),
        };
        if let Some(next) = next_move {
            let (version, stage) = (progress.version.clone(), progress.stage.clone());
            refusals.push(Refusal::WrongStage {
                verb: "advance",
                version,
                platform: *platform,
                stage,
                next,
            });
            continue;
        }
        let name = |index: usize| {
            rollout
                .tiers
                .get(index)
                .map_or("complete".to_owned(), |tier| tier.name.to_string())
        };
        if asked != at.saturating_add(1) {
            let (at, next, asked) = (name(at), name(at.saturating_add(1)), request.to.to_string());
            return stale_or(
                &head,
                request,
                Refusal::NotNextTier {
                    platform: *platform,
                    at,
                    next,
                    asked,
                },
            );
        }
        // A revision whose time is not known counts as just written: caution never skips a soak.
        let entered = request
            .entered
            .get(&progress.since)
            .copied()
            .unwrap_or(request.now);
        if let Some(Err(refusal)) = rollout
            .tiers
            .get(at)
            .map(|tier| soaked(tier, *platform, entered, request.now))
        {
            return stale_or(&head, request, refusal);
        }
        changes.insert(
            platform.to_string(),
            format!(
                "`{}` from `{}` to `{}`",
                progress.version,
                name(at),
                name(asked)
            ),
        );
        if asked == rollout.tiers.len() {
            complete(entry);
        } else {
            (progress.tier, progress.since) = (asked, next);
        }
    }
    if changes.is_empty() && !there.is_empty() {
        return Ok(Outcome::Already(format!(
            "{} already at `{}`",
            there.join(", "),
            request.to
        )));
    }
    head.expect(Some(request.expect))?;
    if changes.is_empty() {
        return Err(refusals
            .into_iter()
            .next()
            .map_or_else(|| no_platform("advance", &head.state), Into::into));
    }
    Ok(changed(state, changes))
}

fn stale_or(head: &Head, request: &Advance, refusal: Refusal) -> Result<Outcome, TransitionError> {
    head.expect(Some(request.expect))?;
    Err(refusal.into())
}

/// Offers again what was paused or halted, at its tier or a lower one.
pub fn resume(
    head: Head,
    patterns: &[PlatformPattern],
    to: Option<&TierName>,
    expect: u64,
) -> Result<Outcome, TransitionError> {
    let next = head.next();
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
        let Some(rollout) = state.rollouts.get(&progress.id) else {
            continue;
        };
        if !matches!(progress.stage, Stage::Paused | Stage::Halted) {
            if matches!(progress.stage, Stage::Baking | Stage::Complete) {
                there.push(platform.to_string());
            }
            continue;
        }
        let tier = match to.map(|asked| tier_index(rollout, asked)) {
            Some(Ok(index)) => index,
            Some(Err(refusal)) => {
                head.expect(Some(expect))?;
                return Err(refusal.into());
            }
            None => progress.tier,
        };
        if let (Some(asked), Some(was)) = (to, rollout.tiers.get(progress.tier))
            && tier > progress.tier
        {
            let refusal = Refusal::ResumesHigher {
                platform: *platform,
                was: was.name.clone(),
                asked: asked.clone(),
            };
            head.expect(Some(expect))?;
            return Err(refusal.into());
        }
        // A pause exposed its tier all along, so its soak goes on; a halt did not, so it starts anew.
        if progress.stage == Stage::Halted || tier != progress.tier {
            progress.since = next;
        }
        (progress.stage, progress.tier) = (Stage::Baking, tier);
        let version = progress.version.clone();
        entry.withdrawn.retain(|withdrawn| *withdrawn != version);
        let at = match rollout.tiers.get(tier) {
            Some(tier) => format!("at tier `{}`", tier.name),
            None => {
                complete(entry);
                "to everyone".to_owned()
            }
        };
        changes.insert(
            platform.to_string(),
            format!("`{version}` offered again {at}"),
        );
    }
    if changes.is_empty() && !there.is_empty() {
        return Ok(Outcome::Already(format!(
            "nothing is paused or halted on {}",
            there.join(", ")
        )));
    }
    head.expect(Some(expect))?;
    if changes.is_empty() {
        Err(no_platform("resume", &head.state))
    } else {
        Ok(changed(state, changes))
    }
}
