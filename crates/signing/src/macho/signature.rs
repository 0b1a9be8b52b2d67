//! One signature, judged: code directories, pages, slots, the CMS over them, and the ticket.
//!
//! It is that of a slice, or that of a disk image: what is signed differs, how it is signed does not.

use std::io::{self, Read, Seek};
use std::sync::Arc;

use release::Timestamp;
use release::name::printable;

use crate::apple;
use crate::checks::{
    APPLE_AD_HOC, APPLE_CMS_BINDING, APPLE_ENTITLEMENTS, CMS_PARSE, CMS_SIGNATURE, CMS_WEAK_DIGEST,
    Check, MACHO_CODE_DIRECTORY, MACHO_PAGE_HASHES, MACHO_SPECIAL_SLOTS, MACHO_SUPER_BLOB,
};
use crate::cms::{BareDigest, SignedData, SignerInfo};
use crate::digest::{DigestAlgorithm, hex};
use crate::inspection::{AppleReport, Bound, SignatureReport, TimestampReport};
use crate::judging::{self, outcome};
use crate::macho::code_directory::CodeDirectory;
use crate::macho::super_blob::{Slot, SuperBlob};
use crate::macho::{binding, entitlements, pages, slots};
use crate::oid;
use crate::path::{Path, Weak, YEAR_2016};
use crate::requirement::Code;
use crate::roots::{LegacyDigests, Origin, Purpose, Trust};
use crate::ticket::{self, Covered, Notarization};

/// The largest entitlements that are kept for requirements to look at, in bytes. Real ones have up to 5,000.
const ENTITLEMENTS_BYTES_MAX: usize = 64 * 1024;

/// What a signature is judged with.
pub(crate) struct Judging<'a> {
    /// What the report calls it.
    pub(crate) place: String,
    /// Where the code that is signed begins in the file.
    pub(crate) offset: u64,
    /// How many bytes of code stand before the signature: all of them must be covered.
    pub(crate) code_bytes: u64,
    /// Whether it is a program that is started.
    pub(crate) is_executable: bool,
    /// The special slots whose content does not lie in the signature.
    pub(crate) outside: &'a [u32],
    pub(crate) at: Timestamp,
    pub(crate) trust: &'a Trust,
}

