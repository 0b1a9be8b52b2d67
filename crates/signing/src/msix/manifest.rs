//! The manifest of a package or bundle: what it is called, whose it is, and what a bundle holds.

use std::io;

use crate::authenticode::Container;
use crate::msix::parts::Parts;
use crate::msix::{BUNDLE_MANIFEST, Limits, MANIFEST};
use crate::packages::Source;
use crate::xml::{self, Element, XmlError};

/// Where the namespaces of all versions of manifests begin.
const NAMESPACES: &str = "http://schemas.microsoft.com/appx/";

/// What a manifest says. Not escaped.
pub(super) struct Manifest {
    pub(super) identity: Identity,
    /// Packages in a bundle.
    pub(super) packages: Vec<Listed>,
}

/// What Windows knows a package by. Not escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) publisher: String,
    /// Four numbers; none where it has others.
    pub(crate) version: Vec<u32>,
}

impl Identity {
    pub(crate) fn shown_version(&self) -> String {
        let numbers: Vec<_> = self.version.iter().map(u32::to_string).collect();
        numbers.join(".")
    }
}

/// A package that a bundle names.
pub(super) struct Listed {
    /// The name of its part.
    pub(super) name: String,
    pub(super) size: u64,
    /// Where it begins in the bundle. Windows may look there and nowhere else.
    pub(super) offset: u64,
}

/// Reads the manifest. Why there is none is a reason that is safe to print.
pub(super) fn read(
    source: &mut Source<'_>,
    parts: &Parts<'_>,
    container: Container,
) -> io::Result<Result<Manifest, String>> {
    let (path, root) = match container {
        Container::MsixBundle => (BUNDLE_MANIFEST, "Bundle"),
        _ => (MANIFEST, "Package"),
    };
    let Some(entry) = parts.get(path) else {
        return Ok(Err(format!("there is no `{path}`")));
    };
    let read = source.whole(entry, Limits::MANIFEST_BYTES)?;
    let parsed = read.and_then(|bytes| parse(&bytes, root));
    Ok(parsed.map_err(|reason| format!("`{path}`: {reason}")))
}

fn parse(bytes: &[u8], root: &str) -> Result<Manifest, String> {
    let shown = |error: XmlError| error.to_string();
    let text = xml::in_utf8(bytes).ok_or(XmlError::Encoding);
    let text = text.map_err(shown)?;
    let found = xml::parse(&text).map_err(shown)?;
    let namespace = found.attribute("xmlns").unwrap_or_default();
    if found.name != root || !namespace.starts_with(NAMESPACES) {
        return Err(format!("it is no `{root}` of a namespace that is known"));
    }
    let identity = found.only("Identity").map_err(shown)?;
    let stated = |key| {
        let value = identity.and_then(|identity| identity.attribute(key));
        value.map(str::to_owned)
    };
    let (Some(name), Some(publisher)) = (stated("Name"), stated("Publisher")) else {
        return Err("it names no package or no publisher".to_owned());
    };
    let packages = match root {
        "Bundle" => packages(&found)?,
        _ => Vec::new(),
    };
    let version = stated("Version").unwrap_or_default();
    let version = version.split('.').map(str::parse).collect();
    Ok(Manifest {
        identity: Identity {
            name,
            publisher,
            version: Result::unwrap_or_default(version),
        },
        packages,
    })
}

fn packages(bundle: &Element<'_>) -> Result<Vec<Listed>, String> {
    let found = bundle.only("Packages").map_err(|error| error.to_string())?;
    let Some(found) = found else {
        return Err("it names no packages".to_owned());
    };
    let mut packages = Vec::new();
    for package in &found.children {
        if package.name != "Package" || packages.len() >= Limits::PACKAGES {
            let max = Limits::PACKAGES;
            return Err(format!(
                "it names more than {max} packages, or something else"
            ));
        }
        let number = |key| package.attribute(key).and_then(plain_number);
        let name = package.attribute("FileName").map(str::to_owned);
        let (Some(name), Some(size), Some(offset)) = (name, number("Size"), number("Offset"))
        else {
            return Err("it names a package without name, size, or offset".to_owned());
        };
        packages.push(Listed { name, size, offset });
    }
    Ok(packages)
}

/// A number in decimal digits.
pub(super) fn plain_number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}
