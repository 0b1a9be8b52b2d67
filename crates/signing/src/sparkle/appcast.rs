//! Sparkle's appcast: RSS whose items name an archive, its version, its length, and its signature.
//!
//! Format: <https://sparkle-project.org/documentation/publishing/>. WinSparkle reads the same.

use std::borrow::Cow;

use release::listing::Compared;
use release::{Kind, Listed, Listing, Platform};

use crate::xml::{self, Element, Sections, XmlError};

/// The largest appcast that is read, in bytes.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Items that are read.
const ITEMS_MAX: usize = 10_000;

/// Why a file is no appcast.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppcastError {
    /// Too much of it.
    #[error("it has more than {BYTES_MAX} bytes, or more than {ITEMS_MAX} items")]
    TooLarge,
    /// No XML that is read here.
    #[error("{0}")]
    Xml(String),
    /// XML of another kind.
    #[error("expected `rss` with one `channel`, found neither")]
    NotRss,
    /// An item that updates nothing.
    #[error(
        "an item has no `sparkle:version`, or its enclosure no address or no length that is a number"
    )]
    Item,
}

/// Whether a file is an appcast, by its name.
pub fn is_appcast(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("appcast") && name.ends_with(".xml")
}

/// What an appcast lists: archives, not the deltas between two.
///
/// # Errors
/// Where it cannot be read, or could be read in two ways.
pub fn read(bytes: &[u8]) -> Result<Listing, AppcastError> {
    let text = text(bytes)?;
    let root = root(&text)?;
    let channel = channel(&root)?;
    let mut files = Vec::new();
    let mut is_for_macos = false;
    for item in channel.all("item") {
        if files.len() >= ITEMS_MAX {
            return Err(AppcastError::TooLarge);
        }
        // An item may inform only: it leads to a page.
        let Some(enclosure) = item.only("enclosure")? else {
            continue;
        };
        is_for_macos |= system(enclosure) == "macos";
        files.push(listed(item, enclosure).ok_or(AppcastError::Item)?);
    }
    let macos = [
        Platform::MacosX64,
        Platform::MacosArm64,
        Platform::MacosUniversal,
    ];
    let kinds: &[Kind] = &[Kind::Zip, Kind::Dmg, Kind::TarGz, Kind::Pkg];
    let served = macos.into_iter().filter(|_| is_for_macos);
    Ok(Listing {
        updater: "Sparkle",
        version: None,
        files,
        installs: served.map(|platform| (platform, kinds)).collect(),
    })
}

impl From<XmlError> for AppcastError {
    fn from(error: XmlError) -> Self {
        Self::Xml(error.to_string())
    }
}

/// An appcast in UTF-8.
pub(super) fn text(bytes: &[u8]) -> Result<Cow<'_, [u8]>, AppcastError> {
    if bytes.len() > BYTES_MAX {
        return Err(AppcastError::TooLarge);
    }
    Ok(xml::in_utf8(bytes).ok_or(XmlError::Encoding)?)
}

/// Its root.
pub(super) fn root(text: &[u8]) -> Result<Element<'_>, AppcastError> {
    let root = xml::parse_with(text, Sections::AreText)?;
    match root.name {
        "rss" => Ok(root),
        _ => Err(AppcastError::NotRss),
    }
}

/// What its items stand in.
pub(super) fn channel<'e, 'a>(root: &'e Element<'a>) -> Result<&'e Element<'a>, AppcastError> {
    root.only("channel")?.ok_or(AppcastError::NotRss)
}

/// The version of an item, by what people call it where that is not what Sparkle compares. It stands in elements of the item
/// since Sparkle 2, in attributes of the enclosure before.
pub(super) fn version(item: &Element<'_>, enclosure: Option<&Element<'_>>) -> Option<String> {
    let shown = stated(item, enclosure, "sparkle:shortVersionString");
    shown.or_else(|| build(item, enclosure))
}

/// The version of an item that Sparkle compares.
fn build(item: &Element<'_>, enclosure: Option<&Element<'_>>) -> Option<String> {
    stated(item, enclosure, "sparkle:version")
}

fn stated(item: &Element<'_>, enclosure: Option<&Element<'_>>, name: &str) -> Option<String> {
    let element = item.only(name).ok()?.map(|it| it.text.trim().to_owned());
    element.or_else(|| Some(enclosure?.attribute(name)?.to_owned()))
}

/// The system of an enclosure: macOS where it says nothing.
fn system(enclosure: &Element<'_>) -> String {
    match enclosure.attribute("sparkle:os") {
        None | Some("osx") => "macos".to_owned(),
        Some(other) => other.to_owned(),
    }
}

fn listed(item: &Element<'_>, enclosure: &Element<'_>) -> Option<Listed> {
    let version = version(item, Some(enclosure))?;
    let channel = item.only("sparkle:channel").ok()?;
    let compared = Compared {
        // An item without one has its version in the name of the file (`SUAppcastItem`); what is shown stands for it.
        build: build(item, Some(enclosure)).unwrap_or_else(|| version.clone()),
        system: system(enclosure),
        channel: channel.map(|it| it.text.trim().to_owned()),
    };
    let length = enclosure.attribute("length");
    let size = length
        .map(|it| it.trim().parse().ok())
        .map_or(Some(None), |it| it.map(Some))?;
    let signature = enclosure.attribute("sparkle:edSignature");
    Some(Listed {
        url: enclosure
            .attribute("url")
            .filter(|url| !url.is_empty())?
            .to_owned(),
        version: Some(version),
        compared: Some(compared),
        size,
        digests: Vec::new(),
        signature: signature.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests;
