//! When a signature was made, as a timestamp authority vouches: RFC 3161 tokens, and the countersignatures before them.
//!
//! A timestamp that is there must hold. One that does not parse, is not over this signature, or is by an authority nobody
//! trusts fails the signature, even where the signer's certificate is still valid: falling back would let anyone strip
//! or spoil it.

use std::sync::Arc;

use release::Timestamp;

use crate::checks::{Check, Id, TIMESTAMP_CHAIN, TIMESTAMP_TIME, TIMESTAMP_TOKEN};
use crate::cms::{BareDigest, SignedData, SignerInfo};
use crate::der::{BOOLEAN, Cursor, DerError, Element, GENERALIZED_TIME, INTEGER, OCTET_STRING};
use crate::der::{SEQUENCE, context};
use crate::digest::DigestAlgorithm;
use crate::oid::{self, Oid};
use crate::path::{self, Wanted, Weak, YEAR_2016};
use crate::revocation::{Made, RevocationReport};
use crate::roots::{LegacyDigests, Purpose, Trust};
use crate::x509::{Certificate, read_time};

/// A timestamp that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) time: Timestamp,
    pub(crate) kind: StampKind,
    /// Subject of the authority's certificate, escaped.
    pub(crate) authority: String,
    /// The root above it, escaped, and where that is from.
    pub(crate) root: String,
    /// Whether its authority's certificates were taken back, where that was asked and something came of it.
    pub(crate) revocation: Option<Check>,
    pub(crate) asked: Vec<Arc<RevocationReport>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StampKind {
    Token,
    Countersignature,
}

/// What a timestamp is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) trust: &'a Trust,
    /// Now, or the time asked about.
    pub(crate) at: Timestamp,
    /// Whether SHA-1 is accepted whenever the timestamp was made.
    pub(crate) weak: Weak,
}

fn token_fails(reason: impl std::fmt::Display) -> Check {
    Check::fail(TIMESTAMP_TOKEN, reason.to_string())
}

/// TSTInfo (RFC 3161 section 2.4.2), what is judged of it.
struct Info<'a> {
    imprint_digest: DigestAlgorithm,
    imprint: &'a [u8],
    time: Timestamp,
}

impl<'a> Info<'a> {
    /// `content` is the whole TSTInfo.
    fn read(content: &'a [u8]) -> Result<Self, DerError> {
        let mut outer = Cursor::new(content);
        let mut info = outer.enter(SEQUENCE)?;
        outer.end()?;
        if info.expect(INTEGER)?.small()? != 1 {
            return Err(DerError::Value("expected version 1 of TSTInfo"));
        }
        Oid::read(&mut info)?;
        let mut imprint = info.enter(SEQUENCE)?;
        let imprint_digest = DigestAlgorithm::read(&mut imprint)?;
        let imprint_digest = imprint_digest.map_err(|_| {
            DerError::Value("the message imprint has a digest algorithm that is not supported")
        })?;
        let hash = imprint.expect(OCTET_STRING)?.value;
        imprint.end()?;
        info.expect(INTEGER)?;
        let time = read_time(info.expect(GENERALIZED_TIME)?)?;
        info.optional(SEQUENCE)?;
        info.optional(BOOLEAN)?;
        info.optional(INTEGER)?;
        info.optional(context(0))?;
        if let Some(extensions) = info.optional(context(1))? {
            for extension in extensions.inside()? {
                let mut extension = extension?.inside()?;
                Oid::read(&mut extension)?;
                if let Some(critical) = extension.optional(BOOLEAN)?
                    && critical.boolean()?
                {
                    return Err(DerError::Value("TSTInfo has a critical extension"));
                }
            }
        }
        info.end()?;
        Ok(Self {
            imprint_digest,
            imprint: hash,
            time,
        })
    }
}

/// Judges an RFC 3161 token over a signature.
pub(crate) fn judge_token(
    token: Element<'_>,
    signature: &[u8],
    judge: Judge<'_>,
) -> Result<Stamp, Check> {
    let unreadable = |error: DerError| token_fails(format!("the token cannot be read: {error}"));
    let (signed, used) = SignedData::parse(token.raw).map_err(unreadable)?;
    if used != token.raw.len() || signed.content_type != oid::TST_INFO {
        return Err(token_fails("the token does not hold a TSTInfo"));
    }
    let content = signed.content.as_deref().unwrap_or_default();
    let info = Info::read(content).map_err(unreadable)?;
    if info.imprint_digest.hash(&[signature]) != info.imprint {
        return Err(token_fails("the token is over another signature"));
    }
    let [signer] = signed.signers.as_slice() else {
        return Err(token_fails(format!(
            "the token has {} signers, expected one",
            signed.signers.len()
        )));
    };
    let authority = signed.verify(signer).map_err(token_fails)?;
    if names_certificate(signer, authority) == Some(false) {
        return Err(token_fails(
            "the token names another certificate of its authority than made it",
        ));
    }
    let mut digests = vec![info.imprint_digest];
    digests.extend(signer.digest);
    let (time, pool) = (info.time, &signed.certificates);
    vouched(authority, pool, time, StampKind::Token, &digests, judge)
}

