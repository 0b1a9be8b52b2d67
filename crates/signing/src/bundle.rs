//! Bundles of macOS: an app or a framework is a folder, and its signature covers all of it.
//!
//! The main executable's signature holds digests of `Info.plist` and of `_CodeSignature/CodeResources`, and the latter lists
//! every other file. Nested code has a signature of its own, and its code directory hash stands in the list. What
//! Apple's own tools take by the requirement that stands beside it is held to the hash here (departs from `codesign`):
//! whoever signs from the inside out, as TN2206 says, has both.

mod layout;
mod profile;
mod resources;
mod sealing;

use std::fmt::Write as _;

use release::name::printable;
use release::{Sha256, Timestamp};

use crate::apple::plist::Value;
use crate::checks::{
    APPLE_ONE_TEAM, APPLE_PROVISIONING, BUNDLE_EXECUTABLE, BUNDLE_INFO_PLIST, BUNDLE_NESTED_CODE,
    BUNDLE_PARSE, BUNDLE_SIGNED, Check,
};
use crate::digest::DigestAlgorithm;
use crate::inspection::{Inspection, Kind, SignatureReport};
use crate::judging::outcome;
use crate::report::Verdict;
use crate::roots::Trust;
use crate::ticket::{self, Covered};
use crate::tree::{FileNode, Node, Tree};
use crate::walk::names::composed;

pub(crate) use layout::{is_inside, is_named};

use layout::{Layout, below};
use resources::Resources;

/// Lets a program load libraries of other teams.
const NO_LIBRARY_VALIDATION: &str = "com.apple.security.cs.disable-library-validation";
/// Bundles in bundles.
const DEPTH_MAX: usize = 16;

/// A bundle that was judged.
struct Nested {
    /// Its folder.
    root: String,
    code_hashes: Vec<Vec<u8>>,
    inspection: Inspection,
}

/// Judges every bundle of a tree that lies in no other one. Those that hold no code and no signature are folders.
pub(crate) fn judge(tree: &Tree, at: Timestamp, trust: &Trust) -> Vec<(String, Inspection)> {
    let judging = Judging {
        tree,
        at,
        trust: &trust.for_apple(),
    };
    // A link with the name of a bundle is opened as what it leads to.
    let links = tree.iter().filter(|(path, node)| {
        let is_link = matches!(node, Node::Link { .. });
        is_link && is_named(path) && !is_inside(path)
    });
    let reason = "it is a link, and what it leads to is opened under this name";
    let links = links.map(|(path, _)| judging.unread(path, reason));
    let found = judging.all_in("", 0).into_iter().chain(links);
    found
        .map(|nested| (nested.root, nested.inspection))
        .collect()
}

/// The digest of the list of all files in a bundle; none where there are none, as what a link leads to is elsewhere.
pub(crate) fn digest(tree: &Tree, root: &str) -> Option<Sha256> {
    let mut list = String::new();
    for (path, node) in below(tree, root) {
        let path = path.get(root.len() + 1..).unwrap_or_default();
        let _ = match node {
            Node::Folder => Ok(()),
            Node::Link { target } => writeln!(list, "-> {target}  {path}"),
            Node::File(file) => writeln!(list, "{}  {path}", Sha256::from_bytes(file.sha256)),
        };
    }
    (!list.is_empty()).then(|| Sha256::of(list.as_bytes()))
}

struct Judging<'a> {
    tree: &'a Tree,
    at: Timestamp,
    trust: &'a Trust,
}

