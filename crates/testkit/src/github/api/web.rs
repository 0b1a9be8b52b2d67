//! Downloads without the API: the site redirects to the storage, and the storage wants no token.

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use percent_encoding::percent_decode_str;

use crate::github::answer::Answer;
use crate::github::page::encoded;
use crate::github::state::{Asset, State};

impl State {
    /// A place that is signed in its query: whoever has it needs nothing else.
    pub(super) fn storage_url(&self, asset: &Asset) -> String {
        format!("{}/{}?sig={}", self.places.storage, asset.id, asset.sha256)
    }
}

/// `/acme/atlas/releases/download/v1.0.0/atlas.zip` and `/acme/atlas/releases/latest/download/atlas.zip`.
pub(crate) fn page(state: &State, path: &str) -> Answer {
    let path = percent_decode_str(path).decode_utf8_lossy();
    let releases = format!("/{}/releases/", state.repository);
    let Some(place) = path
        .strip_prefix(&releases)
        .filter(|_| !state.quirks.private)
    else {
        return Answer::empty(404);
    };
    if let Some(name) = place.strip_prefix("latest/download/") {
        return match state.latest() {
            Some(latest) => Answer::empty(302).with(
                "location",
                format!(
                    "{}/releases/download/{}/{}",
                    state.page_url(),
                    encoded(&latest.tag_name),
                    encoded(name)
                ),
            ),
            None => Answer::empty(404),
        };
    }
    let asset = place
        .strip_prefix("download/")
        .and_then(|place| place.rsplit_once('/'))
        .and_then(|(tag, name)| {
            let assets = &state.published(tag)?.assets;
            assets.iter().find(|asset| asset.name == name)
        });
    match asset {
        Some(asset) if !asset.starter => {
            Answer::empty(302).with("location", state.storage_url(asset))
        }
        _ => Answer::empty(404),
    }
}

/// The bytes of an asset. The error is what a client must not do.
pub(crate) fn bytes(
    state: &State,
    path: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<Answer, String> {
    // Azure refuses a request that is signed and authorized, and a token has no business there.
    if headers.contains_key(AUTHORIZATION) {
        return Err(format!(
            "GET {path}: `Authorization` went along with a redirect"
        ));
    }
    let id = path.trim_start_matches('/').parse().ok();
    let asset = id.and_then(|id| state.asset(id));
    let signed = |asset: &Asset| query == format!("sig={}", asset.sha256);
    Ok(match asset {
        Some((_, asset)) if signed(asset) => {
            let disposition = format!("attachment; filename={}", asset.name);
            Answer::bytes(200, &asset.content_type, asset.bytes.clone())
                .with("content-disposition", disposition)
        }
        _ => Answer::empty(404),
    })
}