/// Judges a PKCS #9 countersignature (RFC 2985 section 5.3.6) over a signature. Its certificates stand with the signer's.
pub(crate) fn judge_countersignature<'a>(
    countersignature: Element<'a>,
    signature: &[u8],
    certificates: &[Certificate<'a>],
    judge: Judge<'_>,
) -> Result<Stamp, Check> {
    let signer = SignerInfo::read(countersignature)
        .map_err(|error| token_fails(format!("the countersignature cannot be read: {error}")))?;
    let digest = signer.digest().map_err(token_fails)?;
    signer
        .binds(oid::DATA, &digest.hash(&[signature]))
        .map_err(token_fails)?;
    let authority = signer
        .verify(certificates, BareDigest::Accepted)
        .map_err(token_fails)?;
    let signed = signer.signed.as_ref();
    let time = signed
        .and_then(|signed| signed.single(oid::SIGNING_TIME))
        .and_then(|time| read_time(time).ok())
        .ok_or_else(|| token_fails("the countersignature does not state a time"))?;
    let kind = StampKind::Countersignature;
    vouched(authority, certificates, time, kind, &[digest], judge)
}

/// ESSCertID (RFC 2634 section 5.4, RFC 5035 section 3): whether the certificate that signed attributes name is this one. None
/// where they name none.
pub(crate) fn names_certificate(
    signer: &SignerInfo<'_>,
    certificate: &Certificate<'_>,
) -> Option<bool> {
    let holds = |value: Element<'_>, default: DigestAlgorithm| -> Option<bool> {
        let first = value.inside().ok()?.enter(SEQUENCE).ok()?.any().ok()?;
        let mut named = first.inside().ok()?;
        // ESSCertIDv2 may name an algorithm before the hash.
        let digest = match named.peek()? {
            SEQUENCE => DigestAlgorithm::read(&mut named).ok()?.ok()?,
            _ => default,
        };
        let hash = named.expect(OCTET_STRING).ok()?.value;
        Some(digest.hash(&[certificate.raw]) == hash)
    };
    let signed = signer.signed.as_ref()?;
    let kinds = [
        (oid::SIGNING_CERTIFICATE, DigestAlgorithm::Sha1),
        (oid::SIGNING_CERTIFICATE_V2, DigestAlgorithm::Sha256),
    ];
    let named = kinds.into_iter().flat_map(|(kind, default)| {
        let values = signed.all(kind);
        values.map(move |value| holds(value, default) == Some(true))
    });
    named.reduce(|one, other| one && other)
}

/// Judges who made a timestamp, at the time it states.
fn vouched(
    authority: &Certificate<'_>,
    pool: &[Certificate<'_>],
    time: Timestamp,
    kind: StampKind,
    digests: &[DigestAlgorithm],
    judge: Judge<'_>,
) -> Result<Stamp, Check> {
    let Judge { trust, at, weak } = judge;
    if time > at {
        let reason = format!("the timestamp is of {time}, later than {at}");
        return Err(Check::fail(TIMESTAMP_TIME, reason));
    }
    let is_old = time.unix() < YEAR_2016 && trust.legacy() == LegacyDigests::AcceptedBefore2016;
    let weak = if is_old { Weak::Old } else { weak };
    if weak == Weak::Refused && digests.contains(&DigestAlgorithm::Sha1) {
        return Err(Check::fail(
            TIMESTAMP_CHAIN,
            format!("the timestamp of {time} is made with SHA-1"),
        ));
    }
    let wanted = Wanted {
        trust,
        pool,
        purpose: Purpose::TimeStamping,
        at: time,
        weak,
    };
    let path = path::build(authority, wanted).map_err(|error| {
        let id: Id = TIMESTAMP_CHAIN;
        let reason = format!("{} ({})", error.reason, error.check.as_str());
        Check::fail(id, reason)
    })?;
    let online = trust.online();
    let revocation = online.and_then(|online| online.judge(&path, Made::Itself(time), at));
    Ok(Stamp {
        revocation,
        asked: online.map_or_else(Vec::new, |online| online.reports(&path, at)),
        time,
        kind,
        authority: authority.subject.to_string(),
        root: format!("{}, {}", path.anchor.certificate, path.anchor.set()),
    })
}
