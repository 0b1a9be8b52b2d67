//! `lastmile.yml`: what a client repository says about its app, strictly.
//!
//! Unknown keys are refused, and known keys whose enforcement is not built yet are refused too: a policy that is
//! written down and not enforced is worse than none. Errors say where, what was expected, and the nearest known key.

use std::collections::BTreeMap;

use release::name::App;
use release::revision::Tier;
use release::tag::TagFormat;
use release::{Channel, Version};
use serde::Deserialize as _;

use crate::artifacts::Rule;

mod document;
mod error;
mod lint;
mod text;

use document::Body;
pub use error::{ConfigError, ConfigErrors};

/// The largest configuration, in bytes.
const BYTES_MAX: usize = 256 * 1024;

/// A whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    apps: BTreeMap<App, AppConfig>,
    file: String,
}

/// What is said about one app.
#[derive(Debug, Clone)]
pub struct AppConfig {
    /// The app.
    pub app: App,
    /// The store, as text; `store::Location` parses it.
    pub store: String,
    /// Where the CDN serves `public/`: an address or an absolute path, without a slash at its end.
    pub public_url: String,
    /// Where the version of a release stands.
    pub version: VersionSource,
    /// How its tags are named.
    pub tag_format: TagFormat,
    /// Which files are artifacts.
    pub artifacts: Vec<Rule>,
    /// What must hold for them.
    pub signing: signing::Policy,
    /// The feeds to project.
    pub feeds: Vec<feed::Feed>,
    /// What a GitHub release has; none where none is made.
    pub github_release: Option<GitHubRelease>,
    /// The channels.
    pub channels: BTreeMap<Channel, ChannelConfig>,
    file: String,
}

/// What a GitHub release has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GitHubRelease {
    /// Every artifact, its signature, and SHA256SUMS.
    AllAssets,
}

/// What is said about a channel.
#[derive(Debug, Clone, Default)]
pub struct ChannelConfig {
    /// The channel whose completed releases this one takes over.
    pub follows: Option<Channel>,
    /// The tiers of its rollouts; none gives a release to everyone at once.
    pub tiers: Vec<Tier>,
}

/// Where the version of a release stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionSource {
    /// Here.
    Literal(Version),
    /// `version` of `package.json`.
    PackageJson,
    /// `version` of `Cargo.toml`'s package, or of its workspace.
    CargoToml,
    /// The tag of the commit that is checked out.
    Tag,
}

impl Config {
    /// Parses a configuration; `file` names it in errors.
    ///
    /// # Errors
    /// What the parser met first, or everything that the lints found.
    pub fn parse(text: &str, file: &str) -> Result<Self, ConfigErrors> {
        let located = |error| ConfigErrors::one(file, ConfigError::from_yaml(text, &error));
        if text.len() > BYTES_MAX {
            return Err(ConfigErrors::one(
                file,
                ConfigError::plain(format!("larger than {BYTES_MAX} bytes")),
            ));
        }
        if release::document::is_nested_too_deep(text.as_bytes()) {
            let max = release::document::NESTING_MAX;
            let error = ConfigError::plain(format!("nested deeper than {max} levels"));
            return Err(ConfigErrors::one(file, error));
        }
        let top = serde_yaml::from_str::<serde_yaml::Value>(text).map_err(located)?;
        let bodies: Vec<(Option<App>, Body)> = if top.get("apps").is_some() {
            let several = document::Several::deserialize(serde_yaml::Deserializer::from_str(text))
                .map_err(located)?;
            several
                .apps
                .into_iter()
                .map(|(name, body)| (Some(name), body))
                .collect()
        } else {
            vec![(
                None,
                Body::deserialize(serde_yaml::Deserializer::from_str(text)).map_err(located)?,
            )]
        };
        let mut errors = Vec::new();
        let mut apps = BTreeMap::new();
        for (name, body) in bodies {
            match body.into_app(name, file, &mut errors) {
                Some(app) if errors.is_empty() => drop(apps.insert(app.app.clone(), app)),
                _ => {}
            }
        }
        lint::tag_formats(&apps, &mut errors);
        if errors.is_empty() && !apps.is_empty() {
            return Ok(Self {
                apps,
                file: file.to_owned(),
            });
        }
        if errors.is_empty() {
            errors.push("`apps` is empty; name at least one app".to_owned());
        }
        Err(ConfigErrors::new(
            file,
            errors.into_iter().map(ConfigError::plain).collect(),
        ))
    }

    /// The app that is asked for, or the only one.
    pub fn app(&self, name: Option<&App>) -> Result<&AppConfig, ConfigErrors> {
        let names = || {
            self.apps
                .keys()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let found = match name {
            Some(name) => self
                .apps
                .get(name)
                .ok_or_else(|| format!("there is no app `{name}`; there are {}", names())),
            None if self.apps.len() == 1 => self.apps.values().next().ok_or_else(String::new),
            None => Err(format!("which app? there are {}; give `--app`", names())),
        };
        found.map_err(|message| ConfigErrors::one(&self.file, ConfigError::plain(message)))
    }

    /// Every app.
    pub fn apps(&self) -> impl Iterator<Item = &AppConfig> {
        self.apps.values()
    }

    /// The JSON Schema of a configuration, for editors.
    pub fn schema() -> serde_json::Value {
        document::schema()
    }
}

impl AppConfig {
    /// The channels that follow this one, directly or through another.
    pub fn followers(&self, followed: &Channel) -> Vec<Channel> {
        let follows = |name: &Channel| {
            let mut at = name;
            // The lints refuse a circle; the bound holds without them.
            for _ in 0..self.channels.len() {
                match self
                    .channels
                    .get(at)
                    .and_then(|channel| channel.follows.as_ref())
                {
                    Some(next) if next == followed => return true,
                    Some(next) => at = next,
                    None => return false,
                }
            }
            false
        };
        let names = self.channels.keys().filter(|name| *name != followed);
        names.filter(|name| follows(name)).cloned().collect()
    }

    /// What is said about a channel.
    pub fn channel(&self, name: &Channel) -> Result<&ChannelConfig, ConfigErrors> {
        self.channels.get(name).ok_or_else(|| {
            let names = self
                .channels
                .keys()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ");
            let message = format!("`channels` has no `{name}`; it has {names}");
            ConfigErrors::one(&self.file, ConfigError::plain(message))
        })
    }
}

#[cfg(test)]
mod tests;
