//! Mach-O files, thin and universal: is this program or library signed, whole, and by whom.
//!
//! Every slice is judged, as any of them may be the one that runs (CVE-2018-10403 to CVE-2018-10408 are verifiers that
//! looked at the first). Formats follow Apple's `<mach-o/loader.h>` and `<mach-o/fat.h>`, signatures `osfmk/kern/cs_blobs.h`
//! of XNU. What a bundle adds (Info.plist, its resources) lies outside the file and is not looked at here.

mod binding;
mod code_directory;
mod entitlements;
mod image;
mod pages;
pub(crate) mod signature;
mod slots;
mod super_blob;
mod universal;

use std::io::{self, Read, Seek};

use release::Timestamp;
use thiserror::Error;

use crate::checks::{Check, MACHO_EVERY_SLICE, MACHO_PARSE, MACHO_SIGNED, MACHO_TRAILING_DATA};
use crate::inspection::{Inspection, Kind, SignatureReport};
use crate::judging::outcome;
use crate::reading::{is_zero, read_at};
use crate::roots::Trust;

pub(crate) use code_directory::HashKind;

use image::Image;
use universal::{Slice, Universal};

/// What is read of a file at most. Everything else is read in pieces.
pub(crate) struct Limits;

impl Limits {
    /// Slices in a universal file. Real ones have up to five.
    pub(crate) const SLICES: u32 = 16;
    /// Bytes of the load commands. Real ones have 10 KiB.
    pub(crate) const COMMANDS_BYTES: u32 = 4 * 1024 * 1024;
    /// Load commands. Real ones have about 50.
    pub(crate) const COMMANDS: u32 = 16 * 1024;
    /// Bytes of a signature. It has 32 for each 4 KiB of code, so this is enough for 8 GiB.
    pub(crate) const SIGNATURE_BYTES: u64 = 64 * 1024 * 1024;
    /// Parts of a signature: six code directories, eleven slots, and the rest.
    pub(crate) const BLOBS: u32 = 32;
    /// Slots before the hashes of pages.
    pub(crate) const SPECIAL_SLOTS: u32 = 32;
}

/// Why a file is no Mach-O that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum MachoError {
    #[error("it does not begin as a Mach-O file of this century does")]
    Magic,
    #[error("it ends inside its headers")]
    Truncated,
    #[error("it has {0} slices, expected 1 to {max}", max = Limits::SLICES)]
    Slices(u32),
    #[error("its slices lie outside the file, over one another, or not aligned")]
    SlicePlace,
    #[error("a slice is for another processor than the header of the file says")]
    SliceCpu,
    #[error("two slices are for the same processor")]
    SliceTwice,
    #[error("it has more load commands than are read, or they are larger")]
    Commands,
    #[error("a load command is not well formed")]
    Command,
    #[error("it has two code signatures")]
    SignatureTwice,
    #[error("the signature does not lie in the last segment, `__LINKEDIT`")]
    NotInLinkEdit,
    #[error(
        "the segment `{0}` reaches into the signature or past the end, where no code is signed"
    )]
    Segment(String),
    #[error("the signature has {0} bytes, which is more than is read")]
    SignatureSize(u64),
}

/// Inspects a file, and judges it at a time by what is trusted.
///
/// # Errors
/// Where the reader fails. A file that is wrong is no error but a verdict.
pub(crate) fn inspect(
    reader: &mut (impl Read + Seek),
    at: Timestamp,
    trust: &Trust,
) -> io::Result<Inspection> {
    let trust = &trust.for_apple();
    let nothing = |error: MachoError| {
        let checks = vec![Check::fail(MACHO_PARSE, error.to_string())];
        Ok(Inspection::new(
            Kind::AppleCode,
            at,
            checks,
            Vec::new(),
            trust,
        ))
    };
    let universal = match Universal::read(reader)? {
        Ok(universal) => universal,
        Err(error) => return nothing(error),
    };
    let mut images = Vec::new();
    for slice in &universal.slices {
        match Image::read(reader, slice)? {
            Ok(image) => images.push((*slice, image)),
            Err(error) => return nothing(error),
        }
    }
    let mut checks = vec![Check::pass(MACHO_PARSE, shape(&universal))];
    judge_coverage(&images, &mut checks);
    judge_trailing(reader, &universal, &images, &mut checks)?;
    let mut signatures = Vec::new();
    for (slice, image) in &images {
        match judge_slice(reader, slice, image, at, trust)? {
            Ok(None) => {}
            Ok(Some(report)) => signatures.push(report),
            Err(error) => checks.push(Check::fail(MACHO_PARSE, error.to_string())),
        }
    }
    Ok(Inspection::new(
        Kind::AppleCode,
        at,
        checks,
        signatures,
        trust,
    ))
}

