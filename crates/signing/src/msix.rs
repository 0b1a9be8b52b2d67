//! App packages of Windows (MSIX, APPX) and bundles of them, and their Authenticode signatures.
//!
//! A signature covers the archive in two pieces, what lies before the signature and the directory without it, and three
//! parts on their own. The block map, one of those, has digests of each file by blocks of 64 KiB. Windows loads files by the
//! block map alone, so both are judged. Packages in a bundle are covered by its signature; those that are signed themselves
//! are judged besides.
//!
//! Source: Microsoft Learn, "MSIX package signing" and "App package block map schema"; ECMA-376 part 2 for names of parts;
//! what the digest covers is from the packages of Microsoft's own tests.

mod block_map;
mod bundle;
mod digest;
mod manifest;
mod parts;
mod publisher;
mod signature;

use std::io;

use release::Timestamp;
use thiserror::Error;

use crate::authenticode::Container;
use crate::checks::{Check, MSIX_MANIFEST, MSIX_PARSE};
use crate::inspection::{Inspection, Kind, SignatureReport};
use crate::packages::{self, Source};
use crate::roots::Trust;
use crate::verify::Bytes;
use crate::zip::Archive;

use parts::Parts;

pub(crate) use digest::difference;
pub(crate) use manifest::Identity;
pub(crate) use publisher::on_windows;

/// Names of parts that mean something (ECMA-376 part 2 for the first).
const CONTENT_TYPES: &str = "[Content_Types].xml";
const BLOCK_MAP: &str = "AppxBlockMap.xml";
const SIGNATURE: &str = "AppxSignature.p7x";
const CODE_INTEGRITY: &str = "AppxMetadata/CodeIntegrity.cat";
const MANIFEST: &str = "AppxManifest.xml";
const BUNDLE_MANIFEST: &str = "AppxMetadata/AppxBundleManifest.xml";

/// What makes an archive an app package.
pub(crate) const MARKS: &[&str] = &[MANIFEST, BUNDLE_MANIFEST, BLOCK_MAP, SIGNATURE];

/// Whether a name in an archive is one that only app packages have, however it is spelled: what Windows may take for a package
/// is judged as one, and fails where the spelling is not the usual one.
pub(crate) fn is_mark(path: &str) -> bool {
    let name = parts::decode(path);
    let name = name.as_deref().unwrap_or(path);
    MARKS.iter().any(|mark| mark.eq_ignore_ascii_case(name))
}

/// What is read of a package at most. Files are read in pieces.
struct Limits;

impl Limits {
    /// Bytes of a manifest. Real ones have some KiB.
    const MANIFEST_BYTES: u64 = 4 * 1024 * 1024;
    /// Bytes of the block map: about 60 for each 64 KiB, so this is for packages of 16 GiB.
    const BLOCK_MAP_BYTES: u64 = 16 * 1024 * 1024;
    /// Bytes of a signature. Real ones have 10 KiB.
    const SIGNATURE_BYTES: u64 = 1024 * 1024;
    /// Packages in a bundle.
    const PACKAGES: usize = 1_000;
}

/// Why an archive is no package that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum MsixError {
    #[error("the name `{0}` is not that of a part, or cannot be told from another")]
    Name(String),
    #[error("`{0}` is no file; packages have only files")]
    Kind(String),
    #[error("it is an app package and a bundle of them at once")]
    Both,
}

/// What packages are judged by.
#[derive(Clone, Copy)]
struct Judge<'a> {
    at: Timestamp,
    trust: &'a Trust,
}

/// What was found of a package.
#[derive(Default)]
struct Found {
    checks: Vec<Check>,
    signatures: Vec<SignatureReport>,
    /// The publisher in its manifest.
    publisher: Option<String>,
}

/// Inspects a package, and judges it at a time by what is trusted.
///
/// # Errors
/// Where the reader fails. A package that is wrong is no error but a verdict.
pub(crate) fn inspect(
    archive: &Archive,
    bytes: &mut dyn Bytes,
    at: Timestamp,
    trust: &Trust,
) -> io::Result<Inspection> {
    let judge = Judge { at, trust };
    let found = packages::look(bytes, |source| judge.package(source, archive))?;
    let Found {
        checks,
        signatures,
        publisher: _,
    } = found;
    let kind = Kind::Authenticode;
    Ok(Inspection::new(kind, at, checks, signatures, trust))
}

/// What Windows knows a package or bundle by. None where that cannot be read.
///
/// # Errors
/// Where the reader fails.
pub(crate) fn identity(mut bytes: &mut dyn Bytes) -> io::Result<Option<Identity>> {
    let Ok(archive) = Archive::open(&mut bytes)? else {
        return Ok(None);
    };
    let manifest = packages::look(bytes, |source| {
        let Ok(parts) = Parts::of(&archive) else {
            return Ok(Err(String::new()));
        };
        let container = match parts.get(BUNDLE_MANIFEST) {
            None => Container::Msix,
            Some(_) => Container::MsixBundle,
        };
        manifest::read(source, &parts, container)
    })?;
    Ok(manifest.ok().map(|manifest| manifest.identity))
}

impl Judge<'_> {
    /// Everything about a package or bundle, the signature last, as it rests on what it covers.
    fn package(self, source: &mut Source<'_>, archive: &Archive) -> io::Result<Found> {
        let mut found = Found::default();
        let parts = match Parts::of(archive) {
            Ok(parts) => parts,
            Err(error) => {
                let check = Check::fail(MSIX_PARSE, error.to_string());
                found.checks.push(check);
                return Ok(found);
            }
        };
        let container = match parts.get(BUNDLE_MANIFEST) {
            None => Container::Msix,
            Some(_) => Container::MsixBundle,
        };
        let what = match container {
            Container::MsixBundle => "a bundle of app packages",
            _ => "an app package",
        };
        let reason = format!("{what} of {} parts", parts.count());
        found.checks.push(Check::pass(MSIX_PARSE, reason));
        let manifest = manifest::read(source, &parts, container)?;
        let manifest = match manifest {
            Ok(manifest) => {
                let Identity {
                    name, publisher, ..
                } = &manifest.identity;
                let shown = [name, publisher].map(|it| release::name::printable(it));
                let [name, publisher] = shown;
                let reason = format!("`{name}` of `{publisher}`");
                found.checks.push(Check::pass(MSIX_MANIFEST, reason));
                Some(manifest)
            }
            Err(reason) => {
                found.checks.push(Check::fail(MSIX_MANIFEST, reason));
                None
            }
        };
        let packages = manifest.as_ref().map(|it| it.packages.as_slice());
        let packages = packages.unwrap_or_default();
        block_map::judge(source, &parts, packages, &mut found.checks)?;
        let publisher = manifest.as_ref().map(|it| it.identity.publisher.clone());
        signature::judge(self, source, &parts, container, publisher, &mut found)?;
        if let Some(manifest) = &manifest
            && container == Container::MsixBundle
        {
            bundle::judge(self, source, &parts, manifest, &mut found)?;
        }
        found.publisher = manifest.map(|it| it.identity.publisher);
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
