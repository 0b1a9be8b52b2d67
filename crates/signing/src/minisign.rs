//! minisign: detached Ed25519 signatures over a BLAKE2b hash, with a trusted comment that is signed too.
//!
//! Format: <https://jedisct1.github.io/minisign/#signature-format>. The arithmetic is the crate `minisign-verify`'s.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
pub(crate) use minisign_verify::StreamVerifier as Verifier;
use minisign_verify::{Error, Signature};
use release::Version;
use release::name::{FileName, printable};
use thiserror::Error;

use crate::checks::{
    Check, Id, MINISIGN_FILE_NAME, MINISIGN_KEY_ID, MINISIGN_PRESENT, MINISIGN_SIGNATURE,
    MINISIGN_VERSION,
};

/// The largest signature that is read, in bytes. A real one has about 300.
const SIGNATURE_BYTES_MAX: usize = 4 * 1024;

/// A minisign public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: minisign_verify::PublicKey,
    id: [u8; 8],
}

/// A text that is no minisign public key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{found}` is not a minisign public key; expected the second line of `minisign.pub`, which begins with `RW`"
)]
pub struct KeyError {
    found: String,
}

impl PublicKey {
    /// The key's id as minisign prints it.
    pub fn id(&self) -> String {
        shown(&self.id)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    /// Takes the base64 line, or the two lines of `minisign.pub`.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let line = text.trim().lines().last().unwrap_or_default().trim();
        let wrong = || KeyError {
            found: printable(line),
        };
        let bytes = BASE64.decode(line).map_err(|_| wrong())?;
        let id = bytes
            .get(2..10)
            .and_then(|id| id.try_into().ok())
            .ok_or_else(wrong)?;
        let key = minisign_verify::PublicKey::from_base64(line).map_err(|_| wrong())?;
        Ok(Self { key, id })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "minisign key {}", self.id())
    }
}

/// minisign prints the id as a little-endian number.
fn shown(id: &[u8; 8]) -> String {
    format!("{:016X}", u64::from_le_bytes(*id))
}

/// How signatures of a kind are named, and which checks they fail: minisign's own, or those that another tool wraps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// What their files' names end with.
    pub(crate) ending: &'static str,
    /// What makes one, up to the file's name.
    pub(crate) command: &'static str,
    pub(crate) present: Id,
    pub(crate) key_id: Id,
    pub(crate) signature: Id,
}

/// minisign's own.
pub(crate) const KIND: Kind = Kind {
    ending: ".minisig",
    command: "minisign -Sm",
    present: MINISIGN_PRESENT,
    key_id: MINISIGN_KEY_ID,
    signature: MINISIGN_SIGNATURE,
};

/// A signature that was read, or the check that it failed already.
pub(crate) struct Opened {
    signature: Result<Signature, Check>,
    kind: Kind,
}

/// Reads a signature and compares its key, before any byte of the artifact is read.
pub(crate) fn open(bytes: Option<&[u8]>, key: &PublicKey, name: &str) -> Opened {
    open_as(KIND, bytes, key, name)
}

/// The same for a kind of signature.
pub(crate) fn open_as(kind: Kind, bytes: Option<&[u8]>, key: &PublicKey, name: &str) -> Opened {
    Opened {
        signature: read(kind, bytes, key, name),
        kind,
    }
}

fn read(kind: Kind, bytes: Option<&[u8]>, key: &PublicKey, name: &str) -> Result<Signature, Check> {
    let Kind {
        ending, command, ..
    } = kind;
    let unreadable = |why: &str| {
        let reason = format!("`{name}{ending}` is not a minisign signature: {why}");
        Check::fail(kind.present, reason)
    };
    let bytes = bytes.ok_or_else(|| {
        let reason = format!("`{name}{ending}` is not there; sign with `{command} {name}`");
        Check::fail(kind.present, reason)
    })?;
    if bytes.len() > SIGNATURE_BYTES_MAX {
        return Err(unreadable(&format!(
            "larger than {SIGNATURE_BYTES_MAX} bytes"
        )));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable("not text"))?;
    let signature = Signature::decode(text).map_err(|error| unreadable(&error.to_string()))?;
    // The key's id stands behind the two bytes of the algorithm in the second line.
    let id = text
        .lines()
        .nth(1)
        .and_then(|line| BASE64.decode(line.trim()).ok())
        .and_then(|bytes| bytes.get(2..10)?.try_into().ok());
    match id {
        Some(id) if id == key.id => {}
        Some(id) => {
            return Err(Check::fail(
                kind.key_id,
                format!("signed by key {}, expected {}", shown(&id), key.id()),
            ));
        }
        None => return Err(unreadable("no key id")),
    }
    match key.key.verify_stream(&signature) {
        Ok(_) => Ok(signature),
        Err(Error::UnsupportedLegacyMode) => Err(Check::fail(
            kind.signature,
            "a legacy signature, which cannot be checked while reading; sign again with minisign 0.10 or later, or with `-H`",
        )),
        Err(error) => Err(unreadable(&error.to_string())),
    }
}

