//! The keys under `signing`, and the policy that they make.

use ::signing::apple::{self, HardenedRuntime, Notarized};
use ::signing::authenticode::{Signer, TimestampRule};
use ::signing::sigstore::{Provenance, Repository, Runner, Workflow};
use ::signing::{
    Allowance, AptRule, ContentsRule, Date, Fingerprint, KeyId, OpenPgpRule, PathPattern, Policy,
    ProvenanceRule, PublicKey, Rules, SnapRule, SumsRule, SumsSigner,
};
use ::signing::{sparkle, tauri, tuf};
use release::name::printable;
use release::{Os, Sha256};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::lint;
use crate::config::text::Text;

/// What must hold; a platform's rules and those of `all` must both hold.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct SigningKeys {
    /// For artifacts of Windows
    windows: Option<RuleKeys>,
    /// For artifacts of macOS
    macos: Option<RuleKeys>,
    /// For artifacts of Linux
    linux: Option<RuleKeys>,
    /// For artifacts of the web
    web: Option<RuleKeys>,
    /// For every artifact
    all: Option<RuleKeys>,
    /// What may be unsigned: by path, for a reason, until a day
    allow_unsigned: Vec<AllowanceKeys>,
    /// Roots that are trusted besides Microsoft's: paths of PEM files. Whoever holds one can sign anything
    roots: Vec<String>,
}

/// Rules of one scope.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RuleKeys {
    /// Each artifact is signed with Authenticode
    authenticode: Option<AuthenticodeKeys>,
    /// Each artifact is signed with Apple's Developer ID
    apple: Option<AppleKeys>,
    /// An OpenPGP signature stands beside each artifact, `.asc` or `.sig`
    openpgp: Option<OpenPgpKeys>,
    /// An attestation says where each artifact was built: GitHub's, in a Sigstore bundle
    provenance: Option<ProvenanceKeys>,
    /// Assertions of the store stand beside each snap, `.assert`, as `snap download` writes them
    snap: Option<SnapKeys>,
    /// A minisign signature stands beside each artifact
    minisign: Option<MinisignKeys>,
    /// A signature of Tauri's, `.sig`, stands beside each artifact; disk images and installer packages of macOS need none
    tauri: Option<TauriKeys>,
    /// A Sparkle appcast has a signature of each artifact
    sparkle: Option<SparkleKeys>,
    /// Each artifact is a target of a repository of The Update Framework
    tuf: Option<TufKeys>,
    /// A signed document of checksums names each artifact
    sha256sums: Option<SumsKeys>,
    /// A signed repository of apt, as it is published, names each Debian package
    apt: Option<AptKeys>,
    /// Whether programs inside installers and disk images must be signed as the whole is; in archives they must
    contents: Option<Demand>,
}

/// Who signs with Authenticode. At least one of the two identities is given.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AuthenticodeKeys {
    /// The organization in the signer's certificate, exactly
    organization: Option<String>,
    /// The durable identity of Azure Artifact Signing, `1.3.6.1.4.1.311.97.…`
    azure_identity: Option<String>,
    /// Whether the signature must have a timestamp; without one it ends with its certificate
    #[serde(default)]
    timestamp: Demand,
}

/// Who signs with Developer ID, and what macOS will ask of users.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AppleKeys {
    /// The Team ID in the signer's certificate, ten letters and digits
    team_id: String,
    /// Whether programs must run under the hardened runtime
    #[serde(default)]
    hardened_runtime: Demand,
    /// Whether Apple's notarization ticket must be stapled; a bare program cannot have one
    #[serde(default)]
    notarized: Demand,
}

/// Whether something must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Demand {
    /// Yes
    #[default]
    Required,
    /// No
    Optional,
}

/// Who signs with OpenPGP.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct OpenPgpKeys {
    /// The file with the public key, as `gpg --armor --export` writes it
    key: String,
    /// The fingerprint of the primary key, as `gpg --fingerprint` prints it
    fingerprint: Text<Fingerprint>,
}

/// Where artifacts are built, compared exactly.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ProvenanceKeys {
    /// The repository whose source is built, `your-org/atlas`
    repository: Text<Repository>,
    /// The workflow that attests, `.github/workflows/release.yml`; that of another repository with its name in front
    workflow: Text<Workflow>,
    /// The ref that is built, `refs/heads/main` or `refs/tags/v{version}`; else any
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// Which machines may build
    #[serde(default)]
    runner: RunnerKey,
    /// The file with the attestations of all artifacts; else `.sigstore.json` stands beside each
    bundle: Option<String>,
}

