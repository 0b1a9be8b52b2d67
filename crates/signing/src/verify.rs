//! The playbook: examine each artifact in one read, then conclude over the release.

mod allowance;
mod beside;
mod inside;
mod own;
mod packaged;

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use release::name::{FileName, printable};
use release::{Kind, Platform, Timestamp, Version};

use crate::apple;
use crate::apt::{self, AptRepository};
use crate::authenticode;
use crate::checks::{APT_SIGNATURE, Check, FORMAT_UNSUPPORTED, Outcome, SUMS_COVERAGE};
use crate::format::Format;
use crate::inspection;
use crate::measure::{MeasureError, Measured, measure};
use crate::openpgp::OpenPgpKeys;
use crate::policy::{AptRule, Policy};
use crate::report::{ArtifactReport, ReleaseReport};
use crate::roots::Trust;
use crate::sigstore::Bundles;
use crate::sparkle::{self, Appcast};
use crate::sums::SumsDocument;
use crate::tuf::Repository;
use crate::walk::MakeRoom;

use allowance::{By, Named};

/// An artifact to be examined.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// Its path as found, relative, for `allow-unsigned`.
    pub path: &'a str,
    /// Its name.
    pub name: &'a FileName,
    /// What it runs on.
    pub platform: Platform,
    /// What it is.
    pub kind: Kind,
    /// Its length when it was found.
    pub size: u64,
    /// What stands beside it.
    pub beside: Beside<'a>,
}

/// Files that stand beside an artifact: its name, and an ending, which those of snaps have in place of theirs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    /// `.minisig`: minisign's signature.
    pub minisig: Option<&'a [u8]>,
    /// `.asc` or `.sig`: an OpenPGP signature.
    pub openpgp: Option<&'a [u8]>,
    /// `.sigstore.json`: Sigstore bundles.
    pub sigstore: Option<&'a [u8]>,
    /// `.assert`, in place of `.snap`: assertions of the store.
    pub snap: Option<&'a [u8]>,
    /// `.sig`: a signature of Tauri's.
    pub tauri: Option<&'a [u8]>,
}

/// Documents that rules name by a path, each read once for all artifacts.
#[derive(Debug, Default)]
pub struct Documents {
    /// Of [`Policy::sums_rules`].
    pub sums: Vec<SumsDocument>,
    /// Of [`Policy::sparkle_rules`].
    pub appcasts: Vec<Appcast>,
    /// Of [`Policy::tuf_rules`].
    pub repositories: Vec<Repository>,
    /// Of [`Policy::apt_rules`].
    pub apt: Vec<AptRepository>,
    /// Of [`Policy::openpgp_keys`]: keys by the path of their file.
    pub keys: BTreeMap<String, OpenPgpKeys>,
    /// Of [`Policy::provenance_rules`]: bundles by the path of their file, or the check that reading them failed.
    pub bundles: BTreeMap<String, Result<Bundles, Check>>,
}

impl Documents {
    fn keys_of(&self, path: &str) -> Option<&OpenPgpKeys> {
        self.keys.get(path)
    }

    fn appcast_of(&self, rule: &sparkle::Rule) -> Option<&Appcast> {
        self.appcasts.iter().find(|appcast| appcast.rule() == rule)
    }

    fn bundles_of(&self, path: &str) -> Option<Result<&Bundles, &Check>> {
        self.bundles.get(path).map(Result::as_ref)
    }
}

/// What it is examined against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// What must hold.
    pub policy: &'a Policy,
    /// The version being released.
    pub version: &'a Version,
    /// Now, for `allow-unsigned`.
    pub now: Timestamp,
    /// The documents that its rules name.
    pub documents: &'a Documents,
    /// The roots that signatures may chain to.
    pub trust: &'a Trust,
    /// Whether a feed needs SHA-512.
    pub wants_sha512: bool,
    /// Where a file of a container stays while it is looked at.
    pub room: MakeRoom,
}

/// The bytes of an artifact. They are read once in order, and headers before that. Packages whose signature covers them in
/// another order than they have, and what Apple signs, are read a second time.
pub trait Bytes: Read + Seek {}

impl<T: Read + Seek> Bytes for T {}

