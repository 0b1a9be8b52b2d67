//! Where a store is: `s3://bucket/prefix?region=…&endpoint=…` or `file:./dir`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use release::Soak;
use release::name::printable;
use thiserror::Error;

/// The place of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A bucket.
    S3(S3Location),
    /// A directory on this host.
    Directory(PathBuf),
}

/// A bucket, and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Location {
    /// Its name.
    pub bucket: String,
    /// The folder inside it; empty, or ending with a slash.
    pub prefix: String,
    /// Its region; from the environment where not given.
    pub region: Option<String>,
    /// The server, for what is not AWS.
    pub endpoint: Option<String>,
    /// The account that must own it.
    pub owner: Option<String>,
    /// Whether uploads carry a CRC-64/NVME for the store to check.
    pub checksums: bool,
    /// How long one attempt of a small request may take.
    pub attempt_timeout: Duration,
}

/// A text that is not the place of a store.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{found}` is not a store: {reason}; expected `s3://bucket/prefix?region=…` or `file:./directory`"
)]
pub struct LocationError {
    found: String,
    reason: String,
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let wrong = |reason: &str| LocationError {
            found: printable(text),
            reason: reason.to_owned(),
        };
        if let Some(path) = text.strip_prefix("file:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() || path.contains('\0') {
                Err(wrong("`file:` needs a directory"))
            } else {
                Ok(Self::Directory(PathBuf::from(path)))
            };
        }
        let rest = text
            .strip_prefix("s3://")
            .ok_or_else(|| wrong("it begins with neither `s3://` nor `file:`"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let in_bucket =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        if bucket.len() < 3 || bucket.len() > 63 || !bucket.bytes().all(in_bucket) {
            return Err(wrong(
                "a bucket's name has 3 to 63 of a-z, 0-9, `-` and `.`",
            ));
        }
        let prefix = prefix.trim_matches('/');
        let in_prefix = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
        if !prefix.bytes().all(in_prefix)
            || prefix.split('/').any(|part| part == "." || part == "..")
            || prefix.contains("//")
        {
            return Err(wrong("a prefix has folders of A-Z, a-z, 0-9 and `-_.`"));
        }
        let prefix = if prefix.is_empty() {
            String::new()
        } else {
            format!("{prefix}/")
        };
        let mut location = S3Location {
            bucket: bucket.to_owned(),
            prefix,
            region: None,
            endpoint: None,
            owner: None,
            checksums: true,
            attempt_timeout: Duration::from_secs(20),
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| wrong("a parameter has no value"))?;
            let value = percent_decoded(value)
                .ok_or_else(|| wrong("a parameter has a broken `%` escape"))?;
            location.set(name, value).map_err(|reason| wrong(&reason))?;
        }
        Ok(Self::S3(location))
    }
}

impl S3Location {
    fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "region" => self.region = Some(value),
            "endpoint" if value.starts_with("https://") || value.starts_with("http://") => {
                self.endpoint = Some(value)
            }
            "endpoint" => return Err("`endpoint` begins with `https://` or `http://`".to_owned()),
            "owner" => self.owner = Some(value),
            "checksums" => {
                self.checksums = match value.as_str() {
                    "crc64nvme" => true,
                    "off" => false,
                    _ => return Err("`checksums` is `crc64nvme` or `off`".to_owned()),
                }
            }
            "attempt-timeout" => {
                self.attempt_timeout = value
                    .parse::<Soak>()
                    .map_err(|error| error.to_string())?
                    .duration();
            }
            _ => {
                let known = "`region`, `endpoint`, `owner`, `checksums`, `attempt-timeout`";
                return Err(format!(
                    "unknown parameter `{}`; known are {known}",
                    printable(name)
                ));
            }
        }
        Ok(())
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for Location {
    /// The place without its parameters, as messages name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3(s3) => write!(f, "s3://{}/{}", s3.bucket, s3.prefix),
            Self::Directory(path) => write!(f, "file:{}", printable(&path.to_string_lossy())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_parse() {
        let Ok(Location::S3(s3)) = "s3://atlas-dist/team/?region=eu-west-1&endpoint=http%3A%2F%2F127.0.0.1%3A9&attempt-timeout=2s".parse() else {
            panic!("an s3 location");
        };
        assert_eq!(
            (s3.bucket.as_str(), s3.prefix.as_str(), s3.region.as_deref()),
            ("atlas-dist", "team/", Some("eu-west-1"))
        );
        assert_eq!(s3.endpoint.as_deref(), Some("http://127.0.0.1:9"));
        assert_eq!("file:./x".parse(), Ok(Location::Directory("./x".into())));
        assert_eq!(
            "file:///srv/x".parse(),
            Ok(Location::Directory("/srv/x".into()))
        );
        for bad in [
            "",
            "http://x",
            "s3://",
            "s3://A",
            "s3://bucket/../x",
            "s3://bucket?regoin=x",
            "s3://bucket?endpoint=ftp://x",
            "file:",
            "s3://bucket?region",
        ] {
            assert!(bad.parse::<Location>().is_err(), "{bad}");
        }
    }
}
