//! What is inside an artifact: each file that can be signed must be, by whom the rules of the artifact say.

use std::collections::BTreeMap;
use std::io;

use release::name::escaped;
use release::{Kind, Sha256};

use crate::apple::{self, HardenedRuntime, Notarized};
use crate::checks::{CONTENTS_PARSE, CONTENTS_SIGNED, Check, FORMAT_UNSUPPORTED, Outcome};
use crate::format::Format;
use crate::inspection::{self, Inspection};
use crate::policy::ContentsRule;
use crate::report::{ContentsReport, LeafReport};
use crate::verify::allowance::{self, By, Named};
use crate::verify::own::{apple_checks, authenticode_checks, is_opened_as};
use crate::verify::{Beside, Bytes, Signers, Whole};
use crate::walk::openers;
use crate::walk::{self, Contents, Leaf, Settings, Signed};

/// Looks into an artifact, where rules ask for signatures that files carry themselves. None where it is no container, or
/// where its own signature is enough.
pub(super) fn look(
    whole: Whole<'_>,
    signers: &Signers<'_>,
    bytes: &mut dyn Bytes,
) -> io::Result<Option<Contents>> {
    let rule = contents_rule(whole);
    if signers.is_empty() || !is_looked_into(whole, signers, rule) {
        return Ok(None);
    }
    // A disk image is one only to who opens it as one.
    if whole.measured.format != Format::DiskImage && walk::is_disk_image(bytes)? {
        return Ok(None);
    }
    let settings = Settings {
        at: whole.context.now,
        trust: whole.context.trust,
        room: whole.context.room,
        signed: match rule {
            ContentsRule::Required => Signed::Opened,
            ContentsRule::Optional => Signed::Closed,
        },
    };
    walk::walk_named(bytes, whole.candidate.name.as_str(), settings)
}

/// Judges what was found inside. `own` is the signature of the artifact itself.
pub(super) fn judge(
    whole: Whole<'_>,
    signers: &Signers<'_>,
    contents: Option<Contents>,
    own: Option<&Inspection>,
    checks: &mut Vec<Check>,
) -> Option<ContentsReport> {
    let Some(mut contents) = contents else {
        checks.extend(unopened(whole, signers));
        return None;
    };
    // Only Windows looks for signatures in scripts.
    let is_asked = |leaf: &Leaf| leaf.format != Format::Script || !signers.authenticode.is_empty();
    contents.leaves.retain(is_asked);
    // What is signed as a whole may hold nothing but scripts and data. A disk image has an app in it.
    if Opening::of(whole) != Opening::Signed || whole.candidate.kind == Kind::Dmg {
        checks.push(something_is_signed(contents.leaves.len(), contents.files));
    }
    checks.extend(opened_as(whole, &contents));
    checks.extend(contents.checks);
    // The ticket of a disk image is one for all that it holds.
    let is_image_notarized = own.is_some_and(|own| {
        let mut apple = own.signatures.iter().filter_map(|it| it.apple.as_ref());
        own.kind == inspection::Kind::AppleDiskImage && apple.any(|it| it.notarized.is_some())
    });
    // What is signed as a whole may be allowed to be unsigned; what is inside is allowed by its own path, or by the digest of
    // all that holds it.
    let mut known = BTreeMap::new();
    for leaf in &contents.leaves {
        let path = format!("{}!/{}", whole.candidate.path, leaf.path);
        known.insert(path, leaf.sha256);
    }
    let judging = Judging {
        whole,
        signers,
        is_image_notarized,
        known: &known,
    };
    let leaves = contents.leaves.into_iter();
    Some(ContentsReport {
        files: contents.files,
        leaves: leaves.map(|leaf| judging.leaf(leaf)).collect(),
    })
}

