//! How bundles lie in a tree: apps with `Contents`, frameworks with `Versions`, and flat ones.
//!
//! Source: Apple, "Bundle Programming Guide", and `bundlediskrep.cpp` of the open Security framework.

use std::collections::BTreeSet;

use crate::tree::{FileNode, Node, Tree};

/// How the names of bundles end.
const SUFFIXES: [&str; 12] = [
    ".app",
    ".framework",
    ".appex",
    ".xpc",
    ".bundle",
    ".plugin",
    ".kext",
    ".prefPane",
    ".qlgenerator",
    ".mdimporter",
    ".systemextension",
    ".dext",
];

/// Whether a path lies in a bundle, by the names of the folders above it.
pub(crate) fn is_inside(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    folders.split('/').any(is_bundle_name)
}

/// Whether a path ends with the name of a bundle.
pub(crate) fn is_named(path: &str) -> bool {
    is_bundle_name(path.rsplit('/').next().unwrap_or_default())
}

/// Disks of macOS do not tell cases apart.
fn is_bundle_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let ends =
        |suffix: &&str| name.len() > suffix.len() && name.ends_with(&suffix.to_ascii_lowercase());
    SUFFIXES.iter().any(ends)
}

/// Whether a bundle of such a name is started, whatever is in it.
pub(super) fn is_started(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".app", ".appex", ".xpc", ".systemextension", ".prefpane"]
        .iter()
        .any(|suffix| name.ends_with(suffix))
}

/// A bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// Its folder.
    pub(super) root: String,
    /// The folder that paths in `CodeResources` are relative to.
    pub(super) base: String,
    /// Where `Info.plist` stands, relative to `base`.
    pub(super) info: &'static str,
    /// The folder of the main executable, relative to `base`; empty where that is `base` itself.
    pub(super) programs: &'static str,
    pub(super) shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `Contents/Info.plist`.
    App,
    /// `Versions/A/Resources/Info.plist`, and links to it on top.
    Framework,
    /// `Info.plist` on top.
    Flat,
}

impl Layout {
    /// The layout of a folder. None where it is no bundle but has its name.
    pub(super) fn of(tree: &Tree, root: &str) -> Vec<Self> {
        let has = |path: &str| matches!(tree.get(&format!("{root}/{path}")), Some(Node::File(_)));
        let layout = |base: String, info, programs, shape| Self {
            root: root.to_owned(),
            base,
            info,
            programs,
            shape,
        };
        let contents = format!("{root}/Contents");
        if below(tree, &contents).next().is_some() {
            return vec![layout(contents, "Info.plist", "MacOS", Shape::App)];
        }
        let versions = format!("{root}/Versions");
        let names: BTreeSet<_> = below(tree, &versions)
            .filter(|(_, node)| !matches!(node, Node::Link { .. }))
            .filter_map(|(path, _)| path.strip_prefix(&versions)?.get(1..)?.split('/').next())
            .map(str::to_owned)
            .collect();
        if !names.is_empty() {
            let version = |name| {
                let base = format!("{versions}/{name}");
                layout(base, "Resources/Info.plist", "", Shape::Framework)
            };
            return names.into_iter().map(version).collect();
        }
        if has("Info.plist") || has("_CodeSignature/CodeResources") {
            return vec![layout(root.to_owned(), "Info.plist", "", Shape::Flat)];
        }
        Vec::new()
    }

    /// A path relative to its base, in the tree.
    pub(super) fn path(&self, relative: &str) -> String {
        format!("{}/{relative}", self.base)
    }

    pub(super) fn file<'t>(&self, tree: &'t Tree, relative: &str) -> Option<&'t FileNode> {
        match tree.get(&self.path(relative)) {
            Some(Node::File(file)) => Some(file),
            _ => None,
        }
    }
}

/// Everything below a folder.
pub(super) fn below<'t>(
    tree: &'t Tree,
    folder: &str,
) -> impl Iterator<Item = (&'t String, &'t Node)> {
    let prefix = format!("{folder}/");
    tree.range(prefix.clone()..)
        .take_while(move |(path, _)| path.starts_with(&prefix))
}

/// The folders below one that are bundles, none inside another. An empty name is the whole tree.
pub(super) fn outermost(tree: &Tree, folder: &str) -> Vec<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let start = match folder {
        "" => String::new(),
        folder => format!("{folder}/"),
    };
    let paths = tree.range(start.clone()..).map(|(path, _)| path);
    for path in paths.take_while(|path| path.starts_with(&start)) {
        let inside = path.get(start.len()..).unwrap_or_default();
        let ends = inside.match_indices('/').map(|(at, _)| start.len() + at);
        let mut folders = ends.filter_map(|end| path.get(..end));
        let bundle = folders.find(|it| {
            let name = it.rsplit('/').next().unwrap_or_default();
            is_bundle_name(name)
        });
        if let Some(bundle) = bundle.filter(|it| !found.contains(*it)) {
            found.insert(bundle.to_owned());
        }
    }
    found.into_iter().collect()
}
