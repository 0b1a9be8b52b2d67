//! Certification paths (RFC 5280 section 6), from the signer's certificate to an anchor.
//!
//! First a path is found by names and signatures; then everything about it is judged at one time. Where that fails the
//! search goes on, as authorities are cross-certified. It is bounded in depth and in signatures that are computed.
//! Anchors are compared by the whole certificate, never by a key alone (CVE-2020-0601).

use release::Timestamp;

use crate::checks::{
    Id, X509_EC_PARAMETERS, X509_EXTENSIONS, X509_KEY_SIZE, X509_KEY_USAGE, X509_PATH,
    X509_ROOT_PROGRAM, X509_VALIDITY, X509_WEAK_DIGEST,
};
use crate::der::Cursor;
use crate::digest::DigestAlgorithm;
use crate::key::{PublicKey, RSA_BITS_MIN, RSA_BITS_MIN_LEGACY, Scheme};
use crate::oid::{self, Oid};
use crate::roots::{Anchor, LegacyDigests, Purpose, Trust};
use crate::x509::Certificate;

/// How many certificates a path may have, without the anchor. Real ones have up to four.
const LENGTH_MAX: usize = 8;
/// How many signatures a search may compute.
const SIGNATURES_MAX: u32 = 64;
/// The kinds of Apple's leaf certificates that are marked by a critical extension.
const APPLE_MARKERS: [Oid<'static>; 5] = [
    oid::APPLE_MAC_APP_STORE_APPLICATION,
    oid::APPLE_MAC_DEVELOPMENT,
    oid::APPLE_DEVELOPER_ID_APPLICATION,
    oid::APPLE_DEVELOPER_ID_INSTALLER,
    oid::APPLE_DEVELOPER_ID_KERNEL_EXTENSION,
];
/// 2016-01-01, from when on Windows does not take SHA-1 for new code.
pub(crate) const YEAR_2016: i64 = 1_451_606_400;

/// What a path is wanted for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) trust: &'a Trust,
    /// Certificates that may be used; none of them is believed for being there.
    pub(crate) pool: &'a [Certificate<'a>],
    pub(crate) purpose: Purpose,
    /// When everything must be valid.
    pub(crate) at: Timestamp,
    /// Whether weak algorithms are accepted all along the path.
    pub(crate) weak: Weak,
}

/// Whether SHA-1 is accepted, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weak {
    Refused,
    /// A trusted timestamp says that it was made before 2016; RSA keys of 1024 bits are accepted too.
    Old,
    /// A sound SHA-2 signature of the same file is nested in it, so nothing rests on this one. Such pairs were made for
    /// systems older than Windows 8 while Microsoft had already ended the roots of SHA-1: that end is no failure then.
    HeldUp,
    /// Apple's timestamp service and its installer signatures are still made with SHA-1 in 2026, and macOS takes them.
    /// Certificates on the path are not.
    OfApple,
}

/// A path that was found good.
#[derive(Debug)]
pub(crate) struct Path<'a> {
    /// From the signer upwards, without the anchor.
    pub(crate) certificates: Vec<&'a Certificate<'a>>,
    pub(crate) anchor: Anchor<'a>,
}

/// Why there is none: the check that failed, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathError {
    pub(crate) check: Id,
    pub(crate) reason: String,
}

impl PathError {
    fn new(check: Id, reason: impl Into<String>) -> Self {
        Self {
            check,
            reason: reason.into(),
        }
    }
}

/// Finds a good path.
pub(crate) fn build<'a>(
    leaf: &'a Certificate<'a>,
    wanted: Wanted<'a>,
) -> Result<Path<'a>, PathError> {
    let mut search = Search {
        wanted,
        signatures_left: SIGNATURES_MAX,
        judged: None,
        dead_end: None,
    };
    let mut so_far = vec![leaf];
    if let Some(anchor) = search.climb(&mut so_far) {
        return Ok(Path {
            certificates: so_far,
            anchor,
        });
    }
    // A path that is there but not good says more than one that is not there.
    Err(search.judged.or(search.dead_end).unwrap_or_else(|| {
        PathError::new(
            X509_PATH,
            "no path was found within the limits of the search",
        )
    }))
}

struct Search<'a> {
    wanted: Wanted<'a>,
    signatures_left: u32,
    /// Why the first path that was found is not good.
    judged: Option<PathError>,
    /// Why the first search upwards ended.
    dead_end: Option<PathError>,
}

