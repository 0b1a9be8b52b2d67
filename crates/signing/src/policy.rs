//! Policy: what must hold for which artifact, as configuration says it, parsed.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use release::name::printable;
use release::{Os, Sha256, Timestamp, Version};
use thiserror::Error;

use crate::apple;
use crate::authenticode::Signer;
use crate::minisign::PublicKey;
use crate::openpgp::Fingerprint;
use crate::sigstore::{Provenance, ProvenanceError};
use crate::snap::SnapRule;
use crate::sparkle;
use crate::tauri;
use crate::tuf;

/// What must hold. A platform's rules and those for all must both hold.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Rules for one operating system.
    pub by_os: BTreeMap<Os, Rules>,
    /// Rules for everything.
    pub all: Rules,
    /// What may be unsigned.
    pub allow_unsigned: Vec<Allowance>,
    /// Roots that are trusted besides the platform's own: PEM files, relative like everything.
    pub roots: Vec<String>,
}

/// Rules of one scope. Each that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Each artifact is signed with Authenticode, by this signer.
    pub authenticode: Option<Signer>,
    /// Each artifact is signed with Developer ID, by this team.
    pub apple: Option<apple::Signer>,
    /// An OpenPGP signature stands beside each artifact.
    pub openpgp: Option<OpenPgpRule>,
    /// An attestation says where each artifact was built.
    pub provenance: Option<ProvenanceRule>,
    /// Assertions of the store stand beside each snap; what is no snap is not covered.
    pub snap: Option<SnapRule>,
    /// A minisign signature stands beside each artifact.
    pub minisign: Option<PublicKey>,
    /// A signature of Tauri's stands beside each artifact that its updater takes.
    pub tauri: Option<tauri::PublicKey>,
    /// An appcast has the signature of each artifact.
    pub sparkle: Option<sparkle::Rule>,
    /// Each artifact is a target of a repository of The Update Framework.
    pub tuf: Option<tuf::Rule>,
    /// A signed document of checksums names each artifact.
    pub sha256sums: Option<SumsRule>,
    /// A signed repository of apt names each Debian package.
    pub apt: Option<AptRule>,
    /// What is inside installers, packages, and disk images; none where this scope does not say.
    pub contents: Option<ContentsRule>,
}

/// Whether what is inside something that is signed itself must be signed too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContentsRule {
    /// Every program inside, as if it lay in an archive. What cannot be read inside fails.
    #[default]
    Required,
    /// The signature of the whole is enough, and nobody looks inside.
    Optional,
}

/// Who signs with OpenPGP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPgpRule {
    /// Where the file with the public key stands.
    pub key: String,
    /// The fingerprint of the primary key.
    pub fingerprint: Fingerprint,
}

/// Where artifacts are built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenanceRule {
    /// What must be true of it, but for the ref.
    pub provenance: Provenance,
    /// The ref that is built; `{version}` in it stands for the version that is released.
    pub reference: Option<String>,
    /// The file with the bundles of all artifacts; else one stands beside each artifact.
    pub bundle: Option<String>,
}

impl ProvenanceRule {
    /// What must be true of a version.
    ///
    /// # Errors
    /// Where the ref of that version would be none.
    pub fn provenance(&self, version: &Version) -> Result<Provenance, ProvenanceError> {
        let reference = self.reference.as_ref().map(|reference| {
            let reference = reference.replace("{version}", &version.to_string());
            reference.parse()
        });
        Ok(Provenance {
            reference: reference.transpose()?,
            ..self.provenance.clone()
        })
    }
}

/// A repository of apt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AptRule {
    /// Where its release file stands: `InRelease`, or `Release` with `Release.gpg` beside it.
    pub release: String,
    /// Who signs it.
    pub signer: OpenPgpRule,
}

/// A signed document of checksums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SumsRule {
    /// Where it stands; its signature stands beside it.
    pub path: String,
    /// Who signs it.
    pub signer: SumsSigner,
}

/// Who signs a document of checksums, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SumsSigner {
    /// With minisign: `.minisig`.
    Minisign(PublicKey),
    /// With OpenPGP: `.asc` or `.sig`.
    OpenPgp(OpenPgpRule),
    /// With Sigstore, by a workflow: `.sigstore.json`, or the bundle that the rule names.
    Provenance(ProvenanceRule),
}

/// An artifact that may be unsigned, for a reason and until a day.
#[derive(Debug, Clone)]
pub struct Allowance {
    /// Which.
    pub path: PathPattern,
    /// Why.
    pub reason: String,
    /// The last day on which it holds, in UTC.
    pub until: Date,
    /// The only digest for which it holds, for third-party files.
    pub sha256: Option<Sha256>,
}

impl Policy {
    /// The rules that cover a platform.
    pub(crate) fn rules_for(&self, os: Os) -> impl Iterator<Item = &Rules> {
        self.by_os.get(&os).into_iter().chain([&self.all])
    }

    /// Whether what is inside must be signed: as the platform's rules say, or else those for all.
    pub fn contents(&self, os: Os) -> ContentsRule {
        let mut said = self.rules_for(os).filter_map(|rules| rules.contents);
        said.next().unwrap_or_default()
    }

