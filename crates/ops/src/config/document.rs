//! The keys of `lastmile.yml`. This is the one list of them: the parser and the schema are derived from it.

use std::collections::BTreeMap;

use release::name::{App, CohortName, TierName, printable};
use release::revision::Tier;
use release::tag::TagFormat;
use release::{BasisPoints, Channel, Kind, Platform, Soak, Version};
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;

use self::signing::SigningKeys;
use super::text::{NotYet, Text, refused};
use super::{AppConfig, ChannelConfig, GitHubRelease, VersionSource, lint};
use crate::artifacts::Rule;

mod signing;

/// Several apps of one repository.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Several {
    /// The apps by name; each holds what stands at the top level where there is only one
    #[schemars(with = "BTreeMap<String, Body>")]
    pub(super) apps: BTreeMap<App, Body>,
}

/// `lastmile.yml`, or one entry of its `apps`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Body {
    /// The name of the app, such as `atlas-desktop`
    app: Option<Text<App>>,
    /// Where releases and channels are kept: `s3://bucket/prefix?region=…` or `file:./directory`
    store: String,
    /// Where the CDN serves `public/`: `https://dl.example.com`, or a path such as `/dl`
    public_url: String,
    /// The version of a release: a literal in quotes, or `{ from: package.json }`, `{ from: Cargo.toml }`, or `{ from: tag }`
    version: Option<VersionKey>,
    /// Which files are artifacts; every artifact matches exactly one rule, every rule at least one artifact
    artifacts: Vec<ArtifactKeys>,
    /// What must hold for artifacts before they are published
    #[serde(default)]
    signing: SigningKeys,
    /// The feeds that shipped updaters read: `electron-updater`, `manifest`
    #[serde(default)]
    feeds: Vec<FeedKey>,
    /// The channels that clients follow
    channels: BTreeMap<Channel_, ChannelKeys>,
    /// Makes a GitHub release of the tag when a version is published
    #[serde(rename = "github-release")]
    github_release: Option<GitHubReleaseKeys>,
    /// How versions are tagged
    tag: Option<TagKeys>,
    /// Not yet supported
    #[serde(default, deserialize_with = "refused")]
    #[schemars(skip)]
    #[expect(dead_code, reason = "present only to be refused")]
    gates: Option<NotYet>,
    /// Not yet supported
    #[serde(default, deserialize_with = "refused")]
    #[schemars(skip)]
    #[expect(dead_code, reason = "present only to be refused")]
    rules: Option<NotYet>,
}

type Channel_ = Text<Channel>;

/// What a GitHub release has.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct GitHubReleaseKeys {
    /// Which files are its assets: `all`, which is every artifact, its signature, and SHA256SUMS
    #[expect(dead_code, reason = "it has one value, which is said all the same")]
    assets: AssetsKey,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum AssetsKey {
    All,
}

/// How versions are tagged.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct TagKeys {
    /// The name of a tag with `{version}` in it; else `v{version}`, or `<app>-v{version}` where there are several apps
    format: Option<Text<TagFormat>>,
    /// How the notes are made: `conventional`, from commits that follow conventionalcommits.org
    changelog: ChangelogKey,
    #[serde(deserialize_with = "refused")]
    #[schemars(skip)]
    major: Option<NotYet>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ChangelogKey {
    #[default]
    Conventional,
}

/// A feed, by name. Those of later versions are known and refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FeedKey(feed::Feed);

impl<'de> Deserialize<'de> for FeedKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::<FeedKey>::deserialize(deserializer).map(|text| text.0)
    }
}

impl std::str::FromStr for FeedKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const LATER: [&str; 5] = [
            "squirrel-mac",
            "squirrel-windows",
            "tauri",
            "velopack",
            "sparkle",
        ];
        match text.parse::<feed::Feed>() {
            Ok(feed) => Ok(Self(feed)),
            Err(_) if LATER.contains(&text) => Err(format!(
                "the feed `{text}` is not yet supported by this version; take it out"
            )),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl JsonSchema for FeedKey {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Feed".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<_> = feed::Feed::ALL.iter().map(|feed| feed.as_str()).collect();
        schemars::json_schema!({ "enum": names })
    }
}

/// Where the version stands.
#[derive(Debug, JsonSchema)]
#[serde(untagged)]
enum VersionKey {
    /// A literal
    Literal(#[schemars(with = "String")] Version),
    /// A file, or the tag of the commit that is checked out
    From {
        /// `package.json`, `Cargo.toml`, or `tag`
        #[schemars(with = "String")]
        from: VersionFile,
    },
}

/// A file that a version can be read from, by name.
#[derive(Debug)]
struct VersionFile(VersionSource);

impl<'de> Deserialize<'de> for VersionKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VersionVisitor)
    }
}

/// Takes a literal or `{ from: … }`, and says of a number what to do about it.
struct VersionVisitor;

impl<'de> serde::de::Visitor<'de> for VersionVisitor {
    type Value = VersionKey;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a version in quotes, such as \"1.4.0\", or `{ from: package.json }`")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<VersionKey, E> {
        text.parse().map(VersionKey::Literal).map_err(E::custom)
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<VersionKey, E> {
        Err(E::custom(format!(
            "`{number}` is a number to YAML; write the version in quotes, such as \"1.4.0\""
        )))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<VersionKey, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct From {
            from: Text<VersionFile>,
        }
        let deserializer = serde::de::value::MapAccessDeserializer::new(map);
        From::deserialize(deserializer).map(|From { from }| VersionKey::From { from: from.0 })
    }
}

