//! What signatures are compared with: the digests of a file, as its container defines them.

use crate::checks::{CAB_DIGEST, Id, MSI_DIGEST, MSIX_DIGEST, PE_DIGEST, SCRIPT_DIGEST};
use crate::digest::{DigestAlgorithm, hex};
use crate::msix;
use crate::oid;
use crate::pe::Pages;
use crate::script::Language;
use crate::spc::IndirectData;

/// Windows' reader of MSI signatures, {000C10F1-0000-0000-C000-000000000046}, as its bytes. Other formats share the
/// type of the content with it (scripts, MSIX), so this is what says that a digest is of an MSI.
const MSI_SUBJECT: [u8; 16] = [
    0xf1, 0x10, 0x0c, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46,
];
/// The same of app packages, {0AC5DF4B-CE07-4DE2-B76E-23C839A09FD1}.
const MSIX_SUBJECT: [u8; 16] = [
    0x4b, 0xdf, 0xc5, 0x0a, 0x07, 0xce, 0xe2, 0x4d, 0xb7, 0x6e, 0x23, 0xc8, 0x39, 0xa0, 0x9f, 0xd1,
];
/// The same of bundles of them, {0F5F58B3-AADE-4B9A-A434-95742D92ECEB}.
const MSIX_BUNDLE_SUBJECT: [u8; 16] = [
    0xb3, 0x58, 0x5f, 0x0f, 0xde, 0xaa, 0x9a, 0x4b, 0xa4, 0x34, 0x95, 0x74, 0x2d, 0x92, 0xec, 0xeb,
];

/// What kind of file holds the signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// A program.
    Pe,
    /// A Windows Installer package.
    Msi,
    /// A cabinet.
    Cab,
    /// An app package.
    Msix,
    /// A bundle of app packages.
    MsixBundle,
    /// A script.
    Script(Language),
}

impl Container {
    /// The check that compares the digest of the file.
    pub(super) fn digest_check(self) -> Id {
        match self {
            Self::Pe => PE_DIGEST,
            Self::Msi => MSI_DIGEST,
            Self::Cab => CAB_DIGEST,
            Self::Msix | Self::MsixBundle => MSIX_DIGEST,
            Self::Script(_) => SCRIPT_DIGEST,
        }
    }

    /// Why the signed digest is of another kind of file; None where it is of this one.
    pub(super) fn mismatch(self, content: &IndirectData<'_>) -> Option<String> {
        let (kind, name) = match self {
            Self::Pe => (oid::SPC_PE_IMAGE_DATA, "a PE image"),
            Self::Msi => (oid::SPC_SIP_INFO, "an MSI"),
            Self::Cab => (oid::SPC_CAB_DATA, "a cabinet"),
            Self::Msix => (oid::SPC_SIP_INFO, "an app package"),
            Self::MsixBundle => (oid::SPC_SIP_INFO, "a bundle of app packages"),
            Self::Script(language) => (oid::SPC_SIP_INFO, language.name()),
        };
        if content.kind != kind {
            return Some(format!(
                "the digest is of a {}, not of {name}",
                content.kind
            ));
        }
        let subject = match self {
            Self::Pe | Self::Cab => return None,
            Self::Msi => MSI_SUBJECT,
            Self::Msix => MSIX_SUBJECT,
            Self::MsixBundle => MSIX_BUNDLE_SUBJECT,
            Self::Script(language) => *language.subject(),
        };
        let is_subject = content.subject == Some(&subject);
        (!is_subject).then(|| format!("the digest is of another kind of file, not of {name}"))
    }

    /// What differs between the digest that is signed and the one that the file has.
    pub(super) fn difference(
        self,
        algorithm: DigestAlgorithm,
        signed: &[u8],
        found: &[u8],
    ) -> String {
        match self {
            Self::Pe | Self::Msi | Self::Cab | Self::Script(_) => format!(
                "signed is {algorithm} {}, found {}",
                hex(signed.get(..64).unwrap_or(signed)),
                hex(found)
            ),
            Self::Msix | Self::MsixBundle => msix::difference(algorithm, signed, found),
        }
    }
}

/// The digests of a file.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) container: Container,
    /// Of the whole, by each algorithm that a signature names.
    pub(crate) whole: Vec<(DigestAlgorithm, Vec<u8>)>,
    /// Of the pages of an image.
    pub(crate) pages: Vec<Pages>,
}

impl Content {
    pub(super) fn whole(&self, algorithm: DigestAlgorithm) -> Option<&[u8]> {
        let found = self.whole.iter().find(|(it, _)| *it == algorithm);
        found.map(|(_, hash)| hash.as_slice())
    }

    pub(super) fn pages(&self, algorithm: DigestAlgorithm) -> Option<&Pages> {
        self.pages.iter().find(|it| it.algorithm == algorithm)
    }
}
