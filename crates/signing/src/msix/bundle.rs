//! Packages in a bundle: those that the manifest of the bundle names, where it says they are.

use std::collections::BTreeSet;
use std::io;

use release::name::printable;

use crate::checks::{Check, MSIX_BUNDLE, MSIX_PARSE, Outcome};
use crate::judging::outcome;
use crate::msix::manifest::{Listed, Manifest};
use crate::msix::parts::Parts;
use crate::msix::{BUNDLE_MANIFEST, Found, Judge};
use crate::packages::Source;
use crate::zip::{Archive, Entry, Method};

/// Judges each package. One without a signature is covered by that of the bundle, byte by byte.
pub(super) fn judge(
    judge: Judge<'_>,
    source: &mut Source<'_>,
    parts: &Parts<'_>,
    manifest: &Manifest,
    found: &mut Found,
) -> io::Result<()> {
    let mut failures = Vec::new();
    let mut seen = BTreeSet::new();
    for listed in &manifest.packages {
        let shown = printable(&listed.name);
        let entry = match placed(parts, listed) {
            Ok(entry) if seen.insert(&listed.name) => entry,
            Ok(_) => {
                failures.push(format!("`{shown}` is named twice"));
                continue;
            }
            Err(reason) => {
                failures.push(format!("`{shown}` {reason}"));
                continue;
            }
        };
        let inner = package(judge, source, entry)?;
        if inner.publisher.as_ref() != Some(&manifest.identity.publisher) {
            failures.push(format!("`{shown}` is not by the publisher of the bundle"));
        }
        adopt(&shown, inner, found);
    }
    if manifest.packages.is_empty() {
        failures.push("no package is named".to_owned());
    }
    let failure = failures.into_iter().next();
    let passes = format!("{} packages, all of the same publisher", seen.len());
    found.checks.push(outcome(MSIX_BUNDLE, failure, passes));
    Ok(())
}

/// The part that is a package, where it is what is said of it.
fn placed<'a>(parts: &Parts<'a>, listed: &Listed) -> Result<&'a Entry, &'static str> {
    let Some(entry) = parts.get(&listed.name) else {
        return Err("is not in the bundle; packages beside it are not judged");
    };
    if entry.method != Method::Stored {
        return Err("is not stored as it is");
    }
    if entry.size != listed.size || entry.packed != listed.size || entry.data_at != listed.offset {
        return Err("does not lie where the manifest says, or has another length");
    }
    Ok(entry)
}

fn package(judge: Judge<'_>, source: &mut Source<'_>, entry: &Entry) -> io::Result<Found> {
    let failed = |reason: String| Found {
        checks: vec![Check::fail(MSIX_PARSE, reason)],
        ..Found::default()
    };
    source.within(entry, |source| {
        let archive = match Archive::open(&mut source.bytes)? {
            Ok(archive) => archive,
            Err(error) => return Ok(failed(error.to_string())),
        };
        if archive.entries.iter().any(|it| it.path == BUNDLE_MANIFEST) {
            let reason = "it is a bundle itself";
            return Ok(failed(reason.to_owned()));
        }
        judge.package(source, &archive)
    })
}

/// Takes over what was found of a package. That it has no signature is no failure of the bundle.
fn adopt(shown: &str, inner: Found, found: &mut Found) {
    let Found {
        checks,
        signatures,
        publisher: _,
    } = inner;
    let counted = checks.into_iter().filter(|check| {
        let is_absence = check.outcome == Outcome::Fail && check.id.is_absence();
        !is_absence
    });
    found.checks.extend(counted.map(|check| Check {
        reason: format!("`{shown}`: {}", check.reason),
        ..check
    }));
    found
        .signatures
        .extend(signatures.into_iter().map(|mut it| {
            it.place = format!("`{shown}`, {}", it.place);
            it
        }));
}
