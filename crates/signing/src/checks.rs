//! Checks: what was looked at, by an id that never changes its meaning, and what came of it.

use serde::{Serialize, Serializer};

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// This version cannot look; that fails too, unless it is allowed.
    Unsupported,
    /// It does not hold, and the policy allows that by path, reason, and date.
    Allowed,
}

/// One check of one artifact, or of the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which, one of [`CHECKS`].
    pub id: Id,
    /// What came of it.
    pub outcome: Outcome,
    /// What was expected and found, in a sentence that is safe to print.
    pub reason: String,
}

/// The id of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(pub(crate) &'static str);

impl Id {
    /// The id as text.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// Whether such a check fails where there is no signature at all: `pe.signed`, and its like in each format.
    pub(crate) fn is_absence(self) -> bool {
        self.0.ends_with(".signed")
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

macro_rules! checks {
    ($($name:ident = $id:literal, $what:literal;)*) => {
        $(#[doc = $what] pub(crate) const $name: Id = Id($id);)*
        /// Every id with what it says.
        pub const CHECKS: &[(&str, &str)] = &[$(($id, $what)),*];
    };
}

checks! {
    MINISIGN_PRESENT = "minisign.present", "A minisign signature stands beside the artifact, and can be read.";
    MINISIGN_KEY_ID = "minisign.key-id", "The signature was made by the key that the policy names.";
    MINISIGN_SIGNATURE = "minisign.signature", "The signature covers these bytes, and its trusted comment.";
    MINISIGN_FILE_NAME = "minisign.file-name", "The trusted comment names this file, where it names one.";
    MINISIGN_VERSION = "minisign.version", "The trusted comment names this version, where it names one.";
    SUMS_SIGNATURE = "sha256sums.signature", "The document of checksums can be read and is signed by the key that the policy names.";
    SUMS_DIGEST = "sha256sums.digest", "The artifact has the digest that the document of checksums says.";
    SUMS_COVERAGE = "sha256sums.coverage", "The document of checksums names the artifact.";
    SUMS_EXTRA = "sha256sums.extra", "The document of checksums names nothing that is not there.";
    PE_PARSE = "pe.parse", "The file is a PE image, and is what it was when its headers were read.";
    PE_SIGNED = "pe.signed", "The image carries an Authenticode signature.";
    PE_CERTIFICATE_TABLE = "pe.certificate-table", "The certificate table lies where the headers say, and every entry is a signature.";
    PE_PADDING = "pe.padding", "Nothing but alignment stands behind a signature in the certificate table (CVE-2013-3900).";
    PE_TRAILING_DATA = "pe.trailing-data", "The file ends with its certificate table.";
    PE_DIGEST = "pe.digest", "The file has the Authenticode digest that is signed.";
    PE_PAGE_HASHES = "pe.page-hashes", "The pages of the image have the digests that are signed.";
    MSI_PARSE = "msi.parse", "The file is an OLE compound file, and every stream lies in sectors of its own.";
    MSI_SIGNED = "msi.signed", "The package carries an Authenticode signature.";
    MSI_DIGEST = "msi.digest", "The streams of the package have the Authenticode digest that is signed.";
    MSI_METADATA = "msi.metadata", "Names, sizes, and times of the streams are those that are signed, where the signature covers them.";
    MSI_TRAILING_DATA = "msi.trailing-data", "The file ends with its last sector in use, and the signature's stream with the signature.";
    CAB_PARSE = "cab.parse", "The file is a cabinet, and its headers and data lie where they may.";
    CAB_SIGNED = "cab.signed", "The cabinet carries an Authenticode signature.";
    CAB_DIGEST = "cab.digest", "The cabinet has the Authenticode digest that is signed.";
    CAB_TRAILING_DATA = "cab.trailing-data", "The cabinet ends where its signature begins, and the file with its signature.";
    CMS_PARSE = "cms.parse", "The signature is a PKCS #7 over Authenticode content, with one signer.";
    CMS_DIGEST_ALGORITHM = "cms.digest-algorithm", "The signature names one digest algorithm throughout.";
    CMS_MESSAGE_DIGEST = "cms.message-digest", "The signed attributes state the type and the digest of the content.";
    CMS_SIGNATURE = "cms.signature", "The signature was made over the signed attributes with the key of its certificate.";
    CMS_WEAK_DIGEST = "cms.weak-digest", "The signature does not rest on SHA-1 alone.";
    X509_PATH = "x509.path", "A path leads from the signer's certificate to a trusted root.";
    X509_VALIDITY = "x509.validity", "The certificates were valid when the signature was made.";
    X509_KEY_USAGE = "x509.key-usage", "Key usage, extended key usage, and constraints allow what each certificate does.";
    X509_EXTENSIONS = "x509.extensions", "No certificate has a critical extension that is not understood.";
    X509_EC_PARAMETERS = "x509.ec-parameters", "No certificate spells its curve out instead of naming it (CVE-2020-0601).";
    X509_KEY_SIZE = "x509.key-size", "No RSA key is shorter than 2048 bits.";
    X509_WEAK_DIGEST = "x509.weak-digest", "No certificate on the path is signed with SHA-1.";
    X509_ROOT_PROGRAM = "x509.root-program", "The root's program allows what the root stands above, at that time.";
    TIMESTAMP_PRESENT = "timestamp.present", "The signature has a timestamp, so it outlives its certificate.";
    TIMESTAMP_TOKEN = "timestamp.token", "The timestamp can be read and was made over this signature.";
    TIMESTAMP_CHAIN = "timestamp.chain", "The timestamp's authority chains to a root that is trusted for that.";
    TIMESTAMP_TIME = "timestamp.time", "The timestamp is not of the future.";
    IDENTITY_ORGANIZATION = "identity.organization", "The signer's organization is the one that the policy names.";
    IDENTITY_AZURE = "identity.azure", "The signer's durable identity of Azure Artifact Signing is the one that the policy names.";
    FORMAT_UNSUPPORTED = "format.unsupported", "No rule covers the artifact, and its own kind of signature cannot be checked by this version.";
    ALLOW_UNSIGNED = "policy.allow-unsigned", "The policy allows the artifact to be unsigned.";
    ALLOW_EXPIRED = "policy.allow-expired", "The date until which the policy allows it is not past.";
    ALLOW_DIGEST = "policy.allow-digest", "The artifact has the digest for which the policy allows it.";
}

impl Check {
    pub(crate) fn new(id: Id, outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            id,
            outcome,
            reason: reason.into(),
        }
    }

    pub(crate) fn pass(id: Id, reason: impl Into<String>) -> Self {
        Self::new(id, Outcome::Pass, reason)
    }

    pub(crate) fn fail(id: Id, reason: impl Into<String>) -> Self {
        Self::new(id, Outcome::Fail, reason)
    }
}
