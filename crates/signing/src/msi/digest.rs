//! What an MSI's signature is over.
//!
//! No specification is published; this is what signtool writes, as osslsigncode and signify compute it too. The digest
//! covers the contents of all streams and the classes of all storages, neither names nor lengths: those are covered
//! where the package has a stream `\5MsiDigitalSignatureEx`, which holds a digest of them.

use std::io::{Read, Seek};

use crate::digest::{DigestAlgorithm, Hasher};
use crate::msi::compound::Compound;
use crate::msi::directory::{Entry, Node};
use crate::msi::limits::CompoundError;

/// The stream of the signature.
pub(super) const SIGNATURE: &str = "\u{5}DigitalSignature";
/// The stream of the digest of metadata.
pub(super) const METADATA: &str = "\u{5}MsiDigitalSignatureEx";

/// The digest of the package by each algorithm, metadata first where they are covered.
pub(super) fn whole<R: Read + Seek>(
    compound: &mut Compound<'_, R>,
    root: &Entry,
    algorithms: &[DigestAlgorithm],
    metadata: &[Vec<u8>],
) -> Result<Vec<(DigestAlgorithm, Vec<u8>)>, CompoundError> {
    let mut hashers: Vec<_> = algorithms.iter().copied().map(Hasher::new).collect();
    for (hasher, metadata) in hashers.iter_mut().zip(metadata) {
        hasher.update(metadata);
    }
    contents(compound, root, is_signed, &mut hashers)?;
    let found = algorithms.iter().copied().zip(hashers);
    Ok(found.map(|(it, hasher)| (it, hasher.finish())).collect())
}

/// In the root, the streams that hold the signature cannot be covered by it. Storages of these names are.
fn is_signed(entry: &Entry) -> bool {
    let is_storage = matches!(entry.node, Node::Storage(_));
    is_storage || (!entry.is_named(SIGNATURE) && !entry.is_named(METADATA))
}

/// Streams in order, storages in place, and behind all the class of the storage that they stand in.
fn contents<R: Read + Seek>(
    compound: &mut Compound<'_, R>,
    storage: &Entry,
    is_covered: fn(&Entry) -> bool,
    hashers: &mut [Hasher],
) -> Result<(), CompoundError> {
    let Node::Storage(children) = &storage.node else {
        return Ok(());
    };
    for child in children.iter().filter(|it| is_covered(it)) {
        match &child.node {
            Node::Storage(_) => contents(compound, child, |_| true, hashers)?,
            Node::Stream(place) => compound.read(*place, &mut |piece| {
                hashers.iter_mut().for_each(|hasher| hasher.update(piece));
            })?,
        }
    }
    hashers
        .iter_mut()
        .for_each(|hasher| hasher.update(&storage.class));
    Ok(())
}

/// The digest of all metadata.
pub(super) fn metadata(root: &Entry, algorithm: DigestAlgorithm) -> Vec<u8> {
    let mut hasher = Hasher::new(algorithm);
    // Of the root neither name nor times: those change whenever the file is written.
    hasher.update(&root.class);
    hasher.update(&root.state);
    metadata_inside(root, is_signed, &mut hasher);
    hasher.finish()
}

fn metadata_inside(storage: &Entry, is_covered: fn(&Entry) -> bool, hasher: &mut Hasher) {
    let Node::Storage(children) = &storage.node else {
        return;
    };
    for child in children.iter().filter(|it| is_covered(it)) {
        hasher.update(&child.name);
        match &child.node {
            Node::Storage(_) => hasher.update(&child.class),
            Node::Stream(_) => hasher.update(&child.size),
        }
        hasher.update(&child.state);
        hasher.update(&child.times);
        metadata_inside(child, |_| true, hasher);
    }
}
