//! Tauri's signatures of updates: minisign's, wrapped in base64 once more, key and signature alike.
//!
//! Format: <https://v2.tauri.app/plugin/updater/#signing-updates>. The content of `.sig`, not its address, goes into
//! `latest.json`. The trusted comment names the file as it was when it was bundled; uploads have other names
//! (`atlas.app.tar.gz` becomes `Atlas_1.4.0_aarch64.app.tar.gz`), and the updater does not compare it, so it is not judged.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minisign_verify::StreamVerifier;
use release::name::printable;
use thiserror::Error;

use crate::checks::{Check, TAURI_KEY_ID, TAURI_PRESENT, TAURI_SIGNATURE};
use crate::minisign::{self, Kind};

/// The largest `.sig` that is read, in bytes. A real one has about 400.
const SIGNATURE_BYTES_MAX: usize = 8 * 1024;

/// How signatures of this kind are named, and what they fail.
const KIND: Kind = Kind {
    ending: ".sig",
    command: "tauri signer sign",
    present: TAURI_PRESENT,
    key_id: TAURI_KEY_ID,
    signature: TAURI_SIGNATURE,
};

/// The public key of an app, `plugins.updater.pubkey` of its `tauri.conf.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(minisign::PublicKey);

/// A text that is no public key of Tauri's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{found}` is not a Tauri public key; expected the content of the `.pub` file that `tauri signer generate` writes"
)]
pub struct KeyError {
    found: String,
}

impl PublicKey {
    /// The key's id as minisign prints it.
    pub fn id(&self) -> String {
        self.0.id()
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let inside = unwrapped(text);
        // The bare key of minisign is base64 too, but of no text.
        let key = inside.and_then(|inside| inside.parse().ok());
        key.map(Self).ok_or_else(|| KeyError {
            found: printable(text),
        })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tauri key {}", self.id())
    }
}

/// The text inside of base64.
fn unwrapped(text: &str) -> Option<String> {
    String::from_utf8(BASE64.decode(text.trim()).ok()?).ok()
}

/// Whether a `.sig` is one of Tauri's, and not OpenPGP's, whose files may have the same name.
pub fn is_signature(bytes: &[u8]) -> bool {
    let text = bytes.get(..SIGNATURE_BYTES_MAX.min(bytes.len()));
    let text = text.and_then(|text| std::str::from_utf8(text).ok());
    let inside = text.and_then(unwrapped);
    inside.is_some_and(|inside| inside.starts_with("untrusted comment:"))
}

/// Whether a text is a signature of Tauri's that can be read, whoever made it.
pub(crate) fn is_readable(text: &str) -> bool {
    let inside = Some(text).filter(|text| text.len() <= SIGNATURE_BYTES_MAX);
    let inside = inside.and_then(unwrapped);
    inside.is_some_and(|inside| minisign_verify::Signature::decode(&inside).is_ok())
}

/// A signature that was read, or the check that it failed already.
pub struct Opened(minisign::Opened);

/// What is fed with the artifact's bytes.
pub struct Reading<'a>(StreamVerifier<'a>);

impl Reading<'_> {
    /// Takes the next bytes of the artifact.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

/// Reads a signature and compares its key, before any byte of the artifact: the content of `.sig`, or the `signature` in
/// `latest.json`.
pub fn open(bytes: Option<&[u8]>, key: &PublicKey, name: &str) -> Opened {
    let Some(bytes) = bytes else {
        return Opened(minisign::open_as(KIND, None, &key.0, name));
    };
    let text = std::str::from_utf8(bytes).ok();
    let text = text.filter(|text| text.len() <= SIGNATURE_BYTES_MAX);
    match text.and_then(unwrapped) {
        Some(inside) => {
            let inside = Some(inside.as_bytes());
            Opened(minisign::open_as(KIND, inside, &key.0, name))
        }
        None => {
            let name = printable(name);
            let reason = format!(
                "`{name}.sig` is not a signature of Tauri's: expected base64 of one of minisign's; a URL or a path where the content belongs?"
            );
            Opened(minisign::Opened::failed(
                KIND,
                Check::fail(TAURI_PRESENT, reason),
            ))
        }
    }
}

impl Opened {
    /// What is fed with the artifact's bytes, where there is something to check.
    pub fn reading<'a>(&'a self, key: &'a PublicKey) -> Option<Reading<'a>> {
        self.0.verifier(&key.0).map(Reading)
    }

    /// The checks, after the last byte.
    pub fn checks(&self, reading: Option<Reading<'_>>, key: &PublicKey) -> Vec<Check> {
        let reading = reading.map(|reading| reading.0);
        let signature = self.0.signature_checks(reading, &key.0);
        signature.unwrap_or_else(|failed| failed)
    }
}

#[cfg(test)]
mod tests;
