//! Installer packages of macOS: xar archives, signed over their table of contents.
//!
//! A signature covers the checksum of the compressed table; the table has a checksum for each file in the heap. Apple's own
//! packages of 2026 still use SHA-1 for the table, so that is taken here (departs from what other formats get): whoever
//! wanted to profit from a collision would have to be the one who signs.
//! What is inside the files is looked at by `walk`.
//!
//! Source: the xar project's `include/xar.h` and its wiki page "xarformat"; the rest is from real packages.

mod contents;
pub(crate) mod files;
mod header;
mod heap;
mod signature;
mod trailer;

use std::io::{self, Read, Seek};

use release::Timestamp;
use thiserror::Error;

use crate::checks::{Check, PKG_PARSE, PKG_SIGNED, PKG_TOC_CHECKSUM};
use crate::digest::{DigestAlgorithm, hex};
use crate::inspection::{AppleReport, Inspection, Kind};
use crate::judging::outcome;
use crate::reading::read_at;
use crate::roots::Trust;
use crate::ticket::{self, Covered, Notarization};
use crate::xml::XmlError;

use contents::Contents;
use header::Table;

/// What is read of a package at most. Files are read in pieces.
pub(crate) struct Limits;

impl Limits {
    /// Bytes of the compressed table of contents. Real ones have some KiB.
    pub(crate) const TABLE_BYTES: u64 = 16 * 1024 * 1024;
    /// Bytes of the table of contents.
    pub(crate) const TABLE_BYTES_PLAIN: u64 = 64 * 1024 * 1024;
    /// Pieces in the heap: files, their attributes, checksum, and signatures.
    pub(crate) const PIECES: usize = 200_000;
    /// Bytes of a signature. Real ones have 9 KiB.
    pub(crate) const SIGNATURE_BYTES: u64 = 1024 * 1024;
    /// Certificates beside a signature.
    pub(crate) const CERTIFICATES: usize = 16;
    /// Bytes of a stapled ticket. Real ones have 2 KiB.
    pub(crate) const TICKET_BYTES: u64 = 4 * 1024 * 1024;
}

/// Why a file is no package that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum XarError {
    #[error("it does not begin as a xar archive does")]
    Magic,
    #[error("it ends inside its header or its table of contents")]
    Truncated,
    #[error("its header has a length, version, or kind of checksum that is not known")]
    Header,
    #[error("its table of contents is larger than what is read")]
    TableSize,
    #[error("its table of contents cannot be decompressed to the length that the header says")]
    Compression,
    #[error("its table of contents: {0}")]
    Xml(#[from] XmlError),
    #[error("its table of contents has no `{0}`, or one that cannot be read")]
    Missing(&'static str),
    #[error("its table of contents has a signature of a style that is not known")]
    Style,
    #[error("its table of contents names a file that leaves its folder, or two of one name")]
    Name,
    #[error("its table of contents has more than {max} pieces", max = Limits::PIECES)]
    TooMany,
    #[error("a piece in its table of contents has a checksum that is not accepted")]
    Checksum,
    #[error("its table of contents has something that is neither file, folder, nor link")]
    Type,
    #[error("a file in its heap is packed in a way that is not read")]
    Encoding,
    #[error("a file in its heap does not have the size that the table of contents says")]
    Size,
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
        |checks, signatures| Inspection::new(Kind::AppleInstaller, at, checks, signatures, trust);
    let failed = |error: XarError| vec![Check::fail(PKG_PARSE, error.to_string())];
    let table = match Table::read(reader)? {
        Ok(table) => table,
        Err(error) => return Ok(report(failed(error), Vec::new())),
    };
    let contents = match Contents::parse(&table.plain) {
        Ok(contents) => contents,
        Err(error) => return Ok(report(failed(error), Vec::new())),
    };
    let pieces = contents.pieces.len();
    let mut checks = vec![Check::pass(
        PKG_PARSE,
        format!("a xar archive of {pieces} pieces"),
    )];
    judge_presence(&contents, &mut checks);
    let digest = contents.checksum.hash.hash(&[&table.compressed]);
    checks.push(judge_checksum(reader, &table, &contents, &digest)?);
    let heap_bytes = heap::judge(reader, &table, &contents, &mut checks)?;
    let ticket = trailer::judge(reader, table.heap_at + heap_bytes, &mut checks)?;
    // Tickets know packages by SHA-1 of the compressed table, whatever its checksum is.
    let known = DigestAlgorithm::Sha1.hash(&[&table.compressed]);
    let is_signed = contents.rsa.is_some() || contents.cms.is_some();
    let notarization = match ticket.is_some() || is_signed {
        true => {
            let wanted = [Covered::Package(&known)];
            ticket::judge_notarization(ticket.as_deref(), &wanted, at, trust, &mut checks)
        }
        // Apple notarizes nothing that nobody signed.
        false => Notarization::default(),
    };
    let judging = signature::Judging {
        contents: &contents,
        digest: &digest,
        heap_at: table.heap_at,
        at,
        trust,
    };
    let mut signatures = Vec::new();
    if let Some(mut signature) = judging.report(reader)? {
        let apple = signature.apple.get_or_insert_with(AppleReport::default);
        apple.code_hashes = vec![hex(&known)];
        apple.take(notarization);
        signatures.push(signature);
    }
    Ok(report(checks, signatures))
}

fn judge_presence(contents: &Contents, checks: &mut Vec<Check>) {
    let is_signed = contents.rsa.is_some() || contents.cms.is_some();
    let failure = (!is_signed).then_some("the table of contents names no signature");
    checks.push(outcome(PKG_SIGNED, failure, "the package is signed"));
}

/// The checksum that lies in the heap is that of the table, so whoever looks at one of them looks at both.
fn judge_checksum(
    reader: &mut (impl Read + Seek),
    table: &Table,
    contents: &Contents,
    digest: &[u8],
) -> io::Result<Check> {
    let place = &contents.checksum;
    let offset = table.heap_at.saturating_add(place.offset);
    let stored = read_at(reader, offset, digest.len() as u64)?;
    let is_of_kind = table.checksum == Some(place.hash) && place.bytes == digest.len() as u64;
    let failure = match stored {
        _ if !is_of_kind => Some("the checksum is of another kind than the header says".to_owned()),
        Some(stored) if stored == digest => None,
        Some(stored) => Some(format!(
            "the table has the checksum {}, stored is {}",
            hex(digest),
            hex(&stored)
        )),
        None => Some("the checksum lies outside the file".to_owned()),
    };
    let algorithm = place.hash;
    let passes = format!("{algorithm} {}", hex(digest));
    Ok(outcome(PKG_TOC_CHECKSUM, failure, passes))
}

#[cfg(test)]
pub(crate) mod tests;
