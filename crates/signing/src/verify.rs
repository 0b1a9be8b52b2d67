//! The playbook: examine each artifact in one read, then conclude over the release.

use std::io::{self, Read, Seek, SeekFrom};

use release::name::{FileName, printable};
use release::{Kind, Platform, Timestamp, Version};

use crate::authenticode::{self, Signer};
use crate::checks::{
    ALLOW_DIGEST, ALLOW_EXPIRED, ALLOW_UNSIGNED, Check, FORMAT_UNSUPPORTED, MINISIGN_PRESENT,
    Outcome, SUMS_COVERAGE,
};
use crate::format::Format;
use crate::inspection::{self, Inspection};
use crate::measure::{MeasureError, Measured, measure};
use crate::minisign;
use crate::policy::{Allowance, Policy};
use crate::report::{ArtifactReport, ReleaseReport, Verdict};
use crate::roots::Trust;
use crate::sums::SumsDocument;

/// An artifact to be examined.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// Its path as found, relative, for `allow-unsigned`.
    pub path: &'a str,
    /// Its name.
    pub name: &'a FileName,
    /// What it runs on.
    pub platform: Platform,
    /// What it is.
    pub kind: Kind,
    /// Its length when it was found.
    pub size: u64,
    /// The signature that stands beside it.
    pub minisig: Option<&'a [u8]>,
}

/// What it is examined against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// What must hold.
    pub policy: &'a Policy,
    /// The version being released.
    pub version: &'a Version,
    /// Now, for `allow-unsigned`.
    pub now: Timestamp,
    /// The documents of [`Policy::sums_rules`].
    pub sums: &'a [SumsDocument],
    /// The roots that signatures may chain to.
    pub trust: &'a Trust,
    /// Whether a feed needs SHA-512.
    pub wants_sha512: bool,
}

/// The bytes of an artifact. They are read once in order, and headers before that. Packages whose signature covers them in
/// another order than they have, and what Apple signs, are read a second time.
pub trait Bytes: Read + Seek {}

impl<T: Read + Seek> Bytes for T {}

/// An artifact that was examined, not yet judged with the others.
#[derive(Debug)]
pub struct Examined(ArtifactReport);

impl Examined {
    /// Whether a minisign signature beside it was checked, and holds.
    pub fn has_good_signature(&self) -> bool {
        self.0.has_good_signature()
    }
}

/// Reads an artifact once and makes every check that concerns it alone.
///
/// # Errors
/// Where the bytes cannot be read, or are not as many as they were.
pub fn examine(
    context: Context<'_>,
    candidate: &Candidate<'_>,
    bytes: &mut dyn Bytes,
    progress: &mut dyn FnMut(u64),
) -> Result<Examined, MeasureError> {
    let path = || printable(candidate.path);
    let unreadable = |source| MeasureError::Unreadable {
        path: path(),
        source,
    };
    let signers = authenticode_signers(context, candidate);
    let mut image = match signers.is_empty() {
        true => None,
        false => open_image(bytes).map_err(unreadable)?,
    };
    let mut keys: Vec<_> = context
        .policy
        .rules_for(candidate.platform.os())
        .filter_map(|rules| rules.minisign.as_ref())
        .collect();
    keys.dedup();
    let opened: Vec<_> = keys
        .iter()
        .map(|key| minisign::open(candidate.minisig, key, candidate.name.as_str()))
        .collect();
    let mut verifiers: Vec<_> = opened
        .iter()
        .zip(&keys)
        .map(|(opened, key)| opened.verifier(key))
        .collect();
    let also = |chunk: &[u8]| {
        let verifiers = verifiers.iter_mut().flatten();
        verifiers.for_each(|verifier| verifier.update(chunk));
        if let Some(image) = &mut image {
            image.update(chunk);
        }
    };
    let measured = measure(bytes, candidate.kind, context.wants_sha512, also, progress);
    let measured = measured.map_err(unreadable)?;
    if measured.size != candidate.size {
        return Err(MeasureError::Changed {
            path: path(),
            expected: candidate.size,
            found: measured.size,
        });
    }
    let mut checks = Vec::new();
    let inspection = match image {
        Some(image) => Some(image.finish(context.now, context.trust)),
        None if signers.is_empty() => None,
        None => inspect_package(context, &measured, bytes).map_err(unreadable)?,
    };
    let apple = judge_apple(context, candidate, &measured, bytes, &mut checks);
    let apple = apple.map_err(unreadable)?;
    match &inspection {
        Some(inspection) => checks.extend(authenticode_checks(inspection, &signers)),
        None if signers.is_empty() => {}
        None => checks.push(no_authenticode(measured.format)),
    }
    for ((opened, verifier), key) in opened.iter().zip(verifiers).zip(&keys) {
        checks.extend(opened.checks(verifier, key, candidate.name, context.version));
    }
    checks.extend(sums_checks(context, candidate, &measured));
    if checks.is_empty() {
        checks.push(unsupported(&measured));
    }
    let verdict = judge(context, candidate, &measured, &mut checks);
    let (path, name) = (candidate.path.to_owned(), candidate.name.clone());
    Ok(Examined(ArtifactReport {
        path,
        name,
        platform: candidate.platform,
        verdict,
        checks,
        signature: inspection.or(apple),
        measured,
    }))
}

