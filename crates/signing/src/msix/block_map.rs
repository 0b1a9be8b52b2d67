//! The block map: each file of the package by the digests of its blocks.

use std::collections::BTreeMap;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use release::name::printable;
use thiserror::Error;

use crate::checks::{Check, MSIX_BLOCK_MAP, MSIX_BLOCKS};
use crate::digest::DigestAlgorithm;
use crate::judging::outcome;
use crate::msix::manifest::{Listed, plain_number};
use crate::msix::parts::Parts;
use crate::msix::{BLOCK_MAP, CODE_INTEGRITY, CONTENT_TYPES, Limits, SIGNATURE};
use crate::packages::Source;
use crate::xml::{self, Element, XmlError};

const NAMESPACE: &str = "http://schemas.microsoft.com/appx/2010/blockmap";
/// Bytes of a block, but for the last.
const BLOCK_BYTES: usize = 64 * 1024;
/// Parts that the signature covers by themselves, and that no block map names.
const FOOTPRINT: [&str; 4] = [CONTENT_TYPES, BLOCK_MAP, SIGNATURE, CODE_INTEGRITY];

/// Why a block map does not fit its package.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum BlockMapError {
    #[error("there is no `{BLOCK_MAP}`")]
    Absent,
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    #[error(transparent)]
    Xml(#[from] XmlError),
    #[error("it is no `BlockMap` of the namespace that is known")]
    Root,
    #[error("its digests are made in a way that is not known")]
    Method,
    #[error("`{0}` is an element that is not known, or of another namespace")]
    Element(String),
    #[error("`{0}` has no name, length, or digest that can be read")]
    File(String),
    #[error("`{0}` is named twice")]
    Twice(String),
    #[error("`{0}` is named, which no block map may cover")]
    Footprint(String),
    #[error("`{0}` is named and not in the package")]
    Extra(String),
    #[error("`{0}` is in the package and not named")]
    Missing(String),
}

struct BlockMap {
    algorithm: DigestAlgorithm,
    files: BTreeMap<String, File>,
}

struct File {
    size: u64,
    blocks: Vec<Vec<u8>>,
}

/// The block map names every file but those that are covered otherwise, and each file is what it says.
pub(super) fn judge(
    source: &mut Source<'_>,
    parts: &Parts<'_>,
    packages: &[Listed],
    checks: &mut Vec<Check>,
) -> io::Result<()> {
    let read = match parts.get(BLOCK_MAP) {
        Some(entry) => source
            .whole(entry, Limits::BLOCK_MAP_BYTES)?
            .map_err(BlockMapError::Unreadable),
        None => Err(BlockMapError::Absent),
    };
    let map = read.and_then(|bytes| BlockMap::parse(&bytes));
    let map = match map {
        Ok(map) => map,
        Err(error) => {
            checks.push(Check::fail(MSIX_BLOCK_MAP, error.to_string()));
            return Ok(());
        }
    };
    let failure = map.coverage(parts, packages).err();
    let passes = format!("all {} files are named", map.files.len());
    checks.push(outcome(MSIX_BLOCK_MAP, failure, passes));
    let mut failure = None;
    for (name, file) in &map.files {
        failure = map.difference(source, parts, name, file)?;
        if failure.is_some() {
            break;
        }
    }
    let passes = format!(
        "the files have the digests ({}) that are named",
        map.algorithm
    );
    checks.push(outcome(MSIX_BLOCKS, failure, passes));
    Ok(())
}

impl BlockMap {
    fn parse(bytes: &[u8]) -> Result<Self, BlockMapError> {
        let text = xml::in_utf8(bytes).ok_or(XmlError::Encoding)?;
        let root = xml::parse(&text)?;
        if root.name != "BlockMap" || root.attribute("xmlns") != Some(NAMESPACE) {
            return Err(BlockMapError::Root);
        }
        let algorithm = match root.attribute("HashMethod") {
            Some("http://www.w3.org/2001/04/xmlenc#sha256") => DigestAlgorithm::Sha256,
            Some("http://www.w3.org/2001/04/xmldsig-more#sha384") => DigestAlgorithm::Sha384,
            Some("http://www.w3.org/2001/04/xmlenc#sha512") => DigestAlgorithm::Sha512,
            _ => return Err(BlockMapError::Method),
        };
        let ignorable = Ignorable::of(&root);
        let mut files = BTreeMap::new();
        for element in ignorable.known(&root, "File") {
            let element = element?;
            let name = element.attribute("Name").unwrap_or_default();
            let wrong = || BlockMapError::File(printable(name));
            // Windows writes `\` between folders, and a second spelling would name a file twice.
            if name.is_empty() || name.contains('/') {
                return Err(wrong());
            }
            let size = element.attribute("Size").and_then(plain_number);
            let mut blocks = Vec::new();
            for block in ignorable.known(element, "Block") {
                let hash = block?.attribute("Hash").unwrap_or_default();
                let hash = BASE64.decode(hash).map_err(|_| wrong())?;
                if hash.len() != algorithm.len() {
                    return Err(wrong());
                }
                blocks.push(hash);
            }
            let size = size.ok_or_else(wrong)?;
            let file = File { size, blocks };
            if files.insert(name.replace('\\', "/"), file).is_some() {
                return Err(BlockMapError::Twice(printable(name)));
            }
        }
        Ok(Self { algorithm, files })
    }