fn shape(universal: &Universal) -> String {
    let names: Vec<_> = universal
        .slices
        .iter()
        .map(|it| it.cpu.to_string())
        .collect();
    let kind = if universal.is_universal {
        "a universal file"
    } else {
        "a file of one slice"
    };
    format!("{kind}: {}", names.join(", "))
}

/// Whether there is a signature, and in every slice where there is one at all.
fn judge_coverage(images: &[(Slice, Image)], checks: &mut Vec<Check>) {
    let unsigned = images.iter().filter(|(_, image)| image.signature.is_none());
    let unsigned: Vec<_> = unsigned.map(|(slice, _)| slice.cpu.to_string()).collect();
    if unsigned.len() == images.len() {
        let reason = "no slice has a code signature";
        checks.push(Check::fail(MACHO_SIGNED, reason));
        return;
    }
    checks.push(Check::pass(MACHO_SIGNED, "there is a code signature"));
    let failure = (!unsigned.is_empty()).then(|| {
        let names = unsigned.join(", ");
        format!("no code signature in the slice {names}, while others have one")
    });
    checks.push(outcome(
        MACHO_EVERY_SLICE,
        failure,
        "each slice has a code signature",
    ));
}

/// Nothing lies where nobody looks: between the slices, behind the last, and behind each signature.
fn judge_trailing(
    reader: &mut (impl Read + Seek),
    universal: &Universal,
    images: &[(Slice, Image)],
    checks: &mut Vec<Check>,
) -> io::Result<()> {
    let mut failures = Vec::new();
    for gap in &universal.gaps {
        if !is_zero(reader, gap.start, gap.end)? {
            failures.push(format!(
                "bytes at offsets {} to {} belong to no slice",
                gap.start, gap.end
            ));
        }
    }
    if universal.behind > 0 {
        failures.push(format!(
            "{} bytes stand behind the last slice",
            universal.behind
        ));
    }
    for (slice, image) in images {
        let end = image.signature.map(|place| place.offset + place.bytes);
        let behind = end.map_or(0, |end| slice.bytes.saturating_sub(end));
        if behind > 0 {
            let cpu = slice.cpu;
            failures.push(format!(
                "{behind} bytes stand behind the signature of {cpu}"
            ));
        }
    }
    if failures.is_empty() {
        let reason = "nothing but zeros between slices, and nothing behind signatures";
        checks.push(Check::pass(MACHO_TRAILING_DATA, reason));
    }
    let failures = failures.into_iter();
    checks.extend(failures.map(|reason| Check::fail(MACHO_TRAILING_DATA, reason)));
    Ok(())
}

fn judge_slice(
    reader: &mut (impl Read + Seek),
    slice: &Slice,
    image: &Image,
    at: Timestamp,
    trust: &Trust,
) -> io::Result<Result<Option<SignatureReport>, MachoError>> {
    let Some(place) = image.signature else {
        return Ok(Ok(None));
    };
    if place.bytes > Limits::SIGNATURE_BYTES {
        return Ok(Err(MachoError::SignatureSize(place.bytes)));
    }
    let Some(bytes) = read_at(reader, slice.offset + place.offset, place.bytes)? else {
        return Ok(Err(MachoError::Truncated));
    };
    let judging = signature::Judging {
        place: slice.cpu.to_string(),
        offset: slice.offset,
        code_bytes: place.offset,
        is_executable: image.is_executable,
        outside: slots::IN_BUNDLE,
        at,
        trust,
    };
    judging
        .report(reader, &bytes)
        .map(|report| Ok(Some(report)))
}
