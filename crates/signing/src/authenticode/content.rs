//! What signatures are compared with: the digests of a file, as its container defines them.

use crate::checks::{CAB_DIGEST, Id, MSI_DIGEST, PE_DIGEST};
use crate::digest::DigestAlgorithm;
use crate::oid;
use crate::pe::Pages;
use crate::spc::IndirectData;

/// Windows' reader of MSI signatures, {000C10F1-0000-0000-C000-000000000046}, as its bytes. Other formats share the
/// type of the content with it (scripts, MSIX), so this is what says that a digest is of an MSI.
const MSI_SUBJECT: [u8; 16] = [
    0xf1, 0x10, 0x0c, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46,
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
}

impl Container {
    /// The check that compares the digest of the file.
    pub(super) fn digest_check(self) -> Id {
        match self {
            Self::Pe => PE_DIGEST,
            Self::Msi => MSI_DIGEST,
            Self::Cab => CAB_DIGEST,
        }
    }

    /// Why the signed digest is of another kind of file; None where it is of this one.
    pub(super) fn mismatch(self, content: &IndirectData<'_>) -> Option<String> {
        let (kind, name) = match self {
            Self::Pe => (oid::SPC_PE_IMAGE_DATA, "a PE image"),
            Self::Msi => (oid::SPC_SIP_INFO, "an MSI"),
            Self::Cab => (oid::SPC_CAB_DATA, "a cabinet"),
        };
        if content.kind != kind {
            return Some(format!(
                "the digest is of a {}, not of {name}",
                content.kind
            ));
        }
        let is_subject = self != Self::Msi || content.subject == Some(&MSI_SUBJECT);
        (!is_subject).then(|| format!("the digest is of another kind of package, not of {name}"))
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