impl Judging<'_> {
    /// The bundles in a folder, from the inside out.
    fn all_in(&self, folder: &str, depth: usize) -> Vec<Nested> {
        let mut found = Vec::new();
        for root in layout::outermost(self.tree, folder) {
            if self.is_of_attributes(&root) {
                continue;
            }
            if depth > DEPTH_MAX {
                found.push(self.unread(&root, "it lies in more bundles than are looked into"));
                continue;
            }
            let inside = self.all_in(&root, depth + 1);
            let layouts = Layout::of(self.tree, &root);
            let mut is_code = false;
            for layout in &layouts {
                if self.holds_code(layout) {
                    is_code = true;
                    found.push(self.bundle(layout, &inside));
                }
            }
            if is_code {
                continue;
            }
            // What is started as an app, or holds code of its own, is no folder of resources.
            let name = root.rsplit('/').next().unwrap_or_default();
            let has_code = below(self.tree, &root).any(|(path, node)| {
                let is_code = matches!(node, Node::File(it) if it.signature.is_some());
                is_code && !inside.iter().any(|it| is_below(path, &it.root))
            });
            if layout::is_started(name) || has_code {
                let reason = "its files do not lie as those of a bundle that is read: `Contents`, `Versions`, or `Info.plist`";
                found.push(self.unread(&root, reason));
            }
            found.extend(inside);
        }
        found
    }

    /// Whether a folder holds nothing but extended attributes, as macOS puts beside what it zips: `__MACOSX/`, AppleDouble.
    fn is_of_attributes(&self, root: &str) -> bool {
        root.starts_with("__MACOSX/")
            && below(self.tree, root).all(|(path, node)| match node {
                Node::Folder => true,
                Node::Link { .. } => false,
                Node::File(file) => {
                    let name = path.rsplit('/').next().unwrap_or_default();
                    name.starts_with("._") && file.signature.is_none()
                }
            })
    }

    /// A bundle that cannot be judged.
    fn unread(&self, root: &str, reason: &str) -> Nested {
        let checks = vec![Check::fail(BUNDLE_PARSE, reason)];
        Nested {
            root: root.to_owned(),
            code_hashes: Vec::new(),
            inspection: Inspection::new(Kind::AppleBundle, self.at, checks, Vec::new(), self.trust),
        }
    }

    /// Whether a bundle has a signature, or code that should have one.
    fn holds_code(&self, layout: &Layout) -> bool {
        let has_list = layout
            .file(self.tree, "_CodeSignature/CodeResources")
            .is_some();
        let name = layout.root.rsplit('/').next().unwrap_or_default();
        let mut files = below(self.tree, &layout.base);
        has_list
            || layout::is_started(name)
            || files.any(|(_, node)| matches!(node, Node::File(it) if it.signature.is_some()))
    }

    fn bundle(&self, layout: &Layout, nested: &[Nested]) -> Nested {
        let mut checks = Vec::new();
        let (signatures, code_hashes) = self.checks(layout, nested, &mut checks);
        Nested {
            root: layout.root.clone(),
            code_hashes,
            inspection: Inspection::new(Kind::AppleBundle, self.at, checks, signatures, self.trust),
        }
    }

    /// Every check of a bundle; gives the signatures of its main executable, and what it is known by.
    fn checks(
        &self,
        layout: &Layout,
        nested: &[Nested],
        checks: &mut Vec<Check>,
    ) -> (Vec<SignatureReport>, Vec<Vec<u8>>) {
        let nothing = (Vec::new(), Vec::new());
        let list = layout.file(self.tree, "_CodeSignature/CodeResources");
        let Some(list) = list else {
            let reason = "there is no `_CodeSignature/CodeResources`: the bundle is not signed";
            checks.push(Check::fail(BUNDLE_SIGNED, reason));
            return nothing;
        };
        checks.push(Check::pass(BUNDLE_SIGNED, "it has a list of its files"));
        let resources = Resources::parse(list.kept.as_deref().unwrap_or_default());
        let resources = match resources {
            Ok(resources) => resources,
            Err(error) => {
                let reason = format!("`_CodeSignature/CodeResources`: {error}");
                checks.push(Check::fail(BUNDLE_PARSE, reason));
                return nothing;
            }
        };
        let info = layout.file(self.tree, layout.info);
        let info = match info.ok_or("it is not there").and_then(Info::parse) {
            Ok(info) => info,
            Err(reason) => {
                let reason = format!("`{}`: {reason}", layout.info);
                checks.push(Check::fail(BUNDLE_PARSE, reason));
                return nothing;
            }
        };
        checks.push(Check::pass(BUNDLE_PARSE, "its lists can be read"));
        let executable = match layout.programs {
            "" => info.executable.clone(),
            folder => format!("{folder}/{}", info.executable),
        };
        sealing::judge(self.tree, layout, &resources, &executable, nested, checks);
        checks.extend(broken_inside(layout, nested));
        let program = layout.file(self.tree, &executable);
        let found = program.and_then(|it| Some((it, it.signature.as_ref()?)));
        let Some((program, found)) = found else {
            let reason = format!(
                "the main executable `{}` is not there, or is no Mach-O file",
                printable(&executable)
            );
            checks.push(Check::fail(BUNDLE_EXECUTABLE, reason));
            return nothing;
        };
        // A framework's executable is a library, which nobody starts.
        let mut started = found.signatures.iter().filter_map(|it| it.apple.as_ref());
        let lost_mode =
            program.is_executable == Some(false) && started.any(|apple| apple.is_executable);
        let failure = match (found.verdict, lost_mode) {
            (Verdict::Valid, false) => None,
            (Verdict::Valid, true) => Some(format!(
                "the main executable `{}` may not be executed: whoever packed it lost its mode",
                printable(&executable)
            )),
            _ => Some(format!(
                "the main executable `{}` does not hold by itself",
                printable(&executable)
            )),
        };
        checks.push(outcome(
            BUNDLE_EXECUTABLE,
            failure,
            "the main executable holds",
        ));
        // What is wrong with its file as such is wrong with the bundle.
        checks.extend(found.checks.iter().cloned());
        let mut signatures = found.signatures.clone();
        checks.push(binds(layout, &info, list, &signatures));
        checks.push(self.one_team(layout, &signatures));
        checks.push(self.provisioned(layout, &signatures));
        self.notarized(layout, &mut signatures, checks);
        (signatures, code_hashes(program))
    }

    /// One team signs all libraries, or the program says that it loads those of others.
    fn one_team(&self, layout: &Layout, signatures: &[SignatureReport]) -> Check {
        let own = team(signatures);
        let is_open = signatures.iter().filter_map(|it| it.apple.as_ref());
        let is_open = is_open
            .flat_map(|apple| &apple.entitlements)
            .any(|key| key == NO_LIBRARY_VALIDATION);
        let libraries = self.code(layout).filter(|(_, it)| {
            let mut apple = it.signatures.iter().filter_map(|it| it.apple.as_ref());
            apple.any(|apple| !apple.is_executable)
        });
        let mut others = libraries.filter(|(_, it)| team(&it.signatures) != own);
        let failure = others.next().filter(|_| !is_open).map(|(path, it)| {
            format!(
                "`{}` is signed by team `{}` and the bundle by `{}`: the system does not load it without the entitlement `{NO_LIBRARY_VALIDATION}`",
                printable(path),
                team(&it.signatures).unwrap_or("none"),
                own.unwrap_or("none"),
            )
        });
        outcome(APPLE_ONE_TEAM, failure, "every library can be loaded")
    }

    fn provisioned(&self, layout: &Layout, signatures: &[SignatureReport]) -> Check {
        let keys = signatures.iter().filter_map(|it| it.apple.as_ref());
        let mut keys: Vec<_> = keys.flat_map(|apple| apple.entitlements.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        let profile = layout.file(self.tree, "embedded.provisionprofile");
        match profile::judge(&keys, profile, team(signatures)) {
            Ok(reason) => Check::pass(APPLE_PROVISIONING, reason),
            Err(reason) => Check::fail(APPLE_PROVISIONING, reason),
        }
    }

    /// The ticket that is stapled to the bundle, or that Apple has, covers every slice of all its code.
    fn notarized(
        &self,
        layout: &Layout,
        signatures: &mut [SignatureReport],
        checks: &mut Vec<Check>,
    ) {
        let stapled = layout.file(self.tree, "CodeResources");
        let stapled = stapled.and_then(|file| file.kept.as_deref());
        // Apple knows a bundle by its main executable, and what lies in a bundle by that.
        let is_asked = self.trust.online().is_some() && !is_inside(&layout.root);
        if stapled.is_none() && !is_asked {
            return;
        }
        let own = signatures.iter().flat_map(of_signature);
        let inside = self.code(layout).flat_map(|(_, it)| known_hashes(it));
        let hashes: Vec<_> = own.chain(inside).collect();
        let wanted: Vec<_> = hashes.iter().map(|hash| Covered::Code(hash)).collect();
        let quiet = self.trust.without_tickets();
        let trust = if is_asked { self.trust } else { &quiet };
        let notarization = ticket::judge_notarization(stapled, &wanted, self.at, trust, checks);
        for apple in signatures.iter_mut().filter_map(|it| it.apple.as_mut()) {
            apple.take(notarization.clone());
        }
    }

    /// All code in a bundle, nested too.
    fn code<'t>(&'t self, layout: &Layout) -> impl Iterator<Item = (&'t String, &'t Inspection)> {
        below(self.tree, &layout.root).filter_map(|(path, node)| match node {
            Node::File(file) => Some((path, file.signature.as_ref()?)),
            Node::Folder | Node::Link { .. } => None,
        })
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| rest.starts_with('/'))
}

