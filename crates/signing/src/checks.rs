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
    TAURI_PRESENT = "tauri.present", "A signature of Tauri's stands beside the artifact, and can be read.";
    TAURI_KEY_ID = "tauri.key-id", "The signature was made by the key that the policy names.";
    TAURI_SIGNATURE = "tauri.signature", "The signature covers these bytes, and its trusted comment.";
    SPARKLE_APPCAST = "sparkle.appcast", "The appcast can be read, in one way only.";
    SPARKLE_COVERAGE = "sparkle.coverage", "The appcast has the artifact as an enclosure of this version.";
    SPARKLE_EXTRA = "sparkle.extra", "The appcast has no enclosure of this version that is not an artifact.";
    SPARKLE_PRESENT = "sparkle.present", "There is a Sparkle signature of the archive, and it can be read.";
    SPARKLE_LENGTH = "sparkle.length", "The archive is as long as stands beside the signature.";
    SPARKLE_SIGNATURE = "sparkle.signature", "The signature covers these bytes, and was made by the key that the policy names.";
    SUMS_SIGNATURE = "sha256sums.signature", "The document of checksums can be read and is signed by the key that the policy names.";
    SUMS_DIGEST = "sha256sums.digest", "The artifact has the digest that the document of checksums says.";
    SUMS_COVERAGE = "sha256sums.coverage", "The document of checksums names the artifact.";
    SUMS_EXTRA = "sha256sums.extra", "The document of checksums names nothing that is not there.";
    APT_SIGNATURE = "apt.signature", "The release file of the repository is there, and is signed by the key that the policy names.";
    APT_RELEASE = "apt.release", "The release file can be read in one way only, and lists files by SHA-256.";
    APT_VALIDITY = "apt.validity", "The release file is not of the future, and not past its end.";
    APT_INDEX = "apt.index", "Each index of packages is there with the digest and size that the release file lists, and can be read.";
    APT_DIGEST = "apt.digest", "The package has the digest and size that an index says.";
    APT_COVERAGE = "apt.coverage", "An index names the package.";
    APT_EXTRA = "apt.extra", "No index names a package of the release in this or a later version that is none of its artifacts.";
    TUF_ROOT = "tuf.root", "A chain of roots leads from the one that is pinned to the last one, each signed by both, and that is not expired.";
    TUF_METADATA = "tuf.metadata", "Timestamp, snapshot, and targets are signed by their roles, current, and what the one before states.";
    TUF_COVERAGE = "tuf.coverage", "The artifact is a target of the repository, by a role that may say so.";
    TUF_DIGEST = "tuf.digest", "The artifact has the length and the hashes of its target.";
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
    MSIX_PARSE = "msix.parse", "The package is a zip archive that can be read in one way only, and its parts can be told apart.";
    MSIX_SIGNED = "msix.signed", "The package carries an Authenticode signature.";
    MSIX_SIGNATURE_LAST = "msix.signature-last", "The signature is the last part, and nothing unsigned stands beside it.";
    MSIX_DIGEST = "msix.digest", "Files, directory, content types, and block map of the package have the digests that are signed.";
    MSIX_MANIFEST = "msix.manifest", "The manifest can be read, and names the package and its publisher.";
    MSIX_PUBLISHER = "msix.publisher", "The publisher in the manifest is the subject of the signer's certificate.";
    MSIX_BLOCK_MAP = "msix.block-map", "The block map can be read, and names every file of the package once and no other.";
    MSIX_BLOCKS = "msix.blocks", "Each file has the length and the digests in the block map.";
    MSIX_BUNDLE = "msix.bundle", "The packages in the bundle are those that its manifest names, whole, and by the same publisher.";
    SCRIPT_PARSE = "script.parse", "The script is a text that can be read in one way only, and its signature has one place.";
    SCRIPT_SIGNED = "script.signed", "The script carries an Authenticode signature.";
    SCRIPT_DIGEST = "script.digest", "The script has the Authenticode digest that is signed.";
    SCRIPT_TRAILING_DATA = "script.trailing-data", "The script ends with its signature.";
    CAT_PARSE = "cat.parse", "The file is a catalog, and everything that it lists can be read.";
    CAT_SIGNED = "cat.signed", "The catalog carries a signature.";
    CAT_MEMBER = "cat.member", "The catalog lists the file by its digest.";
    NUGET_PARSE = "nuget.parse", "The package is a zip archive that can be read in one way only.";
    NUGET_SIGNED = "nuget.signed", "The package carries a signature.";
    NUGET_SIGNATURE_ENTRY = "nuget.signature-entry", "The signature is stored as it is, and nothing unsigned stands beside it.";
    NUGET_CONTENT = "nuget.content", "What is signed is the digest of a package, in the form that is known.";
    NUGET_DIGEST = "nuget.digest", "The package without its signature has the digest that is signed.";
    NUGET_TYPE = "nuget.type", "The signature says whether its author or a repository made it.";
    NUGET_COUNTERSIGNATURE = "nuget.countersignature", "The countersignature is one of a repository, over the author's signature.";
    NUGET_CERTIFICATE = "nuget.certificate", "The signed attributes name the certificate that made the signature, and its key is one of RSA.";
    MACHO_PARSE = "macho.parse", "The file is a Mach-O image or a universal file of such, and its code lies before its signature.";
    MACHO_SIGNED = "macho.signed", "The image carries a code signature.";
    MACHO_EVERY_SLICE = "macho.every-slice", "Each slice of a universal file carries a code signature.";
    MACHO_TRAILING_DATA = "macho.trailing-data", "Nothing stands between the slices, behind the last, or behind a signature.";
    MACHO_SUPER_BLOB = "macho.super-blob", "The parts of the signature are known, each once, and lie one behind the other.";
    MACHO_CODE_DIRECTORY = "macho.code-directory", "Each code directory covers everything before the signature, and all say the same.";
    MACHO_PAGE_HASHES = "macho.page-hashes", "The pages of the code have the digests in each code directory.";
    MACHO_SPECIAL_SLOTS = "macho.special-slots", "Requirements, entitlements, and constraints in the signature have the digests in each code directory.";
    APPLE_AD_HOC = "apple.ad-hoc", "Somebody signed; the signature is not ad hoc.";
    APPLE_CMS_BINDING = "apple.cms-binding", "The CMS signature is about these code directories, all of them.";
    APPLE_TEAM_ID = "apple.team-id", "The Team ID that the code claims is the one in the certificate.";
    APPLE_ENTITLEMENTS = "apple.entitlements", "The entitlements can be read, and are the same in both their forms.";
    APPLE_DEVELOPER_ID = "apple.developer-id", "The certificate is one for Developer ID, of the kind that such a file needs.";
    APPLE_HARDENED_RUNTIME = "apple.hardened-runtime", "The program runs under the hardened runtime.";
    APPLE_DEBUGGABLE = "apple.debuggable", "The program does not let anyone debug it.";
    APPLE_NOTARIZED = "apple.notarized", "A notarization ticket of Apple's that covers it is stapled to it.";
    APPLE_ONE_TEAM = "apple.one-team", "One team signs every library of a bundle, or the program may load those of others.";
    APPLE_PROVISIONING = "apple.provisioning", "A provisioning profile grants each entitlement that Apple restricts.";
    BUNDLE_PARSE = "bundle.parse", "The lists of the bundle can be read: its files, and `Info.plist`.";
    BUNDLE_SIGNED = "bundle.signed", "The bundle has a list of its files, which is what its signature covers.";
    BUNDLE_SEALED_RESOURCES = "bundle.sealed-resources", "Each file of the bundle is what the list says.";
    BUNDLE_MISSING = "bundle.missing", "Everything that the list names is there.";
    BUNDLE_UNLISTED = "bundle.unlisted", "Nothing is there that the list does not name, but for what its rules leave out.";
    BUNDLE_SYMLINK = "bundle.symlink", "Every link of the bundle stays inside it.";
    BUNDLE_NESTED_CODE = "bundle.nested-code", "Nested code holds, and is the code that was signed with the bundle.";
    BUNDLE_EXECUTABLE = "bundle.executable", "The main executable is there, and its signature holds.";
    BUNDLE_INFO_PLIST = "bundle.info-plist", "Each slice of the main executable is signed with this `Info.plist` and this list of files.";
    TICKET_PARSE = "ticket.parse", "The stapled notarization ticket can be read.";
    TICKET_SIGNATURE = "ticket.signature", "The ticket is signed as a whole.";
    TICKET_CHAIN = "ticket.chain", "The ticket's signer is Apple's for that, at the ticket's own time.";
    TICKET_COVERAGE = "ticket.coverage", "The ticket lists what it is stapled to.";
    TICKET_ONLINE = "ticket.online", "Asked online, Apple's ticket service still has the ticket that is stapled, or one that covers this.";
    PKG_PARSE = "pkg.parse", "The file is a xar archive, and its table of contents can be read in one way only.";
    PKG_SIGNED = "pkg.signed", "The package carries a signature.";
    PKG_TOC_CHECKSUM = "pkg.toc-checksum", "The table of contents has the checksum that the archive stores and the signatures cover.";
    PKG_RSA_SIGNATURE = "pkg.rsa-signature", "The bare RSA signature covers the table of contents, by the same certificate.";
    PKG_FILES = "pkg.files", "Each file has the checksum in the table of contents, and nothing else lies among them.";
    PKG_TRAILING_DATA = "pkg.trailing-data", "Nothing stands behind the files but a notarization ticket.";
    DMG_PARSE = "dmg.parse", "The file ends as a disk image does, and its parts lie inside it.";
    DMG_SIGNED = "dmg.signed", "The disk image carries a signature.";
    DMG_KOLY = "dmg.koly", "Each code directory covers the end of the disk image, which says where everything lies.";
    DMG_DATA_CHECKSUM = "dmg.data-checksum", "The data of the disk image has the checksums that are stated of it.";
    DMG_TRAILING_DATA = "dmg.trailing-data", "Data, property list, signature, and end of the disk image lie one behind the other, and nothing else does.";
    CMS_PARSE = "cms.parse", "The signature is a PKCS #7 over the content of its format, with one signer.";
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
    X509_REVOCATION = "x509.revocation", "Asked online, no certificate below the root was revoked, or only after a timestamp vouches for what it signed.";
    TIMESTAMP_PRESENT = "timestamp.present", "The signature has a timestamp, so it outlives its certificate.";
    TIMESTAMP_TOKEN = "timestamp.token", "The timestamp can be read and was made over this signature.";
    TIMESTAMP_CHAIN = "timestamp.chain", "The timestamp's authority chains to a root that is trusted for that.";
    TIMESTAMP_TIME = "timestamp.time", "The timestamp is not of the future.";
    IDENTITY_ORGANIZATION = "identity.organization", "The signer's organization is the one that the policy names.";
    IDENTITY_AZURE = "identity.azure", "The signer's durable identity of Azure Artifact Signing is the one that the policy names.";
    IDENTITY_TEAM_ID = "identity.team-id", "The signer's Apple Team ID is the one that the policy names.";
    CONTENTS_PARSE = "contents.parse", "What is inside can be read to its end, and in one way only.";
    CONTENTS_LIMITS = "contents.limits", "What is inside is not more, larger, or deeper than what is read.";
    CONTENTS_SIGNED = "contents.signed", "Something inside can carry a signature: a program, a library, or a package.";
    OPENPGP_PRESENT = "openpgp.present", "An OpenPGP signature is there, and can be read.";
    OPENPGP_KEY = "openpgp.key", "A signature was made by the key that is expected.";
    OPENPGP_SIGNATURE = "openpgp.signature", "Each signature by a known key covers these bytes, and is of a kind that may.";
    OPENPGP_KEY_VALIDITY = "openpgp.key-validity", "The key could sign then: bound, long enough, neither expired nor revoked.";
    OPENPGP_WEAK_DIGEST = "openpgp.weak-digest", "The signature rests on SHA-256, SHA-384, or SHA-512.";
    OPENPGP_TIME = "openpgp.time", "The signature is not of the future, and not expired.";
    SIGSTORE_PRESENT = "sigstore.present", "A Sigstore bundle stands beside the artifact.";
    SIGSTORE_PARSE = "sigstore.parse", "The bundle can be read, and is of a kind that is known.";
    SIGSTORE_TIMESTAMP = "sigstore.timestamp", "A log or a timestamp authority vouches for when it was signed, and that is not of the future.";
    SIGSTORE_CERTIFICATE = "sigstore.certificate", "The certificate was issued by Fulcio and valid at that time, and logged where its instance logs certificates.";
    SIGSTORE_TRANSPARENCY_LOG = "sigstore.transparency-log", "The log includes an entry about this artifact, signature, and key, by proof and signed checkpoint; GitHub's instance for private repositories has no log.";
    SIGSTORE_SIGNATURE = "sigstore.signature", "The signature was made with the key of the certificate.";
    SIGSTORE_SUBJECT = "sigstore.subject", "The bundle is about the artifact, by its digest.";
    SIGSTORE_ISSUER = "sigstore.issuer", "The signer's identity is vouched for by who is expected: GitHub Actions, in policies.";
    SIGSTORE_IDENTITY = "sigstore.identity", "The signer's identity is exactly the one that is expected.";
    PROVENANCE_REPOSITORY = "provenance.repository", "The artifact was built from the repository that the policy names.";
    PROVENANCE_WORKFLOW = "provenance.workflow", "The workflow that the policy names signed.";
    PROVENANCE_REF = "provenance.ref", "The artifact was built from the ref that the policy names.";
    PROVENANCE_RUNNER = "provenance.runner", "The artifact was built on a runner of GitHub's own.";
    PROVENANCE_PREDICATE = "provenance.predicate", "The attestation is SLSA provenance, and says what the certificate says.";
    RPM_PARSE = "rpm.parse", "The file is an RPM package, and its headers can be read in one way only.";
    RPM_SIGNED = "rpm.signed", "The package carries a signature.";
    RPM_SIGNATURE_HEADER = "rpm.signature-header", "The signature header, which nobody signs, has only tags that belong there (CVE-2021-3421).";
    RPM_HEADER_DIGEST = "rpm.header-digest", "The header has the digests and the size in the signature header.";
    RPM_PAYLOAD_DIGEST = "rpm.payload-digest", "The payload has the digests in the header, and a signed header has one.";
    RPM_FILE_DIGESTS = "rpm.file-digests", "The payload has the files that the header lists, each with its digest, and no others.";
    DEB_PARSE = "deb.parse", "The file is an ar archive as deb(5) has it, with nothing behind its last member.";
    DEB_SIGNED = "deb.signed", "The package carries a signature, as debsigs makes it.";
    DEB_MEMBERS = "deb.members", "The package has its three members in order, and behind them only signatures.";
    FEED_PARSE = "feed.parse", "An update feed beside the artifacts can be read as its updater reads it.";
    FEED_VERSION = "feed.version", "The feed shows the version that is released, and none that is newer.";
    FEED_COVERAGE = "feed.coverage", "Each file that the feed lists for this version is an artifact that is there, and each platform that it serves finds an artifact in it.";
    FEED_SIZE = "feed.size", "A file has the length that the feed states.";
    FEED_DIGEST = "feed.digest", "A file has the digest that the feed states.";
    FEED_SIGNATURE = "feed.signature", "The signature in the feed is the one that stands beside the file, or at least one that its updater can read.";
    CONTINUITY_READABLE = "continuity.readable", "Both releases can be read as far as installed copies ask, and the previous one is whole.";
    CONTINUITY_PUBLISHER_NAME = "continuity.publisher-name", "A publisher whom installed apps of electron-updater accept signed the new installer.";
    CONTINUITY_IDENTITY = "continuity.identity", "Who signed the previous program, installer, or package for Windows signed the new one.";
    CONTINUITY_PACKAGE = "continuity.package", "An app package has the name and publisher of the previous one, and a higher version.";
    CONTINUITY_BUNDLE_ID = "continuity.bundle-id", "An app of macOS has the bundle identifier of the previous one.";
    CONTINUITY_TEAM_ID = "continuity.team-id", "The Apple team that signed the previous one signed the new one.";
    CONTINUITY_REQUIREMENT = "continuity.requirement", "The new code meets the designated requirement of the previous code.";
    CONTINUITY_KEY = "continuity.key", "The OpenPGP or minisign key that this release must have signed the previous one.";
    CONTINUITY_SPARKLE_KEY = "continuity.sparkle-key", "Installed apps of Sparkle believe the new archive: by their key, or by a new one and the same code signature.";
    APPIMAGE_PARSE = "appimage.parse", "The file is an AppImage of type 2: an ELF image, and a squashfs behind it.";
    APPIMAGE_SIGNED = "appimage.signed", "The AppImage carries a signature, as appimagetool makes it.";
    APPIMAGE_SECTIONS = "appimage.sections", "The sections for the signature and its key lie apart from everything else and hold nothing else.";
    SNAP_PRESENT = "snap.present", "Assertions that can be read stand beside the snap.";
    SNAP_REVISION = "snap.revision", "One snap-revision states the SHA3-384 and the size that the snap has.";
    SNAP_DECLARATION = "snap.declaration", "One snap-declaration says which snap that is.";
    SNAP_KEY = "snap.key", "What is said is signed by a key that the root key vouches for, or that the policy pins, for who says it.";
    SNAP_SIGNATURE = "snap.signature", "The signature covers what is said of the snap.";
    SNAP_TIME = "snap.time", "The key was good when that was said, and is now.";
    SNAP_PUBLISHER = "snap.publisher", "The snap has the name, and the account that publishes it, which the policy expects.";
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

    /// Whether it holds.
    pub(crate) fn is_pass(&self) -> bool {
        self.outcome == Outcome::Pass
    }

    pub(crate) fn pass(id: Id, reason: impl Into<String>) -> Self {
        Self::new(id, Outcome::Pass, reason)
    }

    pub(crate) fn fail(id: Id, reason: impl Into<String>) -> Self {
        Self::new(id, Outcome::Fail, reason)
    }
}
