//! `rollout pause`, `halt`, and `rollback`: what never raises exposure.

use std::str::FromStr as _;

use feed::Feed;
use release::platform::PlatformPattern;
use release::rollout;
use release::{Refusal, Version};

use super::{Call, Changed, Heads, change, existing, listed};
use crate::error::Error;
use crate::place::{Author, Place};

/// The way back.
#[derive(Debug, Clone)]
pub struct Rollback {
    /// The release to be the baseline again; the one before, if not named.
    pub to: Option<Version>,
    /// The platforms; all when empty.
    pub platforms: Vec<PlatformPattern>,
    /// The revision that the plan was made on, if one was.
    pub expect: Option<u64>,
}

/// Freezes the share.
pub async fn pause(
    place: &Place,
    author: &Author,
    platforms: &[PlatformPattern],
) -> Result<Changed, Error> {
    place.store.prove().await?;
    existing(place).await?;
    let call = Call::new("pause", [("platforms", listed(platforms))]);
    change(place, author, call, async |head| {
        Ok(rollout::pause(head, platforms)?)
    })
    .await
}

/// Stops offering, now. Needs nothing but the place; builds on documents of newer binaries too; does not probe.
pub async fn halt(
    place: &Place,
    author: &Author,
    platforms: &[PlatformPattern],
) -> Result<Changed, Error> {
    place.store.recall().await;
    // A log that was tampered with is worth saying, and no reason to go on offering.
    let (head, unsound) = match place.log().sound_head().await {
        Ok(Some(head)) => (head, None),
        Ok(None) => return Err(Refusal::NoChannel(place.channel.clone()).into()),
        Err(error) => (existing(place).await?, Some(error)),
    };
    let mut call = Call::new("halt", [("platforms", listed(platforms))]);
    call.heads = Heads::Any;
    let mut changed = change(place, author, call, async |head| {
        Ok(rollout::halt(head, platforms)?)
    })
    .await?;
    changed.notes.extend(unsound.map(|error| error.to_string()));
    for follower in &head.revision.state.followers {
        let command = format!("lastmile rollout halt --channel {follower}");
        changed.notes.push(format!("channel `{follower}` follows this one and is not halted by it; if it offers the release too: `{command}`"));
    }
    Ok(changed)
}

/// Makes an earlier release the baseline again, and says what each client will do about it.
pub async fn rollback(
    place: &Place,
    author: &Author,
    request: &Rollback,
) -> Result<Changed, Error> {
    place.store.prove().await?;
    let head = existing(place).await?;
    let Rollback {
        to,
        platforms,
        expect,
    } = request;
    let to_text = to.as_ref().map(ToString::to_string).unwrap_or_default();
    let call = Call::new(
        "rollback",
        [("to", to_text), ("platforms", listed(platforms))],
    );
    let mut changed = change(place, author, call, async |head| {
        Ok(rollout::rollback(head, platforms, to.as_ref(), *expect)?)
    })
    .await?;
    let feeds = head
        .revision
        .state
        .feeds
        .iter()
        .filter_map(|name| Feed::from_str(name).ok());
    changed
        .notes
        .extend(feeds.map(|feed| format!("{}: {}", feed.as_str(), feed.downgrade())));
    Ok(changed)
}
