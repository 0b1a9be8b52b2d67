//! Whether the files of a bundle are those that its `CodeResources` lists: all of them, and no others.

use std::collections::{BTreeMap, BTreeSet};

use release::name::printable;

use crate::bundle::layout::{Layout, Shape, below};
use crate::bundle::resources::{Resources, Seal, Sealed};
use crate::bundle::{Nested, code_hashes};
use crate::checks::{
    BUNDLE_MISSING, BUNDLE_NESTED_CODE, BUNDLE_SEALED_RESOURCES, BUNDLE_SYMLINK, BUNDLE_UNLISTED,
    Check, Id,
};
use crate::tree::{Node, Tree};

/// How many of a kind are named.
const NAMED_MAX: usize = 5;

/// What is wrong, by check.
#[derive(Debug, Default)]
struct Findings {
    changed: Vec<String>,
    missing: Vec<String>,
    unlisted: Vec<String>,
    links: Vec<String>,
    code: Vec<String>,
}

/// Compares a bundle with its list. `executable` is the main one, relative to the base: its own signature covers it.
pub(super) fn judge(
    tree: &Tree,
    layout: &Layout,
    resources: &Resources,
    executable: &str,
    nested: &[Nested],
    checks: &mut Vec<Check>,
) {
    let mut findings = Findings::default();
    // A framework of several versions is known by each of them.
    let mut known: BTreeMap<&str, Vec<Vec<u8>>> = BTreeMap::new();
    for bundle in nested {
        let hashes = known.entry(&bundle.root).or_default();
        hashes.extend(bundle.code_hashes.iter().cloned());
    }
    for (path, seal) in &resources.seals {
        compare(tree, layout, path, seal, &known, &mut findings);
    }
    let listed = list(tree, layout, resources, executable, &mut findings);
    let Findings {
        changed,
        missing,
        unlisted,
        links,
        code,
    } = findings;
    let count = resources.seals.len();
    for (id, wrong, how, passes) in [
        (
            BUNDLE_SEALED_RESOURCES,
            changed,
            "changed after signing",
            format!("{count} entries, and each file is as signed"),
        ),
        (
            BUNDLE_MISSING,
            missing,
            "listed, and not there",
            "everything that is listed is there".to_owned(),
        ),
        (
            BUNDLE_UNLISTED,
            unlisted,
            "there, and not listed: added after signing",
            format!("{listed} files, and each is listed or left out by a rule"),
        ),
        (
            BUNDLE_SYMLINK,
            links,
            "a link that leaves the bundle",
            "every link stays inside".to_owned(),
        ),
        (
            BUNDLE_NESTED_CODE,
            code,
            "not the code that was signed with it",
            format!("{} pieces of nested code hold", nested.len()),
        ),
    ] {
        checks.push(said(id, wrong, how, passes));
    }
}

fn said(id: Id, wrong: Vec<String>, how: &str, passes: String) -> Check {
    if wrong.is_empty() {
        return Check::pass(id, passes);
    }
    let named: Vec<_> = wrong.iter().take(NAMED_MAX).cloned().collect();
    let more = match wrong.len().checked_sub(NAMED_MAX) {
        None | Some(0) => String::new(),
        Some(more) => format!(", and {more} more"),
    };
    Check::fail(id, format!("{how}: {}{more}", named.join(", ")))
}

/// Compares one entry with what is there.
fn compare(
    tree: &Tree,
    layout: &Layout,
    path: &str,
    seal: &Seal,
    nested: &BTreeMap<&str, Vec<Vec<u8>>>,
    findings: &mut Findings,
) {
    let shown = format!("`{}`", printable(path));
    let whole = layout.path(path);
    match (&seal.what, tree.get(&whole)) {
        (Sealed::File(hash), Some(Node::File(file))) if file.sha256 == *hash => {}
        (Sealed::Link(sealed), Some(Node::Link { target })) if target == sealed => {}
        (Sealed::Code(hash), found) => {
            let hashes = match (found, nested.get(whole.as_str())) {
                (_, Some(hashes)) => hashes.clone(),
                (Some(Node::File(file)), None) => code_hashes(file),
                (_, None) => Vec::new(),
            };
            let is_there = found.is_some() || below(tree, &whole).next().is_some();
            if !is_there && !seal.is_optional {
                findings.missing.push(shown);
            } else if is_there && !hashes.contains(hash) {
                findings.code.push(shown);
            }
        }
        (_, Some(_)) => findings.changed.push(shown),
        (_, None) if seal.is_optional => {}
        (_, None) => findings.missing.push(shown),
    }
}

