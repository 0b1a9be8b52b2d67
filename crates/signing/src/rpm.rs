//! RPM packages, version 4 and version 6: signed in the signature header, over the header, which has the digest of the payload.
//!
//! The signature header is itself signed by nobody: only tags that belong there are let in (CVE-2021-3421, CVE-2021-20271),
//! and of those that nothing else covers (file signatures, the unpacked size) nothing is believed. The lead is history, and
//! RPM reads nothing from it but its magic. Where the package is looked into, its payload is compared with what the header says.
//!
//! Source: `docs/manual/format_v4.md`, `format_v6.md`, and `format_header.md` of rpm-software-management/rpm.

mod digests;
mod files;
mod header;
mod payload;
mod tags;

use std::io::{self, Read, Seek, SeekFrom};

use release::Timestamp;
use thiserror::Error;

use crate::checks::{
    Check, RPM_HEADER_DIGEST, RPM_PARSE, RPM_PAYLOAD_DIGEST, RPM_SIGNATURE_HEADER, RPM_SIGNED,
};
use crate::inspection::{Inspection, Kind, SignatureReport};
use crate::judging::outcome;
use crate::openpgp::{OpenPgpKeys, Opened};
use crate::reading::{pass, read_at};
use crate::roots::Trust;

use digests::{Digests, Stated};
use header::{Header, Region};
use tags::SignatureTags;

pub(crate) use payload::walk;

/// What is read of a package at most. The payload is read in pieces.
pub(crate) struct Limits;

impl Limits {
    /// Entries of a header, as in RPM itself.
    pub(crate) const ENTRIES: u32 = 65_535;
    /// Entries of a signature header, as in RPM itself.
    pub(crate) const SIGNATURE_ENTRIES: u32 = 32;
    /// Bytes of the data of a header. The largest of Fedora have 30 MiB.
    pub(crate) const DATA_BYTES: u32 = 64 * 1024 * 1024;
    /// Texts of a tag that are looked at. Tags with one for each file are not.
    pub(crate) const TEXTS: u32 = 64;
    /// Signatures in a package.
    pub(crate) const SIGNATURES: usize = 16;
}

