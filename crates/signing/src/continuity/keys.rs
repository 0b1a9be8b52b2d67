//! OpenPGP, minisign, and Tauri, whose key is in the installed app: whoever has the key of the previous release can check this one with it.

use crate::checks::{CONTINUITY_KEY, Check};
use crate::continuity::{Released, Step};
use crate::judging::outcome;

/// What the previous artifact is by the keys that this release must be signed with: a key that is new to users is one that they
/// cannot tell from a stranger's.
pub(super) fn compare(old: &Released, step: &mut Step) {
    let is_absent = |check: &&Check| {
        let id = check.id.as_str();
        !check.is_pass() && (id.ends_with(".present") || id.ends_with(".signed"))
    };
    if let Some(absent) = old.keyed.iter().find(is_absent) {
        step.note(format!(
            "not applicable: the previous artifact has no signature to compare keys by: {}",
            absent.reason
        ));
        return;
    }
    let wrong = old.keyed.iter().find(|check| !check.is_pass());
    let failure = wrong.map(|check| {
        format!(
            "the previous artifact does not hold by the key that this release must have: {}; users know the old key: sign with it, or let it \
             sign the new one first",
            check.reason
        )
    });
    let passes = "the key that this release must have signed the previous artifact";
    if !old.keyed.is_empty() {
        step.checks.push(outcome(CONTINUITY_KEY, failure, passes));
    }
}