/// Looks at everything that is there. Gives how many files there are.
fn list(
    tree: &Tree,
    layout: &Layout,
    resources: &Resources,
    executable: &str,
    findings: &mut Findings,
) -> usize {
    let mut count = 0;
    let mut known = BTreeSet::new();
    for (path, node) in below(tree, &layout.base) {
        let relative = path.get(layout.base.len() + 1..).unwrap_or_default();
        if let Node::Link { target } = node {
            let shown = format!("`{}`", printable(relative));
            match stays_inside(&layout.root, path, target) {
                true => {}
                false => findings.links.push(shown),
            }
        }
        if matches!(node, Node::Folder) || is_of_the_signature(relative) {
            continue;
        }
        count += 1;
        if executable == relative || is_in_sealed_code(resources, relative, &mut known) {
            continue;
        }
        let is_listed = resources.seals.contains_key(relative);
        // Whatever it is called, code is listed.
        let is_code = matches!(node, Node::File(file) if file.signature.is_some());
        if !is_listed && (is_code || !resources.omits(relative)) {
            findings.unlisted.push(format!("`{}`", printable(relative)));
        }
    }
    for path in beside(tree, layout) {
        findings.unlisted.push(format!("`{}`", printable(path)));
    }
    count
}

/// What the signature itself is made of, and what is added behind it: the notarization ticket, and the receipt of the App
/// Store (`bundlediskrep.cpp`, `adjustResources`).
fn is_of_the_signature(relative: &str) -> bool {
    matches!(
        relative,
        "_CodeSignature/CodeResources" | "CodeResources" | "_MASReceipt/receipt"
    )
}

/// Whether a path lies in nested code that has an entry: that code seals its own files.
fn is_in_sealed_code(resources: &Resources, relative: &str, known: &mut BTreeSet<String>) -> bool {
    let folders = relative.match_indices('/');
    let mut folders = folders.filter_map(|(at, _)| relative.get(..at));
    folders.any(|folder| {
        if known.contains(folder) {
            return true;
        }
        let seal = resources.seals.get(folder);
        let is_code = seal.is_some_and(|seal| matches!(seal.what, Sealed::Code(_)));
        if is_code {
            known.insert(folder.to_owned());
        }
        is_code
    })
}

/// What lies in the folder of a bundle and outside the part that is sealed. In a framework the links on top are not sealed,
/// and lead into a version that is.
fn beside<'t>(tree: &'t Tree, layout: &Layout) -> Vec<&'t str> {
    let root = layout.root.as_str();
    let inside_base = format!("{}/", layout.base);
    let versions = format!("{root}/Versions/");
    let stray = below(tree, root).filter(|(path, node)| match layout.shape {
        Shape::App => !path.starts_with(&inside_base) && **path != layout.base,
        Shape::Flat => false,
        Shape::Framework => match node {
            // Another version seals its own files, where it is signed.
            Node::File(_) => match path.strip_prefix(&versions) {
                Some(inside) => {
                    let version = inside.split('/').next().unwrap_or_default();
                    let list = format!("{versions}{version}/_CodeSignature/CodeResources");
                    !path.starts_with(&inside_base) && !tree.contains_key(&list)
                }
                None => true,
            },
            Node::Link { target } => {
                let is_on_top = path
                    .get(root.len() + 1..)
                    .is_some_and(|it| !it.contains('/'));
                is_on_top && !target.starts_with("Versions/")
            }
            Node::Folder => false,
        },
    });
    stray.map(|(path, _)| path.as_str()).collect()
}

/// Whether a link leads to something in the bundle, by its text alone.
fn stays_inside(root: &str, link: &str, target: &str) -> bool {
    if target.starts_with('/') || target.is_empty() {
        return false;
    }
    let above = link.rsplit_once('/').map_or("", |(above, _)| above);
    let mut parts: Vec<_> = above.split('/').collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_some() => {}
            ".." => return false,
            part => parts.push(part),
        }
    }
    let root: Vec<_> = root.split('/').collect();
    parts.starts_with(&root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_by_their_text() {
        let stays = |target| stays_inside("a/B.app", "a/B.app/Contents/link", target);
        assert!(stays("MacOS/B") && stays("../Contents/./MacOS") && stays(".."));
        assert!(!stays("../..") && !stays("../../C.app") && !stays("/etc") && !stays(""));
        assert!(!stays("../../../../../etc"));
    }
}
