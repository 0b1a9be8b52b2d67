//! Cabinets ([MS-CAB]) and their Authenticode signatures.
//!
//! The signature stands behind the cabinet, and its place in what the header reserves. A cabinet of a set is signed on
//! its own, so it is judged on its own: the others are not looked at.

pub(crate) mod contents;
mod folder;
mod header;
mod lzx;
mod unpacking;

use std::io::{self, Read, Seek};

use release::Timestamp;

use crate::authenticode::{self, Container, Content};
use crate::checks::{CAB_PARSE, CAB_SIGNED, CAB_TRAILING_DATA, CMS_PARSE, Check, Id};
use crate::cms::SignedData;
use crate::digest::{DigestAlgorithm, Hasher};
use crate::inspection::{Inspection, Kind, SignatureReport};
use crate::roots::Trust;

use header::{CabError, Cabinet, read_at};

/// Bytes read at a time.
const CHUNK_BYTES: u64 = 512 * 1024;
/// Zeros that may follow a signature, to align it to 8 bytes, as in a PE image.
const PADDING_MAX: usize = 7;

/// Inspects a cabinet: reads it once, in pieces of 512 KiB, and judges it at a time by what is trusted.
///
/// # Errors
/// Where the reader fails. A file that is wrong is no error but a verdict.
pub(crate) fn inspect(
    reader: &mut (impl Read + Seek),
    at: Timestamp,
    trust: &Trust,
) -> io::Result<Inspection> {
    let mut checks = Vec::new();
    let signatures = match judge(reader, at, trust, &mut checks) {
        Ok(signatures) => signatures,
        Err(CabError::Io(error)) => return Err(error),
        Err(error) => {
            checks.retain(|check| check.id != CAB_PARSE);
            checks.insert(0, fail(CAB_PARSE, error));
            Vec::new()
        }
    };
    let kind = Kind::Authenticode;
    Ok(Inspection::new(kind, at, checks, signatures, trust))
}

fn fail(id: Id, reason: impl std::fmt::Display) -> Check {
    Check::fail(id, reason.to_string())
}

fn judge(
    reader: &mut (impl Read + Seek),
    at: Timestamp,
    trust: &Trust,
    checks: &mut Vec<Check>,
) -> Result<Vec<SignatureReport>, CabError> {
    let cabinet = Cabinet::read(reader)?;
    let what = match cabinet.part {
        None => "a cabinet".to_owned(),
        Some(part) => format!(
            "cabinet {} of a set, judged on its own",
            u32::from(part) + 1
        ),
    };
    checks.push(Check::pass(CAB_PARSE, what));
    let Some(place) = &cabinet.signature else {
        let reason = "the header reserves no place for a signature";
        checks.push(Check::fail(CAB_SIGNED, reason));
        return Ok(Vec::new());
    };
    checks.push(Check::pass(
        CAB_SIGNED,
        "a signature stands behind the cabinet",
    ));
    // At most SIGNATURE_BYTES_MAX.
    let mut signature = vec![0; usize::try_from(place.end - place.start).unwrap_or(0)];
    read_at(reader, place.start, &mut signature)?;
    let (signed, used) = match SignedData::parse(&signature) {
        Ok(found) => found,
        Err(error) => {
            let reason = format!("behind the cabinet stands no PKCS #7: {error}");
            checks.push(fail(CMS_PARSE, reason));
            return Ok(Vec::new());
        }
    };
    let behind = signature.get(used..).unwrap_or_default();
    checks.push(trailing_check(behind, cabinet.size - place.end));
    let found = [signed];
    let (algorithms, _) = authenticode::digests(&found);
    let content = Content {
        container: Container::Cab,
        whole: whole(reader, &cabinet, &algorithms)?,
        pages: Vec::new(),
    };
    Ok(authenticode::judge_all(&found, &content, at, trust))
}

/// The digest of the cabinet by each algorithm.
fn whole(
    reader: &mut (impl Read + Seek),
    cabinet: &Cabinet,
    algorithms: &[DigestAlgorithm],
) -> Result<Vec<(DigestAlgorithm, Vec<u8>)>, CabError> {
    let mut hashers: Vec<_> = algorithms.iter().copied().map(Hasher::new).collect();
    let mut buffer = Vec::new();
    for range in &cabinet.covered {
        let mut at = range.start;
        while at < range.end {
            let bytes = (range.end - at).min(CHUNK_BYTES);
            buffer.resize(usize::try_from(bytes).unwrap_or(0), 0);
            read_at(reader, at, &mut buffer)?;
            hashers.iter_mut().for_each(|hasher| hasher.update(&buffer));
            at += bytes;
        }
    }
    let found = algorithms.iter().copied().zip(hashers);
    Ok(found.map(|(it, hasher)| (it, hasher.finish())).collect())
}

fn trailing_check(behind: &[u8], trailing: u64) -> Check {
    let foreign = behind.len() > PADDING_MAX || behind.iter().any(|byte| *byte != 0);
    let bytes = match (trailing, foreign) {
        (0, false) => {
            let reason = "the file ends with its signature";
            return Check::pass(CAB_TRAILING_DATA, reason);
        }
        (trailing, true) => trailing + behind.len() as u64,
        (trailing, false) => trailing,
    };
    let reason = format!("{bytes} bytes stand behind the signature, where nothing is signed");
    Check::fail(CAB_TRAILING_DATA, reason)
}

#[cfg(test)]
pub(crate) mod tests;
