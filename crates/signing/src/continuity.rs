//! Will the copies that are installed accept this release?
//!
//! What an installed app demands of its successor stands in the app itself: a publisher in `app-update.yml`
//! (electron-updater), a key in `Info.plist` (Sparkle), a designated requirement in its signature (macOS, and with it
//! Squirrel.Mac and every permission that a user gave). A new release that is signed well, and by somebody else, is refused by
//! all of them, and no user can mend that. What a binary has compiled in, such as Tauri's key, is not looked for: a text
//! in a binary proves nothing of what it does with it.

mod keys;
mod macos;
mod publisher;
mod windows;

use std::io::{self, SeekFrom};

use release::name::printable;
use release::{Kind, Os, Platform};
use serde::Serialize;

use crate::apple::plist::Value;
use crate::checks::{CONTINUITY_PUBLISHER_NAME, CONTINUITY_READABLE, Check, Outcome};
use crate::dmg;
use crate::inspection::{self, Inspection};
use crate::judging::outcome;
use crate::msix;
use crate::report::{ReleaseReport, Verdict};
use crate::requirement::Requirement;
use crate::verify::Bytes;
use crate::walk::{self, Contents, Settings};

/// Files that are named at most, where there is something to note of many.
const NOTED_MAX: usize = 5;

/// What one artifact says of itself and its signers.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Its own signature.
    signature: Option<Inspection>,
    contents: Option<Contents>,
    /// What an app package of Windows is known by.
    package: Option<msix::Identity>,
}

/// Looks at an artifact: its own signature, and everything inside that is looked into.
///
/// # Errors
/// Where the reader or a room fails.
pub fn facts(mut bytes: &mut dyn Bytes, kind: Kind, settings: Settings<'_>) -> io::Result<Facts> {
    let Settings { at, trust, .. } = settings;
    bytes.seek(SeekFrom::Start(0))?;
    let signature = match kind {
        Kind::Dmg => dmg::inspect(&mut bytes, at, trust).map(Some)?,
        _ => inspection::inspect(&mut bytes, at, trust)?,
    };
    let package = match kind {
        Kind::Msix => msix::identity(&mut bytes)?,
        _ => None,
    };
    bytes.seek(SeekFrom::Start(0))?;
    let contents = walk::walk(bytes, settings)?;
    Ok(Facts {
        signature,
        contents,
        package,
    })
}

/// The designated requirement in the requirements of a signature of Apple's, magic and length included, as `codesign -d -r-`
/// prints it. None where they state none.
///
/// # Errors
/// Where they cannot be read: the reason.
pub fn designated_requirement(requirements: &[u8]) -> Result<Option<String>, String> {
    let found = Requirement::in_set(requirements).map_err(|error| error.to_string())?;
    Ok(found.map(|it| it.to_string()))
}

/// The checks of an artifact that are about keys which somebody keeps: OpenPGP's, minisign's, and Tauri's.
pub fn of_keys(report: &ReleaseReport) -> Vec<Check> {
    let checks = report.artifacts.iter().flat_map(|it| &it.checks);
    let is_of_keys = |check: &&Check| {
        let id = check.id.as_str();
        let kept = [
            "minisign.",
            "tauri.",
            "openpgp.",
            "rpm.",
            "deb.",
            "appimage.",
        ];
        kept.iter().any(|it| id.starts_with(it))
    };
    checks.filter(is_of_keys).cloned().collect()
}

