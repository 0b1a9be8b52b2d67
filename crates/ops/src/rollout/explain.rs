//! `rollout explain`: what one client is offered, and why, by `decide` and by each updater's own rules.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use feed::Feed;
use release::{Client, Decision, decide};
use serde::Serialize;

use super::existing;
use crate::error::Error;
use crate::place::Place;
use crate::project::view;

/// A client to explain.
#[derive(Debug, Clone)]
pub struct Explain {
    /// What is known of it.
    pub client: Client,
}

/// What it gets.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The revision that decides.
    pub revision: u64,
    /// Where something sees the client: the update server, the edge, the SDK.
    pub decision: Decision,
    /// Where nothing does: what a static feed shows this client, by its updater's own rules.
    pub feeds: BTreeMap<String, String>,
}

/// Explains.
pub async fn explain(place: &Place, request: &Explain) -> Result<Explanation, Error> {
    place.store.recall().await;
    let head = existing(place).await?;
    let (view, _) = view(place, &head).await;
    let decision = decide(&view.state, &view.releases, &request.client);
    let feeds = view
        .state
        .feeds
        .iter()
        .filter_map(|name| Feed::from_str(name).ok());
    let feeds = feeds
        .map(|feed| {
            (
                feed.as_str().to_owned(),
                feed.explain(&view, &request.client),
            )
        })
        .collect();
    Ok(Explanation {
        revision: head.revision.revision,
        decision,
        feeds,
    })
}