impl Judging<'_> {
    /// Every check that can be made, in the order in which one rests on the other. `place` is what is reserved for it.
    pub(crate) fn report(
        &self,
        reader: &mut (impl Read + Seek),
        place: &[u8],
    ) -> io::Result<SignatureReport> {
        let mut report = SignatureReport {
            place: self.place.clone(),
            digest: "unknown".to_owned(),
            signer: None,
            timestamps: Vec::new(),
            apple: None,
            checks: Vec::new(),
        };
        let signature = match SuperBlob::parse(place) {
            Ok(signature) => signature,
            Err(error) => {
                report
                    .checks
                    .push(Check::fail(MACHO_SUPER_BLOB, error.to_string()));
                return Ok(report);
            }
        };
        report
            .checks
            .push(Check::pass(MACHO_SUPER_BLOB, laid_out(&signature)));
        let directories = match self.directories(&signature) {
            Ok(directories) => directories,
            Err(reason) => {
                report
                    .checks
                    .push(Check::fail(MACHO_CODE_DIRECTORY, reason));
                return Ok(report);
            }
        };
        let Some(primary) = directories.first() else {
            return Ok(report);
        };
        let reason = "covers everything before the signature, and each alternate says the same";
        report
            .checks
            .push(Check::pass(MACHO_CODE_DIRECTORY, reason));
        report.digest = digests(&directories);
        report.checks.push(self.judge_pages(reader, &directories)?);
        report
            .checks
            .push(match slots::judge(&signature, &directories, self.outside) {
                Ok(reason) => Check::pass(MACHO_SPECIAL_SLOTS, reason),
                Err(reason) => Check::fail(MACHO_SPECIAL_SLOTS, reason),
            });
        let entitlements = entitlements::read(&signature);
        let failure = entitlements.as_ref().err();
        report
            .checks
            .push(outcome(APPLE_ENTITLEMENTS, failure, "can be read"));
        let entitlements = entitlements.unwrap_or_default();
        let shown = String::from_utf8_lossy(primary.identifier);
        let hashes = directories.iter().map(CodeDirectory::code_hash);
        let mut apple = AppleReport {
            identifier: Some(printable(&shown)),
            code_hashes: hashes.map(|hash| hex(&hash)).collect(),
            is_executable: self.is_executable,
            hardened_runtime: primary.has_hardened_runtime(),
            debuggable: entitlements.debuggable,
            entitlements: entitlements.keys,
            bound: directories.iter().map(bound).collect(),
            ..AppleReport::default()
        };
        let mut code = code(&signature, &directories);
        self.judge_cms(
            &signature,
            &directories,
            (&mut apple, &mut code),
            &mut report,
        );
        apple.code = Arc::new(code);
        let notarization = self.judge_ticket(&signature, &directories, &mut report);
        apple.take(notarization);
        report.apple = Some(apple);
        Ok(report)
    }

    /// All code directories, each about all of the code, and none saying anything else than the first.
    fn directories<'a>(&self, signature: &SuperBlob<'a>) -> Result<Vec<CodeDirectory<'a>>, String> {
        let mut directories: Vec<CodeDirectory<'a>> = Vec::new();
        for blob in signature.all(Slot::CodeDirectory) {
            let directory = CodeDirectory::parse(blob.raw).map_err(|error| error.to_string())?;
            if directory.code_bytes != self.code_bytes {
                return Err(format!(
                    "a code directory covers {} bytes, expected {}, which is where the signature begins",
                    directory.code_bytes, self.code_bytes
                ));
            }
            if let Some(primary) = directories.first() {
                if !primary.agrees_with(&directory) {
                    return Err("two code directories say different things of the code".to_owned());
                }
                if directories.iter().any(|it| it.hash == directory.hash) {
                    return Err("two code directories have digests of the same kind".to_owned());
                }
            }
            directories.push(directory);
        }
        Ok(directories)
    }

    fn judge_pages(
        &self,
        reader: &mut (impl Read + Seek),
        directories: &[CodeDirectory<'_>],
    ) -> io::Result<Check> {
        let found = pages::wrong(reader, self.offset, self.code_bytes, directories)?;
        let failure = match found {
            None => Some("the file changed while it was read".to_owned()),
            Some(wrong) => wrong
                .into_iter()
                .find(|pages| !pages.is_empty())
                .map(|pages| {
                    let pages: Vec<_> = pages.iter().map(u64::to_string).collect();
                    format!(
                        "changed after signing in these pages, the first few: {}",
                        pages.join(", ")
                    )
                }),
        };
        Ok(outcome(
            MACHO_PAGE_HASHES,
            failure,
            "every page is as signed",
        ))
    }

    fn judge_cms(
        &self,
        signature: &SuperBlob<'_>,
        directories: &[CodeDirectory<'_>],
        (apple, code): (&mut AppleReport, &mut Code),
        report: &mut SignatureReport,
    ) {
        let SignatureReport {
            signer: signer_report,
            timestamps,
            checks,
            ..
        } = report;
        let Some(primary) = directories.first() else {
            return;
        };
        let bytes = signature.all(Slot::Cms).next().map(|blob| blob.payload());
        let bytes = bytes.filter(|bytes| !bytes.is_empty());
        let bytes = match (bytes, primary.is_ad_hoc()) {
            (Some(bytes), false) => bytes,
            (None, true) => {
                let how = if primary.is_linker_signed() {
                    "nobody signed, the linker made this signature for the machine that built it"
                } else {
                    "nobody signed, this signature is ad hoc"
                };
                checks.push(Check::fail(APPLE_AD_HOC, how));
                return;
            }
            (None, false) => {
                let reason = "there is no CMS signature, and the code directory does not say that there is none";
                checks.push(Check::fail(APPLE_CMS_BINDING, reason));
                return;
            }
            (Some(_), true) => {
                let reason =
                    "there is a CMS signature, and the code directory says that there is none";
                checks.push(Check::fail(APPLE_CMS_BINDING, reason));
                return;
            }
        };
        checks.push(Check::pass(APPLE_AD_HOC, "somebody signed"));
        let signed = match SignedData::parse(bytes) {
            Ok((signed, used)) if used == bytes.len() => signed,
            Ok(_) => {
                checks.push(Check::fail(
                    CMS_PARSE,
                    "something stands behind the CMS signature",
                ));
                return;
            }
            Err(error) => {
                checks.push(Check::fail(
                    CMS_PARSE,
                    format!("the CMS cannot be read: {error}"),
                ));
                return;
            }
        };
        let ([signer], None) = (signed.signers.as_slice(), &signed.content) else {
            let reason = "expected one signer over a code directory outside of the CMS";
            checks.push(Check::fail(CMS_PARSE, reason));
            return;
        };
        checks.push(Check::pass(CMS_PARSE, "one signer over a code directory"));
        let common = judging::Judging {
            signed: &signed,
            at: self.at,
            trust: self.trust,
            weak: Weak::OfApple,
            purpose: Purpose::CodeSigning,
        };
        binding::judge(&signed, signer, directories, checks);
        common.judge_curves(checks);
        let certificate = match signer.verify(&signed.certificates, BareDigest::Refused) {
            Ok(certificate) => certificate,
            Err(error) => {
                checks.push(Check::fail(CMS_SIGNATURE, error.to_string()));
                let named = signer.named(&signed.certificates);
                *signer_report = named.map(|named| common.signer_report(named, None));
                return;
            }
        };
        let reason = format!("signed with the key of {certificate}");
        checks.push(Check::pass(CMS_SIGNATURE, reason));
        let stamps = common.judge_timestamps(signer, checks);
        let first = stamps.first().map(|stamp| stamp.time);
        self.judge_digests(signer, directories, first, checks);
        let path = common.judge_path(certificate, &stamps, checks);
        let team = certificate.subject.only(oid::ORGANIZATIONAL_UNIT);
        checks.push(binding::judge_team(primary.team, team.as_deref()));
        apple.certificate = path.as_ref().and_then(apple::certificate_kind);
        if let Some(path) = &path {
            code.is_apple = matches!(path.anchor.origin, Origin::Apple | Origin::Extra);
            code.path = whole(path);
        }
        *signer_report = Some(common.signer_report(certificate, path.as_ref()));
        *timestamps = stamps.into_iter().map(TimestampReport::from).collect();
    }

    /// macOS 10.11.4 and later look at SHA-256 where it is there, so SHA-1 beside it is no weakness, and alone it is.
    fn judge_digests(
        &self,
        signer: &SignerInfo<'_>,
        directories: &[CodeDirectory<'_>],
        first: Option<Timestamp>,
        checks: &mut Vec<Check>,
    ) {
        let is_weak = |algorithm| algorithm == DigestAlgorithm::Sha1;
        let all_weak = directories.iter().all(|it| is_weak(it.hash.algorithm));
        if !all_weak && signer.digest != Ok(DigestAlgorithm::Sha1) {
            return;
        }
        let is_old = self.trust.legacy() == LegacyDigests::AcceptedBefore2016
            && first.is_some_and(|time| time.unix() < YEAR_2016);
        let failure = (!is_old)
            .then_some("the signature rests on SHA-1, which is not accepted; sign with SHA-256");
        let passes = "SHA-1, timestamped before 2016, which was asked to be accepted";
        checks.push(outcome(CMS_WEAK_DIGEST, failure, passes));
    }

    /// Whether it is notarized, by the ticket that is stapled to it or Apple's service.
    fn judge_ticket(
        &self,
        signature: &SuperBlob<'_>,
        directories: &[CodeDirectory<'_>],
        report: &mut SignatureReport,
    ) -> Notarization {
        let stapled = signature.all(Slot::Ticket).next();
        // The ticket service knows code by SHA-256 alone; no real ticket lists a SHA-1 alternate.
        let known = directories
            .iter()
            .filter(|it| it.hash.algorithm != DigestAlgorithm::Sha1);
        let hashes: Vec<_> = known.map(CodeDirectory::code_hash).collect();
        let covered: Vec<_> = hashes.iter().map(|hash| Covered::Code(hash)).collect();
        // Apple notarizes nothing that nobody signed.
        if stapled.is_none() && report.signer.is_none() {
            return Notarization::default();
        }
        let stapled = stapled.map(|blob| blob.payload());
        ticket::judge_notarization(stapled, &covered, self.at, self.trust, &mut report.checks)
    }
}

/// What a code directory says of what lies outside the signature: files beside this one in a bundle, or a disk image.
fn bound(directory: &CodeDirectory<'_>) -> Bound {
    let slot = |wanted: u32| {
        let mut slots = directory.special();
        let (_, digest) = slots.find(|(slot, _)| *slot == wanted)?;
        let is_used = digest.iter().any(|byte| *byte != 0);
        is_used.then(|| digest.to_vec())
    };
    Bound {
        hash: directory.hash,
        code_hash: directory.code_hash(),
        info_plist: slot(1),
        resources: slot(3),
        representation: slot(6),
    }
}

/// What the parts of a signature say of the code, before anybody asked who made it.
fn code(signature: &SuperBlob<'_>, directories: &[CodeDirectory<'_>]) -> Code {
    const REQUIREMENTS: u32 = 2;
    const ENTITLEMENTS: u32 = 5;
    // One byte more than is read is refused where it is read.
    let part = |slot, bytes_max: usize| {
        let part = signature.all(Slot::Special(slot)).next()?;
        part.raw.get(..part.raw.len().min(bytes_max + 1))
    };
    let entitlements = part(ENTITLEMENTS, ENTITLEMENTS_BYTES_MAX);
    let primary = directories.first();
    Code {
        identifier: primary.map_or_else(Vec::new, |it| it.identifier.to_vec()),
        code_hashes: directories.iter().map(CodeDirectory::code_hash).collect(),
        platform: primary.map_or(0, CodeDirectory::platform),
        is_ad_hoc: primary.is_some_and(CodeDirectory::is_ad_hoc),
        path: Vec::new(),
        is_apple: false,
        entitlements: entitlements.and_then(|it| it.get(8..)).map(<[u8]>::to_vec),
        requirements: part(REQUIREMENTS, Code::REQUIREMENTS_BYTES_MAX).map(<[u8]>::to_vec),
    }
}

/// A path with its root.
fn whole(path: &Path<'_>) -> Vec<Vec<u8>> {
    let root = path.anchor.certificate.raw;
    let mut whole: Vec<_> = path.certificates.iter().map(|it| it.raw).collect();
    if whole.last() != Some(&root) {
        whole.push(root);
    }
    whole.into_iter().map(<[u8]>::to_vec).collect()
}

fn laid_out(signature: &SuperBlob<'_>) -> String {
    let parts = signature.blobs.len();
    let used = signature.reserve.iter().filter(|byte| **byte != 0).count();
    let reserve = match used {
        0 => String::new(),
        // In the wild: a signature that replaced a longer one. The kernel maps these bytes with the rest of the segment,
        // and code that reads them there would read what nobody signed.
        used => format!(
            "; of {} bytes reserved behind them, which nobody signs, {used} are not zero",
            signature.reserve.len()
        ),
    };
    format!("{parts} parts, one behind the other{reserve}")
}

fn digests(directories: &[CodeDirectory<'_>]) -> String {
    let names = directories.iter().map(|it| it.hash.algorithm.to_string());
    names.collect::<Vec<_>>().join(", ")
}
