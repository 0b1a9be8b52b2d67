//! The signature that an artifact carries itself.

use std::io;

use crate::apple;
use crate::authenticode::{self, Signer};
use crate::checks::{Check, FORMAT_UNSUPPORTED, Outcome};
use crate::dmg;
use crate::format::Format;
use crate::inspection::{self, Inspection};
use crate::report::Verdict;
use crate::script::Language;
use crate::verify::inside::asked_of;
use crate::verify::{Bytes, Candidate, Context, Signers, Whole};
use crate::walk::openers;
use release::Kind;

/// Makes the checks that the rules ask for. What a container holds is judged apart: `is_unpacked` says whether that was done
/// with an archive, which then needs no signature of its own.
pub(super) fn judge(
    whole: Whole<'_>,
    signers: &Signers<'_>,
    image: Option<authenticode::Opened>,
    bytes: &mut dyn Bytes,
    is_unpacked: bool,
    checks: &mut Vec<Check>,
) -> io::Result<Option<Inspection>> {
    let mut signature = None;
    if !signers.authenticode.is_empty() {
        let is_itself = is_opened_as(whole.measured.format, whole.candidate.kind);
        let found = match image {
            _ if !is_itself => None,
            Some(image) => Some(image.finish(whole.context.now, whole.context.trust)),
            None => package(whole, bytes)?,
        };
        // Packages of apps have signatures of their own, archives need none.
        let found = found.filter(|found| !is_unpacked || found.verdict != Verdict::Unsigned);
        match &found {
            Some(found) => checks.extend(authenticode_checks(found, &signers.authenticode)),
            None if is_unpacked => {}
            None => checks.push(no_authenticode(whole)),
        }
        signature = found;
    }
    if !signers.apple.is_empty() {
        let found = of_apple(whole, bytes)?;
        match &found {
            Some(found) => {
                let format = whole.measured.format;
                let asked = signers.apple.iter();
                let asked: Vec<_> = asked.map(|it| asked_of(it, format, false)).collect();
                checks.extend(apple_checks(found, &asked.iter().collect::<Vec<_>>()));
            }
            None if is_unpacked => {}
            None => checks.push(no_apple(whole)),
        }
        signature = signature.or(found);
    }
    Ok(signature)
}

/// What an artifact is, where its bytes do not say: a file of no kind is a script by its name.
pub(super) fn named(format: Format, candidate: &Candidate<'_>) -> Format {
    let is_script = Language::of_name(candidate.name.as_str()).is_some();
    match (format, candidate.kind) {
        (Format::Other, Kind::File) if is_script => Format::Script,
        (format, _) => format,
    }
}

/// Whether what such an artifact is opened as is what its bytes are. Behind every signature is room that nobody signs: enough
/// for the end of a zip archive, and then a signed program is whatever unpackers find in it.
pub(super) fn is_opened_as(format: Format, kind: Kind) -> bool {
    let kinds: &[Kind] = match format {
        Format::Pe => &[Kind::Nsis, Kind::Exe],
        Format::Ole => &[Kind::Msi],
        Format::Zip => &[
            Kind::Msix,
            Kind::Zip,
            Kind::SquirrelFull,
            Kind::VelopackFull,
        ],
        Format::MachO => &[Kind::Binary],
        Format::Xar => &[Kind::Pkg],
        Format::DiskImage => &[Kind::Dmg],
        Format::Rpm => &[Kind::Rpm],
        Format::Deb => &[Kind::Deb],
        Format::Elf => &[Kind::Binary, Kind::AppImage],
        Format::Cab | Format::Bundle | Format::Script | Format::Other => &[],
    };
    // A file of no kind is opened by its name, which is judged apart.
    kind == Kind::File || kinds.contains(&kind)
}