impl<'a> Search<'a> {
    /// Goes upwards from the last certificate. Leaves the path as it is where it found an anchor.
    fn climb(&mut self, path: &mut Vec<&'a Certificate<'a>>) -> Option<Anchor<'a>> {
        let Wanted { trust, pool, .. } = self.wanted;
        let last = *path.last()?;
        // The certificate is an anchor itself.
        let same = trust.anchors(last.subject).into_iter();
        if let Some(anchor) = same.into_iter().find(|it| it.certificate.raw == last.raw)
            && self.accepts(path, &anchor)
        {
            return Some(anchor);
        }
        for anchor in trust.anchors(last.issuer) {
            if self.is_issued(last, &anchor.certificate) && self.accepts(path, &anchor) {
                return Some(anchor);
            }
        }
        let may_issue = |it: &&Certificate<'_>| {
            it.subject == last.issuer && path.iter().all(|below| below.raw != it.raw)
        };
        let issuers: Vec<_> = pool.iter().filter(may_issue).collect();
        if issuers.is_empty() || path.len() >= LENGTH_MAX {
            let reason = if last.is_self_issued() {
                format!("{last} is self-signed and not among the trusted roots")
            } else if path.len() >= LENGTH_MAX {
                format!("the path is longer than {LENGTH_MAX} certificates")
            } else {
                format!(
                    "the issuer of {last}, `{}`, is neither a trusted root nor in the signature",
                    last.issuer
                )
            };
            self.dead_end
                .get_or_insert_with(|| PathError::new(X509_PATH, reason));
        }
        for issuer in issuers {
            if self.is_issued(last, issuer) {
                path.push(issuer);
                let found = self.climb(path);
                if found.is_some() {
                    return found;
                }
                path.pop();
            }
        }
        None
    }

    /// Whether one certificate was signed with the key of the other.
    fn is_issued(&mut self, below: &Certificate<'_>, above: &Certificate<'_>) -> bool {
        let keys = (below.extensions.authority_key, above.extensions.subject_key);
        if matches!(keys, (Some(wanted), Some(found)) if wanted != found) {
            let reason = format!("{below} was issued with another key of {above}");
            self.dead_end
                .get_or_insert_with(|| PathError::new(X509_PATH, reason));
            return false;
        }
        if above.key == PublicKey::ExplicitCurve {
            let reason =
                format!("the key of {above} has explicit curve parameters (CVE-2020-0601)");
            self.dead_end = Some(PathError::new(X509_EC_PARAMETERS, reason));
            return false;
        }
        let Some(left) = self.signatures_left.checked_sub(1) else {
            return false;
        };
        self.signatures_left = left;
        let checked = scheme(below).and_then(|scheme| {
            let hash = scheme.digest().hash(&[below.signed]);
            let verified = above.key.verify(scheme, &hash, below.signature);
            verified.map_err(|error| error.to_string())
        });
        if let Err(why) = &checked {
            let reason = format!("the certificate {below} is not signed by {above}: {why}");
            self.dead_end
                .get_or_insert_with(|| PathError::new(X509_PATH, reason));
        }
        checked.is_ok()
    }

    /// Judges a whole path, and remembers why it is not good.
    fn accepts(&mut self, path: &[&Certificate<'_>], anchor: &Anchor<'_>) -> bool {
        let judged = judge(path, anchor, &self.wanted);
        match judged {
            Ok(()) => true,
            Err(error) => {
                self.judged.get_or_insert(error);
                false
            }
        }
    }
}

