//! `verify --learn`: the policy that a good release meets, to be read and put into `lastmile.yml`.
//!
//! Who signed is taken from what holds; what does not hold becomes an entry of `allow-unsigned` by path and digest, which says
//! nothing for itself yet. Nothing is believed because it was learned: a person decides whether that release was good.

use std::collections::{BTreeMap, BTreeSet};
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
    /// How many do not, and would be allowed by path and digest.
    pub unsigned: usize,
}

/// What was found of one system.
#[derive(Debug, Default)]
struct Signers {
    /// The line of an authority, and how many files it signed.
    authenticode: BTreeMap<String, usize>,
    teams: BTreeMap<String, usize>,
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
    Ok(Learned {
        signed: learning.signed,
        unsigned: learning.unsigned.len(),
        policy: learning.policy(request),
    })
}

struct Learning<'a> {
    now: Timestamp,
    trust: &'a Trust,
    by_os: BTreeMap<Os, Signers>,
    /// By path, with the digest where there is one.
    unsigned: BTreeMap<String, Option<Sha256>>,
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
        };
        let contents = walk::walk(&mut file, settings)?;
        let mut is_signed = own.is_some_and(|own| self.take(os, &own, true));
        for leaf in contents.into_iter().flat_map(|it| it.leaves) {
            // The ticket of what is in a bundle or a package is stapled to that.
            let has_ticket = !leaf.is_in_bundle && !leaf.is_in_package;
            let found = leaf.signature.as_ref();
            if found.is_some_and(|found| self.take(os, found, has_ticket)) {
                is_signed = true;
            } else {
                let path = format!("{}!/{}", artifact.path, leaf.path);
                self.unsigned.insert(path, leaf.sha256);
            }
        }
        if !is_signed {
            let path = artifact.path.clone();
            file.seek(SeekFrom::Start(0))?;
            let sha256 = signing::sha256_of(&mut file)?;
            self.unsigned.insert(path, Some(sha256));
        }
        Ok(())
    }

    /// Takes in who signed. Says whether the signature holds and is one that a rule can name.
    fn take(&mut self, os: Os, found: &Inspection, can_have_ticket: bool) -> bool {
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
                    *signers.authenticode.entry(identity).or_default() += 1;
                    is_known = true;
                }
                Signed::AppleCode
                | Signed::AppleBundle
                | Signed::AppleDiskImage
                | Signed::AppleInstaller => {
                    let Some(team) = &signer.team_id else {
                        continue;
                    };
                    *signers.teams.entry(team.clone()).or_default() += 1;
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

    /// The policy as YAML.
    fn policy(&self, request: &Request) -> String {
        let mut text = format!(
            "signing: # learned from version {} on {}: read it before you believe it\n",
            request.version,
            self.now.date()
        );
        for (os, signers) in &self.by_os {
            let name = os.as_str();
            let mut rules = Vec::new();
            if let Some((identity, _)) = most(&signers.authenticode) {
                rules.push(format!("authenticode: {{ {identity} }}"));
            }
            if let Some((team, _)) = most(&signers.teams) {
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
            for other in others(&signers.authenticode).chain(others(&signers.teams)) {
                let _ = writeln!(
                    text,
                    "  # signed by {other} too, which no rule can name beside the first: allow those files by path"
                );
            }
        }
        if !self.unsigned.is_empty() {
            let day = i64::from(24 * 60 * 60);
            let until = Timestamp::from_unix(self.now.unix() + ALLOWED_DAYS * day);
            let until = until.map_or_else(|_| self.now.date(), Timestamp::date);
            text.push_str("  allow-unsigned: # sign them instead, or say why they need not be\n");
            for (path, sha256) in &self.unsigned {
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
fn most(signers: &BTreeMap<String, usize>) -> Option<(&String, &usize)> {
    signers.iter().max_by_key(|(_, count)| **count)
}

fn others(signers: &BTreeMap<String, usize>) -> impl Iterator<Item = &String> {
    let first = most(signers).map(|(name, _)| name);
    let others: BTreeSet<_> = signers.keys().filter(|name| Some(*name) != first).collect();
    others.into_iter()
}
