//! Windows Installer packages (msi, msp, mst), which are OLE compound files ([MS-CFB]), and their Authenticode signatures.
//!
//! The signature stands in a stream of the root, and covers what streams hold, not the file. So what no stream holds is
//! signed by nobody: anything may follow the last sector, which is how a signed MSI became a signed JAR in 2019
//! (CVE-2020-1464). That fails, as it does on Windows since. Room between that is not in use is left there by honest
//! writers, signtool among them: a passing check counts in its reason what is in it.

mod chains;
mod compound;
pub(crate) mod contents;
mod digest;
mod directory;
mod limits;
mod names;
mod slack;
mod stream;
mod tables;

use std::io::{self, Read, Seek};

use release::Timestamp;

use crate::authenticode::{self, Container, Content};
use crate::checks::{CMS_PARSE, Check, Id, MSI_METADATA, MSI_PARSE, MSI_SIGNED, MSI_TRAILING_DATA};
use crate::cms::SignedData;
use crate::digest::hex;
use crate::inspection::{Inspection, Kind, SignatureReport};
use crate::roots::Trust;

use compound::{Compound, Place};
use limits::{CompoundError, LIMITS, Limits};
use slack::Unsigned;

/// Zeros that may follow a signature, to align it to 8 bytes, as in a PE image.
const PADDING_MAX: usize = 7;

/// Inspects a package: reads every stream once, in pieces of 512 KiB, and judges it at a time by what is trusted.
///
/// # Errors
/// Where the reader fails. A file that is wrong is no error but a verdict.
pub(crate) fn inspect(
    reader: &mut (impl Read + Seek),
    at: Timestamp,
    trust: &Trust,
) -> io::Result<Inspection> {
    let mut checks = Vec::new();
    let signatures = match judge(reader, LIMITS, at, trust, &mut checks) {
        Ok(signatures) => signatures,
        Err(CompoundError::Io(error)) => return Err(error),
        Err(error) => {
            checks.retain(|check| check.id != MSI_PARSE);
            checks.insert(0, fail(MSI_PARSE, error));
            Vec::new()
        }
    };
    Ok(Inspection::new(
        Kind::Authenticode,
        at,
        checks,
        signatures,
        trust,
    ))
}

fn fail(id: Id, reason: impl std::fmt::Display) -> Check {
    Check::fail(id, reason.to_string())
}

/// Structure, signature, metadata, contents, and what is behind them, in this order, as each needs the one before.
fn judge(
    reader: &mut (impl Read + Seek),
    limits: Limits,
    at: Timestamp,
    trust: &Trust,
    checks: &mut Vec<Check>,
) -> Result<Vec<SignatureReport>, CompoundError> {
    let mut compound = Compound::open(reader, limits)?;
    let root = directory::read(&mut compound, limits)?;
    checks.push(Check::pass(MSI_PARSE, "an OLE compound file"));
    let Some(place) = root.stream(digest::SIGNATURE) else {
        let reason = "the file has no stream `\\5DigitalSignature`";
        checks.push(Check::fail(MSI_SIGNED, reason));
        return Ok(Vec::new());
    };
    checks.push(Check::pass(MSI_SIGNED, "a stream holds a signature"));
    if place.bytes > limits.signature_bytes {
        let reason = format!("the signature has {} bytes, which none has", place.bytes);
        checks.push(fail(CMS_PARSE, reason));
        return Ok(Vec::new());
    }
    let signature = read_all(&mut compound, place)?;
    let (signed, used) = match SignedData::parse(&signature) {
        Ok(found) => found,
        Err(error) => {
            let reason = format!("the stream of the signature holds no PKCS #7: {error}");
            checks.push(fail(CMS_PARSE, reason));
            return Ok(Vec::new());
        }
    };
    let behind = signature.get(used..).unwrap_or_default();
    let found = [signed];
    let (algorithms, _) = authenticode::digests(&found);
    let metadata = match root.stream(digest::METADATA) {
        Some(place) if place.bytes <= limits.signature_bytes => {
            let stated = read_all(&mut compound, place)?;
            let metadata = algorithms.iter().map(|it| digest::metadata(&root, *it));
            let metadata: Vec<_> = metadata.collect();
            checks.push(metadata_check(&stated, &metadata));
            metadata
        }
        Some(_) => {
            checks.push(fail(MSI_METADATA, "the digest of the metadata is too long"));
            Vec::new()
        }
        None => {
            let reason = "the signature covers no metadata: it has no `\\5MsiDigitalSignatureEx`";
            checks.push(Check::pass(MSI_METADATA, reason));
            Vec::new()
        }
    };
    let whole = digest::whole(&mut compound, &root, &algorithms, &metadata)?;
    checks.push(trailing_check(behind, compound.unsigned()?));
    let content = Content {
        container: Container::Msi,
        whole,
        pages: Vec::new(),
    };
    Ok(authenticode::judge_all(&found, &content, at, trust))
}

/// A stream as a whole; its length was compared with a limit.
fn read_all(
    compound: &mut Compound<'_, impl Read + Seek>,
    place: Place,
) -> Result<Vec<u8>, CompoundError> {
    let mut found = Vec::new();
    compound.read(place, &mut |piece| found.extend_from_slice(piece))?;
    Ok(found)
}

/// What the package states must be the digest of its metadata by the algorithm of every signature.
fn metadata_check(stated: &[u8], found: &[Vec<u8>]) -> Check {
    let wrong = found.iter().find(|found| *found != stated);
    match (wrong, found.is_empty()) {
        (None, false) => Check::pass(MSI_METADATA, "the metadata have the signed digest"),
        (None, true) => Check::fail(MSI_METADATA, "no signature says by which digest"),
        (Some(wrong), _) => {
            let stated = hex(stated.get(..64).unwrap_or(stated));
            let found = hex(wrong);
            let reason = format!(
                "signed is {stated}, found {found}; names, sizes, times, or classes were changed after signing"
            );
            Check::fail(MSI_METADATA, reason)
        }
    }
}

fn trailing_check(behind: &[u8], unsigned: Unsigned) -> Check {
    let Unsigned { slack, trailing } = unsigned;
    if trailing > 0 {
        let reason = format!(
            "{trailing} bytes stand behind the last sector in use, where nothing is signed (CVE-2020-1464)"
        );
        return Check::fail(MSI_TRAILING_DATA, reason);
    }
    if behind.len() > PADDING_MAX || behind.iter().any(|byte| *byte != 0) {
        let bytes = behind.len();
        let reason = format!("{bytes} bytes stand behind the signature in its stream");
        return Check::fail(MSI_TRAILING_DATA, reason);
    }
    let end = "the file ends with its last sector in use";
    match slack {
        0 => Check::pass(MSI_TRAILING_DATA, end),
        slack => {
            let reason = format!(
                "{end}; in room that is not in use, {slack} bytes are not zero, and nobody signs them"
            );
            Check::pass(MSI_TRAILING_DATA, reason)
        }
    }
}

#[cfg(test)]
mod tests;
