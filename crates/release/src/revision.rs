//! Channel revisions: one numbered, immutable state of a channel. The channel *is* its list of revisions.
//!
//! Every struct keeps the fields that it does not know, so that an older binary which halts a newer document gives
//! back all of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::digest::Sha256;
use crate::document;
use crate::name::{App, Channel, CohortName, TierName};
use crate::platform::{Platform, PlatformPattern};
use crate::share::BasisPoints;
use crate::time::Soak;
use crate::version::Version;

/// The document at `state/<app>/channels/<channel>/log/<10 digits>.json`: the commit point of "users see this".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Revision {
    /// The shape of the document.
    pub schema: u32,
    /// The oldest [`document::WRITER`] that may write the next revision; `halt` is excepted.
    pub min_writer: u32,
    /// The app.
    pub app: App,
    /// The channel.
    pub channel: Channel,
    /// Its number, from 1, without gaps.
    pub revision: u64,
    /// The digest of the bytes of the revision before; none for the first.
    #[serde(default)]
    pub previous: Option<Sha256>,
    /// What was done.
    pub operation: Operation,
    /// Who did it.
    pub actor: Actor,
    /// Why, in the words of whoever did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The whole new state.
    pub state: ChannelState,
    /// Fields of a newer schema, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// What was done: enough to recognise one's own write when its answer was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// SHA-256 over app, channel, verb, arguments, and run, so that a re-run of the same run is the same operation.
    pub id: Sha256,
    /// The verb, `start`.
    pub verb: String,
    /// Its arguments.
    pub arguments: BTreeMap<String, String>,
    /// The run, without its attempt.
    pub run: String,
    /// Fields of a newer schema, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl Operation {
    /// The operation with its id.
    pub fn new(
        app: &App,
        channel: &Channel,
        verb: &str,
        arguments: BTreeMap<String, String>,
        run: &str,
    ) -> Self {
        let id = document::digest(&(app, channel, verb, &arguments, run));
        Self {
            id,
            verb: verb.to_owned(),
            arguments,
            run: run.to_owned(),
            unknown: Map::new(),
        }
    }
}

/// Who did something, and how sure we are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The name.
    pub name: String,
    /// `oidc` or `sts` where a token proved it, `asserted` where the caller said so.
    pub verified: String,
    /// Fields of a newer schema, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl Actor {
    /// A name that the caller gave.
    pub fn asserted(name: String) -> Self {
        Self {
            name,
            verified: "asserted".to_owned(),
            unknown: Map::new(),
        }
    }
}

/// The whole state of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ChannelState {
    /// Where the CDN serves `public/`; no slash at its end.
    #[serde(default)]
    pub public_url: String,
    /// The feeds to project, by name. They stand here so that `halt` needs no configuration.
    #[serde(default)]
    pub feeds: Vec<String>,
    /// The digest of the record of every version that the state names: a record that was changed later is not believed.
    #[serde(default)]
    pub records: BTreeMap<Version, Sha256>,
    /// The channels that take over what completes here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub followers: Vec<Channel>,
    /// The rollouts that some platform is part of, by id.
    #[serde(default)]
    pub rollouts: BTreeMap<String, Rollout>,
    /// The state of each platform.
    #[serde(default)]
    pub platforms: Platforms,
    /// Limits on what is offered to whom.
    #[serde(default, skip_serializing_if = "Rules::is_empty")]
    pub rules: Rules,
    /// Fields of a newer schema, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// A release on its way, frozen when it started: later edits of the configuration apply to the next rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// The release.
    pub version: Version,
    /// The digest of its record.
    pub record: Sha256,
    /// What cohorts are salted with. It survives halt and resume, so the same installs are inside again.
    pub salt: String,
    /// The tiers, lowest first; none means that everyone got it at once.
    pub tiers: Vec<Tier>,
    /// Fields of a newer schema, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// A step of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// Its name.
    pub name: TierName,
    /// The share of all installs, where the tier is a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<BasisPoints>,
    /// The cohort, where the tier is a cohort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cohort: Option<CohortName>,
    /// Seconds to watch it before the next.
    #[serde(default)]
    pub soak: Soak,
    /// Fields of a newer schema, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// What one platform gets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlatformState {
    /// What everyone gets.
    #[serde(default)]
    pub baseline: Option<Version>,
    /// What links and package managers show.
    #[serde(default)]
    pub public: Option<Version>,
    /// Earlier baselines, oldest first: the ways back.
    #[serde(default)]
    pub past: Vec<Version>,
    /// The newest release that was rolled back, until a later one completes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<Version>,
    /// What was halted or rolled back here, oldest first. It comes back by `resume` or another `start` alone, never by
    /// following another channel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<Version>,
    /// The last rollout, whatever became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Progress>,
    /// Fields of a newer schema, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// Where a rollout is on one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Which rollout, a key of [`ChannelState::rollouts`].
    pub id: String,
    /// The candidate.
    pub version: Version,
    /// What it is doing.
    pub stage: Stage,
    /// The index of its tier.
    pub tier: usize,
    /// The revision that entered this tier; its time in the store is when soaking began.
    pub since: u64,
    /// Fields of a newer schema, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// What a rollout is doing on a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Offered to the tier, being watched.
    Baking,
    /// Offered to the tier; the share is frozen.
    Paused,
    /// Offered to nobody.
    Halted,
    /// Everyone gets it: it is the baseline.
    Complete,
    /// Offered to nobody; an earlier release is the baseline.
    RolledBack,
    /// What a newer binary wrote. Treated as not active.
    Newer(String),
}