/// An artifact that was examined, not yet judged with the others.
#[derive(Debug)]
pub struct Examined(ArtifactReport);

impl Examined {
    /// Whether a minisign signature beside it was checked, and holds.
    pub fn has_good_signature(&self) -> bool {
        self.0.has_good_signature()
    }
}

/// Reads an artifact once and makes every check that concerns it alone. What is inside a container is read once more.
///
/// # Errors
/// Where the bytes cannot be read, or are not as many as they were.
pub fn examine(
    context: Context<'_>,
    candidate: &Candidate<'_>,
    bytes: &mut dyn Bytes,
    progress: &mut dyn FnMut(u64),
) -> Result<Examined, MeasureError> {
    let path = || printable(candidate.path);
    let unreadable = |source| MeasureError::Unreadable {
        path: path(),
        source,
    };
    let signers = Signers::of(context, candidate);
    let mut image = signers.open_image(bytes).map_err(unreadable)?;
    let opened = beside::Opened::new(context, candidate);
    let mut verifiers = opened.verifiers();
    let also = |chunk: &[u8]| {
        verifiers.update(chunk);
        if let Some(image) = &mut image {
            image.update(chunk);
        }
    };
    let wants_sha512 = context.wants_sha512 || !context.policy.tuf_rules().is_empty();
    let measured = measure(bytes, candidate.kind, wants_sha512, also, progress);
    let mut measured = measured.map_err(unreadable)?;
    measured.format = own::named(measured.format, candidate);
    if measured.size != candidate.size {
        return Err(MeasureError::Changed {
            path: path(),
            expected: candidate.size,
            found: measured.size,
        });
    }
    let whole = Whole {
        context,
        candidate,
        measured: &measured,
    };
    let mut checks = Vec::new();
    checks.extend(own::misnamed(whole, &signers));
    let contents = inside::look(whole, &signers, bytes).map_err(unreadable)?;
    let is_unpacked = contents.is_some() && inside::is_archive(whole);
    let signature = own::judge(whole, &signers, image, bytes, is_unpacked, &mut checks);
    let signature = signature.map_err(unreadable)?;
    let contents = inside::judge(whole, &signers, contents, signature.as_ref(), &mut checks);
    let packaged = packaged::judge(whole, bytes).map_err(unreadable)?;
    let (inside, packaged) = packaged.map_or((None, None), |it| (Some(it.checks), it.signature));
    checks.extend(opened.checks(verifiers, whole, inside));
    checks.extend(sums_checks(context, candidate, &measured));
    checks.extend(apt_checks(whole));
    checks.extend(beside::of_repositories(whole));
    if checks.is_empty() {
        checks.push(unsupported(&measured));
    }
    let own = allowance::judge(context, &[whole.named()], candidate.beside, &mut checks);
    let leaves = contents.iter().flat_map(|contents| &contents.leaves);
    let (path, name) = (candidate.path.to_owned(), candidate.name.clone());
    Ok(Examined(ArtifactReport {
        path,
        name,
        platform: candidate.platform,
        verdict: leaves.fold(own, |verdict, leaf| verdict.worse(leaf.verdict)),
        checks,
        signature: signature.or(packaged),
        contents,
        measured,
    }))
}

/// An artifact after its one read.
#[derive(Clone, Copy)]
struct Whole<'a> {
    context: Context<'a>,
    candidate: &'a Candidate<'a>,
    measured: &'a Measured,
}

impl<'a> Whole<'a> {
    /// What an allowance calls it.
    fn named(&self) -> Named<'a> {
        Named {
            path: self.candidate.path,
            sha256: Some(self.measured.sha256),
            by: By::Path,
        }
    }
}

/// Who must have signed, by the rules that cover an artifact.
struct Signers<'a> {
    authenticode: Vec<&'a authenticode::Signer>,
    apple: Vec<&'a apple::Signer>,
}

impl<'a> Signers<'a> {
    fn of(context: Context<'a>, candidate: &Candidate<'_>) -> Self {
        let rules = || context.policy.rules_for(candidate.platform.os());
        let mut authenticode: Vec<_> = rules().filter_map(|it| it.authenticode.as_ref()).collect();
        authenticode.dedup();
        let mut apple: Vec<_> = rules().filter_map(|it| it.apple.as_ref()).collect();
        apple.dedup();
        Self {
            authenticode,
            apple,
        }
    }