/// Who must have signed with Authenticode, by the rules that cover the artifact.
fn authenticode_signers<'a>(context: Context<'a>, candidate: &Candidate<'_>) -> Vec<&'a Signer> {
    let rules = context.policy.rules_for(candidate.platform.os());
    let mut signers: Vec<_> = rules
        .filter_map(|rules| rules.authenticode.as_ref())
        .collect();
    signers.dedup();
    signers
}

/// The image whose signature is checked while its bytes pass; none where it is no PE.
fn open_image(bytes: &mut dyn Bytes) -> io::Result<Option<authenticode::Opened>> {
    if inspection::format_of(bytes)? != Format::Pe {
        return Ok(None);
    }
    let mut bytes = bytes;
    let opened = authenticode::Opened::open(&mut bytes)?;
    bytes.seek(SeekFrom::Start(0))?;
    Ok(Some(opened))
}

/// The signature of what is no PE but holds Authenticode too.
fn inspect_package(
    context: Context<'_>,
    measured: &Measured,
    mut bytes: &mut dyn Bytes,
) -> io::Result<Option<Inspection>> {
    match measured.format {
        Format::Ole | Format::Cab => inspection::inspect(&mut bytes, context.now, context.trust),
        _ => Ok(None),
    }
}

/// Who signed comes first, as that is what a person asks.
fn authenticode_checks(inspection: &Inspection, signers: &[&Signer]) -> Vec<Check> {
    let identity = signers.iter().flat_map(|signer| inspection.judge(signer));
    // A file without a signature has no identity to be wrong about.
    let identity = identity.filter(|_| !inspection.signatures.is_empty());
    identity.chain(inspection.all_checks().cloned()).collect()
}

fn no_authenticode(format: Format) -> Check {
    let reason = format!(
        "Authenticode is demanded, and this is {} ({}), where this version does not look for it",
        "no program, installer package, or cabinet",
        format.name()
    );
    Check::new(FORMAT_UNSUPPORTED, Outcome::Unsupported, reason)
}

fn sums_checks(context: Context<'_>, candidate: &Candidate<'_>, measured: &Measured) -> Vec<Check> {
    let rules = context.policy.rules_for(candidate.platform.os());
    let mut rules: Vec<_> = rules
        .filter_map(|rules| rules.sha256sums.as_ref())
        .collect();
    rules.dedup();
    let read = |rule: &&crate::SumsRule| context.sums.iter().find(|sums| sums.rule() == *rule);
    let checks = |rule: &crate::SumsRule| match read(&rule) {
        Some(document) => document.checks(candidate.name, measured.sha256),
        None => {
            let path = printable(&rule.path);
            vec![Check::fail(SUMS_COVERAGE, format!("`{path}` was not read"))]
        }
    };
    rules.into_iter().flat_map(checks).collect()
}