/// What is wrong where an artifact was looked into as something else than it is opened as.
fn opened_as(whole: Whole<'_>, contents: &Contents) -> Option<Check> {
    let kind = whole.candidate.kind;
    if !contents.is_opened_by(kind) {
        let reason = format!(
            "an artifact of kind `{kind}` is opened as one, and this is a {}",
            contents.container
        );
        return Some(Check::fail(CONTENTS_PARSE, reason));
    }
    let is_named = kind == Kind::File && whole.measured.format == Format::Other;
    let name = whole.candidate.name.as_str();
    openers::judge(name, Format::Other, contents.is_archive()).filter(|_| is_named)
}

fn contents_rule(whole: Whole<'_>) -> ContentsRule {
    let os = whole.candidate.platform.os();
    whole.context.policy.contents(os)
}

/// How whoever gets an artifact comes to what is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// By unpacking it: it needs no signature of its own.
    Archive,
    /// By running or installing it, where its own signature is looked at first.
    Signed,
    /// Not at all, or its signature covers each file.
    None,
}

impl Opening {
    fn of(whole: Whole<'_>) -> Self {
        let format = whole.measured.format;
        match whole.candidate.kind {
            Kind::Pkg | Kind::Nsis | Kind::Exe | Kind::Msi | Kind::Dmg | Kind::Binary => {
                Self::Signed
            }
            Kind::File if format.own_signature().is_some() => Self::Signed,
            Kind::Zip | Kind::TarGz | Kind::SquirrelFull | Kind::VelopackFull | Kind::File => {
                Self::Archive
            }
            // Windows installs none whose signature does not cover every file of it; rules about signatures of Windows and
            // macOS are about none of the others.
            Kind::Msix | Kind::AppImage | Kind::Deb | Kind::Rpm => Self::None,
        }
    }
}

/// Whether an artifact was unpacked to be judged, so that it needs no signature of its own.
pub(super) fn is_archive(whole: Whole<'_>) -> bool {
    let is_archive = matches!(whole.measured.format, Format::Zip | Format::Other);
    is_archive && Opening::of(whole) == Opening::Archive
}

/// What is opened as something else than it is was not judged: a disk image ends with what makes it one, and may begin as
/// anything.
fn is_looked_into(whole: Whole<'_>, signers: &Signers<'_>, rule: ContentsRule) -> bool {
    let format = whole.measured.format;
    let is_asked = match format {
        // Only a rule about the signatures of a system is about what that system opens.
        Format::Xar | Format::DiskImage | Format::MachO => !signers.apple.is_empty(),
        Format::Pe | Format::Ole => !signers.authenticode.is_empty(),
        _ => true,
    };
    match Opening::of(whole) {
        Opening::Archive => format != Format::Xar,
        Opening::Signed => {
            is_asked && rule == ContentsRule::Required && is_opened_as(format, whole.candidate.kind)
        }
        Opening::None => false,
    }
}

/// A kind that says that there is something inside, where nothing was found that could be read.
fn unopened(whole: Whole<'_>, signers: &Signers<'_>) -> Option<Check> {
    let kind = whole.candidate.kind;
    let is_container = matches!(kind, Kind::Nsis | Kind::Msi | Kind::Dmg | Kind::Pkg);
    let is_looked_into = is_looked_into(whole, signers, contents_rule(whole));
    if !is_container || signers.is_empty() || !is_looked_into {
        return None;
    }
    let reason = format!(
        "an artifact of kind `{kind}` has an inside, and none was found that this version can read; `contents: optional` asks for the signature of the whole alone"
    );
    Some(Check::new(CONTENTS_PARSE, Outcome::Unsupported, reason))
}

/// An archive in which nothing can be signed proves nothing: perhaps the program is not in it.
fn something_is_signed(leaves: usize, files: u64) -> Check {
    if leaves == 0 {
        let reason =
            format!("signatures are demanded, and none of the {files} files inside can carry one");
        return Check::fail(CONTENTS_SIGNED, reason);
    }
    let reason = format!("{leaves} of {files} files inside are programs or packages");
    Check::pass(CONTENTS_SIGNED, reason)
}

