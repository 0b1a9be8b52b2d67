//! `SHA256SUMS`: the digests of all artifacts in one document, in GNU's text format, and the signature over it.

use std::collections::BTreeMap;
use std::fmt;

use release::name::{FileName, printable};
use release::{Sha256, Timestamp, Version};
use thiserror::Error;

use crate::checks::{Check, SUMS_COVERAGE, SUMS_DIGEST, SUMS_EXTRA, SUMS_SIGNATURE};
use crate::minisign::verify_document;
use crate::openpgp::{self, OpenPgpKeys};
use crate::policy::{OpenPgpRule, ProvenanceRule, SumsRule, SumsSigner};
use crate::sigstore::{self, Artifact, Bundles, Wanted};

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

/// What judges a signature besides the rule.
#[derive(Debug, Clone, Copy)]
pub struct SumsContext<'a> {
    /// Keys of OpenPGP by the path of their file.
    pub keys: &'a BTreeMap<String, OpenPgpKeys>,
    /// The version being released.
    pub version: &'a Version,
    /// Now.
    pub at: Timestamp,
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
    pub fn read(
        rule: &SumsRule,
        bytes: Option<&[u8]>,
        signature: Option<&[u8]>,
        context: SumsContext<'_>,
    ) -> Self {
        let bytes = bytes.unwrap_or_default();
        Self {
            rule: rule.clone(),
            entries: believed(rule, bytes, signature, context),
            bytes: bytes.to_vec(),
            signature: signature.unwrap_or_default().to_vec(),
        }
    }

    /// The rule that it was read for: two rules may name one path and different keys.
    pub fn rule(&self) -> &SumsRule {
        &self.rule
    }

    /// Where it stands, safe to print.
    fn path(&self) -> String {
        printable(&self.rule.path)
    }

    /// The document where it names exactly these files, and its signature where that is minisign's.
    pub fn covering(&self, names: &[&FileName]) -> Option<(&[u8], Option<&[u8]>)> {
        let entries = self.entries.as_ref().ok()?;
        let same =
            entries.len() == names.len() && names.iter().all(|name| entries.contains_key(name));
        let signature = match self.rule.signer {
            SumsSigner::Minisign(_) => Some(self.signature.as_slice()),
            SumsSigner::OpenPgp(_) | SumsSigner::Provenance(_) => None,
        };
        same.then_some((self.bytes.as_slice(), signature))
    }

    /// Whether an artifact is what the document says.
    pub(crate) fn checks(&self, name: &FileName, sha256: Sha256) -> Vec<Check> {
        let entries = match &self.entries {
            Ok(entries) => entries,
            Err(check) => return vec![check.clone()],
        };
        let signed = Check::pass(
            SUMS_SIGNATURE,
            format!("`{}` is signed by {}", self.path(), self.rule.signer),
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

/// Whether a document carries this signature of minisign, as its rule demands.
pub fn is_minisigned(rule: &SumsRule, bytes: &[u8], signature: &[u8]) -> bool {
    match &rule.signer {
        SumsSigner::Minisign(key) => {
            verify_document(bytes, Some(signature), key, &printable(&rule.path)).is_ok()
        }
        SumsSigner::OpenPgp(_) | SumsSigner::Provenance(_) => false,
    }
}

impl fmt::Display for SumsSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minisign(_) => f.write_str("the key of the policy"),
            Self::OpenPgp(signer) => write!(f, "key {}", signer.fingerprint),
            Self::Provenance(_) => f.write_str("the workflow of the policy"),
        }
    }
}

fn believed(
    rule: &SumsRule,
    bytes: &[u8],
    signature: Option<&[u8]>,
    context: SumsContext<'_>,
) -> Result<BTreeMap<FileName, Sha256>, Check> {
    let wrong = |reason: String| Check::fail(SUMS_SIGNATURE, reason);
    let path = printable(&rule.path);
    if bytes.is_empty() {
        return Err(wrong(format!("`{path}` is not there, or empty")));
    }
    // The signature first: what is not signed is not even parsed.
    let checks = match &rule.signer {
        SumsSigner::Minisign(key) => match verify_document(bytes, signature, key, &path) {
            Ok(_) => Vec::new(),
            Err(check) => vec![check],
        },
        SumsSigner::OpenPgp(signer) => of_openpgp(signer, bytes, signature, &path, context),
        SumsSigner::Provenance(signer) => of_sigstore(signer, bytes, signature, &path, context),
    };
    if let Some(failed) = checks.into_iter().find(|check| !check.is_pass()) {
        return Err(wrong(failed.reason));
    }
    parse(bytes).map_err(|error| wrong(format!("`{path}`: {error}")))
}

fn of_openpgp(
    signer: &OpenPgpRule,
    bytes: &[u8],
    signature: Option<&[u8]>,
    path: &str,
    context: SumsContext<'_>,
) -> Vec<Check> {
    let Some(keys) = context.keys.get(&signer.key) else {
        let reason = format!("the keys `{}` were not read", printable(&signer.key));
        return vec![Check::fail(SUMS_SIGNATURE, reason)];
    };
    openpgp::verify_document(bytes, signature, keys, signer.fingerprint, path, context.at)
}

/// An attestation of where the document was made, or the signature of a workflow over it: both say who.
fn of_sigstore(
    signer: &ProvenanceRule,
    bytes: &[u8],
    bundles: Option<&[u8]>,
    path: &str,
    context: SumsContext<'_>,
) -> Vec<Check> {
    let wrong = |reason: String| vec![Check::fail(SUMS_SIGNATURE, reason)];
    let policy = match signer.provenance(context.version) {
        Ok(policy) => policy,
        Err(error) => return wrong(error.to_string()),
    };
    let bundles = match bundles.map(Bundles::read) {
        Some(Ok(bundles)) => bundles,
        Some(Err(check)) => return vec![check],
        None => return vec![Bundles::absent(path)],
    };
    let artifact = Artifact::of(bytes);
    let judged = |wanted| sigstore::judge(&bundles, &artifact, wanted, &policy, context.at);
    let attested = judged(Wanted::Provenance);
    if attested.iter().all(Check::is_pass) {
        return attested;
    }
    let signed = judged(Wanted::Signature);
    // What comes closest tells most about what is wrong.
    let passed = |checks: &[Check]| checks.iter().filter(|check| check.is_pass()).count();
    match passed(&signed) > passed(&attested) {
        true => signed,
        false => attested,
    }
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

#[cfg(test)]
mod tests;
