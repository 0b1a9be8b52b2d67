//! Indexes of packages: a paragraph for each, with its digest.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use release::Sha256;
use release::name::printable;
use thiserror::Error;

use super::Limits;
use super::release_file::{Listed, Readers, ReleaseFileError, digits, fields};
use crate::digest::{DigestAlgorithm, Hasher};
use crate::unpack::Packing;
use crate::walk::names::relative;

/// Why an index is not read.
#[derive(Debug, Error)]
pub enum IndexError {
    /// Bytes that cannot be unpacked.
    #[error("it cannot be unpacked: {}", release::name::chain(.0))]
    Unpacking(io::Error),
    /// Too many bytes.
    #[error("unpacked, it has more than {} bytes", Limits::PLAIN_BYTES)]
    TooLarge,
    /// A line or paragraph that is too long, or no text.
    #[error(
        "it is not UTF-8, or has a line of more than {} bytes",
        Limits::LINE_BYTES
    )]
    Line,
    /// A line that looks empty. To apt it ends no paragraph, and of what follows the last field counts.
    #[error("line {0} has nothing but white space, and is not empty")]
    Blank(usize),
    /// A paragraph that is none.
    #[error("a paragraph cannot be read: {0}")]
    Paragraph(#[from] ReleaseFileError),
    /// A field that is missing, or cannot be read.
    #[error("`{package}` has no field `{field}`, or one that cannot be read")]
    Field {
        /// The package.
        package: String,
        /// The field.
        field: &'static str,
    },
    /// A name of a file that is refused.
    #[error("`{package}` has a name of a file that is refused: {reason}")]
    Name {
        /// The package.
        package: String,
        /// Why.
        reason: String,
    },
    /// A package twice, with two digests.
    #[error("`{0}` is there with two digests")]
    Differs(String),
    /// Too many packages.
    #[error("it has more packages than are read")]
    TooMany,
}

/// What tells packages apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    pub(super) package: String,
    pub(super) version: String,
    architecture: String,
}

/// What an index says of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) identity: Identity,
    /// Relative to the root of the repository.
    path: String,
    pub(super) size: u64,
    pub(super) sha256: Sha256,
    /// Of the indexes that it was found in.
    pub(super) readers: Readers,
}

impl Entry {
    fn parse(paragraph: &str, readers: Readers) -> Result<Self, IndexError> {
        let fields = fields(paragraph)?;
        let package = fields.get("package").map(|it| it.trim());
        let shown = || printable(package.unwrap_or_default());
        let field = |field: &'static str| {
            let value = fields.get(&field.to_ascii_lowercase());
            let value = value.map(|it| it.trim()).filter(|it| !it.is_empty());
            let is_one_line = |it: &&str| !it.contains('\n');
            value.filter(is_one_line).ok_or_else(|| IndexError::Field {
                package: shown(),
                field,
            })
        };
        let wrong = |field| IndexError::Field {
            package: shown(),
            field,
        };
        let path = relative(field("Filename")?.as_bytes());
        Ok(Self {
            identity: Identity {
                package: field("Package")?.to_owned(),
                version: field("Version")?.to_owned(),
                architecture: field("Architecture")?.to_owned(),
            },
            path: path.map_err(|error| IndexError::Name {
                package: shown(),
                reason: error.to_string(),
            })?,
            size: digits(field("Size")?).ok_or_else(|| wrong("Size"))?,
            sha256: field("SHA256")?.parse().map_err(|_| wrong("SHA256"))?,
            readers,
        })
    }

    /// Whether another says the same, wherever that was found.
    fn agrees_with(&self, other: &Self) -> bool {
        let Self {
            identity,
            path,
            size,
            sha256,
            readers: _,
        } = self;
        (identity, path, size, sha256) == (&other.identity, &other.path, &other.size, &other.sha256)
    }

    /// The last part of its path.
    pub(super) fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Identity {
            package,
            version,
            architecture,
        } = &self.identity;
        let text = format!("{package} {version} {architecture}");
        f.write_str(&printable(&text))
    }
}

/// The bytes of an index as they are unpacked, with their digest.
struct Plain<R> {
    bytes: R,
    hasher: Hasher,
    size: u64,
}

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        self.size = self.size.saturating_add(read as u64);
        Ok(read)
    }
}

/// Reads an index, and gives digest and size of what it unpacks to.
pub(super) fn read(
    packed: &[u8],
    packing: Option<Packing>,
    readers: Readers,
    packages: &mut BTreeMap<Identity, Entry>,
) -> Result<Listed, IndexError> {
    let plain: Box<dyn Read + '_> = match packing {
        Some(packing) => packing.unpacked(packed),
        None => Box::new(packed),
    };
    let mut plain = BufReader::new(Plain {
        bytes: plain.take(Limits::PLAIN_BYTES + 1),
        hasher: Hasher::new(DigestAlgorithm::Sha256),
        size: 0,
    });
    let mut paragraph = String::new();
    for number in 1.. {
        let mut line = Vec::new();
        let mut bounded = plain.by_ref().take(Limits::LINE_BYTES + 1);
        let read = bounded.read_until(b'\n', &mut line);
        read.map_err(IndexError::Unpacking)?;
        if plain.get_ref().size > Limits::PLAIN_BYTES {
            return Err(IndexError::TooLarge);
        }
        if line.len() as u64 > Limits::LINE_BYTES {
            return Err(IndexError::Line);
        }
        let is_end = line.is_empty();
        let line = String::from_utf8(line).map_err(|_| IndexError::Line)?;
        if !matches!(line.as_str(), "" | "\n") {
            if line.trim().is_empty() {
                return Err(IndexError::Blank(number));
            }
            paragraph.push_str(&line);
            if paragraph.len() as u64 > 4 * Limits::LINE_BYTES {
                return Err(IndexError::Line);
            }
            continue;
        }
        if !paragraph.is_empty() {
            let entry = Entry::parse(&std::mem::take(&mut paragraph), readers)?;
            take(entry, packages)?;
        }
        if is_end {
            break;
        }
    }
    let Plain { hasher, size, .. } = plain.into_inner();
    let digest = <[u8; 32]>::try_from(hasher.finish()).unwrap_or_default();
    Ok(Listed {
        sha256: Sha256::from_bytes(digest),
        size,
    })
}

/// A package of all architectures is in the index of each.
fn take(entry: Entry, packages: &mut BTreeMap<Identity, Entry>) -> Result<(), IndexError> {
    if let Some(known) = packages.get_mut(&entry.identity) {
        if !known.agrees_with(&entry) {
            return Err(IndexError::Differs(entry.to_string()));
        }
        known.readers = known.readers.max(entry.readers);
        return Ok(());
    }
    if packages.len() >= Limits::PACKAGES {
        return Err(IndexError::TooMany);
    }
    packages.insert(entry.identity.clone(), entry);
    Ok(())
}