/// Which snap it is, and whose.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SnapKeys {
    /// The id of the account that publishes it, `publisher-id` in its snap-declaration
    account: String,
    /// Its name in the store
    name: String,
    /// The key of a store of your own, as `snap keys` shows it; else the public store's, which Canonical's root key vouches for
    key: Option<Text<KeyId>>,
}

/// Which machines may build.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum RunnerKey {
    /// GitHub's own, each of which serves one job
    #[default]
    Hosted,
    /// Any
    Any,
}

/// Who signs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MinisignKeys {
    /// The second line of `minisign.pub`
    public_key: Text<PublicKey>,
}

/// Who signs updates of a Tauri app.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TauriKeys {
    /// `plugins.updater.pubkey` of `tauri.conf.json`
    public_key: Text<tauri::PublicKey>,
}

/// Who signs updates that Sparkle installs, and where the signatures stand.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SparkleKeys {
    /// `SUPublicEDKey` of the apps that are installed
    public_key: Text<sparkle::PublicKey>,
    /// Where the appcast stands, such as `dist/appcast.xml`; the items of the version being released are looked at
    appcast: String,
}

/// A repository of The Update Framework, and the root that it is trusted by.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TufKeys {
    /// The root that is trusted, such as `keys/root.json`: not one of those that come with the release
    root: String,
    /// The folder with the metadata, such as `dist/metadata`
    metadata: String,
    /// The folder in which the artifacts are as targets, such as `atlas/{version}`; else in none
    targets: Option<String>,
}

/// A signed document of checksums.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SumsKeys {
    /// Where it stands, such as `dist/SHA256SUMS`; its signature stands beside it
    path: String,
    /// Who signs it, where that is done with minisign: `SHA256SUMS.minisig`. Exactly one of the three is given
    minisign: Option<MinisignKeys>,
    /// Who signs it, where that is done with OpenPGP: `SHA256SUMS.asc` or `SHA256SUMS.sig`
    openpgp: Option<OpenPgpKeys>,
    /// Which workflow signs it, where that is done with Sigstore: `SHA256SUMS.sigstore.json`
    provenance: Option<ProvenanceKeys>,
}

/// A repository of apt, and who signs it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AptKeys {
    /// Where `InRelease` stands, such as `dist/apt/dists/stable/InRelease`; or `Release`, with `Release.gpg` beside it
    release: String,
    /// The file with the public key, as `gpg --armor --export` writes it
    key: String,
    /// The fingerprint of the primary key, as `gpg --fingerprint` prints it
    fingerprint: Text<Fingerprint>,
}

/// An artifact that may be unsigned.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AllowanceKeys {
    /// A glob relative to this file
    path: Text<PathPattern>,
    /// Why
    reason: String,
    /// The last day on which it holds, such as `2027-06-30`
    until: Text<Date>,
    /// The only digest for which it holds
    sha256: Option<Text<Sha256>>,
}

impl SigningKeys {
    pub(super) fn into_policy(self, errors: &mut Vec<String>) -> Policy {
        let Self {
            windows,
            macos,
            linux,
            web,
            all,
            allow_unsigned,
            roots,
        } = self;
        let by_os = [
            (Os::Windows, windows),
            (Os::Macos, macos),
            (Os::Linux, linux),
            (Os::Web, web),
        ];
        let allow_unsigned = allow_unsigned.into_iter().map(|keys| {
            let reason = keys.reason.trim();
            if reason.is_empty() || reason.starts_with("FIXME") {
                errors.push(format!(
                    "`allow-unsigned` of `{}` has no `reason`; say why",
                    printable(&keys.path.0.to_string())
                ));
            }
            Allowance {
                path: keys.path.0,
                reason: keys.reason,
                until: keys.until.0,
                sha256: keys.sha256.map(|text| text.0),
            }
        });
        let allow_unsigned = allow_unsigned.collect();
        let policy = Policy {
            allow_unsigned,
            by_os: by_os
                .into_iter()
                .filter_map(|(os, keys)| Some((os, keys?.into_rules(errors))))
                .collect(),
            all: all.map(|keys| keys.into_rules(errors)).unwrap_or_default(),
            roots,
        };
        for root in &policy.roots {
            lint::path("roots", root, errors);
        }
        for signer in policy.authenticode_signers() {
            lint::signer(signer, errors);
        }
        for signer in policy.apple_signers() {
            lint::team_id(&signer.team_id, errors);
        }
        for rule in policy.openpgp_rules() {
            lint::path("openpgp.key", &rule.key, errors);
        }
        for rule in policy.apt_rules() {
            lint::apt(rule, errors);
        }
        for rule in policy.snap_rules() {
            lint::snap(rule, errors);
        }
        for rule in policy.provenance_rules() {
            lint::provenance(rule, errors);
        }
        for rule in policy.sparkle_rules() {
            lint::path("sparkle.appcast", &rule.appcast, errors);
        }
        for rule in policy.tuf_rules() {
            lint::path("tuf.root", &rule.root, errors);
            lint::path("tuf.metadata", &rule.metadata, errors);
            if let Some(targets) = &rule.targets {
                lint::path("tuf.targets", targets, errors);
            }
        }
        for rule in policy.sums_rules() {
            lint::path("sha256sums", &rule.path, errors);
            match &rule.signer {
                SumsSigner::Minisign(_) => {}
                SumsSigner::OpenPgp(signer) => {
                    lint::path("sha256sums.openpgp.key", &signer.key, errors)
                }
                SumsSigner::Provenance(signer) => lint::provenance(signer, errors),
            }
        }
        policy
    }
}