    fn is_empty(&self) -> bool {
        self.authenticode.is_empty() && self.apple.is_empty()
    }

    /// The image whose signature is checked while its bytes pass; none where it is no PE, or where nobody asks.
    fn open_image(&self, bytes: &mut dyn Bytes) -> io::Result<Option<authenticode::Opened>> {
        if self.authenticode.is_empty() || inspection::format_of(bytes)? != Format::Pe {
            return Ok(None);
        }
        let mut bytes = bytes;
        let opened = authenticode::Opened::open(&mut bytes)?;
        bytes.seek(SeekFrom::Start(0))?;
        Ok(Some(opened))
    }
}

fn sums_checks(context: Context<'_>, candidate: &Candidate<'_>, measured: &Measured) -> Vec<Check> {
    let rules = context.policy.rules_for(candidate.platform.os());
    let mut rules: Vec<_> = rules
        .filter_map(|rules| rules.sha256sums.as_ref())
        .collect();
    rules.dedup();
    let read = |rule: &&crate::SumsRule| {
        context
            .documents
            .sums
            .iter()
            .find(|sums| sums.rule() == *rule)
    };
    let checks = |rule: &crate::SumsRule| match read(&rule) {
        Some(document) => document.checks(candidate.name, measured.sha256),
        None => {
            let path = printable(&rule.path);
            vec![Check::fail(SUMS_COVERAGE, format!("`{path}` was not read"))]
        }
    };
    rules.into_iter().flat_map(checks).collect()
}

/// What repositories of apt say of a Debian package.
fn apt_checks(whole: Whole<'_>) -> Vec<Check> {
    let Whole {
        context,
        candidate,
        measured,
    } = whole;
    let is_package = apt::is_package(candidate.kind, measured.format, candidate.name);
    let rules = context.policy.rules_for(candidate.platform.os());
    let mut rules: Vec<_> = rules.filter_map(|rules| rules.apt.as_ref()).collect();
    rules.dedup();
    let checks = |rule: &AptRule| {
        let mut read = context.documents.apt.iter();
        match read.find(|apt| apt.rule() == rule) {
            Some(apt) => apt.checks(candidate.name, measured.sha256, measured.size),
            None => {
                let path = printable(&rule.release);
                vec![Check::fail(APT_SIGNATURE, format!("`{path}` was not read"))]
            }
        }
    };
    let rules = rules.into_iter().filter(|_| is_package);
    rules.flat_map(checks).collect()
}

/// No rule covers the artifact: what it carries itself cannot be checked yet, and that is not a pass.
fn unsupported(measured: &Measured) -> Check {
    let reason = match measured.format.own_signature() {
        Some(signature) => {
            format!("no rule of `signing` covers it, so {signature} inside it was not looked at")
        }
        None => "no rule of `signing` covers it, and it carries no signature of its own".to_owned(),
    };
    Check::new(FORMAT_UNSUPPORTED, Outcome::Unsupported, reason)
}

/// Adds the checks of the release as a whole.
pub fn conclude(context: Context<'_>, examined: Vec<Examined>) -> ReleaseReport {
    let artifacts: Vec<_> = examined.into_iter().map(|examined| examined.0).collect();
    let names: Vec<_> = artifacts.iter().map(|artifact| &artifact.name).collect();
    let digests: Vec<_> = artifacts.iter().map(ArtifactReport::sha256).collect();
    let Documents {
        sums,
        apt,
        appcasts,
        ..
    } = context.documents;
    let of_sums = sums.iter().flat_map(|document| document.extras(&names));
    let of_apt = apt.iter().flat_map(|apt| apt.extras(&digests));
    let of_appcasts = appcasts.iter().flat_map(|appcast| appcast.extras(&names));
    let checks = of_sums.chain(of_apt).chain(of_appcasts).collect();
    ReleaseReport {
        schema: 1,
        artifacts,
        feeds: Vec::new(),
        continuity: None,
        checks,
        extra_roots: context.trust.extra_roots(),
    }
}

#[cfg(test)]
mod tests;
