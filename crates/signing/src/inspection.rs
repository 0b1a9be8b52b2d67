//! What was found of a file's own signature, whatever its format: one shape for all of them.
//!
//! [`inspect`] is the way in, and [`Format`] the list. A format has a file of its own in this crate, one arm here, and its
//! check ids in `checks`.

mod report;

use std::io::{self, Read, Seek, SeekFrom};

use release::Timestamp;
use serde::Serialize;

use crate::appimage;
use crate::authenticode;
use crate::cab;
use crate::catalog;
use crate::checks::{Check, Id, Outcome};
use crate::deb;
use crate::dmg;
use crate::format::Format;
use crate::macho;
use crate::msi;
use crate::openpgp::OpenPgpKeys;
use crate::packages;
use crate::report::Verdict;
use crate::roots::{ExtraRoot, Trust};
use crate::rpm;
use crate::script::{self, Language};
use crate::xar;

pub(crate) use report::Bound;
pub use report::{AppleReport, CertificateReport, SignatureReport, SignerReport, TimestampReport};

/// What kind of signature a file carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// Microsoft's, in programs and packages.
    Authenticode,
    /// Apple's, in programs and libraries.
    AppleCode,
    /// Apple's, over a whole bundle: an app, a framework.
    AppleBundle,
    /// Apple's, over a disk image.
    AppleDiskImage,
    /// Apple's, in installer packages.
    AppleInstaller,
    /// OpenPGP, in RPM packages.
    Rpm,
    /// OpenPGP, in Debian packages.
    Deb,
    /// OpenPGP, in AppImages.
    AppImage,
    /// NuGet's, by authors and repositories.
    NuGet,
}

/// What was found of a file's own signature.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// What kind of signature it is.
    pub kind: Kind,
    /// The verdict over all checks: `valid`, `untrusted` (signed and whole, but not by a trusted chain), `unsigned`, or
    /// `invalid`.
    pub verdict: Verdict,
    /// The time that signatures without a timestamp, and timestamps themselves, were judged at.
    pub at: Timestamp,
    /// Checks of the file.
    pub checks: Vec<Check>,
    /// Every signature, nested ones behind those that they are nested in. Windows looks at the first.
    pub signatures: Vec<SignatureReport>,
    /// What was trusted.
    pub trust: TrustReport,
}

/// What was trusted.
#[derive(Debug, Clone, Serialize)]
pub struct TrustReport {
    /// The set of roots that is compiled in, if it was trusted.
    pub root_set: Option<&'static str>,
    /// Roots that the caller added. Whoever holds one of them can sign anything: show them loudly.
    pub extra_roots: Vec<ExtraRoot>,
    /// What was done about revocation.
    pub revocation: &'static str,
}

impl Inspection {
    /// The verdict over what was found.
    pub(crate) fn new(
        kind: Kind,
        at: Timestamp,
        checks: Vec<Check>,
        signatures: Vec<SignatureReport>,
        trust: &Trust,
    ) -> Self {
        Self {
            kind,
            verdict: verdict(&checks, &signatures),
            at,
            checks,
            signatures,
            trust: TrustReport {
                root_set: trust.root_set(),
                extra_roots: trust.extra_roots(),
                revocation: trust.revocation(),
            },
        }
    }

    /// Every check: of the file, then of each signature.
    pub fn all_checks(&self) -> impl Iterator<Item = &Check> {
        let signatures = self.signatures.iter().flat_map(|it| &it.checks);
        self.checks.iter().chain(signatures)
    }

    /// The checks that did not pass.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.all_checks()
            .filter(|check| check.outcome != Outcome::Pass)
    }
}

