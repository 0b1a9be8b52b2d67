//! Addresses of what a release makes public, relative to where the CDN serves `public/`.
//!
//! This is the one spelling of them: feeds link to it, and the store's keys are `public/` and this.

use crate::name::{App, Channel, FileName};
use crate::version::Version;

/// The folder of a release: `<app>/releases/<version>`.
pub fn release(app: &App, version: &Version) -> String {
    format!("{app}/releases/{version}")
}

/// An artifact: `<app>/releases/<version>/<file>`.
pub fn artifact(app: &App, version: &Version, name: &FileName) -> String {
    format!("{}/{name}", release(app, version))
}

/// A channel as clients see it: `<app>/channels/<channel>.json`.
pub fn channel(app: &App, channel: &Channel) -> String {
    format!("{app}/channels/{channel}.json")
}

/// A file of a feed: `<app>/feeds/<updater>/<file>`.
pub fn feed(app: &App, updater: &str, file: &str) -> String {
    format!("{app}/feeds/{updater}/{file}")
}

/// The whole address, ready for a client. A `+` is escaped: RFC 3986 does not ask for it, but S3 and what imitates it
/// read a bare one as a space.
pub fn url(public_url: &str, address: &str) -> String {
    format!(
        "{}/{}",
        public_url.trim_end_matches('/'),
        address.replace('+', "%2B")
    )
}
