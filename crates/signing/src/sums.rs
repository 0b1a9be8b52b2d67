//! `SHA256SUMS`: the digests of all artifacts in one document, in GNU's text format, and the signature over it.

use std::collections::BTreeMap;

use release::Sha256;
use release::name::{FileName, printable};
use thiserror::Error;

use crate::checks::{Check, SUMS_COVERAGE, SUMS_DIGEST, SUMS_EXTRA, SUMS_SIGNATURE};
use crate::minisign::verify_document;
use crate::policy::SumsRule;

/// The largest document, in bytes, and its most lines.
const BYTES_MAX: usize = 1024 * 1024;
const LINES_MAX: usize = 10_000;

/// One line: a digest and the file that has it.
pub type Entry = (FileName, Sha256);

/// Why bytes are no document of checksums.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SumsError {
    /// Too much of it.
    #[error("larger than {BYTES_MAX} bytes or {LINES_MAX} lines")]
    TooLarge,
    /// A line that is not `<digest>  <name>`.
    #[error("line {line} is not `<64 hexadecimal digits>  <file name>`: `{found}`")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// A file named twice.
    #[error("line {line} names `{name}` again")]
    Twice {
        /// Its number, from 1.
        line: usize,
        /// The file.
        name: FileName,
    },
}

/// A document of checksums, read once for a release.
#[derive(Debug, Clone)]
pub struct SumsDocument {
    rule: SumsRule,
    /// The digests, or the check that failed before they could be believed.
    entries: Result<BTreeMap<FileName, Sha256>, Check>,
    bytes: Vec<u8>,
    signature: Vec<u8>,
}

impl SumsDocument {
    /// Reads a document and checks its signature. `None` is a file that is not there.
    pub fn read(rule: &SumsRule, bytes: Option<&[u8]>, signature: Option<&[u8]>) -> Self {
        let (bytes, signature) = (bytes.unwrap_or_default(), signature);
        Self {
            rule: rule.clone(),
            entries: believed(rule, bytes, signature),
            bytes: bytes.to_vec(),
            signature: signature.unwrap_or_default().to_vec(),
        }
    }

    /// The rule that it was read for: two rules may name one path and different keys.
    pub fn rule(&self) -> &SumsRule {
        &self.rule
    }

    /// Whether it could be read and is signed by the key of its rule.
    pub fn is_believed(&self) -> bool {
        self.entries.is_ok()
    }

    /// Where it stands, safe to print.
    fn path(&self) -> String {
        printable(&self.rule.path)
    }

    /// The document and its signature, where it names exactly these files.
    pub fn covering(&self, names: &[&FileName]) -> Option<(&[u8], &[u8])> {
        let entries = self.entries.as_ref().ok()?;
        let same =
            entries.len() == names.len() && names.iter().all(|name| entries.contains_key(name));
        same.then_some((&self.bytes, &self.signature))
    }

    /// Whether an artifact is what the document says.
    pub(crate) fn checks(&self, name: &FileName, sha256: Sha256) -> Vec<Check> {
        let entries = match &self.entries {
            Ok(entries) => entries,
            Err(check) => return vec![check.clone()],
        };
        let signed = Check::pass(
            SUMS_SIGNATURE,
            format!("`{}` is signed by the key of the policy", self.path()),
        );
        let check = match entries.get(name) {
            None => Check::fail(
                SUMS_COVERAGE,
                format!("`{}` does not name `{name}`", self.path()),
            ),
            Some(said) if *said == sha256 => Check::pass(SUMS_DIGEST, format!("sha256 {sha256}")),
            Some(said) => Check::fail(
                SUMS_DIGEST,
                format!("expected sha256 {said}, found {sha256}"),
            ),
        };
        vec![signed, check]
    }

    /// What the document names besides the release's own files.
    pub(crate) fn extras(&self, names: &[&FileName]) -> Vec<Check> {
        let Ok(entries) = &self.entries else {
            return Vec::new();
        };
        let extra = entries.keys().filter(|name| !names.contains(name));
        extra
            .map(|name| {
                Check::fail(
                    SUMS_EXTRA,
                    format!(
                        "`{}` names `{name}`, which is not an artifact of this release",
                        self.path()
                    ),
                )
            })
            .collect()
    }
}

fn believed(
    rule: &SumsRule,
    bytes: &[u8],
    signature: Option<&[u8]>,
) -> Result<BTreeMap<FileName, Sha256>, Check> {
    let wrong = |reason: String| Check::fail(SUMS_SIGNATURE, reason);
    let path = printable(&rule.path);
    if bytes.is_empty() {
        return Err(wrong(format!("`{path}` is not there, or empty")));
    }
    // The signature first: what is not signed is not even parsed.
    verify_document(bytes, signature, &rule.minisign, &path)
        .map_err(|check| wrong(check.reason))?;
    parse(bytes).map_err(|error| wrong(format!("`{path}`: {error}")))
}

/// Parses GNU's text format; the `*` of binary mode is taken too. It says nothing about who wrote the document.
///
/// # Errors
/// A line of another form, a file named twice, or more than the limits.
pub fn parse(bytes: &[u8]) -> Result<BTreeMap<FileName, Sha256>, SumsError> {
    if bytes.len() > BYTES_MAX || bytes.iter().filter(|byte| **byte == b'\n').count() > LINES_MAX {
        return Err(SumsError::TooLarge);
    }
    let text = String::from_utf8_lossy(bytes);
    let mut entries = BTreeMap::new();
    for (index, content) in text
        .lines()
        .enumerate()
        .filter(|(_, content)| !content.is_empty())
    {
        let line = index + 1;
        let parsed = content.split_once(' ').and_then(|(digest, rest)| {
            let name = rest.strip_prefix([' ', '*'])?;
            Some((
                name.parse::<FileName>().ok()?,
                digest.parse::<Sha256>().ok()?,
            ))
        });
        let (name, digest) = parsed.ok_or_else(|| SumsError::Line {
            line,
            found: printable(content),
        })?;
        if entries.insert(name.clone(), digest).is_some() {
            return Err(SumsError::Twice { line, name });
        }
    }
    Ok(entries)
}

/// Renders GNU's text format: two spaces, sorted by name, one line feed each.
pub fn render<'a>(entries: impl IntoIterator<Item = (&'a FileName, Sha256)>) -> Vec<u8> {
    let sorted: BTreeMap<_, _> = entries.into_iter().collect();
    sorted
        .into_iter()
        .map(|(name, digest)| format!("{digest}  {name}\n"))
        .collect::<String>()
        .into_bytes()
}
