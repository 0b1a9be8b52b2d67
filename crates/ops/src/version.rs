//! Reading the version of a release from where the configuration says it stands.

use std::path::Path;

use release::Version;
use release::name::printable;
use release::tag::TagFormat;
use release::version::VersionError;
use thiserror::Error;

use crate::config::VersionSource;
use crate::tag::{self, TagError};

/// The largest file that a version is read from, in bytes.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Why no version could be read.
#[derive(Debug, Error)]
pub enum VersionSourceError {
    /// The file cannot be read.
    #[error("cannot read the version from `{path}`: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file has no version where it should be.
    #[error("`{path}` has no {place}; give `--version`")]
    Absent {
        /// The file.
        path: String,
        /// Where it should be.
        place: &'static str,
    },
    /// What stands there is no version.
    #[error("{place}: {source}")]
    NotAVersion {
        /// Where it stands.
        place: String,
        /// Why it is none.
        source: VersionError,
    },
    /// No tag is at the commit.
    #[error(
        "no tag `{0}` is at the commit that is checked out; tag it with `lastmile tag`, or give `--version`"
    )]
    Untagged(TagFormat),
    /// The tags cannot be read.
    #[error(transparent)]
    Tags(#[from] TagError),
}

/// Reads the version; `root` is the folder of the configuration, and `tags` says how its tags are named.
pub fn read(
    root: &Path,
    source: &VersionSource,
    tags: &TagFormat,
) -> Result<Version, VersionSourceError> {
    match source {
        VersionSource::Tag => {
            tag::version_here(root, tags)?.ok_or_else(|| VersionSourceError::Untagged(tags.clone()))
        }
        VersionSource::Literal(version) => Ok(version.clone()),
        VersionSource::PackageJson => {
            let text = text(root, "package.json")?;
            let parsed = serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default();
            let found = parsed.get("version").and_then(serde_json::Value::as_str);
            parse("package.json", "`version`", found)
        }
        VersionSource::CargoToml => {
            let text = text(root, "Cargo.toml")?;
            parse(
                "Cargo.toml",
                "`version` under `[package]` or `[workspace.package]`",
                cargo_version(&text),
            )
        }
    }
}

fn parse(
    path: &str,
    place: &'static str,
    found: Option<&str>,
) -> Result<Version, VersionSourceError> {
    let found = found.ok_or_else(|| VersionSourceError::Absent {
        path: path.to_owned(),
        place,
    })?;
    found
        .parse()
        .map_err(|source| VersionSourceError::NotAVersion {
            place: format!("{place} of `{path}`"),
            source,
        })
}

fn text(root: &Path, name: &str) -> Result<String, VersionSourceError> {
    use std::io::Read as _;
    let path = root.join(name);
    let read = || {
        let mut text = String::new();
        std::fs::File::open(&path)?
            .take(BYTES_MAX)
            .read_to_string(&mut text)?;
        Ok(text)
    };
    read().map_err(|source| VersionSourceError::Unreadable {
        path: printable(&path.to_string_lossy()),
        source,
    })
}

/// `version = "…"` in the package's own table. One key of one table: a TOML parser would be a dependency for a line.
fn cargo_version(text: &str) -> Option<&str> {
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = matches!(line, "[package]" | "[workspace.package]");
        } else if let Some(rest) = line.strip_prefix("version").filter(|_| inside) {
            let value = rest.trim_start().strip_prefix('=')?.trim_start();
            return value.strip_prefix('"')?.split('"').next();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_versions_stand_in_their_own_table() {
        assert_eq!(
            cargo_version(
                "[dependencies]\nversion = \"9.9.9\"\n[package]\nname = \"x\"\nversion = \"1.4.0\" # here\n"
            ),
            Some("1.4.0")
        );
        assert_eq!(
            cargo_version("[workspace.package]\nversion=\"2.0.0\""),
            Some("2.0.0")
        );
        assert_eq!(cargo_version("[package]\nversion.workspace = true"), None);
    }
}