/// What is wrong inside nested bundles is wrong with the bundle.
fn broken_inside(layout: &Layout, nested: &[Nested]) -> Vec<Check> {
    let broken = nested
        .iter()
        .filter(|it| it.inspection.verdict != Verdict::Valid);
    let said = broken.map(|it| {
        let inside = it.root.get(layout.root.len() + 1..).unwrap_or(&it.root);
        let first = it.inspection.failed().next();
        let why = first.map_or(String::new(), |check| {
            format!(": {}: {}", check.id.as_str(), check.reason)
        });
        let reason = format!("`{}` does not hold{why}", printable(inside));
        Check::fail(BUNDLE_NESTED_CODE, reason)
    });
    said.collect()
}

/// Whether the signature in every slice is about this `Info.plist` and this list, and names this bundle.
fn binds(layout: &Layout, info: &Info, list: &FileNode, signatures: &[SignatureReport]) -> Check {
    let list = list.kept.as_deref().unwrap_or_default();
    let failure = signatures.iter().find_map(|signature| {
        let place = &signature.place;
        let apple = signature.apple.as_ref()?;
        if apple.identifier.as_deref() != Some(printable(&info.identifier).as_str()) {
            return Some(format!(
                "{place}: the code is `{}`, and `{}` says `{}`",
                apple.identifier.as_deref().unwrap_or("none"),
                layout.info,
                printable(&info.identifier)
            ));
        }
        apple.bound.iter().find_map(|bound| {
            let is = |digest: &Option<Vec<u8>>, bytes: &[u8]| {
                digest.as_deref() == Some(bound.hash.hash(&[bytes]).as_slice())
            };
            let changed = match (
                is(&bound.info_plist, &info.bytes),
                is(&bound.resources, list),
            ) {
                (true, true) => return None,
                (false, _) => layout.info,
                (true, false) => "_CodeSignature/CodeResources",
            };
            Some(format!(
                "{place}: `{changed}` changed after signing, or is not signed"
            ))
        })
    });
    let is_bound = signatures.iter().all(|signature| {
        let apple = signature.apple.as_ref();
        apple.is_some_and(|apple| !apple.bound.is_empty())
    });
    let failure = failure.or_else(|| {
        (!is_bound || signatures.is_empty())
            .then(|| "no code directory that could be read covers it".to_owned())
    });
    outcome(
        BUNDLE_INFO_PLIST,
        failure,
        "each slice is signed with this `Info.plist` and this list of files",
    )
}