fn scheme(certificate: &Certificate<'_>) -> Result<Scheme, String> {
    let algorithm = &mut Cursor::new(certificate.signature_algorithm);
    match Scheme::read(algorithm, None) {
        Ok(scheme) => scheme.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Everything but the signatures.
fn judge(
    path: &[&Certificate<'_>],
    anchor: &Anchor<'_>,
    wanted: &Wanted<'_>,
) -> Result<(), PathError> {
    let root = &anchor.certificate;
    let leaf = path.first().copied().unwrap_or(root);
    for certificate in path.iter().copied().chain([root]) {
        judge_validity(certificate, wanted.at)?;
        judge_key(certificate, wanted.weak)?;
    }
    for (index, certificate) in path.iter().enumerate() {
        judge_extensions(certificate, wanted)?;
        judge_digest(certificate, wanted)?;
        if index == 0 {
            judge_leaf(certificate, wanted.purpose)?;
        } else {
            // RFC 5280 section 4.2.1.9: self-issued authorities and the leaf do not count.
            let below = path.get(1..index).unwrap_or_default();
            let below = below.iter().filter(|it| !it.is_self_issued()).count();
            judge_authority(certificate, below, wanted.purpose)?;
        }
    }
    if wanted.weak == Weak::HeldUp {
        return Ok(());
    }
    anchor
        .judge(wanted.purpose, leaf.not_before, wanted.at)
        .map_err(|reason| PathError::new(X509_ROOT_PROGRAM, reason))
}

fn judge_validity(certificate: &Certificate<'_>, at: Timestamp) -> Result<(), PathError> {
    if certificate.is_valid_at(at) {
        return Ok(());
    }
    let reason = format!(
        "the certificate {certificate} is valid from {} to {}, not at {at}",
        certificate.not_before, certificate.not_after
    );
    Err(PathError::new(X509_VALIDITY, reason))
}

fn judge_key(certificate: &Certificate<'_>, weak: Weak) -> Result<(), PathError> {
    if certificate.key == PublicKey::ExplicitCurve {
        let reason = format!("the key of {certificate} has explicit curve parameters");
        return Err(PathError::new(X509_EC_PARAMETERS, reason));
    }
    let least = match weak {
        Weak::Old => RSA_BITS_MIN_LEGACY,
        Weak::Refused | Weak::HeldUp | Weak::OfApple => RSA_BITS_MIN,
    };
    match certificate.key.rsa_bits() {
        Some(bits) if bits < least => {
            let reason =
                format!("the RSA key of {certificate} has {bits} bits, expected at least {least}");
            Err(PathError::new(X509_KEY_SIZE, reason))
        }
        _ => Ok(()),
    }
}

fn judge_digest(certificate: &Certificate<'_>, wanted: &Wanted<'_>) -> Result<(), PathError> {
    let is_sha1 = scheme(certificate).is_ok_and(|it| it.digest() == DigestAlgorithm::Sha1);
    let is_old = certificate.not_before.unix() < YEAR_2016
        && wanted.trust.legacy() == LegacyDigests::AcceptedBefore2016;
    let is_accepted = matches!(wanted.weak, Weak::Old | Weak::HeldUp);
    if !is_sha1 || is_accepted || is_old {
        return Ok(());
    }
    let reason = format!("the certificate {certificate} is signed with SHA-1");
    Err(PathError::new(X509_WEAK_DIGEST, reason))
}

/// RFC 5280 section 4.2: whoever does not know a critical extension must reject the certificate.
fn judge_extensions(certificate: &Certificate<'_>, wanted: &Wanted<'_>) -> Result<(), PathError> {
    let mut unknown = certificate.extensions.unknown_critical.iter();
    // Apple marks a leaf by a critical extension that says which kind it is; whoever asks for a kind looks at it.
    let understood =
        |oid: &&Oid<'_>| wanted.trust.knows_apple_markers() && APPLE_MARKERS.contains(oid);
    match unknown.find(|oid| !understood(oid)) {
        None => Ok(()),
        Some(oid) => {
            let reason = format!(
                "{certificate} has the extension {oid}, which must be understood and is not"
            );
            Err(PathError::new(X509_EXTENSIONS, reason))
        }
    }
}

fn judge_leaf(leaf: &Certificate<'_>, purpose: Purpose) -> Result<(), PathError> {
    let wrong = |reason: String| Err(PathError::new(X509_KEY_USAGE, reason));
    if leaf
        .extensions
        .key_usage
        .is_some_and(|usage| !usage.signs_data())
    {
        return wrong(format!(
            "the key usage of {leaf} does not include digital signatures"
        ));
    }
    match purpose {
        Purpose::CodeSigning if !leaf.names_usage(oid::CODE_SIGNING) => wrong(format!(
            "the extended key usage of {leaf} does not include code signing"
        )),
        // RFC 3161 section 2.3 wants it critical too. departs: Microsoft's own authorities did not mark it before 2020.
        Purpose::TimeStamping
            if leaf.extensions.usages.as_deref() != Some(&[oid::TIME_STAMPING]) =>
        {
            wrong(format!(
                "the extended key usage of {leaf} is not time stamping alone"
            ))
        }
        Purpose::AppleInstaller if !leaf.names_usage(oid::APPLE_INSTALLER) => wrong(format!(
            "the extended key usage of {leaf} does not include signing installer packages"
        )),
        // Apple gives no extended key usage to such a certificate, but a marker.
        Purpose::AppleTicket
            if !leaf
                .extensions
                .apple_markers
                .contains(&oid::APPLE_TICKET_SIGNING) =>
        {
            wrong(format!("{leaf} is not marked as a signer of tickets"))
        }
        _ => Ok(()),
    }
}

fn judge_authority(
    authority: &Certificate<'_>,
    below: usize,
    purpose: Purpose,
) -> Result<(), PathError> {
    let wrong = |reason: String| Err(PathError::new(X509_KEY_USAGE, reason));
    match authority.extensions.authority {
        Some(constraints) if constraints.is_authority => {
            let below_max = constraints.below_max;
            if below_max.is_some_and(|most| usize::try_from(most).is_ok_and(|most| below > most)) {
                return wrong(format!(
                    "more authorities stand below {authority} than it allows"
                ));
            }
        }
        _ => return wrong(format!("{authority} is not a certificate authority")),
    }
    let usage = authority.extensions.key_usage;
    if usage.is_some_and(|usage| !usage.signs_certificates()) {
        return wrong(format!(
            "the key usage of {authority} does not include signing certificates"
        ));
    }
    // Not in RFC 5280, but what Windows and the CA/B forum do: the usages of an authority bound those below it.
    let wanted = match purpose {
        Purpose::CodeSigning => oid::CODE_SIGNING,
        Purpose::TimeStamping => oid::TIME_STAMPING,
        Purpose::AppleInstaller => oid::APPLE_INSTALLER,
        // It has no usage of its own, so an authority that is bound to some cannot issue it.
        Purpose::AppleTicket => oid::ANY_EXTENDED_KEY_USAGE,
    };
    let nested = authority.extensions.usages.is_none()
        || authority.names_usage(wanted)
        || authority.names_usage(oid::ANY_EXTENDED_KEY_USAGE);
    if nested {
        Ok(())
    } else {
        wrong(format!(
            "the extended key usage of the authority {authority} does not include what the certificate is used for"
        ))
    }
}

#[cfg(test)]
mod tests;
