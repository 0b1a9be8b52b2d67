//! Sparkle's signatures of updates: Ed25519 over the archive, in the appcast as `sparkle:edSignature`, with its `length`.
//!
//! Format: <https://sparkle-project.org/documentation/publishing/>. What counts is the key in the apps that are installed
//! (`SUPublicEDKey`): they refuse an update that another key signed, whatever the new app says. Old DSA signatures are not
//! looked at. The archive is read once: see `ed25519`.

pub mod appcast;
pub(crate) mod build;
mod enclosures;

use std::fmt;
use std::io;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use release::name::printable;
use thiserror::Error;

use crate::checks::{Check, SPARKLE_LENGTH, SPARKLE_PRESENT, SPARKLE_SIGNATURE};
use crate::ed25519::{self, SIGNATURE_BYTES, Verifier};
use crate::judging::outcome;

pub use enclosures::{Appcast, Rule};

/// The longest text that is read as a signature, in bytes. Real ones have 88 or about 130.
const TEXT_BYTES_MAX: usize = 1024;

/// The public key of an app, `SUPublicEDKey` of its Info.plist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(ed25519::PublicKey);

/// A text that is no public key of Sparkle's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{found}` is not a Sparkle public key; expected the base64 of 32 bytes that `generate_keys -p` prints"
)]
pub struct KeyError {
    found: String,
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = BASE64.decode(text.trim()).ok();
        let key = bytes.and_then(|bytes| ed25519::PublicKey::from_bytes(&bytes));
        key.map(Self).ok_or_else(|| KeyError {
            found: printable(text),
        })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sparkle key {}", BASE64.encode(self.0.as_bytes()))
    }
}

/// A signature that was read, or the check that it failed already.
#[derive(Debug, Clone)]
pub struct Opened {
    signature: Result<Stated, Check>,
}

#[derive(Debug, Clone, Copy)]
struct Stated {
    signature: [u8; SIGNATURE_BYTES],
    /// The length that stands beside it.
    length: Option<u64>,
}

/// What is fed with the archive's bytes.
pub struct Reading(Verifier);

impl Reading {
    /// Takes the next bytes of the archive.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

/// Reads a signature, before any byte of the archive: the bare base64, or the line that `sign_update` prints and an appcast
/// has as attributes, `sparkle:edSignature="…" length="…"`.
pub fn open(text: Option<&[u8]>, name: &str) -> Opened {
    Opened::of(read(text), name)
}

/// Whether a signature, as an appcast states it, holds under a key.
///
/// # Errors
/// Where the reader fails. What is no signature holds under none.
pub fn check(text: &str, key: &PublicKey, archive: &mut dyn io::Read) -> io::Result<bool> {
    const CHUNK_BYTES: usize = 256 * 1024;
    let opened = open(Some(text.as_bytes()), "");
    let Some(mut reading) = opened.reading(key) else {
        return Ok(false);
    };
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        match archive.read(&mut buffer) {
            Ok(0) => return Ok(reading.0.holds()),
            Ok(read) => reading.update(buffer.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn read(text: Option<&[u8]>) -> Result<Stated, &'static str> {
    let text = text.ok_or("there is none")?;
    if text.len() > TEXT_BYTES_MAX {
        return Err("the text is too long");
    }
    let text = std::str::from_utf8(text)
        .map_err(|_| "it is not text")?
        .trim();
    let (signature, length) = match attribute(text, "sparkle:edSignature") {
        Some(signature) => (signature, attribute(text, "length")),
        None => (text, None),
    };
    let signature = BASE64.decode(signature).map_err(|_| "it is not base64")?;
    let signature = signature.try_into().map_err(|_| "it has not 64 bytes")?;
    let length = length.map(str::parse).transpose();
    let length = length.map_err(|_| "its length is no number")?;
    Ok(Stated { signature, length })
}

/// Reads what an enclosure states.
fn stated(signature: Option<&str>, length: Option<&str>) -> Result<Stated, &'static str> {
    let text = signature.ok_or("its enclosure has no `sparkle:edSignature`")?;
    if text.len() > TEXT_BYTES_MAX {
        return Err("the text is too long");
    }
    let signature = BASE64.decode(text).map_err(|_| "it is not base64")?;
    let signature = signature.try_into().map_err(|_| "it has not 64 bytes")?;
    let length = length.ok_or("its enclosure has no `length`")?;
    let is_plain = length.bytes().all(|byte| byte.is_ascii_digit());
    let length = length.parse().ok().filter(|_| is_plain);
    let length = Some(length.ok_or("its length is no number")?);
    Ok(Stated { signature, length })
}

/// The value of an attribute that stands by itself.
fn attribute<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split_ascii_whitespace().find_map(|part| {
        part.strip_prefix(name)?
            .strip_prefix("=\"")?
            .strip_suffix('"')
    })
}

impl Opened {
    fn of(stated: Result<Stated, &'static str>, name: &str) -> Self {
        let signature = stated.map_err(|why| {
            let name = printable(name);
            let reason = format!("`{name}` has no Sparkle signature that can be read: {why}; sign with `sign_update {name}`");
            Check::fail(SPARKLE_PRESENT, reason)
        });
        Self { signature }
    }

    /// Of an enclosure in an appcast.
    fn of_enclosure(signature: Option<&str>, length: Option<&str>, name: &str) -> Self {
        Self::of(stated(signature, length), name)
    }

    /// What is fed with the archive's bytes, where there is something to check.
    pub fn reading(&self, key: &PublicKey) -> Option<Reading> {
        let stated = self.signature.as_ref().ok()?;
        key.0.verifier(&stated.signature).map(Reading)
    }

    /// The checks, after the last byte; `bytes` is how many there were.
    pub fn checks(&self, reading: Option<Reading>, key: &PublicKey, bytes: u64) -> Vec<Check> {
        let stated = match &self.signature {
            Ok(stated) => stated,
            Err(check) => return vec![check.clone()],
        };
        let length = stated.length.map(|length| {
            let found = format!("the length stated is {length} bytes, the archive has {bytes}");
            outcome(SPARKLE_LENGTH, (length != bytes).then_some(&found), &*found)
        });
        let holds = reading.is_some_and(|reading| reading.0.holds());
        let failure = (!holds).then(|| {
            format!("not made by the {key} over these bytes; another key signed, or the archive was changed after signing")
        });
        let passes = format!("made by the {key} over these bytes");
        let signature = outcome(SPARKLE_SIGNATURE, failure, passes);
        length.into_iter().chain([signature]).collect()
    }
}

#[cfg(test)]
mod tests;
