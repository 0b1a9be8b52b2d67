//! The signatures in an appcast, and the files that they are of.
//!
//! Format: <https://sparkle-project.org/documentation/publishing/>. One lists every version that there was, so only the items
//! of the version being released are looked at. Their enclosures, deltas among them, and the artifacts must be the same files.

use std::collections::BTreeMap;

use release::Version;
use release::name::{FileName, printable};
use thiserror::Error;

use super::appcast::{self, AppcastError};
use super::{Opened, PublicKey};
use crate::checks::{Check, SPARKLE_APPCAST, SPARKLE_COVERAGE, SPARKLE_EXTRA};
use crate::xml::{Element, XmlError};

/// What the prefix `sparkle:` stands for.
const NAMESPACE: &str = "http://www.andymatuschak.org/xml-namespaces/sparkle";

/// Whose signatures an appcast holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The key in the apps that are installed.
    pub key: PublicKey,
    /// Where the appcast stands.
    pub appcast: String,
}

/// An appcast that was read for a rule and a version, or the check that it failed.
#[derive(Debug, Clone)]
pub struct Appcast {
    rule: Rule,
    enclosures: Result<BTreeMap<FileName, Enclosure>, Check>,
}

/// What stands beside the address of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Enclosure {
    signature: Option<String>,
    length: Option<String>,
}

/// Why an appcast is refused.
#[derive(Debug, Error)]
enum EnclosureError {
    #[error(transparent)]
    Appcast(#[from] AppcastError),
    #[error(
        "the prefix `sparkle:` has to stand for `{NAMESPACE}`, everywhere, and no other prefix may"
    )]
    Namespace,
    #[error("an item states no version")]
    Version,
    #[error("the address `{0}` does not end in the name of a file")]
    Address(String),
    #[error("`{0}` is an enclosure twice")]
    Twice(FileName),
}

impl From<XmlError> for EnclosureError {
    fn from(error: XmlError) -> Self {
        Self::Appcast(error.into())
    }
}

impl Appcast {
    /// Reads an appcast for a rule, and takes what it says of a version.
    pub fn read(rule: &Rule, bytes: Option<&[u8]>, version: &Version) -> Self {
        let path = printable(&rule.appcast);
        let wrong = |why: String| Check::fail(SPARKLE_APPCAST, format!("`{path}` {why}"));
        let enclosures = match bytes {
            None => Err(wrong("is not there".to_owned())),
            Some(bytes) => enclosures(bytes, version)
                .map_err(|error| wrong(format!("cannot be read: {error}"))),
        };
        Self {
            rule: rule.clone(),
            enclosures,
        }
    }

    /// The rule that it was read for.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The signature of an artifact, to be checked against its bytes.
    pub(crate) fn open(&self, name: &FileName) -> Result<Opened, Check> {
        let enclosures = self.enclosures.as_ref().map_err(Clone::clone)?;
        match enclosures.get(name) {
            Some(Enclosure { signature, length }) => Ok(Opened::of_enclosure(
                signature.as_deref(),
                length.as_deref(),
                name.as_str(),
            )),
            None => {
                let path = printable(&self.rule.appcast);
                let reason =
                    format!("no item of this version in `{path}` has `{name}` as its enclosure");
                Err(Check::fail(SPARKLE_COVERAGE, reason))
            }
        }
    }

    /// What the items of this version name besides the release's own files.
    pub(crate) fn extras(&self, names: &[&FileName]) -> Vec<Check> {
        let enclosures = self.enclosures.iter().flat_map(BTreeMap::keys);
        let extra = enclosures.filter(|name| !names.contains(name));
        let path = printable(&self.rule.appcast);
        let check = |name: &FileName| {
            let reason = format!(
                "`{path}` has `{name}` as an enclosure of this version, which is not an artifact of this release"
            );
            Check::fail(SPARKLE_EXTRA, reason)
        };
        extra.map(check).collect()
    }
}

/// The enclosures of a version, by the names of their files.
fn enclosures(
    bytes: &[u8],
    version: &Version,
) -> Result<BTreeMap<FileName, Enclosure>, EnclosureError> {
    let text = appcast::text(bytes)?;
    let root = appcast::root(&text)?;
    let channel = appcast::channel(&root)?;
    if !is_declared(&root) || redeclares(channel) {
        return Err(EnclosureError::Namespace);
    }
    let version = version.to_string();
    let mut found = BTreeMap::new();
    for item in channel.all("item") {
        let main = item.only("enclosure")?;
        let deltas = item.only("sparkle:deltas")?;
        let deltas = deltas.into_iter().flat_map(|it| it.all("enclosure"));
        let files: Vec<_> = main.into_iter().chain(deltas).collect();
        // An item may inform only: it leads to a page.
        if files.is_empty() {
            continue;
        }
        for name in ["sparkle:shortVersionString", "sparkle:version"] {
            item.only(name)?;
        }
        let stated = appcast::version(item, main).ok_or(EnclosureError::Version)?;
        if stated != version {
            continue;
        }
        for enclosure in files {
            let name = file_name(enclosure.attribute("url").unwrap_or_default())?;
            let owned = |name| enclosure.attribute(name).map(str::to_owned);
            let stated = Enclosure {
                signature: owned("sparkle:edSignature"),
                length: owned("length"),
            };
            if found.insert(name.clone(), stated).is_some() {
                return Err(EnclosureError::Twice(name));
            }
        }
    }
    Ok(found)
}

/// Whether the root binds the prefix, and no other one, to Sparkle.
fn is_declared(root: &Element<'_>) -> bool {
    let mut bound = root.attributes().filter(|(_, value)| *value == NAMESPACE);
    let first = bound.next().map(|(name, _)| name);
    first == Some("xmlns:sparkle") && bound.next().is_none()
}

/// Whether an element below binds the prefix again, or another one. Elements lie at most as deep as `xml` reads.
fn redeclares(element: &Element<'_>) -> bool {
    let mut attributes = element.attributes();
    let binds = |(name, value): (&str, &str)| {
        name == "xmlns:sparkle" || name.starts_with("xmlns") && value == NAMESPACE
    };
    attributes.any(binds) || element.children.iter().any(redeclares)
}

/// The name of the file at an address: the last part of its path, percent-decoded.
fn file_name(url: &str) -> Result<FileName, EnclosureError> {
    let wrong = || EnclosureError::Address(printable(url));
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let mut bytes = Vec::new();
    let mut rest = last.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = digit().zip(digit()).ok_or_else(wrong)?;
        bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    text.parse().map_err(|_| wrong())
}

#[cfg(test)]
mod tests;
