//! The two signatures of a package: CMS with a timestamp, and bare RSA, both over the checksum of the table of contents.
//!
//! Both are judged where both are there, and must be by the same certificate: the timestamp of the one then says of both
//! when they were made.

use std::io::{self, Read, Seek};

use release::Timestamp;

use crate::apple;
use crate::checks::{
    CMS_DIGEST_ALGORITHM, CMS_MESSAGE_DIGEST, CMS_PARSE, CMS_SIGNATURE, Check, PKG_RSA_SIGNATURE,
};
use crate::cms::{BareDigest, SignedData, SignerInfo};
use crate::der::{Cursor, DerError};
use crate::digest::DigestAlgorithm;
use crate::inspection::{AppleReport, SignatureReport, TimestampReport};
use crate::judging::{self, outcome};
use crate::key::Scheme;
use crate::oid;
use crate::path::Weak;
use crate::reading::read_at;
use crate::roots::{Purpose, Trust};
use crate::timestamp::Stamp;
use crate::x509::Certificate;
use crate::xar::Limits;
use crate::xar::contents::{Contents, Signature};

/// What the signatures of a package are judged with.
pub(super) struct Judging<'a> {
    pub(super) contents: &'a Contents,
    /// The checksum of the table of contents.
    pub(super) digest: &'a [u8],
    pub(super) heap_at: u64,
    pub(super) at: Timestamp,
    pub(super) trust: &'a Trust,
}

