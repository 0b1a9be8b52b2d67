//! `reconcile`: derives again whatever a crash left behind. Harmless at any time, by anybody who may write projections.

use release::name::Channel;
use serde::Serialize;
use store::Key;

use crate::error::Error;
use crate::place::{Author, Place};
use crate::project::{Convergence, converge_from};
use crate::rollout::{catch_up, understood_head};

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
    // Every channel is tried before the first failure is told.
    let (mut done, mut failures) = (Vec::new(), Vec::new());
    for channel in names {
        match one(&place.sibling(&channel), author).await {
            Ok(Some(convergence)) => done.push(Reconciled {
                channel,
                convergence,
            }),
            Ok(None) => {}
            Err(error) => failures.push(error),
        }
    }
    let lagging = done.iter().map(|one| one.convergence.clone().complete());
    failures.extend(lagging.filter_map(Result::err));
    match failures.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(done),
    }
}

/// One channel, where this binary may write to it at all.
async fn one(place: &Place, author: &Author) -> Result<Option<Convergence>, Error> {
    let Some(head) = understood_head(place).await? else {
        return Ok(None);
    };
    let followed = catch_up(place, author, &head).await;
    let mut convergence = converge_from(place, head).await;
    convergence.lagging.extend(followed.lagging);
    Ok(Some(convergence))
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
