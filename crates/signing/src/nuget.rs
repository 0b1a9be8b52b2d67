//! NuGet packages, and the signatures of their authors and of repositories.
//!
//! A package holds one signature, which covers the archive without it: by its author, which a repository may countersign, or
//! by a repository. NuGet's own lists of roots are not compiled in: what Microsoft's root program trusts for code signing is
//! trusted here, as NuGet does on Windows, and what the caller adds.
//!
//! Source: NuGet documentation, "Package signatures technical specification" (repository NuGet/Home, wiki).

mod content;
mod countersignature;
mod signature;

use std::io;

use release::Timestamp;

use crate::checks::{
    CMS_PARSE, Check, NUGET_DIGEST, NUGET_PARSE, NUGET_SIGNATURE_ENTRY, NUGET_SIGNED,
};
use crate::cms::SignedData;
use crate::digest::{DigestAlgorithm, Hasher};
use crate::inspection::{Inspection, Kind, SignatureReport};
use crate::judging::outcome;
use crate::packages::{self, Source};
use crate::reading::{pass, read_at};
use crate::roots::Trust;
use crate::verify::Bytes;
use crate::zip::{Archive, Entry, Method, end_without};

/// The part that is the signature.
pub(crate) const SIGNATURE: &str = ".signature.p7s";
/// The largest signature that is read. Real ones have 10 KiB, and twice that with a countersignature.
const SIGNATURE_BYTES_MAX: u64 = 1024 * 1024;
/// How the end record of an archive begins that needs no other.
const END: &[u8] = b"PK\x05\x06";

/// Whether a name in an archive is one that only packages of NuGet have.
pub(crate) fn is_mark(name: &str) -> bool {
    let is_description = || {
        let (_, extension) = name.rsplit_once('.').unwrap_or_default();
        !name.contains('/') && extension.eq_ignore_ascii_case("nuspec")
    };
    name.eq_ignore_ascii_case(SIGNATURE) || is_description()
}

/// Inspects a package, and judges it at a time by what is trusted.
///
/// # Errors
/// Where the reader fails. A package that is wrong is no error but a verdict.
pub(crate) fn inspect(
    archive: &Archive,
    bytes: &mut dyn Bytes,
    at: Timestamp,
    trust: &Trust,
) -> io::Result<Inspection> {
    let mut checks = Vec::new();
    let signatures = packages::look(bytes, |source| {
        judge(source, archive, at, trust, &mut checks)
    })?;
    Ok(Inspection::new(Kind::NuGet, at, checks, signatures, trust))
}

fn judge(
    source: &mut Source<'_>,
    archive: &Archive,
    at: Timestamp,
    trust: &Trust,
    checks: &mut Vec<Check>,
) -> io::Result<Vec<SignatureReport>> {
    // NuGet unpacks on systems that see no difference between upper and lower case.
    let mut signatures = archive
        .entries
        .iter()
        .filter(|entry| entry.path.eq_ignore_ascii_case(SIGNATURE));
    let entry = match (signatures.next(), signatures.next()) {
        (None, _) => None,
        (Some(entry), None) if entry.path == SIGNATURE => Some(entry),
        _ => {
            let reason = format!("there is more than one `{SIGNATURE}`, or one spelled otherwise");
            checks.push(Check::fail(NUGET_PARSE, reason));
            return Ok(Vec::new());
        }
    };
    let reason = format!("a package of {} parts", archive.entries.len());
    checks.push(Check::pass(NUGET_PARSE, reason));
    let Some(entry) = entry else {
        let reason = format!("there is no `{SIGNATURE}`");
        checks.push(Check::fail(NUGET_SIGNED, reason));
        return Ok(Vec::new());
    };
    checks.push(Check::pass(NUGET_SIGNED, "the package is signed"));
    let failure = misplaced(source, archive, entry)?;
    let passes = "the signature is stored, and its headers hold nothing else";
    checks.push(outcome(NUGET_SIGNATURE_ENTRY, failure, passes));
    let bytes = source.whole(entry, SIGNATURE_BYTES_MAX)?;
    let parsed = bytes.as_ref().map_err(Clone::clone);
    let signed = match parsed.and_then(|bytes| parse(bytes)) {
        Ok(signed) => signed,
        Err(reason) => {
            let reason = format!("`{SIGNATURE}`: {reason}");
            checks.push(Check::fail(CMS_PARSE, reason));
            return Ok(Vec::new());
        }
    };
    let judging = signature::Judging {
        signed: &signed,
        at,
        trust,
    };
    let stated = content::parse(signed.content.as_deref().unwrap_or_default());
    if let Ok(stated) = &stated {
        let failure = match digest(source, archive, entry, stated.algorithm)? {
            Some(found) => stated.difference(&found),
            None => Some("the directory cannot be counted anew without the signature".to_owned()),
        };
        let passes = "the package has the signed digest";
        checks.push(outcome(NUGET_DIGEST, failure, passes));
    }
    Ok(judging.reports(stated.err()))
}

/// Nothing of the signature's own headers is signed, so nothing may stand in them. Large archives NuGet does not sign.
fn misplaced(
    source: &mut Source<'_>,
    archive: &Archive,
    entry: &Entry,
) -> io::Result<Option<&'static str>> {
    let name_bytes = SIGNATURE.len() as u64;
    let header_bytes = entry.data_at.saturating_sub(entry.span.start);
    let record_bytes = entry.record.end.saturating_sub(entry.record.start);
    let descriptor_bytes = entry.span.end.saturating_sub(entry.data_at + entry.packed);
    let mut bytes = &mut *source.bytes;
    let end = read_at(&mut bytes, archive.directory.end, END.len() as u64)?;
    Ok(if entry.method != Method::Stored {
        Some("the signature is not stored as it is")
    } else if header_bytes != 30 + name_bytes || record_bytes != 46 + name_bytes {
        Some("the headers of the signature hold something else, where nothing is signed")
    } else if descriptor_bytes != 0 {
        Some("the lengths of the signature follow it, where nothing is signed")
    } else if end.as_deref() != Some(END) {
        Some("the archive has the end records of a large one, which NuGet does not sign")
    } else {
        None
    })
}

fn parse(bytes: &[u8]) -> Result<SignedData<'_>, String> {
    match SignedData::parse(bytes) {
        Ok((signed, used)) if used == bytes.len() => Ok(signed),
        Ok(_) => Err("bytes stand behind the CMS".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The digest of the package as it was before the signature was put into it.
fn digest(
    source: &mut Source<'_>,
    archive: &Archive,
    signature: &Entry,
    algorithm: DigestAlgorithm,
) -> io::Result<Option<Vec<u8>>> {
    let mut hasher = Hasher::new(algorithm);
    let mut bytes = &mut *source.bytes;
    // Entries lie one behind the other, so what is left without one are two pieces.
    let files = archive.directory.start;
    for (start, end) in [(0, signature.span.start), (signature.span.end, files)] {
        pass(&mut bytes, start, end, |piece| hasher.update(piece))?;
    }
    let update = |piece: &[u8]| hasher.update(piece);
    let is_whole = end_without(&mut bytes, archive, signature, update)?;
    Ok(is_whole.then(|| hasher.finish()))
}

#[cfg(test)]
mod tests;
