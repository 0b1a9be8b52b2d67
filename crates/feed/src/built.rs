//! Feeds that a build leaves beside its artifacts, read back, so that what they say can be held against the files.
//!
//! Which file is a feed is known by its name, as updaters ask for it by name. Sparkle's appcasts are read where XML is.

mod electron_builder;
mod squirrel;
mod tauri;
mod velopack;

use release::{Kind, Listing, Platform};

use crate::{BYTES_MAX, FeedError};

pub use electron_builder::{AppUpdate, publisher_names};

/// What a file lists, by its name. None where it is no feed that is read here; whose it is where it cannot be read.
pub fn read(name: &str, bytes: &[u8]) -> Option<Result<Listing, FeedError>> {
    let readers = [
        electron_builder::read,
        squirrel::read,
        velopack::read,
        tauri::read,
    ];
    readers.into_iter().find_map(|read| read(name, bytes))
}

/// Whether a file may be such a feed, by its name: whether its bytes are worth reading.
pub fn may_be(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".yml")
        || name == "latest.json"
        || name.starts_with("releases")
        || name.starts_with("assets.")
}

/// The text of a feed, without a byte order mark.
fn text(bytes: &[u8]) -> Result<&str, FeedError> {
    if bytes.len() > BYTES_MAX || release::document::is_nested_too_deep(bytes) {
        return Err(FeedError::TooLarge);
    }
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|_| FeedError::Malformed("it is not UTF-8".to_owned()))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, FeedError> {
    serde_json::from_str(text(bytes)?).map_err(|error| FeedError::Malformed(error.to_string()))
}

/// The bytes of hexadecimal digits.
fn hex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let pairs = digits.as_bytes().chunks_exact(2);
    let is_whole = digits.len() == 2 * N;
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let pair = std::str::from_utf8(pair).ok()?;
        let is_plain = pair.bytes().all(|byte| byte.is_ascii_hexdigit());
        *byte = u8::from_str_radix(pair, 16).ok().filter(|_| is_plain)?;
    }
    is_whole.then_some(bytes)
}

/// The platforms of a system, each with what is installed there.
fn installs(
    is_served: impl Fn(Platform) -> bool,
    kinds: &'static [Kind],
) -> Vec<(Platform, &'static [Kind])> {
    let served = Platform::ALL.iter().copied().filter(|it| is_served(*it));
    served.map(|platform| (platform, kinds)).collect()
}

#[cfg(test)]
mod tests;
