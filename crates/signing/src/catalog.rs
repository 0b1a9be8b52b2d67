//! Security catalogs (`.cat`): signed lists of files, by which Windows trusts drivers and scripts without signatures.
//!
//! A catalog lists flat files by the digest of their bytes, and programs by their Authenticode digest. SHA-1 is taken in the
//! list (departs from what signatures get): to profit from a collision one would have to be who signs. Files of other
//! formats that are listed by digests of their own are not found.
//!
//! Source: RFC 5652 for the outside; the list is a certificate trust list of Microsoft's (`CTL_INFO` of wincrypt.h), as real
//! catalogs have it.

mod list;

use std::io::{self, SeekFrom};

use release::Timestamp;

use crate::checks::{CAT_MEMBER, CAT_PARSE, CAT_SIGNED, CMS_MESSAGE_DIGEST, CMS_PARSE, Check};
use crate::cms::SignedData;
use crate::digest::{DigestAlgorithm, Hasher};
use crate::format::Format;
use crate::inspection::{Inspection, Kind, SignatureReport, format_of};
use crate::judging::{Countersignatures, Judging, outcome};
use crate::oid;
use crate::path::Weak;
use crate::pe::{Image, Stream};
use crate::reading::{pass, read_at};
use crate::roots::{Purpose, Trust};
use crate::verify::Bytes;

use list::{Listed, Subject};

/// The largest catalog that is read, in bytes. That of a large driver package has some MB.
const CATALOG_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Where the type of the content stands in a CMS, with a few digest algorithms before it.
const HEAD_BYTES: u64 = 128;

/// A file that a catalog may list.
struct Member {
    subject: Subject,
    digests: Vec<(DigestAlgorithm, Vec<u8>)>,
}

/// Inspects a catalog, and judges it at a time by what is trusted. None where the file is no catalog.
///
/// # Errors
/// Where the reader fails. A file that is wrong is no error but a verdict.
pub(crate) fn inspect(
    bytes: &mut dyn Bytes,
    at: Timestamp,
    trust: &Trust,
) -> io::Result<Option<Inspection>> {
    judge(bytes, None, at, trust)
}

/// Inspects a file by a catalog that may list it: the verdict is `valid` where the catalog is, and lists it. None where the
/// catalog is none.
///
/// # Errors
/// Where a reader fails. A file that is wrong is no error but a verdict.
pub fn inspect_member(
    catalog: &mut dyn Bytes,
    member: &mut dyn Bytes,
    at: Timestamp,
    trust: &Trust,
) -> io::Result<Option<Inspection>> {
    let member = Member::read(member)?;
    judge(catalog, Some(&member), at, trust)
}

fn judge(
    mut bytes: &mut dyn Bytes,
    member: Option<&Member>,
    at: Timestamp,
    trust: &Trust,
) -> io::Result<Option<Inspection>> {
    let size = bytes.seek(SeekFrom::End(0))?;
    let head = read_at(&mut bytes, 0, size.min(HEAD_BYTES))?;
    if !is_catalog(&head.unwrap_or_default()) {
        return Ok(None);
    }
    let mut checks = Vec::new();
    let mut signatures = Vec::new();
    if size > CATALOG_BYTES_MAX {
        let reason = format!("it has more than {CATALOG_BYTES_MAX} bytes");
        checks.push(Check::fail(CAT_PARSE, reason));
    } else {
        let whole = read_at(&mut bytes, 0, size)?.unwrap_or_default();
        let report = judge_bytes(&whole, member, at, trust, &mut checks);
        signatures.extend(report);
    }
    let kind = Kind::Authenticode;
    let found = Inspection::new(kind, at, checks, signatures, trust);
    Ok(Some(found))
}

/// Whether a file begins as a CMS over a trust list does. What exactly it is shows when it is read.
fn is_catalog(head: &[u8]) -> bool {
    let has = |oid: oid::Oid<'_>| {
        let mut windows = head.windows(oid.0.len());
        windows.any(|window| window == oid.0)
    };
    head.first() == Some(&0x30) && has(oid::SIGNED_DATA) && has(oid::TRUST_LIST)
}