/// What all files inside are judged by.
struct Judging<'a> {
    whole: Whole<'a>,
    signers: &'a Signers<'a>,
    is_image_notarized: bool,
    /// The digest of each file, by what an allowance calls it.
    known: &'a BTreeMap<String, Option<Sha256>>,
}

impl Judging<'_> {
    fn leaf(&self, leaf: Leaf) -> LeafReport {
        let Self {
            whole,
            signers,
            is_image_notarized,
            ..
        } = *self;
        let Leaf {
            path,
            format,
            sha256,
            signature,
            is_in_bundle,
            is_in_package,
            is_in_linux_package: _,
            checks: found,
        } = leaf;
        let mut checks = found;
        match (&signature, covering(format)) {
            (Some(signature), Some(Covering::Authenticode)) if !signers.authenticode.is_empty() => {
                checks.extend(authenticode_checks(signature, &signers.authenticode));
            }
            (Some(signature), Some(Covering::Apple)) if !signers.apple.is_empty() => {
                let is_vouched_for = is_in_bundle || is_in_package || is_image_notarized;
                let signers = signers.apple.iter();
                let signers: Vec<_> = signers
                    .map(|signer| asked_of(signer, format, is_vouched_for))
                    .collect();
                let signers: Vec<_> = signers.iter().collect();
                checks.extend(apple_checks(signature, &signers));
            }
            _ if checks.is_empty() => {
                let reason = format!(
                    "this is a file of format `{}`, which no rule of `signing` covers",
                    format.name()
                );
                checks.push(Check::new(FORMAT_UNSUPPORTED, Outcome::Unsupported, reason));
            }
            _ => {}
        }
        let path = format!("{}!/{path}", whole.candidate.path);
        let verdict = allowance::judge(
            whole.context,
            &self.names(&path, sha256),
            Beside::default(),
            &mut checks,
        );
        LeafReport {
            path: escaped(&path),
            format: format.name(),
            sha256,
            verdict,
            checks,
            signature,
        }
    }

    /// What an allowance may call a file: itself, and all that holds it.
    fn names<'n>(&'n self, path: &'n str, sha256: Option<Sha256>) -> Vec<Named<'n>> {
        let mut artifact = self.whole.named();
        if Opening::of(self.whole) == Opening::Signed {
            artifact.by = By::Digest;
        }
        let own = Named {
            path,
            sha256,
            by: By::Path,
        };
        let holders = path.match_indices("!/").filter_map(|(at, _)| {
            let path = path.get(..at)?;
            Some(Named {
                path,
                sha256: *self.known.get(path)?,
                by: By::Digest,
            })
        });
        [own, artifact].into_iter().chain(holders).collect()
    }
}

/// Which rule covers a format.
enum Covering {
    Authenticode,
    Apple,
}

fn covering(format: Format) -> Option<Covering> {
    match format {
        Format::Pe | Format::Ole | Format::Cab | Format::Zip | Format::Script => {
            Some(Covering::Authenticode)
        }
        Format::MachO | Format::Bundle | Format::Xar | Format::DiskImage => Some(Covering::Apple),
        Format::Elf | Format::Deb | Format::Rpm | Format::Other => None,
    }
}

/// What is asked of a file whose inside was looked at. The ticket of what is in a bundle or package is stapled to that,
/// which vouches for it and is judged by itself. The programs in a package are judged by themselves too.
pub(super) fn asked_of(
    signer: &apple::Signer,
    format: Format,
    is_vouched_for: bool,
) -> apple::Signer {
    let mut asked = signer.clone();
    if is_vouched_for {
        asked.notarized = Notarized::MayBeMissing;
    }
    if format == Format::Xar {
        asked.hardened_runtime = HardenedRuntime::MayBeMissing;
    }
    asked
}