/// Inspects a file of any format, and judges it at a time by what is trusted. None where this version cannot look at the
/// signature of such a thing, or where such a thing has none.
///
/// # Errors
/// Where the reader fails. A file that is wrong is no error but a verdict.
pub fn inspect(
    reader: &mut (impl Read + Seek),
    at: Timestamp,
    trust: &Trust,
) -> io::Result<Option<Inspection>> {
    match format_of(reader)? {
        Format::Pe => authenticode::inspect(reader, at, trust).map(Some),
        Format::Ole => msi::inspect(reader, at, trust).map(Some),
        Format::Cab => cab::inspect(reader, at, trust).map(Some),
        Format::MachO => macho::inspect(reader, at, trust).map(Some),
        Format::Xar => xar::inspect(reader, at, trust).map(Some),
        Format::Zip => packages::inspect(reader, at, trust),
        Format::DiskImage => dmg::inspect(reader, at, trust).map(Some),
        // Nobody is known here: a signature is at best by a key that is not trusted. With keys, see `rpm::inspect`.
        Format::Rpm => rpm::inspect(reader, at, &OpenPgpKeys::none()).map(Some),
        Format::Deb => deb::inspect(reader, at, &OpenPgpKeys::none()).map(Some),
        Format::Elf if appimage::has_mark(reader)? => {
            appimage::inspect(reader, at, &OpenPgpKeys::none()).map(Some)
        }
        Format::Bundle | Format::Elf | Format::Script => Ok(None),
        Format::Other => catalog::inspect(reader, at, trust),
    }
}

/// As [`inspect`], of a file whose name is known: a script is one by its name.
///
/// # Errors
/// Where the reader fails. A file that is wrong is no error but a verdict.
pub fn inspect_named(
    reader: &mut (impl Read + Seek),
    name: &str,
    at: Timestamp,
    trust: &Trust,
) -> io::Result<Option<Inspection>> {
    match (format_of_named(reader, name)?, Language::of_name(name)) {
        (Format::Script, Some(language)) => script::inspect(reader, language, at, trust).map(Some),
        _ => inspect(reader, at, trust),
    }
}

/// As [`format_of`], of a file whose name is known.
///
/// # Errors
/// Where the reader fails.
pub fn format_of_named(reader: &mut (impl Read + Seek + ?Sized), name: &str) -> io::Result<Format> {
    Ok(match format_of(reader)? {
        Format::Other if Language::of_name(name).is_some() => Format::Script,
        format => format,
    })
}

/// What a file is: by its beginning, or by its end where that says nothing. Leaves the reader at its beginning.
///
/// # Errors
/// Where the reader fails.
pub fn format_of(reader: &mut (impl Read + Seek + ?Sized)) -> io::Result<Format> {
    let mut head = [0; Format::HEAD_BYTES];
    let mut filled = 0;
    reader.seek(SeekFrom::Start(0))?;
    while let Some(room) = head.get_mut(filled..).filter(|room| !room.is_empty()) {
        match reader.read(room) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut format = Format::of_head(head.get(..filled).unwrap_or_default());
    if format == Format::Other && dmg::is_at_end(reader)? {
        format = Format::DiskImage;
    }
    reader.seek(SeekFrom::Start(0))?;
    Ok(format)
}

/// What a failed check says of a signature: that nobody trusted made it, or that it does not hold.
fn is_matter_of_trust(id: Id) -> bool {
    use crate::checks as id;
    const OF_TRUST: [Id; 18] = [
        id::OPENPGP_KEY,
        id::OPENPGP_KEY_VALIDITY,
        id::OPENPGP_WEAK_DIGEST,
        id::OPENPGP_TIME,
        id::APPLE_AD_HOC,
        id::TICKET_CHAIN,
        id::CMS_WEAK_DIGEST,
        id::X509_PATH,
        id::X509_VALIDITY,
        id::X509_KEY_USAGE,
        id::X509_EXTENSIONS,
        id::X509_KEY_SIZE,
        id::X509_WEAK_DIGEST,
        id::X509_ROOT_PROGRAM,
        id::X509_REVOCATION,
        id::TICKET_ONLINE,
        id::TIMESTAMP_CHAIN,
        id::TIMESTAMP_TIME,
    ];
    OF_TRUST.contains(&id)
}

fn verdict(checks: &[Check], signatures: &[SignatureReport]) -> Verdict {
    let signatures = signatures.iter().flat_map(|it| &it.checks);
    let failed = checks.iter().chain(signatures);
    let failed = failed.filter(|check| check.outcome != Outcome::Pass);
    let failed: Vec<Id> = failed.map(|check| check.id).collect();
    if failed.is_empty() {
        Verdict::Valid
    } else if failed.iter().all(|id| id.is_absence()) {
        Verdict::Unsigned
    } else if failed.iter().all(|id| is_matter_of_trust(*id)) {
        Verdict::Untrusted
    } else {
        Verdict::Invalid
    }
}