/// The checks that rules about Apple's signatures ask for. What they cover is read a second time, as its signature is looked
/// for by offsets; a format that cannot be looked at is no pass.
fn judge_apple(
    context: Context<'_>,
    candidate: &Candidate<'_>,
    measured: &Measured,
    mut bytes: &mut dyn Bytes,
    checks: &mut Vec<Check>,
) -> io::Result<Option<Inspection>> {
    let rules = context.policy.rules_for(candidate.platform.os());
    let mut signers: Vec<_> = rules.filter_map(|rules| rules.apple.as_ref()).collect();
    signers.dedup();
    if signers.is_empty() {
        return Ok(None);
    }
    // By kind too: what is reserved behind the signature of a program is signed by nobody, and has room for the end of a
    // zip archive or of a disk image. What is opened as one of those is not judged as a program.
    let inspection = match (measured.format, candidate.kind) {
        (Format::MachO, Kind::Binary | Kind::File) | (Format::Xar, Kind::Pkg | Kind::File) => {
            inspection::inspect(&mut bytes, context.now, context.trust)?
        }
        _ => None,
    };
    let Some(inspection) = inspection else {
        let reason = format!(
            "a signature of Apple's is demanded, and this version does not look for it in an artifact of kind `{}` that is a {}",
            candidate.kind,
            measured.format.name()
        );
        checks.push(Check::new(FORMAT_UNSUPPORTED, Outcome::Unsupported, reason));
        return Ok(None);
    };
    // A file without a signature has no identity to be wrong about.
    if !inspection.signatures.is_empty() {
        let judged = signers
            .iter()
            .flat_map(|signer| inspection.judge_apple(signer));
        checks.extend(judged);
    }
    checks.extend(inspection.all_checks().cloned());
    Ok(Some(inspection))
}

/// No rule covers the artifact: what it carries itself cannot be checked yet, and that is not a pass.
fn unsupported(measured: &Measured) -> Check {
    let reason = match measured.format.own_signature() {
        Some(signature) => {
            format!("no rule of `signing` covers it, so {signature} inside it was not looked at")
        }
        None => "no rule of `signing` covers it, and it carries no signature of its own".to_owned(),
    };
    Check::new(FORMAT_UNSUPPORTED, Outcome::Unsupported, reason)
}

/// The verdict over all checks. What is absent or not looked at may be allowed; what is wrong never is.
fn judge(
    context: Context<'_>,
    candidate: &Candidate<'_>,
    measured: &Measured,
    checks: &mut Vec<Check>,
) -> Verdict {
    let absent = |check: &Check| {
        matches!(check.id, MINISIGN_PRESENT if candidate.minisig.is_none())
            || check.id == SUMS_COVERAGE
            || check.id.is_absence()
            || check.outcome == Outcome::Unsupported
    };
    let bad = |check: &&Check| check.outcome != Outcome::Pass;
    if !checks.iter().any(|check| bad(&check)) {
        return Verdict::Valid;
    }
    if checks.iter().filter(bad).any(|check| !absent(check)) {
        return Verdict::Invalid;
    }
    let unsupported = checks
        .iter()
        .any(|check| check.outcome == Outcome::Unsupported);
    let covering = context
        .policy
        .allow_unsigned
        .iter()
        .filter(|allowance| allowance.path.covers(candidate.path));
    let verdicts: Vec<Check> = covering
        .map(|allowance| allowed(allowance, measured, context.now))
        .collect();
    let good = verdicts
        .iter()
        .any(|check| check.outcome == Outcome::Allowed);
    checks.extend(
        verdicts
            .into_iter()
            .filter(|check| !good || check.outcome == Outcome::Allowed),
    );
    match (good, unsupported) {
        (true, _) => Verdict::Allowed,
        (false, true) => Verdict::Unsupported,
        (false, false) => Verdict::Unsigned,
    }
}

fn allowed(allowance: &Allowance, measured: &Measured, now: Timestamp) -> Check {
    let Allowance {
        path,
        reason,
        until,
        sha256,
    } = allowance;
    if until.is_past(now) {
        return Check::fail(
            ALLOW_EXPIRED,
            format!("`{path}` was allowed until {until}: {}", printable(reason)),
        );
    }
    if let Some(only) = sha256.filter(|only| *only != measured.sha256) {
        return Check::fail(
            ALLOW_DIGEST,
            format!(
                "`{path}` is allowed with sha256 {only}, found {}",
                measured.sha256
            ),
        );
    }
    Check::new(
        ALLOW_UNSIGNED,
        Outcome::Allowed,
        format!("`{path}` is allowed until {until}: {}", printable(reason)),
    )
}

/// Adds the checks of the release as a whole.
pub fn conclude(context: Context<'_>, examined: Vec<Examined>) -> ReleaseReport {
    let artifacts: Vec<_> = examined.into_iter().map(|examined| examined.0).collect();
    let names: Vec<_> = artifacts.iter().map(|artifact| &artifact.name).collect();
    let checks = context
        .sums
        .iter()
        .flat_map(|document| document.extras(&names))
        .collect();
    ReleaseReport {
        schema: 1,
        artifacts,
        checks,
        extra_roots: context.trust.extra_roots(),
    }
}

#[cfg(test)]
mod tests;
