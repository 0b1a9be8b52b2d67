//! Which GitHub, which repository, and in whose name.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use release::name::printable;
use reqwest::Url;
use thiserror::Error;

/// A repository, as whom, and for how long.
#[derive(Debug, Clone)]
pub struct Place {
    /// Where the REST API is.
    pub api: ApiUrl,
    /// The repository.
    pub repository: Repository,
    /// In whose name; without one only public repositories can be read.
    pub token: Option<Token>,
    /// How long one request may take.
    pub attempt_timeout: Duration,
}

/// Why a text does not lead to GitHub.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{}` is no {what}: expected {expected}", printable(.found))]
pub struct PlaceError {
    /// What it was to be.
    pub what: &'static str,
    /// What was expected.
    pub expected: &'static str,
    /// What was given.
    pub found: String,
}

/// The root of a REST API: `https://api.github.com`, or `https://host/api/v3` of GitHub Enterprise Server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiUrl(Url);

/// The slowest transfer that is worth waiting for, in bytes per second.
const BYTES_PER_SECOND_MIN: u64 = 256 * 1024;

impl Place {
    /// How long a transfer of so many bytes may take.
    pub(crate) fn slowest(&self, bytes: u64) -> Duration {
        let bytes = Duration::from_secs(bytes / BYTES_PER_SECOND_MIN);
        self.attempt_timeout.saturating_add(bytes)
    }
}

impl ApiUrl {
    /// Whether an address is at the same host and port.
    pub(crate) fn is_host_of(&self, url: &Url) -> bool {
        self.0.origin() == url.origin()
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Default for ApiUrl {
    fn default() -> Self {
        // The only address that is a constant here; a test holds that it parses.
        let Ok(url) = Url::parse("https://api.github.com") else {
            unreachable!("a constant address")
        };
        Self(url)
    }
}

impl FromStr for ApiUrl {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let url = Url::parse(text).ok().filter(may_carry_a_token);
        url.map(Self).ok_or_else(|| PlaceError {
            what: "address of GitHub's API",
            expected: "`https://…` without user, query, or fragment; `http` only on this very machine",
            found: text.to_owned(),
        })
    }
}

/// Whether a token may travel there: encrypted, or without leaving this machine.
pub(crate) fn may_carry_a_token(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let is_loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let is_plain = url.username().is_empty() && url.password().is_none();
    let is_root = url.query().is_none() && url.fragment().is_none();
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback);
    is_safe && is_plain && is_root
}

/// `owner/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    owner: String,
    name: String,
}

impl Repository {
    /// The path of something under the repository; `rest` begins without a slash.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/repos/{}/{}/{rest}", self.owner, self.name)
    }
}

impl FromStr for Repository {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        // docs.github.com, "Repository limits": letters, digits, and `-_.`; a name of dots alone would leave its place.
        let is_name = |part: &str| {
            (1..=100).contains(&part.len())
                && !part.bytes().all(|b| b == b'.')
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        match text.split_once('/') {
            Some((owner, name)) if is_name(owner) && is_name(name) => Ok(Self {
                owner: owner.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(PlaceError {
                what: "repository",
                expected: "`owner/name` with A-Z, a-z, 0-9 and `-_.`",
                found: text.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// A token. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Token {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        // RFC 6750, section 2.1, and nothing that ends a header line.
        if (1..=4096).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(Self(text.to_owned()));
        }
        Err(PlaceError {
            what: "token",
            expected: "visible ASCII on one line, such as `${{ github.token }}` gives",
            found: "(not shown)".to_owned(),
        })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_nowhere_in_the_clear() {
        for good in [
            "https://api.github.com",
            "https://ghe.example/api/v3",
            "http://127.0.0.1:9911",
            "http://[::1]:1/api/v3",
        ] {
            assert!(good.parse::<ApiUrl>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "api.github.com",
            "http://api.github.com",
            "http://localhost.evil",
            "https://a@b",
            "file:///x",
            "https://x/?y",
        ] {
            assert!(bad.parse::<ApiUrl>().is_err(), "{bad}");
        }
        assert_eq!(ApiUrl::default().as_str(), "https://api.github.com/");
    }

    #[test]
    fn a_repository_is_two_names() {
        assert!("acme/atlas.js".parse::<Repository>().is_ok());
        for bad in [
            "", "acme", "acme/", "a/b/c", "../x", "a/..", "a b/c", "a/b?c",
        ] {
            assert!(bad.parse::<Repository>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let token: Token = "ghs_secret".parse().expect("a token");
        assert_eq!(format!("{token:?}"), "Token(***)");
        let error = "ghs\nsecret".parse::<Token>().expect_err("two lines");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