    /// Every signer that some rule names.
    pub fn authenticode_signers(&self) -> impl Iterator<Item = &Signer> {
        let scopes = self.by_os.values().chain([&self.all]);
        scopes.filter_map(|rules| rules.authenticode.as_ref())
    }

    /// Every signer with Developer ID that some rule names.
    pub fn apple_signers(&self) -> impl Iterator<Item = &apple::Signer> {
        let scopes = self.by_os.values().chain([&self.all]);
        scopes.filter_map(|rules| rules.apple.as_ref())
    }

    /// Every rule about OpenPGP.
    pub fn openpgp_rules(&self) -> impl Iterator<Item = &OpenPgpRule> {
        let scopes = self.by_os.values().chain([&self.all]);
        scopes.filter_map(|rules| rules.openpgp.as_ref())
    }

    /// Every rule that names a file of OpenPGP keys, whatever they sign.
    pub fn openpgp_keys(&self) -> impl Iterator<Item = &OpenPgpRule> {
        let apt = self.apt_rules().into_iter().map(|rule| &rule.signer);
        let sums = self.sums_rules().into_iter();
        let sums = sums.filter_map(|rule| match &rule.signer {
            SumsSigner::OpenPgp(signer) => Some(signer),
            SumsSigner::Minisign(_) | SumsSigner::Provenance(_) => None,
        });
        self.openpgp_rules().chain(apt).chain(sums)
    }

    /// Every repository of apt that some rule names, each once.
    pub fn apt_rules(&self) -> Vec<&AptRule> {
        let scopes = self.by_os.values().chain([&self.all]);
        let mut rules: Vec<_> = scopes.filter_map(|rules| rules.apt.as_ref()).collect();
        rules.dedup();
        rules
    }

    /// Every rule about where artifacts are built.
    pub fn provenance_rules(&self) -> impl Iterator<Item = &ProvenanceRule> {
        let scopes = self.by_os.values().chain([&self.all]);
        scopes.filter_map(|rules| rules.provenance.as_ref())
    }

    /// Every rule about snaps.
    pub fn snap_rules(&self) -> impl Iterator<Item = &SnapRule> {
        let scopes = self.by_os.values().chain([&self.all]);
        scopes.filter_map(|rules| rules.snap.as_ref())
    }

    /// Whether some rule asks for signatures of Tauri's.
    pub fn has_tauri_rules(&self) -> bool {
        let mut scopes = self.by_os.values().chain([&self.all]);
        scopes.any(|rules| rules.tauri.is_some())
    }

    /// Every rule about an appcast, each once.
    pub fn sparkle_rules(&self) -> Vec<&sparkle::Rule> {
        let scopes = self.by_os.values().chain([&self.all]);
        let mut rules: Vec<_> = scopes.filter_map(|rules| rules.sparkle.as_ref()).collect();
        rules.dedup();
        rules
    }

    /// Every rule about a repository of The Update Framework, each once.
    pub fn tuf_rules(&self) -> Vec<&tuf::Rule> {
        let scopes = self.by_os.values().chain([&self.all]);
        let mut rules: Vec<_> = scopes.filter_map(|rules| rules.tuf.as_ref()).collect();
        rules.dedup();
        rules
    }

    /// Every document of checksums that some rule names, each once.
    pub fn sums_rules(&self) -> Vec<&SumsRule> {
        let mut rules: Vec<_> = self
            .by_os
            .values()
            .chain([&self.all])
            .filter_map(|rules| rules.sha256sums.as_ref())
            .collect();
        rules.dedup();
        rules
    }
}

/// A glob over relative paths with `/` between; `*` does not cross folders.
#[derive(Debug, Clone)]
pub struct PathPattern(GlobMatcher);

/// A text that is no glob.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{found}` is not a glob: {why}")]
pub struct PatternError {
    found: String,
    why: String,
}

impl PathPattern {
    pub(crate) fn covers(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}

impl FromStr for PathPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let glob = GlobBuilder::new(text).literal_separator(true).build();
        glob.map(|glob| Self(glob.compile_matcher()))
            .map_err(|error| PatternError {
                found: printable(text),
                why: error.to_string(),
            })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.glob().glob())
    }
}

/// A day, `2027-06-30`, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(Timestamp);

/// A text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{found}` is not a date; expected year, month, and day, such as `2027-06-30`")]
pub struct DateError {
    found: String,
}

impl Date {
    /// Whether the day is past.
    pub(crate) fn is_past(self, now: Timestamp) -> bool {
        now.date() > self.0.date()
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let wrong = || DateError {
            found: printable(text),
        };
        let shaped = text.len() == 10
            && text.bytes().enumerate().all(|(at, b)| {
                if at == 4 || at == 7 {
                    b == b'-'
                } else {
                    b.is_ascii_digit()
                }
            });
        if !shaped {
            return Err(wrong());
        }
        format!("{text}T00:00:00Z")
            .parse()
            .map(Self)
            .map_err(|_| wrong())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.date())
    }
}
