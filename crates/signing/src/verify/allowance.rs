//! The verdict over the checks of a file, and what the policy lets through: by path, with a reason and an end.

use release::Sha256;
use release::name::printable;

use crate::checks::{
    ALLOW_DIGEST, ALLOW_EXPIRED, ALLOW_UNSIGNED, APPLE_AD_HOC, APPLE_DEVELOPER_ID,
    APPLE_HARDENED_RUNTIME, APPLE_NOTARIZED, CONTENTS_PARSE, Check, IDENTITY_AZURE,
    IDENTITY_ORGANIZATION, IDENTITY_TEAM_ID, Id, MINISIGN_PRESENT, OPENPGP_PRESENT, Outcome,
    SIGSTORE_PRESENT, SNAP_PRESENT, SPARKLE_COVERAGE, SUMS_COVERAGE, TAURI_PRESENT,
    TIMESTAMP_PRESENT, TUF_COVERAGE,
};
use crate::policy::Allowance;
use crate::report::Verdict;
use crate::verify::{Beside, Context};

/// What an allowance may name: a file, and what it is in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) path: &'a str,
    pub(super) sha256: Option<Sha256>,
    pub(super) by: By,
}

/// What an allowance must say of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Its path.
    Path,
    /// Its digest too: what holds another file is allowed without a signature of its own, which says nothing of that file. Its
    /// digest says which bytes are in it.
    Digest,
}

/// Who signed and how, as rules ask: what another vendor's signature, or none that anybody can be held to, does not have.
const OF_THE_SIGNER: [Id; 8] = [
    IDENTITY_ORGANIZATION,
    IDENTITY_AZURE,
    IDENTITY_TEAM_ID,
    APPLE_AD_HOC,
    APPLE_DEVELOPER_ID,
    APPLE_HARDENED_RUNTIME,
    APPLE_NOTARIZED,
    TIMESTAMP_PRESENT,
];

/// The verdict over all checks. What is absent, not looked at, or signed by somebody else may be allowed; what is wrong never
/// is.
pub(super) fn judge(
    context: Context<'_>,
    names: &[Named<'_>],
    beside: Beside<'_>,
    checks: &mut Vec<Check>,
) -> Verdict {
    let absent = |check: &Check| {
        matches!(check.id, MINISIGN_PRESENT if beside.minisig.is_none())
            || matches!(check.id, OPENPGP_PRESENT if beside.openpgp.is_none())
            || matches!(check.id, SIGSTORE_PRESENT if beside.sigstore.is_none())
            || matches!(check.id, SNAP_PRESENT if beside.snap.is_none())
            || matches!(check.id, TAURI_PRESENT if beside.tauri.is_none())
            || [SUMS_COVERAGE, SPARKLE_COVERAGE, TUF_COVERAGE].contains(&check.id)
            || check.id.is_absence()
            || check.outcome == Outcome::Unsupported
    };
    let bad = |check: &&Check| check.outcome != Outcome::Pass;
    if !checks.iter().any(|check| bad(&check)) {
        return Verdict::Valid;
    }
    // What somebody else signed may be allowed too, where the policy says by its digest that it is that very file.
    let is_foreign = |check: &Check| OF_THE_SIGNER.contains(&check.id);
    let is_wrong = |check: &Check| !absent(check) && !is_foreign(check);
    if checks.iter().filter(bad).any(is_wrong) {
        return Verdict::Invalid;
    }
    let is_foreign = checks.iter().filter(bad).any(is_foreign);
    // Nor does a path say anything of what could not be read.
    let is_unread = checks.iter().filter(bad).any(|it| it.id == CONTENTS_PARSE);
    let unsupported = checks
        .iter()
        .any(|check| check.outcome == Outcome::Unsupported);
    let allowances = context.policy.allow_unsigned.iter();
    let covering = allowances.filter_map(|allowance| {
        let is_pinned = allowance.sha256.is_some();
        let covers = |named: &&Named<'_>| {
            allowance.path.covers(named.path) && (is_pinned || named.by == By::Path)
        };
        let named = names.iter().find(covers)?;
        (is_pinned || !is_foreign && !is_unread).then_some((allowance, named))
    });
    let verdicts: Vec<Check> = covering
        .map(|(allowance, named)| allowed(allowance, named, context))
        .collect();
    let good = verdicts
        .iter()
        .any(|check| check.outcome == Outcome::Allowed);
    // Everything that did not pass is absent or was not looked at, and all of that is let through.
    for check in checks.iter_mut().filter(|check| good && bad(&&**check)) {
        check.outcome = Outcome::Allowed;
    }
    checks.extend(
        verdicts
            .into_iter()
            .filter(|check| !good || check.outcome == Outcome::Allowed),
    );
    match (good, unsupported) {
        (true, _) => Verdict::Allowed,
        (false, _) if is_foreign => Verdict::Invalid,
        (false, true) => Verdict::Unsupported,
        (false, false) => Verdict::Unsigned,
    }
}

fn allowed(allowance: &Allowance, named: &Named<'_>, context: Context<'_>) -> Check {
    let Allowance {
        path,
        reason,
        until,
        sha256,
    } = allowance;
    if until.is_past(context.now) {
        return Check::fail(
            ALLOW_EXPIRED,
            format!("`{path}` was allowed until {until}: {}", printable(reason)),
        );
    }
    if let Some(only) = sha256.filter(|only| Some(*only) != named.sha256) {
        let found = named.sha256.map(|found| found.to_string());
        return Check::fail(
            ALLOW_DIGEST,
            format!(
                "`{path}` is allowed with sha256 {only}, found {}",
                found.as_deref().unwrap_or("none")
            ),
        );
    }
    Check::new(
        ALLOW_UNSIGNED,
        Outcome::Allowed,
        format!("`{path}` is allowed until {until}: {}", printable(reason)),
    )
}