/// The team that signed, where all slices agree.
fn team(signatures: &[SignatureReport]) -> Option<&str> {
    let mut teams = signatures
        .iter()
        .map(|it| it.signer.as_ref()?.team_id.as_deref());
    let first = teams.next()??;
    teams.all(|team| team == Some(first)).then_some(first)
}

/// What each slice of a file is known by, in each of its code directories.
fn code_hashes(file: &FileNode) -> Vec<Vec<u8>> {
    let signatures = file.signature.iter().flat_map(|it| &it.signatures);
    let apple = signatures.filter_map(|it| it.apple.as_ref());
    let bound = apple.flat_map(|apple| &apple.bound);
    bound.map(|bound| bound.code_hash.clone()).collect()
}

/// What the ticket service knows code by: SHA-256 alone.
fn known_hashes(code: &Inspection) -> Vec<Vec<u8>> {
    code.signatures.iter().flat_map(of_signature).collect()
}

fn of_signature(signature: &SignatureReport) -> Vec<Vec<u8>> {
    let bound = signature.apple.iter().flat_map(|apple| &apple.bound);
    let known = bound.filter(|bound| bound.hash.algorithm != DigestAlgorithm::Sha1);
    known.map(|bound| bound.code_hash.clone()).collect()
}

/// What is read of `Info.plist`.
struct Info {
    bytes: Vec<u8>,
    executable: String,
    identifier: String,
}

impl Info {
    fn parse(file: &FileNode) -> Result<Self, &'static str> {
        let bytes = file.kept.clone().ok_or("it is larger than what is read")?;
        let list = Value::parse(&bytes).map_err(|_| "it is no property list")?;
        let text = |key| list.get(key).and_then(Value::text).map(str::to_owned);
        let executable = text("CFBundleExecutable").ok_or("it names no `CFBundleExecutable`")?;
        if executable.contains('/') || executable.is_empty() || executable == ".." {
            return Err("its `CFBundleExecutable` is no name of a file");
        }
        Ok(Self {
            executable: composed(&executable).into_owned(),
            identifier: text("CFBundleIdentifier").ok_or("it names no `CFBundleIdentifier`")?,
            bytes,
        })
    }
}

#[cfg(test)]
mod tests;