impl Judging<'_> {
    /// Every check of both signatures; none where the package has neither.
    pub(super) fn report(
        &self,
        reader: &mut (impl Read + Seek),
    ) -> io::Result<Option<SignatureReport>> {
        let mut report = SignatureReport {
            place: "table of contents".to_owned(),
            digest: self.contents.checksum.hash.to_string(),
            signer: None,
            timestamps: Vec::new(),
            apple: None,
            checks: Vec::new(),
        };
        let rsa = match &self.contents.rsa {
            Some(rsa) => Some((rsa, self.read(reader, rsa)?)),
            None => None,
        };
        let cms = match &self.contents.cms {
            Some(cms) => self.read(reader, cms)?,
            None => None,
        };
        match (&self.contents.cms, cms) {
            (Some(_), Some(bytes)) => self.judge_cms(&bytes, rsa.as_ref(), &mut report),
            (Some(_), None) => {
                let reason =
                    "the CMS signature lies outside the file, or is larger than what is read";
                report.checks.push(Check::fail(CMS_PARSE, reason));
            }
            (None, _) => match &rsa {
                Some((place, bytes)) => self.judge_alone(place, bytes.as_deref(), &mut report),
                None => return Ok(None),
            },
        }
        Ok(Some(report))
    }

    fn read(
        &self,
        reader: &mut (impl Read + Seek),
        place: &Signature,
    ) -> io::Result<Option<Vec<u8>>> {
        if place.bytes > Limits::SIGNATURE_BYTES {
            return Ok(None);
        }
        read_at(
            reader,
            self.heap_at.saturating_add(place.offset),
            place.bytes,
        )
    }

    fn judge_cms(
        &self,
        bytes: &[u8],
        rsa: Option<&(&Signature, Option<Vec<u8>>)>,
        report: &mut SignatureReport,
    ) {
        let checks = &mut report.checks;
        let signed = match parse(bytes) {
            Ok(signed) => signed,
            Err(reason) => {
                checks.push(Check::fail(CMS_PARSE, reason));
                return;
            }
        };
        let ([signer], None, oid::DATA) = (
            signed.signers.as_slice(),
            &signed.content,
            signed.content_type,
        ) else {
            let reason = "expected one signer over a checksum outside of the CMS";
            checks.push(Check::fail(CMS_PARSE, reason));
            return;
        };
        checks.push(Check::pass(
            CMS_PARSE,
            "one signer over the table of contents",
        ));
        let common = self.common(&signed);
        common.judge_curves(checks);
        self.judge_content(&signed, signer, checks);
        // Until 2021 Apple's tools wrote no signed attributes, and the signature is over the checksum itself.
        let verified = match &signer.signed {
            Some(_) => signer.verify(&signed.certificates, BareDigest::Refused),
            None => signer.verify_content(self.digest, &signed.certificates),
        };
        let certificate = match verified {
            Ok(certificate) => certificate,
            Err(error) => {
                checks.push(Check::fail(CMS_SIGNATURE, error.to_string()));
                return;
            }
        };
        let reason = format!("signed with the key of {certificate}");
        checks.push(Check::pass(CMS_SIGNATURE, reason));
        if let Some((place, bytes)) = rsa {
            let first = place.certificates.first();
            let is_same = first.is_some_and(|first| first == certificate.raw);
            let judged = match (is_same, bytes) {
                (true, Some(bytes)) => self.verify_rsa(certificate, bytes),
                (true, None) => Err("it lies outside the file".to_owned()),
                (false, _) => Err("it is by another certificate than the CMS".to_owned()),
            };
            checks.push(rsa_check(judged));
        }
        let stamps = common.judge_timestamps(signer, checks);
        finish(&common, certificate, stamps, report);
    }

    /// The content is the checksum, which the signed attributes state the digest of.
    fn judge_content(
        &self,
        signed: &SignedData<'_>,
        signer: &SignerInfo<'_>,
        checks: &mut Vec<Check>,
    ) {
        let algorithm = match signer.digest {
            Ok(algorithm) if signed.announces(algorithm) => algorithm,
            _ => {
                let reason = "the signature names a digest algorithm that is not supported, or two";
                checks.push(Check::fail(CMS_DIGEST_ALGORITHM, reason));
                return;
            }
        };
        let throughout = format!("{algorithm} throughout");
        checks.push(Check::pass(CMS_DIGEST_ALGORITHM, throughout));
        if signer.signed.is_some() {
            let bound = signer.binds(oid::DATA, &algorithm.hash(&[self.digest]));
            let passes = "the signed attributes are about this table of contents";
            checks.push(outcome(CMS_MESSAGE_DIGEST, bound.err(), passes));
        }
    }

    /// A bare RSA signature and no CMS: there is no timestamp, so it ends with its certificate.
    fn judge_alone(&self, place: &Signature, bytes: Option<&[u8]>, report: &mut SignatureReport) {
        let parsed = place.certificates.iter().map(|it| Certificate::parse(it));
        let parsed: Result<Vec<_>, DerError> = parsed.collect();
        let signed = match parsed {
            Ok(certificates) => SignedData {
                digest_algorithms: Vec::new(),
                content_type: oid::DATA,
                content: None,
                certificates,
                signers: Vec::new(),
            },
            Err(error) => {
                let reason = format!("a certificate cannot be read: {error}");
                report.checks.push(Check::fail(PKG_RSA_SIGNATURE, reason));
                return;
            }
        };
        let Some(certificate) = signed.certificates.first() else {
            return;
        };
        let common = self.common(&signed);
        common.judge_curves(&mut report.checks);
        let bytes = bytes.ok_or_else(|| "it lies outside the file".to_owned());
        let judged = bytes.and_then(|bytes| self.verify_rsa(certificate, bytes));
        let holds = judged.is_ok();
        report.checks.push(rsa_check(judged));
        if holds {
            finish(&common, certificate, Vec::new(), report);
        }
    }

    fn common<'c>(&'c self, signed: &'c SignedData<'c>) -> judging::Judging<'c> {
        judging::Judging {
            signed,
            at: self.at,
            trust: self.trust,
            weak: Weak::OfApple,
            purpose: Purpose::AppleInstaller,
        }
    }

    /// The signature is over the checksum, or, in packages of before 2021, over the digest of the checksum: their tools
    /// hashed what was a hash already.
    fn verify_rsa(
        &self,
        certificate: &Certificate<'_>,
        bytes: &[u8],
    ) -> Result<&'static str, String> {
        let algorithm: DigestAlgorithm = self.contents.checksum.hash;
        let scheme = Scheme::RsaPkcs1(algorithm);
        let verify = |hash: &[u8]| certificate.key.verify(scheme, hash, bytes);
        match verify(self.digest) {
            Ok(()) => Ok("over the checksum of the table of contents"),
            Err(_) if verify(&algorithm.hash(&[self.digest])).is_ok() => {
                Ok("over the digest of the checksum of the table of contents, as old tools made it")
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

fn rsa_check(judged: Result<&'static str, String>) -> Check {
    match judged {
        Ok(reason) => Check::pass(PKG_RSA_SIGNATURE, reason),
        Err(reason) => Check::fail(PKG_RSA_SIGNATURE, reason),
    }
}

/// The place of a CMS signature is larger than it, and filled up with zeros.
fn parse(bytes: &[u8]) -> Result<SignedData<'_>, String> {
    let (signed, used) = SignedData::parse(bytes)
        .map_err(|error| format!("the CMS signature cannot be read: {error}"))?;
    // No cursor may have stopped short of what it was given.
    let behind = Cursor::new(bytes.get(used..).unwrap_or_default());
    if behind.rest().iter().any(|byte| *byte != 0) {
        return Err("something stands behind the CMS signature".to_owned());
    }
    Ok(signed)
}

fn finish<'c>(
    common: &judging::Judging<'c>,
    certificate: &'c Certificate<'c>,
    stamps: Vec<Stamp>,
    report: &mut SignatureReport,
) {
    let path = common.judge_path(certificate, &stamps, &mut report.checks);
    report.apple = Some(AppleReport {
        certificate: path.as_ref().and_then(apple::certificate_kind),
        ..AppleReport::default()
    });
    report.signer = Some(common.signer_report(certificate, path.as_ref()));
    report.timestamps = stamps.into_iter().map(TimestampReport::from).collect();
}