impl Facts {
    /// Every `app-update.yml` in it: its path, and its bytes.
    pub fn app_updates(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let contents = self.contents.iter();
        let updates = contents.flat_map(|it| &it.demands.app_updates);
        updates.map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// The keys by which apps in it believe updates, as their `Info.plist` has them.
    pub fn sparkle_keys(&self) -> Vec<String> {
        let apps = self.apps().filter_map(|app| Value::parse(&app.info).ok());
        apps.filter_map(|info| macos::sparkle_key(&info)).collect()
    }

    fn apps(&self) -> impl Iterator<Item = &walk::App> {
        self.contents.iter().flat_map(|it| &it.demands.apps)
    }
}

/// An artifact of one of the two releases.
#[derive(Debug, Clone)]
pub struct Released {
    /// Its path, or its name.
    pub path: String,
    /// What it runs on.
    pub platform: Platform,
    /// What it is.
    pub kind: Kind,
    /// What it says of itself.
    pub facts: Facts,
    /// What appcasts beside it state of it.
    pub sparkle: InAppcasts,
    /// Of a previous artifact: what was found of its OpenPGP and minisign signatures by the keys of today's policy.
    pub keyed: Vec<Check>,
}

/// What the appcasts beside an artifact state of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum InAppcasts {
    /// None lists it.
    #[default]
    Unlisted,
    /// One lists it without a signature.
    Unsigned,
    /// The keys under which every signature holds that is stated.
    Signed(Vec<String>),
}

/// What an installed app takes updates from: the publishers that an `app-update.yml` names.
#[derive(Debug, Clone)]
pub struct Publishers {
    /// Where that file stands.
    pub path: String,
    /// The names, any of which will do; none where the app does not ask. Or why it cannot be read.
    pub names: Result<Option<Vec<String>>, String>,
}

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub struct Comparison<'a> {
    /// The previous release's artifacts.
    pub previous: &'a [Released],
    /// The artifacts of the release that is verified.
    pub next: &'a [Released],
    /// Of every `app-update.yml` of the previous release for Windows.
    pub publishers: &'a [Publishers],
}

/// Whether installed copies accept a release.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ContinuityReport {
    /// Each artifact of the previous release with what takes its place.
    pub steps: Vec<Step>,
    /// What is neither right nor wrong, and should be known. Safe to print.
    pub notes: Vec<String>,
}

/// One artifact of the previous release, and what takes its place.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// The previous artifact, safe to print.
    pub from: String,
    /// The one that takes its place, safe to print.
    pub to: String,
    /// What both run on.
    pub platform: Platform,
    /// Every check.
    pub checks: Vec<Check>,
    /// What is neither right nor wrong, and should be known.
    pub notes: Vec<String>,
}

