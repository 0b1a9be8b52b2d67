//! `reconcile`: derives again whatever a crash left behind. Harmless at any time, by anybody who may write projections.

use release::name::Channel;
use serde::Serialize;
use store::Key;

use crate::error::Error;
use crate::place::{Author, Place};
use crate::project::{Convergence, converge};
use crate::rollout::catch_up;

/// What one channel came to.
#[derive(Debug, Clone, Serialize)]
pub struct Reconciled {
    /// The channel.
    pub channel: Channel,
    /// Its projections.
    #[serde(flatten)]
    pub convergence: Convergence,
}

/// Reconciles the channels of the app: the one named, or all that have a log.
pub async fn reconcile(
    place: &Place,
    author: &Author,
    only: Option<&Channel>,
) -> Result<Vec<Reconciled>, Error> {
    place.store.prove().await?;
    let names = match only {
        Some(channel) => vec![channel.clone()],
        None => channels(place).await?,
    };
    let mut done = Vec::new();
    let mut failure = None;
    for channel in names {
        let here = place.sibling(&channel);
        if let Some(head) = here.log().head().await?
            && let Err(error) = catch_up(&here, author, &head).await
        {
            failure = Some(error);
        }
        if let Some(convergence) = converge(&here).await? {
            done.push(Reconciled {
                channel,
                convergence,
            });
        }
    }
    // Every channel is tried before the first failure is told.
    match failure.or_else(|| {
        done.iter()
            .find_map(|one| one.convergence.clone().complete().err())
    }) {
        Some(error) => Err(error),
        None => Ok(done),
    }
}

/// The channels of an app, by the folders of their logs.
pub async fn channels(place: &Place) -> Result<Vec<Channel>, Error> {
    let folders = place
        .store
        .folders(&Key::channels_prefix(&place.app))
        .await?;
    Ok(folders
        .into_iter()
        .filter_map(|name| name.parse().ok())
        .collect())
}
