//! What is inside an artifact: each file that can be signed must be, by whom the rules of the artifact say.

use std::io;

use release::Kind;
use release::name::escaped;

use crate::apple::{self, HardenedRuntime, Notarized};
use crate::checks::{CONTENTS_SIGNED, Check, FORMAT_UNSUPPORTED, Outcome};
use crate::format::Format;
use crate::report::{ContentsReport, LeafReport};
use crate::verify::allowance::{self, Named};
use crate::verify::own::{apple_checks, authenticode_checks};
use crate::verify::{Beside, Bytes, Signers, Whole};
use crate::walk::{self, Leaf, Settings};

/// Looks into an artifact, where rules ask for signatures that files carry themselves. None where it is no container.
pub(super) fn look(
    whole: Whole<'_>,
    signers: &Signers<'_>,
    bytes: &mut dyn Bytes,
    checks: &mut Vec<Check>,
) -> io::Result<Option<ContentsReport>> {
    let is_package = whole.measured.format == Format::Xar;
    // Only a rule about Apple's signatures is about packages of macOS; then they are judged by themselves too.
    let is_looked_into = match whole.candidate.kind {
        Kind::Pkg | Kind::File if is_package => !signers.apple.is_empty(),
        Kind::Pkg => false,
        kind => is_unpacked(kind) && !is_package,
    };
    if signers.is_empty() || !is_looked_into {
        return Ok(None);
    }
    let settings = Settings {
        at: whole.context.now,
        trust: whole.context.trust,
        room: whole.context.room,
    };
    let Some(contents) = walk::walk(bytes, settings)? else {
        return Ok(None);
    };
    // A package is signed as a whole, and may hold nothing but scripts.
    if !is_package {
        checks.push(something_is_signed(contents.leaves.len(), contents.files));
    }
    checks.extend(contents.checks);
    let leaves = contents.leaves.into_iter();
    let judged = leaves.map(|leaf| judge(whole, signers, leaf));
    Ok(Some(ContentsReport {
        files: contents.files,
        leaves: judged.collect(),
    }))
}

/// Whether whoever gets an artifact unpacks it. What is opened as something else is not judged as an archive: a disk image
/// ends with what makes it one, and may begin as anything.
fn is_unpacked(kind: Kind) -> bool {
    match kind {
        Kind::Zip
        | Kind::TarGz
        | Kind::SquirrelFull
        | Kind::VelopackFull
        | Kind::Pkg
        | Kind::File => true,
        Kind::Nsis
        | Kind::Exe
        | Kind::Msi
        // Windows installs none whose signature does not cover every file of it.
        | Kind::Msix
        | Kind::Dmg
        | Kind::AppImage
        | Kind::Deb
        | Kind::Rpm
        | Kind::Binary => false,
    }
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

fn judge(whole: Whole<'_>, signers: &Signers<'_>, leaf: Leaf) -> LeafReport {
    let Leaf {
        path,
        format,
        sha256,
        signature,
        is_in_bundle,
        is_in_package,
        checks: found,
    } = leaf;
    let mut checks = found;
    match (&signature, covering(format)) {
        (Some(signature), Some(Covering::Authenticode)) if !signers.authenticode.is_empty() => {
            checks.extend(authenticode_checks(signature, &signers.authenticode));
        }
        (Some(signature), Some(Covering::Apple)) if !signers.apple.is_empty() => {
            let is_vouched_for = is_in_bundle || is_in_package;
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
    let named = Named {
        path: &path,
        sha256,
    };
    let verdict = allowance::judge(
        whole.context,
        &[named, whole.named()],
        Beside::default(),
        &mut checks,
    );
    LeafReport {
        path: escaped(&path),
        format: format.name(),
        verdict,
        checks,
        signature,
    }
}

/// Which rule covers a format.
enum Covering {
    Authenticode,
    Apple,
}

fn covering(format: Format) -> Option<Covering> {
    match format {
        Format::Pe | Format::Ole | Format::Cab | Format::Zip => Some(Covering::Authenticode),
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
