//! `verify --learn`: the policy that a good release meets, to be read and put into `lastmile.yml`.
//!
//! Who signed is taken from what holds. Then the release is verified by those rules: what they do not cover, or somebody else
//! signed, becomes an entry of `allow-unsigned` by path and digest, which says nothing for itself yet. And once more with
//! those: what is wrong all the same, or cannot be read, is no policy's to allow, and is named. Rules about keys and documents
//! that stand in the policy stay. Nothing is believed because it was learned: a
//! person decides whether that release was good.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;

use release::name::{escaped, printable};
use release::{Os, Sha256, Timestamp};
use serde::Serialize;
use signing::apple::{self, HardenedRuntime, Notarized};
use signing::authenticode::{Signer, TimestampRule};
use signing::inspection::{Inspection, Kind as Signed};
use signing::walk::{self, Settings};
use signing::{
    Allowance, Check, MeasureError, Outcome, Policy, ReleaseReport, Rules, Trust, Verdict,
};

use crate::artifacts::{self, Found};
use crate::error::Error;
use crate::progress::Reporter;
use crate::verify::Request;

/// Days until what was learned to be unsigned is refused again.
const ALLOWED_DAYS: i64 = 90;
/// What `allow-unsigned` says until somebody says why.
const REASON: &str = "FIXME: say why";

/// What was learned.
#[derive(Debug, Serialize)]
pub struct Learned {
    /// The key `signing` of `lastmile.yml`, as YAML.
    pub policy: String,
    /// How many files hold, inside archives too.
    pub signed: usize,
    /// How many do not, or are signed by somebody else, and would be allowed by path and digest.
    pub allowed: usize,
    /// What is wrong, which no policy allows: the path, and the first check that failed.
    pub wrong: Vec<String>,
}

/// Who signed, as a rule names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    Azure(String),
    Organization(String),
    Team(String),
}

/// What was found of one system.
#[derive(Debug, Default)]
struct Signers {
    /// Who signed, and which files.
    files: BTreeMap<Identity, BTreeSet<String>>,
    /// Of each, what it lacks in some file.
    lacks: BTreeMap<Identity, Lacks>,
}

/// What a rule could ask for, and some file does not have.
#[derive(Debug, Clone, Copy, Default)]
struct Lacks {
    /// A program without the hardened runtime.
    runtime: bool,
    /// Something that can have a ticket, and has none.
    ticket: bool,
    /// A signature without a timestamp.
    timestamp: bool,
}

/// Learns from the artifacts of a version.
///
/// # Errors
/// Where artifacts are missing or cannot be read.
pub async fn run(request: &Request) -> Result<Learned, Error> {
    let found = artifacts::find(&request.root, &request.rules, &request.version)?;
    let trust = crate::verify::trust(request)?;
    let mut by_os: BTreeMap<Os, Signers> = BTreeMap::new();
    // Artifacts that could not be read to their end: what is in them is not known.
    let mut unread = BTreeMap::new();
    for artifact in &found {
        let signers = by_os.entry(artifact.platform.os()).or_default();
        let failed = signers.artifact(artifact, request.now, &trust);
        let failed = failed.map_err(|source| {
            Error::from(MeasureError::Unreadable {
                path: printable(&artifact.path),
                source,
            })
        })?;
        unread.extend(failed.map(|why| (artifact.path.clone(), why)));
    }
    // What stands there of keys and documents stays: only who signed inside the files is learned.
    let mut learning = request.clone();
    learning.policy.allow_unsigned.clear();
    for (os, signers) in &by_os {
        if let Some(found) = signers.rules(*os) {
            let rules = learning.policy.by_os.entry(*os).or_default();
            rules.authenticode = found.authenticode;
            rules.apple = found.apple;
        }
    }
    let report = report(&learning).await?;
    let day = i64::from(24 * 60 * 60);
    let until = Timestamp::from_unix(request.now.unix() + ALLOWED_DAYS * day);
    let until = until.map_or_else(|_| request.now.date(), Timestamp::date);
    let mut allowed: BTreeMap<String, Allowance> = BTreeMap::new();
    for (path, sha256, _) in bad(&report).filter(|(path, ..)| !unread.contains_key(path)) {
        // The digest of what holds a file is its digest too.
        let mut holders = path
            .match_indices("!/")
            .filter_map(|(at, _)| path.get(..at));
        let is_held = |it: &Allowance| it.sha256.is_some();
        if holders.any(|holder| allowed.get(holder).is_some_and(is_held)) {
            continue;
        }
        // A path that no glob can say is allowed by none.
        if let (Ok(pattern), Ok(until)) = (globset::escape(&path).parse(), until.parse()) {
            let allowance = Allowance {
                path: pattern,
                reason: REASON.to_owned(),
                until,
                sha256,
            };
            allowed.insert(path, allowance);
        }
    }
    learning.policy.allow_unsigned = allowed.values().cloned().collect();
    let report = self::report(&learning).await?;
    let mut wrong: BTreeMap<_, _> = bad(&report).map(|(path, _, why)| (path, why)).collect();
    wrong.extend(unread);
    for path in wrong.keys() {
        allowed.remove(path);
    }
    learning.policy.allow_unsigned = allowed.values().cloned().collect();
    let wrong = wrong
        .into_iter()
        .map(|(path, why)| format!("{}: {why}", escaped(&path)));
    let wrong: Vec<_> = wrong.collect();
    Ok(Learned {
        signed: signed(&report),
        allowed: allowed.len(),
        policy: written(&learning, &wrong),
        wrong,
    })
}

