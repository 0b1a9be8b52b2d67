//! Scripts of Windows and the Authenticode signatures in their comments.
//!
//! A script has no magic: its name says which language it is in, and whoever calls says the name. PowerShell's files are
//! digested as text in UTF-16, up to the line break before the block of comments that holds the signature; those of Windows
//! Script Host too, and then comes where the block stood. Sources: osslsigncode and jsign, as read; and scripts that Microsoft
//! and others signed.
//!
//! What is neither here nor judged inside archives: shortcuts (`.lnk`, `.url`, `.scf`), HTML applications, and batch files.
//! They start programs too, but nothing can sign them, so no rule about signatures can ever be met by one.

mod block;
mod language;
mod text;

use std::io::{self, Read, Seek, SeekFrom};

use release::Timestamp;
use thiserror::Error;

use crate::authenticode::{self, Container, Content};
use crate::checks::{CMS_PARSE, Check, Id, SCRIPT_PARSE, SCRIPT_SIGNED, SCRIPT_TRAILING_DATA};
use crate::cms::SignedData;
use crate::digest::{DigestAlgorithm, Hasher};
use crate::inspection::{Inspection, Kind, SignatureReport};
use crate::roots::Trust;

pub(crate) use block::has_block;
pub(crate) use language::Language;

use block::Block;
use text::Text;

/// Bytes of a script at most: it is held in memory, as is its text.
pub(crate) const BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Why a script cannot be judged.
#[derive(Debug, Error)]
enum ScriptError {
    #[error("the script has more than {} bytes", BYTES_MAX)]
    Size,
    #[error("the script is in {0}, which is not read")]
    Encoding(&'static str),
    #[error(
        "the script has bytes that are neither ASCII nor UTF-8 and no byte order mark, so it is another text on each machine"
    )]
    CodePage,
    #[error("the script has a NUL character, where readers end or take it for another encoding")]
    Nul,
    #[error(
        "{0} lines of the script begin a signature, so where its text ends is told in several ways"
    )]
    Several(usize),
    #[error(
        "the block of the signature does not stand on lines of its own that end in CR LF, as Windows has them"
    )]
    Line,
    #[error("the block of the signature has no end")]
    End,
    #[error("the block of the signature has a line that is none of a signature")]
    Foreign,
    #[error("the block of the signature is no base64, or too long")]
    Base64,
    #[error("the block of the signature does not stand before the last `</job>`")]
    Place,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Inspects a script: reads it at once, and judges it at a time by what is trusted.
///
/// # Errors
/// Where the reader fails. A script that is wrong is no error but a verdict.
pub(crate) fn inspect(
    reader: &mut (impl Read + Seek + ?Sized),
    language: Language,
    at: Timestamp,
    trust: &Trust,
) -> io::Result<Inspection> {
    let mut checks = Vec::new();
    let signatures = match judge(reader, language, at, trust, &mut checks) {
        Ok(signatures) => signatures,
        Err(ScriptError::Io(error)) => return Err(error),
        Err(error) => {
            checks.retain(|check| check.id != SCRIPT_PARSE);
            checks.insert(0, fail(SCRIPT_PARSE, error));
            Vec::new()
        }
    };
    let kind = Kind::Authenticode;
    Ok(Inspection::new(kind, at, checks, signatures, trust))
}

fn fail(id: Id, reason: impl std::fmt::Display) -> Check {
    Check::fail(id, reason.to_string())
}

fn judge(
    reader: &mut (impl Read + Seek + ?Sized),
    language: Language,
    at: Timestamp,
    trust: &Trust,
    checks: &mut Vec<Check>,
) -> Result<Vec<SignatureReport>, ScriptError> {
    reader.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    reader.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(ScriptError::Size);
    }
    let text = Text::read(&bytes, language)?;
    drop(bytes);
    let what = format!("{} in {}", language.name(), text.encoding);
    checks.push(Check::pass(SCRIPT_PARSE, what));
    let Some(block) = Block::find(&text.units, language)? else {
        let reason = "no comment holds a signature";
        checks.push(Check::fail(SCRIPT_SIGNED, reason));
        return Ok(Vec::new());
    };
    checks.push(Check::pass(SCRIPT_SIGNED, "comments hold a signature"));
    let (signed, used) = match SignedData::parse(&block.pkcs7) {
        Ok(found) => found,
        Err(error) => {
            let reason = format!("the comments hold no PKCS #7: {error}");
            checks.push(fail(CMS_PARSE, reason));
            return Ok(Vec::new());
        }
    };
    checks.push(match (block.behind, block.pkcs7.len() - used) {
        (0, 0) => Check::pass(SCRIPT_TRAILING_DATA, "the script ends with its signature"),
        (0, more) => {
            let reason = format!("{more} bytes stand behind the signature in its comments");
            Check::fail(SCRIPT_TRAILING_DATA, reason)
        }
        (behind, _) => {
            let reason =
                format!("{behind} characters stand behind the signature, where nothing is signed");
            Check::fail(SCRIPT_TRAILING_DATA, reason)
        }
    });
    let found = [signed];
    let (algorithms, _) = authenticode::digests(&found);
    let whole = algorithms.into_iter();
    let whole = whole.map(|it| (it, digest(it, &text, &block, language)));
    let content = Content {
        container: Container::Script(language),
        whole: whole.collect(),
        pages: Vec::new(),
    };
    Ok(authenticode::judge_all(&found, &content, at, trust))
}

/// The digest of the text without its signature.
fn digest(algorithm: DigestAlgorithm, text: &Text, block: &Block, language: Language) -> Vec<u8> {
    let mut hasher = Hasher::new(algorithm);
    let is_host = language.is_of_script_host();
    // PowerShell signs the byte order mark, Windows Script Host does not.
    let start = if is_host { text.mark_units } else { 0 };
    let pieces = [start..block.start, block.rest.clone()];
    for piece in pieces {
        let units = text.units.get(piece).unwrap_or_default();
        for units in units.chunks(4096) {
            let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            hasher.update(&bytes);
        }
    }
    if is_host {
        // Fewer than BYTES_MAX.
        let place = u32::try_from(block.start.saturating_sub(start)).unwrap_or(u32::MAX);
        hasher.update(&place.to_le_bytes());
    }
    hasher.finish()
}

#[cfg(test)]
pub(crate) mod tests;