/// Why a file is no package that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum RpmError {
    #[error("it does not begin with the lead of a package of version 3, 4, or 6")]
    Lead,
    #[error("it ends inside of its {0}")]
    Truncated(&'static str),
    #[error("its {0} does not begin as headers do")]
    Magic(&'static str),
    #[error("its {0} has more entries or data than are read")]
    TooLarge(&'static str),
    #[error("its {0} is not one region that has all entries and all data")]
    Region(&'static str),
    #[error("its {0} has tags out of order, or one twice")]
    Order(&'static str),
    #[error("its {header} has tag {tag}, whose type, count, or place is wrong")]
    Entry { header: &'static str, tag: u32 },
    #[error("what aligns its header is not zero")]
    Padding,
}

/// The lead: magic, version, kind, architecture, name, system, kind of signature, and 16 bytes of nothing.
const LEAD_BYTES: u64 = 96;
const LEAD_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];

/// Inspects a package, and judges its signatures at a time: any of these keys will do.
///
/// # Errors
/// Where the reader fails. A file that is wrong is no error but a verdict.
pub fn inspect(
    reader: &mut (impl Read + Seek),
    at: Timestamp,
    keys: &OpenPgpKeys,
) -> io::Result<Inspection> {
    let report =
        |checks, signatures| Inspection::new(Kind::Rpm, at, checks, signatures, &Trust::nothing());
    let package = match Package::read(reader)? {
        Ok(package) => package,
        Err(error) => {
            let checks = vec![Check::fail(RPM_PARSE, error.to_string())];
            return Ok(report(checks, Vec::new()));
        }
    };
    let what = match package.signature.is_v6 {
        true => "a package of version 6",
        false => "a package of version 4",
    };
    let mut checks = vec![Check::pass(RPM_PARSE, what)];
    let signatures = package.judge(reader, at, keys, &mut checks)?;
    Ok(report(checks, signatures))
}

/// The headers of a package.
struct Package {
    signature: SignatureTags,
    header: Header,
    payload_at: u64,
    end: u64,
}

impl Package {
    fn read(reader: &mut (impl Read + Seek)) -> io::Result<Result<Self, RpmError>> {
        let end = reader.seek(SeekFrom::End(0))?;
        let Some(lead) = read_at(reader, 0, LEAD_BYTES)? else {
            return Ok(Err(RpmError::Truncated("lead")));
        };
        // `format_lead.md`: the kind of signature is always 5, a signature header. Version 6 says 4 here.
        let is_known = lead.starts_with(&LEAD_MAGIC)
            && matches!(lead.get(4), Some(3 | 4 | 6))
            && lead.get(78..80) == Some(&[0, 5]);
        if !is_known {
            return Ok(Err(RpmError::Lead));
        }
        let signature = match Header::read(reader, LEAD_BYTES, Region::Signature)? {
            Ok(signature) => signature,
            Err(error) => return Ok(Err(error)),
        };
        let header_at = signature.end.next_multiple_of(8);
        let padding = read_at(reader, signature.end, header_at - signature.end)?;
        if padding.is_none_or(|bytes| bytes.iter().any(|byte| *byte != 0)) {
            return Ok(Err(RpmError::Padding));
        }
        let header = match Header::read(reader, header_at, Region::Header)? {
            Ok(header) => header,
            Err(error) => return Ok(Err(error)),
        };
        let payload_at = header.end;
        Ok(Ok(Self {
            signature: SignatureTags::of(&signature),
            header,
            payload_at,
            end,
        }))
    }

    fn judge(
        &self,
        reader: &mut (impl Read + Seek),
        at: Timestamp,
        keys: &OpenPgpKeys,
        checks: &mut Vec<Check>,
    ) -> io::Result<Vec<SignatureReport>> {
        let SignatureTags {
            over_header,
            over_all,
            digests,
            wrong,
            ..
        } = &self.signature;
        let is_signed = !over_header.is_empty() || !over_all.is_empty();
        let failure = (!is_signed).then_some("the signature header has no signature");
        checks.push(outcome(RPM_SIGNED, failure, "the package is signed"));
        let passes = "it has only tags that belong there";
        checks.push(outcome(RPM_SIGNATURE_HEADER, wrong.as_deref(), passes));

        let parts: Vec<_> = over_header.iter().chain(over_all).collect();
        let opened = Opened::inside(&parts, keys, "what stands in the signature header");
        let mut verifier = opened.verifier();
        let mut of_header = Digests::new(&digests.header);
        let mut of_all = Digests::new(&digests.all);
        let stated = self.header.payload_digests();
        let mut of_payload = Digests::new(stated.as_deref().unwrap_or_default());

        let header = &self.header.bytes;
        of_header.update(header);
        of_all.update(header);
        if let Some(verifier) = &mut verifier {
            verifier.update(header);
        }
        let whole = pass(reader, self.payload_at, self.end, |piece| {
            of_payload.update(piece);
            of_all.update(piece);
            // Signatures of version 3 are over the payload too.
            if let Some(verifier) = &mut verifier {
                verifier.update_from(over_header.len(), piece);
            }
        })?;
        if !whole {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }

        let mut wrong = of_header.wrong("header");
        wrong.extend(of_all.wrong("header with the payload"));
        wrong.extend(self.wrong_size());
        let passes = "the digests in the signature header are right";
        let failure = (!wrong.is_empty()).then(|| wrong.join("; "));
        checks.push(outcome(RPM_HEADER_DIGEST, failure, passes));
        checks.push(payload_check(&stated, &of_payload, is_signed));
        if !is_signed {
            return Ok(Vec::new());
        }
        Ok(vec![SignatureReport {
            place: "signature header".to_owned(),
            digest: opened.digest_names(),
            signer: None,
            timestamps: Vec::new(),
            apple: None,
            checks: opened.checks(verifier, "the package", at),
        }])
    }

    /// The size of header and payload where the signature header says one.
    fn wrong_size(&self) -> Option<String> {
        let found = self.end - self.payload_at + self.header.bytes.len() as u64;
        let stated = self.signature.size.filter(|stated| *stated != found)?;
        Some(format!(
            "the header with the payload has {found} bytes, and {stated} are stated"
        ))
    }
}

/// The header must bind the payload, or its signature says nothing of what is installed.
fn payload_check(
    stated: &Result<Vec<Stated>, &'static str>,
    found: &Digests,
    is_signed: bool,
) -> Check {
    let failure = match stated {
        Err(why) => Some((*why).to_owned()),
        Ok(stated) if stated.is_empty() => is_signed.then(|| {
            "the header has no digest of the payload, so nothing binds the one to the other; \
             build with rpm 4.14 or later"
                .to_owned()
        }),
        Ok(_) => {
            let wrong = found.wrong("payload");
            (!wrong.is_empty()).then(|| wrong.join("; "))
        }
    };
    let passes = match stated {
        Ok(stated) if stated.is_empty() => "no digest is stated, and nothing is signed",
        _ => "the payload has the digests that the header states",
    };
    outcome(RPM_PAYLOAD_DIGEST, failure, passes)
}

#[cfg(test)]
mod tests;