/// What the verifier says of a release under a policy.
async fn report(request: &Request) -> Result<ReleaseReport, Error> {
    match crate::verify::run(request, &Reporter::silent()).await {
        Ok(checked) => Ok(checked.report.get().clone()),
        Err(Error::Checks(report)) => Ok(*report),
        Err(error) => Err(error),
    }
}

/// The first check that did not pass.
fn why(checks: &[Check]) -> Option<String> {
    let is_bad = |it: &&Check| matches!(it.outcome, Outcome::Fail | Outcome::Unsupported);
    let first = checks.iter().find(is_bad)?;
    Some(format!("{}: {}", first.id.as_str(), first.reason))
}

/// Every file that does not pass: its path, its digest, and the first check that says why.
fn bad(report: &ReleaseReport) -> impl Iterator<Item = (String, Option<Sha256>, String)> {
    report.artifacts.iter().flat_map(move |artifact| {
        let sha256 = Some(artifact.sha256());
        let own = why(&artifact.checks).map(|why| (artifact.path.clone(), sha256, why));
        let leaves = artifact.contents.iter().flat_map(|it| &it.leaves);
        let leaves = leaves
            .filter_map(move |leaf| Some((leaf.path.clone(), leaf.sha256, why(&leaf.checks)?)));
        own.into_iter().chain(leaves)
    })
}

/// How many files are signed as the policy says.
fn signed(report: &ReleaseReport) -> usize {
    let is_good = |checks: &[Check]| checks.iter().all(|it| it.outcome == Outcome::Pass);
    let counted = report.artifacts.iter().map(|artifact| {
        let leaves = artifact.contents.iter().flat_map(|it| &it.leaves);
        let leaves = leaves.filter(|leaf| leaf.signature.is_some() && is_good(&leaf.checks));
        let own = artifact.signature.is_some() && is_good(&artifact.checks);
        usize::from(own) + leaves.count()
    });
    counted.sum()
}

impl Signers {
    /// Looks at an artifact. Says what is wrong where it cannot be read to its end.
    fn artifact(
        &mut self,
        artifact: &Found,
        now: Timestamp,
        trust: &Trust,
    ) -> std::io::Result<Option<String>> {
        let mut file = File::open(&artifact.file)?;
        if let Some(own) = signing::inspect_named(&mut file, artifact.name.as_str(), now, trust)? {
            self.take(&own, true, &artifact.path);
        }
        let settings = Settings {
            at: now,
            trust,
            room: crate::verify::room,
            signed: walk::Signed::Opened,
        };
        let contents = walk::walk_named(&mut file, artifact.name.as_str(), settings)?;
        for leaf in contents.iter().flat_map(|it| &it.leaves) {
            // The ticket of what is in a bundle or a package is stapled to that.
            let has_ticket = !leaf.is_in_bundle && !leaf.is_in_package;
            let path = format!("{}!/{}", artifact.path, leaf.path);
            if let Some(found) = &leaf.signature {
                self.take(found, has_ticket, &path);
            }
        }
        Ok(contents.and_then(|it| why(&it.checks)))
    }

    /// Takes in who signed, where the signature holds and is one that a rule can name.
    fn take(&mut self, found: &Inspection, can_have_ticket: bool, path: &str) {
        if found.verdict != Verdict::Valid {
            return;
        }
        for signature in &found.signatures {
            let Some(signer) = &signature.signer else {
                continue;
            };
            let identity = match found.kind {
                Signed::Authenticode => signer
                    .azure_identity
                    .clone()
                    .map(Identity::Azure)
                    .or_else(|| signer.organization.clone().map(Identity::Organization)),
                Signed::AppleCode
                | Signed::AppleBundle
                | Signed::AppleDiskImage
                | Signed::AppleInstaller => signer.team_id.clone().map(Identity::Team),
                Signed::Rpm | Signed::Deb | Signed::AppImage | Signed::NuGet => None,
            };
            let Some(identity) = identity else {
                continue;
            };
            let apple = signature.apple.as_ref();
            let is_bare = found.kind == Signed::AppleCode;
            let lacks = self.lacks.entry(identity.clone()).or_default();
            lacks.runtime |=
                is_bare && apple.is_some_and(|it| it.is_executable && !it.hardened_runtime);
            lacks.ticket |= can_have_ticket && apple.is_none_or(|it| it.notarized.is_none());
            lacks.timestamp |= signature.timestamps.is_empty();
            let files = self.files.entry(identity).or_default();
            files.insert(path.to_owned());
        }
    }