impl std::str::FromStr for VersionFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "package.json" => Ok(Self(VersionSource::PackageJson)),
            "Cargo.toml" => Ok(Self(VersionSource::CargoToml)),
            "tag" => Ok(Self(VersionSource::Tag)),
            "tauri.conf.json" => Err(format!(
                "`{text}` is not yet supported by this version; use `package.json`, `Cargo.toml`, `tag`, or a literal"
            )),
            _ => Err(format!(
                "`{}` is not `package.json`, `Cargo.toml`, or `tag`",
                printable(text)
            )),
        }
    }
}

/// Which files are artifacts of a platform and kind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ArtifactKeys {
    /// A glob relative to this file, such as `dist/Atlas-Setup-*.exe`
    path: String,
    /// What it runs on, such as `windows-x64`
    platform: Text<Platform>,
    /// What it is, such as `nsis`
    kind: Text<Kind>,
}

/// A channel.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct ChannelKeys {
    /// The channel whose completed releases this one takes over
    follows: Option<Text<Channel>>,
    /// The tiers of a rollout, lowest first; none gives a release to everyone at once
    tiers: Vec<TierKeys>,
    #[serde(deserialize_with = "refused")]
    #[schemars(skip)]
    signoffs: Option<NotYet>,
}

/// A tier: a share or a cohort.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TierKeys {
    /// Its name, such as `canary`
    name: Text<TierName>,
    /// The share of all installs, such as `1%`
    share: Option<Text<BasisPoints>>,
    /// The cohort, such as `internal`
    cohort: Option<Text<CohortName>>,
    /// How long it is watched before the next, such as `24h`
    soak: Option<Text<Soak>>,
    #[serde(default, deserialize_with = "refused")]
    #[schemars(skip)]
    #[expect(dead_code, reason = "present only to be refused")]
    gates: Option<NotYet>,
}

/// The schema of a configuration.
pub(super) fn schema() -> serde_json::Value {
    let mut one = schema_for!(Body).to_value();
    let several = schema_for!(Several).to_value();
    if let Some(object) = one.as_object_mut() {
        object.insert("title".to_owned(), "lastmile.yml".into());
        object.insert(
            "description".to_owned(),
            "One app; several stand under `apps`, each with these keys".into(),
        );
        if let Some(apps) = several.pointer("/properties/apps") {
            let mut apps = apps.clone();
            apps["additionalProperties"] = serde_json::json!({ "$ref": "#" });
            object["properties"]["apps"] = apps;
        }
        // Which keys are required depends on the form, which the binary tells apart with better messages.
        object.remove("required");
    }
    one
}

impl Body {
    /// The app that these keys describe; `errors` gets what is wrong between keys.
    pub(super) fn into_app(
        self,
        name: Option<App>,
        file: &str,
        errors: &mut Vec<String>,
    ) -> Option<AppConfig> {
        let is_one_of_several = name.is_some();
        let app = match (name, self.app) {
            (Some(name), None) => name,
            (None, Some(Text(app))) => app,
            (Some(name), Some(_)) => {
                errors.push(format!(
                    "`app` stands inside `apps.{name}`; its name is its key"
                ));
                return None;
            }
            (None, None) => {
                errors.push(
                    "`app` is missing; name the app, such as `app: atlas-desktop`".to_owned(),
                );
                return None;
            }
        };
        lint::store(&self.store, errors);
        let public_url = lint::public_url(&self.public_url, errors);
        let artifacts: Vec<_> = self
            .artifacts
            .into_iter()
            .map(|keys| Rule {
                path: keys.path,
                platform: keys.platform.0,
                kind: keys.kind.0,
            })
            .collect();
        lint::artifacts(&artifacts, errors);
        let channels: BTreeMap<_, _> = self
            .channels
            .into_iter()
            .map(|(name, keys)| (name.0, keys.into_channel()))
            .collect();
        lint::channels(&channels, errors);
        let mut feeds: Vec<_> = self.feeds.into_iter().map(|key| key.0).collect();
        feeds.dedup();
        let version = self
            .version
            .map_or(VersionSource::PackageJson, VersionKey::into_source);
        let signing = self.signing.into_policy(errors);
        let format = self.tag.unwrap_or_default().format;
        Some(AppConfig {
            tag_format: format
                .map_or_else(|| default_format(is_one_of_several, &app), |text| text.0),
            app,
            store: self.store,
            public_url,
            version,
            artifacts,
            signing,
            feeds,
            github_release: self.github_release.map(|_| GitHubRelease::AllAssets),
            channels,
            file: file.to_owned(),
        })
    }
}

/// Two apps of one repository need names that tell them apart.
fn default_format(is_one_of_several: bool, app: &App) -> TagFormat {
    let of_app = format!("{app}-v{{version}}").parse().ok();
    of_app.filter(|_| is_one_of_several).unwrap_or_default()
}

impl VersionKey {
    fn into_source(self) -> VersionSource {
        match self {
            Self::Literal(version) => VersionSource::Literal(version),
            Self::From { from } => from.0,
        }
    }
}

impl ChannelKeys {
    fn into_channel(self) -> ChannelConfig {
        let tiers = self.tiers.into_iter().map(|keys| Tier {
            name: keys.name.0,
            share: keys.share.map(|text| text.0),
            cohort: keys.cohort.map(|text| text.0),
            soak: keys.soak.map(|text| text.0).unwrap_or_default(),
            unknown: serde_json::Map::new(),
        });
        ChannelConfig {
            follows: self.follows.map(|text| text.0),
            tiers: tiers.collect(),
        }
    }
}
