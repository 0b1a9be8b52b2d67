//! Disk images of macOS (UDIF): is this image signed, whole, and by whom.
//!
//! The end of the file says where everything lies: the data, a property list about it, and the signature, which is one as
//! programs have it. Its code directory covers everything before it; special slot 6 covers the end of the file, as it was
//! before the signature had a length. What is on the disk that the data unpacks to is looked at in [`crate::disk`].
//!
//! Source: Apple's Security framework, `diskimagerep.cpp`, and the layouts that `hdiutil` writes, as there is no
//! specification.

mod checksum;
mod koly;

use std::io::{self, Read, Seek};

use release::Timestamp;
use thiserror::Error;

use crate::checks::{Check, DMG_KOLY, DMG_PARSE, DMG_SIGNED, DMG_TRAILING_DATA};
use crate::inspection::{Inspection, Kind, SignatureReport};
use crate::judging::outcome;
use crate::macho::signature;
use crate::reading::{read_at, u32_at};
use crate::roots::Trust;

pub(crate) use koly::{Checksum, Koly, is_at_end};

use koly::Place;

/// What is read of an image at most. Its data is read in pieces.
pub(crate) struct Limits;

impl Limits {
    /// Bytes of the property list. It has about 54 for each 256 KiB of data, so this is enough for 150 GiB.
    pub(crate) const LIST_BYTES: u64 = 32 * 1024 * 1024;
    /// Pieces of data that the property list describes. Real images have up to ten.
    pub(crate) const PIECES: usize = 1024;
    /// Bytes of a signature. Real ones have 10 KiB, and a ticket for each program inside.
    pub(crate) const SIGNATURE_BYTES: u64 = 16 * 1024 * 1024;
}

/// The special slot for the end of the file.
const REPRESENTATION: u32 = 6;

/// Why a file is no disk image that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum DmgError {
    #[error(
        "it does not end as a disk image does: it is another file, an encrypted image, or one without an end (`hdiutil convert -format UDZO` makes one)"
    )]
    Magic,
    #[error("its end has a version or a length that is not known")]
    Version,
    #[error("it is one of several segments, which are not looked at")]
    Segments,
    #[error("its end says that a part of it has a place and no length, or lies outside the file")]
    Place,
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
    let report =
        |checks, signatures| Inspection::new(Kind::AppleDiskImage, at, checks, signatures, trust);
    let failed = |error: DmgError| vec![Check::fail(DMG_PARSE, error.to_string())];
    let koly = match Koly::read(reader)? {
        Ok(koly) => koly,
        Err(error) => return Ok(report(failed(error), Vec::new())),
    };
    let bytes = koly.data.bytes;
    let reason = format!("a disk image of {bytes} bytes of data");
    let mut checks = vec![Check::pass(DMG_PARSE, reason)];
    let failure = koly
        .signature
        .is_none()
        .then_some("the end of the image names no signature");
    checks.push(outcome(DMG_SIGNED, failure, "the image is signed"));
    let signature = match koly.signature {
        Some(place) => match read_at(reader, place.offset, place.bytes)? {
            Some(bytes) => Some((place, bytes)),
            None => return Ok(report(failed(DmgError::Place), Vec::new())),
        },
        None => None,
    };
    let behind = signature.as_ref().map(|(_, bytes)| behind(bytes));
    let laid_out = koly.laid_out().and_then(|()| behind.unwrap_or(Ok(())));
    let passes = "data, property list, signature, and end lie one behind the other";
    checks.push(outcome(DMG_TRAILING_DATA, laid_out.err(), passes));
    checks.extend(checksum::judge(reader, &koly)?);
    let mut signatures = Vec::new();
    if let Some((place, bytes)) = signature {
        let judging = signature::Judging {
            place: "disk image".to_owned(),
            offset: 0,
            code_bytes: place.offset,
            is_executable: false,
            outside: &[REPRESENTATION],
            at,
            trust,
        };
        let mut signature = judging.report(reader, &bytes)?;
        let check = judge_end(&koly, place, &signature);
        signature.checks.extend(check);
        signatures.push(signature);
    }
    Ok(report(checks, signatures))
}

/// Nothing lies in the place of the signature behind the signature: nothing signs what would.
fn behind(place: &[u8]) -> Result<(), String> {
    let used = u32_at(place, 4).and_then(|bytes| usize::try_from(bytes).ok());
    match place.len().checked_sub(used.unwrap_or_default()) {
        None | Some(0) => Ok(()),
        Some(bytes) => Err(format!(
            "{bytes} bytes stand behind the signature in its place"
        )),
    }
}

/// Each code directory is about this end of the file. None where no code directory could be read, which has failed already.
fn judge_end(koly: &Koly, place: Place, signature: &SignatureReport) -> Option<Check> {
    let apple = signature.apple.as_ref()?;
    let end = koly.as_signed(place);
    let failure = apple.bound.iter().find_map(|bound| {
        let expected = bound.hash.hash(&[&end]);
        match &bound.representation {
            None => Some("the end of the image is not signed"),
            Some(found) if *found != expected => Some("the end of the image changed after signing"),
            Some(_) => None,
        }
    });
    let failure = failure.or_else(|| {
        let is_bound = !apple.bound.is_empty();
        (!is_bound).then_some("no code directory covers the end of the image")
    });
    Some(outcome(
        DMG_KOLY,
        failure,
        "the end of the image is as signed",
    ))
}

#[cfg(test)]
pub(crate) mod tests;