fn judge_bytes(
    bytes: &[u8],
    member: Option<&Member>,
    at: Timestamp,
    trust: &Trust,
    checks: &mut Vec<Check>,
) -> Option<SignatureReport> {
    let signed = match parse(bytes) {
        Ok(signed) => signed,
        Err(reason) => {
            checks.push(Check::fail(CAT_PARSE, reason));
            return None;
        }
    };
    let listed = match list::parse(signed.content.as_deref().unwrap_or_default()) {
        Ok(listed) => listed,
        Err(error) => {
            checks.push(Check::fail(CAT_PARSE, error.to_string()));
            return None;
        }
    };
    let reason = format!("a catalog of {} digests", listed.len());
    checks.push(Check::pass(CAT_PARSE, reason));
    if let Some(member) = member {
        let failure = (!member.is_in(&listed)).then_some("the catalog does not list the file");
        let passes = "the catalog lists the file";
        checks.push(outcome(CAT_MEMBER, failure, passes));
    }
    if signed.signers.is_empty() {
        let reason = "nobody signed the catalog";
        checks.push(Check::fail(CAT_SIGNED, reason));
        return None;
    }
    checks.push(Check::pass(CAT_SIGNED, "the catalog is signed"));
    Some(signature(&signed, at, trust))
}

fn parse(bytes: &[u8]) -> Result<SignedData<'_>, String> {
    match SignedData::parse(bytes) {
        Ok((_, used)) if used != bytes.len() => Err("bytes stand behind the catalog".to_owned()),
        Ok((signed, _)) if signed.content_type != oid::TRUST_LIST => {
            Err(format!("the content is of type {}", signed.content_type))
        }
        Ok((signed, _)) => Ok(signed),
        Err(error) => Err(error.to_string()),
    }
}

fn signature(signed: &SignedData<'_>, at: Timestamp, trust: &Trust) -> SignatureReport {
    let mut report = SignatureReport {
        place: "signature".to_owned(),
        digest: "unknown".to_owned(),
        signer: None,
        timestamps: Vec::new(),
        apple: None,
        checks: Vec::new(),
    };
    let [signer] = signed.signers.as_slice() else {
        let count = signed.signers.len();
        let reason = format!("the signature has {count} signers, expected one");
        report.checks.push(Check::fail(CMS_PARSE, reason));
        return report;
    };
    let reason = "one signer over a trust list";
    report.checks.push(Check::pass(CMS_PARSE, reason));
    let bound = signer.digest().and_then(|digest| {
        let content = signed.content.as_deref().unwrap_or_default();
        signer.binds(oid::TRUST_LIST, &digest.hash(&[content]))
    });
    let passes = "the signed attributes are about this list";
    report
        .checks
        .push(outcome(CMS_MESSAGE_DIGEST, bound.err(), passes));
    let judging = Judging {
        signed,
        at,
        trust,
        weak: Weak::Refused,
        purpose: Purpose::CodeSigning,
    };
    judging.judge_signer(signer, Countersignatures::AreTimestamps, &mut report);
    report
}

impl Member {
    /// By every algorithm that lists are made with.
    fn read(mut bytes: &mut dyn Bytes) -> io::Result<Self> {
        const ALGORITHMS: [DigestAlgorithm; 2] = [DigestAlgorithm::Sha1, DigestAlgorithm::Sha256];
        let size = bytes.seek(SeekFrom::End(0))?;
        if format_of(bytes)? == Format::Pe
            && let Some(member) = image(bytes, size, &ALGORITHMS)?
        {
            return Ok(member);
        }
        let mut hashers = ALGORITHMS.map(Hasher::new);
        pass(&mut bytes, 0, size, |piece| {
            hashers.iter_mut().for_each(|hasher| hasher.update(piece));
        })?;
        let digests = ALGORITHMS.into_iter().zip(hashers);
        Ok(Self {
            subject: Subject::Flat,
            digests: digests.map(|(it, hasher)| (it, hasher.finish())).collect(),
        })
    }

    fn is_in(&self, listed: &[Listed<'_>]) -> bool {
        let is_this = |listed: &Listed<'_>| {
            let mut digests = self.digests.iter();
            listed.subject == self.subject
                && digests.any(|(it, hash)| *it == listed.digest && hash == listed.hash)
        };
        listed.iter().any(is_this)
    }
}

/// A program by its Authenticode digests. None where it is none that can be read.
fn image(
    mut bytes: &mut dyn Bytes,
    size: u64,
    algorithms: &[DigestAlgorithm],
) -> io::Result<Option<Member>> {
    let Ok(image) = Image::read(&mut bytes)? else {
        return Ok(None);
    };
    let table = match image.table {
        None => Vec::new(),
        Some(place) => match image.read_table(&mut bytes, place)? {
            Ok(table) => table,
            Err(_) => return Ok(None),
        },
    };
    let mut stream = Stream::new(&image, &table, algorithms, &[]);
    pass(&mut bytes, 0, size, |piece| stream.update(piece))?;
    let digests = stream.finish();
    Ok((!digests.has_changed).then_some(Member {
        subject: Subject::Image,
        digests: digests.whole,
    }))
}

#[cfg(test)]
mod tests;