    /// Packages of a bundle are covered by block maps of their own.
    fn coverage(&self, parts: &Parts<'_>, packages: &[Listed]) -> Result<(), BlockMapError> {
        let is_footprint = |name: &str| FOOTPRINT.iter().any(|it| it.eq_ignore_ascii_case(name));
        for name in self.files.keys() {
            if is_footprint(name) {
                return Err(BlockMapError::Footprint(printable(name)));
            }
            if parts.get(name).is_none() {
                return Err(BlockMapError::Extra(printable(name)));
            }
        }
        let is_covered = |name: &str| {
            FOOTPRINT.contains(&name)
                || self.files.contains_key(name)
                || packages.iter().any(|package| package.name == name)
        };
        match parts.names().find(|name| !is_covered(name)) {
            Some(name) => Err(BlockMapError::Missing(printable(name))),
            None => Ok(()),
        }
    }

    /// How a file differs from what is said of it. What is not in the package, [`Self::coverage`] says.
    fn difference(
        &self,
        source: &mut Source<'_>,
        parts: &Parts<'_>,
        name: &str,
        file: &File,
    ) -> io::Result<Option<String>> {
        let Some(entry) = parts.get(name) else {
            return Ok(None);
        };
        let File { size, blocks } = file;
        let shown = printable(name);
        let expected = size.div_ceil(BLOCK_BYTES as u64);
        if entry.size != *size || blocks.len() as u64 != expected {
            return Ok(Some(format!(
                "`{shown}` has {} bytes, the block map says {size} in {} blocks",
                entry.size,
                blocks.len()
            )));
        }
        let mut expected = blocks.iter().enumerate();
        let mut wrong = None;
        let read = source.pieces(entry, BLOCK_BYTES, |block| {
            let found = self.algorithm.hash(&[block]);
            match expected.next() {
                Some((_, hash)) if *hash == found => true,
                Some((number, _)) => {
                    wrong = Some(number);
                    false
                }
                None => false,
            }
        })?;
        let wrong = wrong.map(|number| {
            format!("block {number} of `{shown}` has another digest than the block map says")
        });
        Ok(read.err().or(wrong))
    }
}

/// Prefixes whose elements readers skip that do not know them (markup compatibility, ECMA-376 part 3).
struct Ignorable<'a>(Vec<&'a str>);

impl<'a> Ignorable<'a> {
    /// A prefix counts only where it is declared.
    fn of(root: &'a Element<'_>) -> Self {
        let named = root.attribute("IgnorableNamespaces").unwrap_or_default();
        let is_declared = |prefix: &&str| {
            let declaration = format!("xmlns:{prefix}");
            root.attribute(&declaration)
                .is_some_and(|namespace| namespace != NAMESPACE)
        };
        Self(named.split_whitespace().filter(is_declared).collect())
    }

    /// The elements of a name in another; anything else that cannot be skipped is an error, and so is a change of namespace.
    fn known<'e>(
        &self,
        within: &'e Element<'e>,
        name: &str,
    ) -> impl Iterator<Item = Result<&'e Element<'e>, BlockMapError>> {
        let elements = within.children.iter().filter(|element| {
            let prefix = element.name.split_once(':').map(|(prefix, _)| prefix);
            prefix.is_none_or(|prefix| !self.0.contains(&prefix))
        });
        elements.map(move |element| {
            let is_same = !element
                .attributes()
                .any(|(name, _)| name == "xmlns" || name.starts_with("xmlns:"));
            match element.name == name && is_same {
                true => Ok(element),
                false => Err(BlockMapError::Element(printable(element.name))),
            }
        })
    }
}