impl Opened {
    /// What is fed with the artifact's bytes, where there is something to check.
    pub(crate) fn verifier<'a>(&'a self, key: &'a PublicKey) -> Option<Verifier<'a>> {
        key.key.verify_stream(self.signature.as_ref().ok()?).ok()
    }

    /// One that failed before it was read.
    pub(crate) fn failed(kind: Kind, check: Check) -> Self {
        Self {
            signature: Err(check),
            kind,
        }
    }

    /// The checks of the signature itself, after the last byte, and whether all passed.
    pub(crate) fn signature_checks(
        &self,
        verifier: Option<Verifier<'_>>,
        key: &PublicKey,
    ) -> Result<Vec<Check>, Vec<Check>> {
        if let Err(check) = &self.signature {
            return Err(vec![check.clone()]);
        }
        let (id, kind) = (key.id(), self.kind);
        let mut checks = vec![Check::pass(kind.key_id, format!("signed by key {id}"))];
        if verifier.is_none_or(|mut verifier| verifier.finalize().is_err()) {
            checks.push(Check::fail(kind.signature, format!("the signature of key {id} does not cover these bytes; they were changed after signing, or the signature was")));
            return Err(checks);
        }
        checks.push(Check::pass(
            kind.signature,
            "the signature covers these bytes",
        ));
        Ok(checks)
    }

    /// The checks, after the last byte.
    pub(crate) fn checks(
        &self,
        verifier: Option<Verifier<'_>>,
        key: &PublicKey,
        name: &FileName,
        version: &Version,
    ) -> Vec<Check> {
        let mut checks = match self.signature_checks(verifier, key) {
            Ok(checks) => checks,
            Err(failed) => return failed,
        };
        let Ok(signature) = &self.signature else {
            return checks;
        };
        let comment = signature.trusted_comment();
        checks.extend(stated(comment, "file").map(|file| {
            let good = file == name.as_str();
            let reason = if good {
                format!("signed as `{name}`")
            } else {
                format!(
                    "signed as `{}`, found as `{name}`; an older file under a new name?",
                    printable(file)
                )
            };
            if good {
                Check::pass(MINISIGN_FILE_NAME, reason)
            } else {
                Check::fail(MINISIGN_FILE_NAME, reason)
            }
        }));
        checks.extend(stated(comment, "version").map(|stated| {
            let good = stated
                .parse::<Version>()
                .is_ok_and(|stated| stated == *version);
            let reason = format!(
                "signed for version `{}`, releasing `{version}`",
                printable(stated)
            );
            if good {
                Check::pass(MINISIGN_VERSION, reason)
            } else {
                Check::fail(MINISIGN_VERSION, reason)
            }
        }));
        checks
    }
}

/// A field of a trusted comment, `file:atlas.exe`, as minisign itself separates them: by tabs.
fn stated<'a>(comment: &'a str, field: &str) -> Option<&'a str> {
    comment
        .split('\t')
        .find_map(|part| part.trim().strip_prefix(field)?.strip_prefix(':'))
        .map(str::trim)
}

/// Verifies a whole document at once; gives the failed check.
pub(crate) fn verify_document(
    bytes: &[u8],
    signature: Option<&[u8]>,
    key: &PublicKey,
    name: &str,
) -> Result<(), Check> {
    let signature = read(KIND, signature, key, name)?;
    key.key.verify(bytes, &signature, false).map_err(|_| {
        Check::fail(
            MINISIGN_SIGNATURE,
            format!("the signature of key {} does not cover `{name}`", key.id()),
        )
    })
}
