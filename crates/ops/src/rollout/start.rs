//! `rollout start`: a published release begins its way through the tiers of a channel.

use release::document;
use release::name::Channel;
use release::platform::PlatformPattern;
use release::revision::Tier;
use release::rollout::{self};
use release::{ReleaseRecord, Sha256, Version};
use store::Key;

use super::{Call, Changed, change, listed};
use crate::error::Error;
use crate::place::{Author, Place};
use crate::project::yanked;

/// A release to be let out, and how.
#[derive(Debug, Clone)]
pub struct Start {
    /// The version.
    pub version: Version,
    /// The platforms; all of the release when empty.
    pub platforms: Vec<PlatformPattern>,
    /// The tiers, frozen into the revision; none gives it to everyone at once.
    pub tiers: Vec<Tier>,
    /// The feeds to project.
    pub feeds: Vec<String>,
    /// Where the CDN serves `public/`.
    pub public_url: String,
    /// The channels that take over what completes here.
    pub followers: Vec<Channel>,
    /// The revision that the plan was made on, if one was.
    pub expect: Option<u64>,
}

/// Begins the rollout.
pub async fn start(place: &Place, author: &Author, request: &Start) -> Result<Changed, Error> {
    place.store.prove().await?;
    let call = Call::new(
        "start",
        [
            ("version", request.version.to_string()),
            ("platforms", listed(&request.platforms)),
        ],
    )
    .raising();
    let start = prepared(place, request).await?;
    change(place, author, call, async |head| {
        Ok(rollout::start(head, start.clone())?)
    })
    .await
}

/// The request with what the store knows of the release: its record, its platforms, whether it was yanked.
pub(super) async fn prepared(place: &Place, request: &Start) -> Result<rollout::Start, Error> {
    let Start {
        version,
        platforms,
        tiers,
        feeds,
        public_url,
        followers,
        expect,
    } = request.clone();
    let key = Key::Record(place.app.clone(), version.clone());
    let Some(found) = place.store.read(&key).await? else {
        let (app, store) = (place.app.to_string(), place.store.location().to_string());
        return Err(Error::NoRelease {
            app,
            version: version.to_string(),
            store,
        });
    };
    let record = document::parse::<ReleaseRecord>(&found.bytes, &key.path());
    let record = record.map_err(|error| store::StoreError::Damaged {
        key: key.path(),
        store: place.store.location().to_string(),
        reason: error.to_string(),
    })?;
    let mut covered = record.platforms();
    covered.retain(|platform| {
        platforms.is_empty() || platforms.iter().any(|pattern| pattern.covers(*platform))
    });
    let yanked = yanked(place).await?.contains(&version);
    Ok(rollout::Start {
        app: place.app.clone(),
        channel: place.channel.clone(),
        version,
        record: Sha256::of(&found.bytes),
        yanked,
        platforms: covered,
        tiers,
        feeds,
        public_url,
        followers,
        expect,
    })
}