/// What is wrong with the name of a file of no kind, which is opened by it: where rules look into it.
pub(super) fn misnamed(whole: Whole<'_>, signers: &Signers<'_>) -> Option<Check> {
    let rules = whole
        .context
        .policy
        .rules_for(whole.candidate.platform.os());
    let is_asked = !signers.is_empty() || rules.into_iter().any(|rules| rules.openpgp.is_some());
    let format = whole.measured.format;
    // What is no format of its own passes by what stands beside it alone.
    if !is_asked || whole.candidate.kind != Kind::File || format == Format::Other {
        return None;
    }
    openers::judge(whole.candidate.name.as_str(), format, format == Format::Zip)
        .filter(|check| check.outcome == Outcome::Fail)
}

/// The signature of what is no PE but holds Authenticode too.
fn package(whole: Whole<'_>, mut bytes: &mut dyn Bytes) -> io::Result<Option<Inspection>> {
    match whole.measured.format {
        Format::Ole | Format::Cab | Format::Zip => {
            inspection::inspect(&mut bytes, whole.context.now, whole.context.trust)
        }
        Format::Script => {
            let Context { now, trust, .. } = whole.context;
            inspection::inspect_named(&mut bytes, whole.candidate.name.as_str(), now, trust)
        }
        _ => Ok(None),
    }
}

/// A signature of Apple's. What it covers is read a second time, as it is looked for by offsets.
fn of_apple(whole: Whole<'_>, mut bytes: &mut dyn Bytes) -> io::Result<Option<Inspection>> {
    if !is_opened_as(whole.measured.format, whole.candidate.kind) {
        return Ok(None);
    }
    match (whole.measured.format, whole.candidate.kind) {
        // Its kind says so already. Where its end does not, that is what is wrong with it.
        (Format::DiskImage, Kind::Dmg) => {
            dmg::inspect(&mut bytes, whole.context.now, whole.context.trust).map(Some)
        }
        (Format::MachO | Format::Xar | Format::DiskImage, _) => {
            inspection::inspect(&mut bytes, whole.context.now, whole.context.trust)
        }
        _ => Ok(None),
    }
}

/// Who signed comes first, as that is what a person asks.
pub(super) fn authenticode_checks(inspection: &Inspection, signers: &[&Signer]) -> Vec<Check> {
    let identity = signers.iter().flat_map(|signer| inspection.judge(signer));
    // A file without a signature has no identity to be wrong about.
    let identity = identity.filter(|_| !inspection.signatures.is_empty());
    identity.chain(inspection.all_checks().cloned()).collect()
}

/// The same of Apple's signatures.
pub(super) fn apple_checks(inspection: &Inspection, signers: &[&apple::Signer]) -> Vec<Check> {
    let judged = signers
        .iter()
        .flat_map(|signer| inspection.judge_apple(signer));
    let judged = judged.filter(|_| !inspection.signatures.is_empty());
    judged.chain(inspection.all_checks().cloned()).collect()
}

fn no_authenticode(whole: Whole<'_>) -> Check {
    let format = whole.measured.format;
    if format != Format::Other && !is_opened_as(format, whole.candidate.kind) {
        let reason = format!(
            "an artifact of kind `{}` is demanded to be signed, and begins as a {}, which is opened as another thing",
            whole.candidate.kind,
            format.name()
        );
        return Check::new(FORMAT_UNSUPPORTED, Outcome::Unsupported, reason);
    }
    let reason = format!(
        "Authenticode is demanded, and this is no program and no package of Windows ({}), where this version does not look for it",
        format.name()
    );
    Check::new(FORMAT_UNSUPPORTED, Outcome::Unsupported, reason)
}

fn no_apple(whole: Whole<'_>) -> Check {
    let reason = format!(
        "a signature of Apple's is demanded, and this version does not look for it in an artifact of kind `{}` that is a {}",
        whole.candidate.kind,
        whole.measured.format.name()
    );
    Check::new(FORMAT_UNSUPPORTED, Outcome::Unsupported, reason)
}