    /// The rules for a system, by who signed most of what such a system runs. None where nobody did.
    fn rules(&self, os: Os) -> Option<Rules> {
        let is_of_os = |identity: &Identity| match identity {
            Identity::Azure(_) | Identity::Organization(_) => os == Os::Windows,
            Identity::Team(_) => os == Os::Macos,
        };
        let signers = self.files.iter().filter(|(identity, _)| is_of_os(identity));
        let (identity, _) = signers.max_by_key(|(_, files)| files.len())?;
        let lacks = self.lacks.get(identity).copied().unwrap_or_default();
        let mut signer = Signer::default();
        if lacks.timestamp {
            signer.timestamp = TimestampRule::MayBeMissing;
        }
        let mut rules = Rules::default();
        match identity.clone() {
            Identity::Azure(identity) => signer.azure_identity = Some(identity),
            Identity::Organization(name) => signer.organization = Some(name),
            Identity::Team(team_id) => {
                rules.apple = Some(apple::Signer {
                    team_id,
                    hardened_runtime: match lacks.runtime {
                        true => HardenedRuntime::MayBeMissing,
                        false => HardenedRuntime::Required,
                    },
                    notarized: match lacks.ticket {
                        true => Notarized::MayBeMissing,
                        false => Notarized::Required,
                    },
                });
                return Some(rules);
            }
        }
        rules.authenticode = Some(signer);
        Some(rules)
    }
}

/// The policy as YAML.
fn written(request: &Request, wrong: &[String]) -> String {
    let Policy {
        by_os,
        allow_unsigned,
        ..
    } = &request.policy;
    let mut text = format!(
        "signing: # learned from version {} on {}: read it before you believe it\n",
        request.version,
        request.now.date()
    );
    let is_learned = |rules: &Rules| rules.authenticode.is_some() || rules.apple.is_some();
    for (os, rules) in by_os.iter().filter(|(_, rules)| is_learned(rules)) {
        let _ = writeln!(text, "  {}: {{ {} }}", os.as_str(), rule(rules));
    }
    if !allow_unsigned.is_empty() {
        text.push_str(
            "  allow-unsigned: # sign them instead, or say why they need not be by you\n",
        );
    }
    for allowance in allow_unsigned {
        let Allowance {
            path,
            reason,
            until,
            sha256,
        } = allowance;
        let sha256 = sha256.map_or(String::new(), |it| format!(", sha256: {it}"));
        let path = quoted(&path.to_string());
        let _ = writeln!(
            text,
            "    - {{ path: {path}, reason: \"{reason}\", until: {until}{sha256} }}"
        );
    }
    if !wrong.is_empty() {
        text.push_str(
            "  # These are wrong, which no policy allows. Learn from a release without them:\n",
        );
    }
    for wrong in wrong {
        let _ = writeln!(text, "  #   {wrong}");
    }
    text
}

fn rule(rules: &Rules) -> String {
    let mut texts = Vec::new();
    if let Some(signer) = &rules.authenticode {
        let identity = [
            ("azure-identity", &signer.azure_identity),
            ("organization", &signer.organization),
        ];
        let mut keys: Vec<_> = identity
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{key}: {}", quoted(value.as_ref()?))))
            .collect();
        if signer.timestamp == TimestampRule::MayBeMissing {
            keys.push("timestamp: optional".to_owned());
        }
        texts.push(format!("authenticode: {{ {} }}", keys.join(", ")));
    }
    if let Some(signer) = &rules.apple {
        let demand = |is_required| if is_required { "required" } else { "optional" };
        texts.push(format!(
            "apple: {{ team-id: {}, hardened-runtime: {}, notarized: {} }}",
            signer.team_id,
            demand(signer.hardened_runtime == HardenedRuntime::Required),
            demand(signer.notarized == Notarized::Required)
        ));
    }
    texts.join(", ")
}

/// A text between quotes, as YAML and JSON both have it.
fn quoted(text: &str) -> String {
    serde_json::to_string(&escaped(text)).unwrap_or_default()
}
