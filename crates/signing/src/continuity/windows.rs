//! Windows: the same signer as before, and the same package.

use std::collections::BTreeMap;

use release::name::printable;

use crate::checks::{CONTINUITY_IDENTITY, CONTINUITY_PACKAGE, Check};
use crate::continuity::{Released, Step};
use crate::inspection::{Inspection, Kind as Signed, SignerReport};
use crate::judging::outcome;
use crate::msix::Identity;
use crate::report::Verdict;

pub(super) fn compare(old: &Released, new: &Released, step: &mut Step) {
    if let Some(package) = &old.facts.package {
        step.checks
            .push(same_package(package, new.facts.package.as_ref()));
    }
    let own = |released: &Released| released.facts.signature.clone();
    if let Some(check) = same_signer(own(old).as_ref(), own(new).as_ref(), None) {
        step.checks.push(check);
    }
    let (before, after) = (programs(old), programs(new));
    let judged = before.iter().filter_map(|(path, signature)| {
        let successor = after.get(path)?;
        same_signer(Some(signature), Some(successor), Some(path))
    });
    // One is enough of what is wrong, and what is right is said once.
    let judged: Vec<_> = judged.collect();
    let worst = judged
        .iter()
        .find(|check| !check.is_pass())
        .or(judged.first());
    step.checks.extend(worst.cloned());
}

/// Programs inside, by their paths, with their signatures.
fn programs(released: &Released) -> BTreeMap<&str, &Inspection> {
    let leaves = released.facts.contents.iter().flat_map(|it| &it.leaves);
    let signed = leaves.filter_map(|leaf| Some((leaf.path.as_str(), leaf.signature.as_ref()?)));
    signed
        .filter(|(_, it)| it.kind == Signed::Authenticode)
        .collect()
}

/// None where the previous one was not signed by anybody who is trusted.
fn same_signer(
    old: Option<&Inspection>,
    new: Option<&Inspection>,
    inside: Option<&&str>,
) -> Option<Check> {
    let signer = |signature: Option<&Inspection>| {
        let good =
            signature.filter(|it| it.verdict == Verdict::Valid && it.kind == Signed::Authenticode);
        good.and_then(|it| it.signatures.first()?.signer.clone())
    };
    let before = signer(old)?;
    let what = match inside {
        Some(path) => format!("`{}`: ", printable(path)),
        None => String::new(),
    };
    let failure = match signer(new) {
        None => Some(format!(
            "{what}signed by {} before, and now by nobody whom Windows trusts",
            shown(&before)
        )),
        Some(after) if !is_same(&before, &after) => Some(format!(
            "{what}signed by {} before, and by {} now: Windows and administrators know the old one; sign as before",
            shown(&before),
            shown(&after)
        )),
        Some(_) => None,
    };
    let passes = format!("{what}signed by {} as before", shown(&before));
    Some(outcome(CONTINUITY_IDENTITY, failure, passes))
}

/// Certificates are renewed; the durable identity or the organization stays.
fn is_same(before: &SignerReport, after: &SignerReport) -> bool {
    let durable = (&before.azure_identity, &after.azure_identity);
    if let (Some(before), Some(after)) = durable {
        return before == after;
    }
    let organization = (&before.organization_as_found, &after.organization_as_found);
    match organization {
        (Some(before), Some(after)) => before == after,
        (None, None) => before.common_name.is_some() && before.common_name == after.common_name,
        _ => false,
    }
}

fn shown(signer: &SignerReport) -> String {
    let name = signer.organization.as_ref().or(signer.common_name.as_ref());
    format!("`{}`", name.map_or("an unnamed signer", String::as_str))
}

/// Windows knows a package by its name and publisher, and replaces an older version alone.
fn same_package(old: &Identity, new: Option<&Identity>) -> Check {
    let Some(new) = new else {
        let reason = "its successor is no app package that can be read";
        return Check::fail(CONTINUITY_PACKAGE, reason);
    };
    let text = |text: &str| printable(text);
    let failure = if (&old.name, &old.publisher) != (&new.name, &new.publisher) {
        Some(format!(
            "the package was `{}` of `{}`, and is `{}` of `{}`: to Windows that is another app, which is installed beside the old one",
            text(&old.name),
            text(&old.publisher),
            text(&new.name),
            text(&new.publisher)
        ))
    } else if new.version <= old.version {
        Some(format!(
            "the package's version was {}, and is {}: Windows replaces an older version alone",
            old.shown_version(),
            new.shown_version()
        ))
    } else {
        None
    };
    let passes = format!(
        "`{}`, {} after {}",
        text(&new.name),
        new.shown_version(),
        old.shown_version()
    );
    outcome(CONTINUITY_PACKAGE, failure, passes)
}