impl Step {
    fn of(previous: &Released, next: &Released) -> Self {
        Self {
            from: printable(&previous.path),
            to: printable(&next.path),
            platform: next.platform,
            checks: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Says that nothing can be asked, unless something was.
    fn conclude(mut self) -> Self {
        if self.checks.is_empty() && self.notes.is_empty() {
            self.note("not applicable: the previous artifact carries nothing that an installed copy holds its successor to");
        }
        self
    }
}

impl ContinuityReport {
    /// Every check.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.steps.iter().flat_map(|step| &step.checks)
    }
}

/// Compares two releases: artifacts of one platform and kind with one another.
pub fn compare(comparison: Comparison<'_>) -> ContinuityReport {
    let Comparison { previous, next, .. } = comparison;
    let mut report = ContinuityReport::default();
    for old in previous {
        let is_successor = |new: &&Released| new.platform == old.platform && new.kind == old.kind;
        let successors: Vec<_> = next.iter().filter(is_successor).collect();
        for new in &successors {
            let mut step = Step::of(old, new);
            let reason = broken(&old.facts).or_else(|| unread(&new.facts));
            match reason {
                Some(reason) => step.checks.push(Check::fail(CONTINUITY_READABLE, reason)),
                None => one_step(old, new, &mut step),
            }
            report.steps.push(step.conclude());
        }
        if successors.is_empty() {
            report.notes.push(format!(
                "`{}` ({}, {}) has no successor in this release: copies of it get no update",
                printable(&old.path),
                old.platform,
                old.kind
            ));
        }
    }
    let has_predecessor = |new: &Released| {
        let is_it = |old: &Released| new.platform == old.platform && new.kind == old.kind;
        previous.iter().any(is_it)
    };
    for new in next.iter().filter(|new| !has_predecessor(new)) {
        report.notes.push(format!(
            "`{}` ({}, {}) is new: not applicable, as the previous release has nothing to compare it with",
            printable(&new.path),
            new.platform,
            new.kind
        ));
    }
    publishers(comparison, &mut report);
    report
}

/// Why a previous artifact says nothing that can be believed. One that nobody signed has nothing to say.
fn broken(facts: &Facts) -> Option<String> {
    let why = "are these the files that users downloaded?";
    let signature = facts.signature.as_ref();
    if let Some(found) = signature.filter(|it| it.verdict == Verdict::Invalid) {
        let first = found.failed().next().map(|check| check.reason.as_str());
        let first = first.unwrap_or_default();
        return Some(format!(
            "the previous artifact's own signature does not hold: {first}; {why}"
        ));
    }
    let checks = facts.contents.iter().flat_map(|it| &it.checks);
    let failed = checks
        .into_iter()
        .find(|check| check.outcome != Outcome::Pass);
    failed.map(|check| format!("{}; {why}", check.reason))
}

/// Why it is not known what is inside of a new artifact.
fn unread(facts: &Facts) -> Option<String> {
    let checks = facts.contents.iter().flat_map(|it| &it.checks);
    let mut failed = checks.filter(|check| check.outcome != Outcome::Pass);
    failed.next().map(|check| check.reason.clone())
}

/// Containers inside that were not looked into, and may hold an app.
fn note_unread(of: &str, facts: &Facts, step: &mut Step) {
    let leaves = facts.contents.iter().flat_map(|it| &it.leaves);
    for (leaf, check) in leaves
        .filter_map(|leaf| Some((leaf, leaf.checks.first()?)))
        .take(NOTED_MAX)
    {
        let path = printable(&leaf.path);
        step.note(format!(
            "{of} `{path}` was not looked into: {}",
            check.reason
        ));
    }
}

fn one_step(old: &Released, new: &Released, step: &mut Step) {
    match old.platform.os() {
        Os::Windows => windows::compare(old, new, step),
        Os::Macos => macos::compare(old, new, step),
        Os::Linux | Os::Web => {}
    }
    keys::compare(old, step);
    note_unread("in the previous artifact", &old.facts, step);
    note_unread("in the new artifact", &new.facts, step);
}

/// Installed apps of electron-updater ask who signed the next installer.
fn publishers(comparison: Comparison<'_>, report: &mut ContinuityReport) {
    let is_installer = |it: &&Released| {
        it.platform.os() == Os::Windows && matches!(it.kind, Kind::Nsis | Kind::Exe)
    };
    let installers: Vec<_> = comparison.next.iter().filter(is_installer).collect();
    if comparison.publishers.is_empty() {
        let old = comparison.previous.iter();
        let is_asked = old.filter(is_installer).any(|it| it.kind == Kind::Nsis);
        if is_asked && !installers.is_empty() {
            report.notes.push(
                "no `app-update.yml` was found in the previous release for Windows: if its apps update themselves by electron-updater, \
                 put `resources/app-update.yml` of an installed copy beside the previous artifacts"
                    .to_owned(),
            );
        }
        return;
    }
    for (publishers, installer) in comparison
        .publishers
        .iter()
        .flat_map(|it| installers.iter().map(move |installer| (it, *installer)))
    {
        let mut step = Step {
            from: printable(&publishers.path),
            to: printable(&installer.path),
            platform: installer.platform,
            checks: Vec::new(),
            notes: Vec::new(),
        };
        match &publishers.names {
            Err(reason) => step.checks.push(Check::fail(
                CONTINUITY_READABLE,
                format!("`app-update.yml` cannot be read: {}", printable(reason)),
            )),
            Ok(None) => step.note(
                "it names no `publisherName`: installed apps take an installer of anybody whom Windows trusts, and of nobody too",
            ),
            Ok(Some(names)) => {
                let failure = publisher::refusal(names, installer.facts.signature.as_ref());
                step.checks.push(outcome(
                    CONTINUITY_PUBLISHER_NAME,
                    failure,
                    "the installer is signed by a publisher that installed apps accept",
                ));
            }
        }
        report.steps.push(step);
    }
}

#[cfg(test)]
mod tests;
