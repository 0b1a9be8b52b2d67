//! The signature of a package, and whose it is.

use std::io;

use crate::authenticode::{self, Container, Content};
use crate::checks::{
    CMS_PARSE, Check, MSIX_DIGEST, MSIX_PUBLISHER, MSIX_SIGNATURE_LAST, MSIX_SIGNED,
};
use crate::cms::{BareDigest, SignedData};
use crate::judging::outcome;
use crate::msix::parts::Parts;
use crate::msix::{Found, Judge, Limits, SIGNATURE, digest, publisher};
use crate::packages::Source;
use crate::zip::{Archive, Entry};

/// What stands before the PKCS #7.
const MAGIC: &[u8] = b"PKCX";
/// Headers of the signature without comments and with no extra field but one of lengths (APPNOTE.TXT 4.3.7, 4.3.12, 4.5.3).
const HEADER_BYTES_MAX: u64 = 30 + SIGNATURE.len() as u64 + 20;
const RECORD_BYTES_MAX: u64 = 46 + SIGNATURE.len() as u64 + 28;

/// Judges the signature: where it stands, what it covers, and whether its signer is the publisher.
pub(super) fn judge(
    judge: Judge<'_>,
    source: &mut Source<'_>,
    parts: &Parts<'_>,
    container: Container,
    publisher: Option<String>,
    found: &mut Found,
) -> io::Result<()> {
    let Some(entry) = parts.get(SIGNATURE) else {
        let reason = format!("there is no `{SIGNATURE}`");
        found.checks.push(Check::fail(MSIX_SIGNED, reason));
        return Ok(());
    };
    let reason = "the package is signed";
    found.checks.push(Check::pass(MSIX_SIGNED, reason));
    let misplaced = misplaced(parts.archive, entry);
    let passes = "the signature is the last part";
    found
        .checks
        .push(outcome(MSIX_SIGNATURE_LAST, misplaced, passes));
    let bytes = source.whole(entry, Limits::SIGNATURE_BYTES)?;
    let signed = bytes.as_ref().map_err(Clone::clone);
    let signed = signed.and_then(|bytes| parse(bytes));
    let signed = match signed {
        Ok(signed) => [signed],
        Err(reason) => {
            let reason = format!("`{SIGNATURE}`: {reason}");
            found.checks.push(Check::fail(CMS_PARSE, reason));
            return Ok(());
        }
    };
    let (algorithms, _) = authenticode::digests(&signed);
    let mut whole = Vec::new();
    for algorithm in algorithms {
        match digest::of(source, parts, entry, algorithm)? {
            Ok(list) => whole.push((algorithm, list)),
            Err(reason) => found.checks.push(Check::fail(MSIX_DIGEST, reason)),
        }
    }
    let content = Content {
        container,
        whole,
        pages: Vec::new(),
    };
    let reports = authenticode::judge_all(&signed, &content, judge.at, judge.trust);
    found.signatures.extend(reports);
    if let (Some(publisher), [signed]) = (publisher, &signed) {
        found.checks.extend(publisher_check(&publisher, signed));
    }
    Ok(())
}

/// Nothing of the signature's own headers is signed, so nothing may stand in them.
fn misplaced(archive: &Archive, entry: &Entry) -> Option<&'static str> {
    let is_last = archive.entries.last() == Some(entry);
    let header_bytes = entry.data_at.saturating_sub(entry.span.start);
    let record_bytes = entry.record.end.saturating_sub(entry.record.start);
    if !is_last {
        Some("something stands behind the signature, which covers only what is before it")
    } else if header_bytes > HEADER_BYTES_MAX || record_bytes > RECORD_BYTES_MAX {
        Some("the headers of the signature hold something else, where nothing is signed")
    } else {
        None
    }
}

fn parse(bytes: &[u8]) -> Result<SignedData<'_>, String> {
    let Some(bytes) = bytes.strip_prefix(MAGIC) else {
        return Err("it does not begin as the signature of a package does".to_owned());
    };
    match SignedData::parse(bytes) {
        Ok((signed, used)) if used == bytes.len() => Ok(signed),
        Ok(_) => Err("bytes stand behind the PKCS #7".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The certificate whose key made the signature is the publisher's. None where no key did, which fails by itself.
fn publisher_check(publisher: &str, signed: &SignedData<'_>) -> Option<Check> {
    let signer = signed.signers.first()?;
    let verified = signer.verify(&signed.certificates, BareDigest::Refused);
    let certificate = verified.ok()?;
    let failure = publisher::mismatch(publisher, certificate.subject);
    let passes = "the publisher in the manifest is the subject of the certificate";
    Some(outcome(MSIX_PUBLISHER, failure, passes))
}
