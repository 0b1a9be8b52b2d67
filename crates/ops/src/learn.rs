//! `verify --learn`: the policy that a good release meets, to be read and put into `lastmile.yml`.
//!
//! Who signed is taken from what holds; what does not hold, or somebody else signed, becomes an entry of `allow-unsigned` by
//! path and digest, which says nothing for itself yet. Nothing is believed because it was learned: a person decides whether that release was good.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Seek as _, SeekFrom};

use release::name::{escaped, printable};
use release::{Os, Sha256, Timestamp};
use serde::Serialize;
use signing::inspection::{Inspection, Kind as Signed};
use signing::walk::{self, Settings};
use signing::{MeasureError, Trust, Verdict};

use crate::artifacts::{self, Found};
use crate::error::Error;
use crate::verify::Request;

/// Days until what was learned to be unsigned is refused again.
const ALLOWED_DAYS: i64 = 90;

/// What was learned.
#[derive(Debug, Serialize)]
pub struct Learned {
    /// The key `signing` of `lastmile.yml`, as YAML.
    pub policy: String,
    /// How many files hold, inside archives too.
    pub signed: usize,
    /// How many do not, or are signed by somebody else, and would be allowed by path and digest.
    pub allowed: usize,
}

/// Files by path, with the digest where there is one.
type Files = BTreeMap<String, Option<Sha256>>;

/// What was found of one system.
#[derive(Debug, Default)]
struct Signers {
    /// Who signed, as a rule names them, and which files.
    authenticode: BTreeMap<String, Files>,
    teams: BTreeMap<String, Files>,
    /// Whether every program runs under the hardened runtime.
    lacks_runtime: bool,
    /// Whether something that can have a ticket has none.
    lacks_ticket: bool,
}

/// Learns from the artifacts of a version.
///
/// # Errors
/// Where artifacts are missing or cannot be read.
pub fn run(request: &Request) -> Result<Learned, Error> {
    let found = artifacts::find(&request.root, &request.rules, &request.version)?;
    let trust = crate::verify::trust(request)?;
    let mut learning = Learning {
        now: request.now,
        trust: &trust,
        by_os: BTreeMap::new(),
        unsigned: BTreeMap::new(),
        signed: 0,
    };
    for artifact in &found {
        learning.artifact(artifact).map_err(|source| {
            Error::from(MeasureError::Unreadable {
                path: printable(&artifact.path),
                source,
            })
        })?;
    }
    let allowed = learning.allowed();
    Ok(Learned {
        signed: learning.signed,
        allowed: allowed.len(),
        policy: learning.policy(request, &allowed),
    })
}

struct Learning<'a> {
    now: Timestamp,
    trust: &'a Trust,
    by_os: BTreeMap<Os, Signers>,
    unsigned: Files,
    signed: usize,
}