impl Stage {
    /// Whether clients in the tier are offered the candidate.
    pub fn is_offering(&self) -> bool {
        matches!(self, Self::Baking | Self::Paused)
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Baking => "baking",
            Self::Paused => "paused",
            Self::Halted => "halted",
            Self::Complete => "complete",
            Self::RolledBack => "rolled-back",
            Self::Newer(text) => text,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newer(text) => f.write_str(&crate::name::printable(text)),
            known => f.write_str(known.as_str()),
        }
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Stage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = [
            Self::Baking,
            Self::Paused,
            Self::Halted,
            Self::Complete,
            Self::RolledBack,
        ];
        Ok(known
            .into_iter()
            .find(|stage| stage.as_str() == text)
            .unwrap_or(Self::Newer(text)))
    }
}

/// Limits on what is offered, whatever the target is. No verb of this version writes them; `decide` obeys them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Rules {
    /// The kill switch: no updates at all.
    pub killed: bool,
    /// Versions that are never offered and whose clients go to the baseline at once.
    pub blocked: Vec<Version>,
    /// Versions that clients below them must pass through.
    pub watersheds: Vec<Version>,
    /// Clients below it are forced.
    pub minimum: Option<Version>,
    /// Fields of a newer schema, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl Rules {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The states of all platforms. Platforms that this code does not know are kept, and can be halted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Platforms {
    /// Those that this code knows.
    pub known: BTreeMap<Platform, PlatformState>,
    /// Those that a newer binary wrote, as they are.
    pub newer: Map<String, Value>,
}

impl Platforms {
    /// Halts the platforms that only a newer binary knows, as far as the pattern covers their names. Returns the names
    /// of those that changed.
    pub(crate) fn halt_newer(&mut self, patterns: &[PlatformPattern]) -> Vec<String> {
        let mut halted = Vec::new();
        for (name, state) in &mut self.newer {
            // A pattern names platforms that we know; a stranger is halted only when everything is.
            let stage = state
                .get_mut("rollout")
                .and_then(|rollout| rollout.get_mut("stage"));
            let Some(stage) = stage.filter(|stage| patterns.is_empty() && **stage != "halted")
            else {
                continue;
            };
            let was_complete = *stage == "complete";
            *stage = "halted".into();
            if was_complete && let Some(entry) = state.as_object_mut() {
                let past = entry.get_mut("past").and_then(Value::as_array_mut);
                let before = past.and_then(Vec::pop).unwrap_or(Value::Null);
                entry.insert("public".to_owned(), before.clone());
                entry.insert("baseline".to_owned(), before);
            }
            halted.push(name.clone());
        }
        halted
    }
}

impl Serialize for Platforms {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { known, newer } = self;
        let mut all = newer.clone();
        for (platform, state) in known {
            all.insert(
                platform.to_string(),
                serde_json::to_value(state).map_err(serde::ser::Error::custom)?,
            );
        }
        all.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Platforms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut platforms = Self::default();
        for (name, state) in Map::<String, Value>::deserialize(deserializer)? {
            match name.parse::<Platform>() {
                Ok(platform) => {
                    let state =
                        PlatformState::deserialize(state).map_err(serde::de::Error::custom)?;
                    platforms.known.insert(platform, state);
                }
                Err(_) => {
                    platforms.newer.insert(name, state);
                }
            }
        }
        Ok(platforms)
    }
}
