//! What a table of contents says: where the checksum, the signatures, and the files lie in the heap.
//!
//! What two readers could read differently is refused: an element that must be there once and is there twice, names that
//! leave their folder, two files of one name.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::digest::DigestAlgorithm;
use crate::xar::{Limits, XarError};
use crate::xml::{self, Element};

/// A place in the heap, and the digest of what lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The path of the file, escaped by whoever prints it.
    pub(crate) name: String,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) hash: DigestAlgorithm,
    pub(crate) digest: Vec<u8>,
}

/// Where the checksum of the table lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) hash: DigestAlgorithm,
}

/// Where a signature lies, and the certificates beside it, the signer's first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) certificates: Vec<Vec<u8>>,
}

/// What a table of contents says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) checksum: Checksum,
    /// `signature style="RSA"`: over the checksum.
    pub(crate) rsa: Option<Signature>,
    /// `x-signature style="CMS"`: with a timestamp.
    pub(crate) cms: Option<Signature>,
    pub(crate) pieces: Vec<Piece>,
}

impl Contents {
    pub(crate) fn parse(table: &[u8]) -> Result<Self, XarError> {
        let root = xml::parse(table)?;
        let toc = toc(&root)?;
        let checksum = toc.only("checksum")?;
        let checksum = checksum.ok_or(XarError::Missing("checksum"))?;
        let mut pieces = Vec::new();
        each_file(toc, |path, file| {
            if let Some(data) = file.only("data")? {
                pieces.extend(piece(data, path)?);
            }
            for attribute in file.all("ea") {
                pieces.extend(piece(attribute, path)?);
            }
            match pieces.len() > Limits::PIECES {
                true => Err(XarError::TooMany),
                false => Ok(()),
            }
        })?;
        Ok(Self {
            checksum: Checksum {
                offset: number(checksum, "offset")?,
                bytes: number(checksum, "size")?,
                hash: style(checksum)?,
            },
            rsa: signature(toc, "signature", "RSA")?,
            cms: signature(toc, "x-signature", "CMS")?,
            pieces,
        })
    }

    /// Both signatures.
    pub(crate) fn signatures(&self) -> impl Iterator<Item = &Signature> {
        self.rsa.iter().chain(&self.cms)
    }
}

/// The table itself.
pub(crate) fn toc<'e, 'a>(root: &'e Element<'a>) -> Result<&'e Element<'a>, XarError> {
    let toc = root.only("toc")?.filter(|_| root.name == "xar");
    toc.ok_or(XarError::Missing("toc"))
}

/// Hands on every file with its path, `/a/b`, a folder before what lies in it.
pub(crate) fn each_file<'e, 'a>(
    toc: &'e Element<'a>,
    mut each: impl FnMut(&str, &'e Element<'a>) -> Result<(), XarError>,
) -> Result<(), XarError> {
    // No recursion: the reader of the XML bounds the depth, this does not rely on it.
    let mut folders = vec![(String::new(), toc)];
    while let Some((path, folder)) = folders.pop() {
        let mut names = BTreeSet::new();
        for file in folder.all("file") {
            let name = name(file)?;
            if !names.insert(name.to_lowercase()) {
                return Err(XarError::Name);
            }
            let path = format!("{path}/{name}");
            each(&path, file)?;
            folders.push((path, file));
        }
    }
    Ok(())
}

pub(crate) fn number(element: &Element<'_>, name: &'static str) -> Result<u64, XarError> {
    let found = element.only(name)?.and_then(Element::number);
    found.ok_or(XarError::Missing(name))
}

/// The digest that `style` names. MD5 is in the format too and protects nothing.
fn style(element: &Element<'_>) -> Result<DigestAlgorithm, XarError> {
    match element
        .attribute("style")
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        Some("sha1") => Ok(DigestAlgorithm::Sha1),
        Some("sha256") => Ok(DigestAlgorithm::Sha256),
        Some("sha384") => Ok(DigestAlgorithm::Sha384),
        Some("sha512") => Ok(DigestAlgorithm::Sha512),
        _ => Err(XarError::Checksum),
    }
}

/// The name of a file. Newer packages have it twice, and then it must be the same.
fn name<'e>(file: &'e Element<'_>) -> Result<&'e str, XarError> {
    let mut names = file.all("name");
    let first = names.next().ok_or(XarError::Missing("name"))?;
    // Where a name is not UTF-8 it has `enctype="base64"`, which no package needs.
    let is_plain = |it: &Element<'_>| it.attribute("enctype").is_none() && it.text == first.text;
    let name = first.text.as_str();
    let stays =
        !name.is_empty() && !name.contains(['/', '\\', '\0']) && !matches!(name, "." | "..");
    let is_fine = stays && is_plain(first) && names.all(is_plain);
    is_fine.then_some(name).ok_or(XarError::Name)
}

/// Where the data of a file or of an attribute lies; none where it is empty.
fn piece(data: &Element<'_>, path: &str) -> Result<Option<Piece>, XarError> {
    // `length` is what lies in the heap, `size` what comes out of it.
    let bytes = number(data, "length")?;
    if bytes == 0 {
        return Ok(None);
    }
    let checksum = data.only("archived-checksum")?;
    let checksum = checksum.ok_or(XarError::Missing("archived-checksum"))?;
    let hash = style(checksum)?;
    let digest = unhex(checksum.text.trim()).filter(|it| it.len() == hash.len());
    Ok(Some(Piece {
        name: path.to_owned(),
        offset: number(data, "offset")?,
        bytes,
        hash,
        digest: digest.ok_or(XarError::Checksum)?,
    }))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    let bytes = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    bytes.collect::<Option<_>>().filter(|_| rest.is_empty())
}

fn signature(
    toc: &Element<'_>,
    name: &'static str,
    expected: &str,
) -> Result<Option<Signature>, XarError> {
    let Some(element) = toc.only(name)? else {
        return Ok(None);
    };
    if element.attribute("style") != Some(expected) {
        return Err(XarError::Style);
    }
    let missing = XarError::Missing("X509Certificate");
    let info = element.only("KeyInfo")?.ok_or(missing.clone())?;
    let data = info.only("X509Data")?.ok_or(missing.clone())?;
    let texts: Vec<_> = data.all("X509Certificate").collect();
    if texts.is_empty() || texts.len() > Limits::CERTIFICATES {
        return Err(missing);
    }
    let decoded = texts.into_iter().map(|it| {
        let text: String = it.text.split_ascii_whitespace().collect();
        BASE64.decode(text).map_err(|_| missing.clone())
    });
    Ok(Some(Signature {
        offset: number(element, "offset")?,
        bytes: number(element, "size")?,
        certificates: decoded.collect::<Result<_, _>>()?,
    }))
}