impl Learning<'_> {
    fn artifact(&mut self, artifact: &Found) -> std::io::Result<()> {
        let os = artifact.platform.os();
        let mut file = File::open(&artifact.file)?;
        let own = signing::inspect(&mut file, self.now, self.trust)?;
        let settings = Settings {
            at: self.now,
            trust: self.trust,
            room: crate::verify::room,
            signed: walk::Signed::Opened,
        };
        let contents = walk::walk(&mut file, settings)?;
        file.seek(SeekFrom::Start(0))?;
        let sha256 = signing::sha256_of(&mut file)?;
        let whole = (artifact.path.clone(), Some(sha256));
        let mut is_signed = own.is_some_and(|own| self.take(os, &own, true, &whole));
        for leaf in contents.into_iter().flat_map(|it| it.leaves) {
            // The ticket of what is in a bundle or a package is stapled to that.
            let has_ticket = !leaf.is_in_bundle && !leaf.is_in_package;
            let file = (format!("{}!/{}", artifact.path, leaf.path), leaf.sha256);
            let found = leaf.signature.as_ref();
            if found.is_some_and(|found| self.take(os, found, has_ticket, &file)) {
                is_signed = true;
            } else {
                self.unsigned.extend([file]);
            }
        }
        if !is_signed {
            self.unsigned.extend([whole]);
        }
        Ok(())
    }

    /// Takes in who signed. Says whether the signature holds and is one that a rule can name.
    fn take(
        &mut self,
        os: Os,
        found: &Inspection,
        can_have_ticket: bool,
        file: &(String, Option<Sha256>),
    ) -> bool {
        if found.verdict != Verdict::Valid {
            return false;
        }
        let signers = self.by_os.entry(os).or_default();
        let mut is_known = false;
        for signature in &found.signatures {
            let Some(signer) = &signature.signer else {
                continue;
            };
            match found.kind {
                Signed::Authenticode => {
                    let identity = match (&signer.azure_identity, &signer.organization) {
                        (Some(identity), _) => format!("azure-identity: {}", quoted(identity)),
                        (None, Some(name)) => format!("organization: {}", quoted(name)),
                        (None, None) => continue,
                    };
                    signers
                        .authenticode
                        .entry(identity)
                        .or_default()
                        .extend([file.clone()]);
                    is_known = true;
                }
                Signed::AppleCode
                | Signed::AppleBundle
                | Signed::AppleDiskImage
                | Signed::AppleInstaller => {
                    let Some(team) = &signer.team_id else {
                        continue;
                    };
                    signers
                        .teams
                        .entry(team.clone())
                        .or_default()
                        .extend([file.clone()]);
                    let apple = signature.apple.as_ref();
                    let is_bare = found.kind == Signed::AppleCode;
                    signers.lacks_runtime |=
                        is_bare && apple.is_some_and(|it| it.is_executable && !it.hardened_runtime);
                    signers.lacks_ticket |=
                        can_have_ticket && apple.is_none_or(|it| it.notarized.is_none());
                    is_known = true;
                }
                Signed::Rpm | Signed::Deb | Signed::NuGet => {}
            }
        }
        self.signed += usize::from(is_known);
        is_known
    }

    /// What no rule covers: what holds no signature, and what another one signed than whom the rule names.
    fn allowed(&self) -> Files {
        let mut allowed = self.unsigned.clone();
        for signers in self.by_os.values() {
            allowed.extend(others(&signers.authenticode));
            allowed.extend(others(&signers.teams));
        }
        allowed
    }

    /// The policy as YAML.
    fn policy(&self, request: &Request, allowed: &Files) -> String {
        let mut text = format!(
            "signing: # learned from version {} on {}: read it before you believe it\n",
            request.version,
            self.now.date()
        );
        for (os, signers) in &self.by_os {
            let name = os.as_str();
            let mut rules = Vec::new();
            if let Some(identity) = most(&signers.authenticode) {
                rules.push(format!("authenticode: {{ {identity} }}"));
            }
            if let Some(team) = most(&signers.teams) {
                let demand = |is_missing| if is_missing { "optional" } else { "required" };
                rules.push(format!(
                    "apple: {{ team-id: {team}, hardened-runtime: {}, notarized: {} }}",
                    demand(signers.lacks_runtime),
                    demand(signers.lacks_ticket)
                ));
            }
            if !rules.is_empty() {
                let _ = writeln!(text, "  {name}: {{ {} }}", rules.join(", "));
            }
        }
        if !allowed.is_empty() {
            let day = i64::from(24 * 60 * 60);
            let until = Timestamp::from_unix(self.now.unix() + ALLOWED_DAYS * day);
            let until = until.map_or_else(|_| self.now.date(), Timestamp::date);
            text.push_str(
                "  allow-unsigned: # sign them instead, or say why they need not be by you\n",
            );
            for (path, sha256) in allowed {
                let sha256 = sha256.map_or(String::new(), |it| format!(", sha256: {it}"));
                let _ = writeln!(
                    text,
                    "    - {{ path: {}, reason: \"FIXME: say why\", until: {until}{sha256} }}",
                    quoted(&globset::escape(path))
                );
            }
        }
        text
    }
}

/// A text between quotes, as YAML and JSON both have it.
fn quoted(text: &str) -> String {
    serde_json::to_string(&escaped(text)).unwrap_or_default()
}

/// Who signed most.
fn most(signers: &BTreeMap<String, Files>) -> Option<&String> {
    let most = signers.iter().max_by_key(|(_, files)| files.len());
    most.map(|(name, _)| name)
}

/// What others signed.
fn others(signers: &BTreeMap<String, Files>) -> Files {
    let first = most(signers);
    let others = signers.iter().filter(|(name, _)| Some(*name) != first);
    others.flat_map(|(_, files)| files.clone()).collect()
}