impl OpenPgpKeys {
    fn into_rule(self) -> OpenPgpRule {
        OpenPgpRule {
            key: self.key,
            fingerprint: self.fingerprint.0,
        }
    }
}

impl ProvenanceKeys {
    fn into_rule(self) -> ProvenanceRule {
        ProvenanceRule {
            provenance: Provenance {
                repository: self.repository.0,
                workflow: self.workflow.0,
                reference: None,
                runner: match self.runner {
                    RunnerKey::Hosted => Runner::Hosted,
                    RunnerKey::Any => Runner::Any,
                },
            },
            reference: self.reference,
            bundle: self.bundle,
        }
    }
}

impl SumsKeys {
    fn into_rule(self, errors: &mut Vec<String>) -> Option<SumsRule> {
        let Self {
            path,
            minisign,
            openpgp,
            provenance,
        } = self;
        let signer = match (minisign, openpgp, provenance) {
            (Some(keys), None, None) => SumsSigner::Minisign(keys.public_key.0),
            (None, Some(keys), None) => SumsSigner::OpenPgp(keys.into_rule()),
            (None, None, Some(keys)) => SumsSigner::Provenance(keys.into_rule()),
            _ => {
                let path = printable(&path);
                errors.push(format!(
                    "`sha256sums` of `{path}`: expected exactly one of `minisign`, `openpgp`, and `provenance`"
                ));
                return None;
            }
        };
        Some(SumsRule { path, signer })
    }
}

impl RuleKeys {
    fn into_rules(self, errors: &mut Vec<String>) -> Rules {
        Rules {
            authenticode: self.authenticode.map(|keys| Signer {
                organization: keys.organization,
                azure_identity: keys.azure_identity,
                timestamp: match keys.timestamp {
                    Demand::Required => TimestampRule::Required,
                    Demand::Optional => TimestampRule::MayBeMissing,
                },
            }),
            apple: self.apple.map(|keys| apple::Signer {
                team_id: keys.team_id,
                hardened_runtime: match keys.hardened_runtime {
                    Demand::Required => HardenedRuntime::Required,
                    Demand::Optional => HardenedRuntime::MayBeMissing,
                },
                notarized: match keys.notarized {
                    Demand::Required => Notarized::Required,
                    Demand::Optional => Notarized::MayBeMissing,
                },
            }),
            openpgp: self.openpgp.map(OpenPgpKeys::into_rule),
            provenance: self.provenance.map(ProvenanceKeys::into_rule),
            snap: self.snap.map(|keys| SnapRule {
                account: keys.account,
                name: keys.name,
                key: keys.key.map(|key| key.0),
            }),
            minisign: self.minisign.map(|keys| keys.public_key.0),
            tauri: self.tauri.map(|keys| keys.public_key.0),
            sparkle: self.sparkle.map(|keys| sparkle::Rule {
                key: keys.public_key.0,
                appcast: keys.appcast,
            }),
            tuf: self.tuf.map(|keys| tuf::Rule {
                root: keys.root,
                metadata: keys.metadata,
                targets: keys.targets,
            }),
            sha256sums: self.sha256sums.and_then(|keys| keys.into_rule(errors)),
            apt: self.apt.map(|keys| AptRule {
                release: keys.release,
                signer: OpenPgpRule {
                    key: keys.key,
                    fingerprint: keys.fingerprint.0,
                },
            }),
            contents: self.contents.map(|demand| match demand {
                Demand::Required => ContentsRule::Required,
                Demand::Optional => ContentsRule::Optional,
            }),
        }
    }
}
