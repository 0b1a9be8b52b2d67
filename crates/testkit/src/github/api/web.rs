//! Downloads: from the site, and from the storage that the API redirects to.

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use percent_encoding::percent_decode_str;

use crate::github::answer::Answer;
use crate::github::state::{Asset, State};

/// The bytes of an asset. The error is what a client must not do.
pub(crate) fn download(
    state: &State,
    path: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<Answer, String> {
    if let Some(id) = path.strip_prefix("/storage/") {
        // Azure refuses a request that is signed and authorized, and a token has no business there.
        if headers.contains_key(AUTHORIZATION) {
            return Err(format!(
                "GET {path}: `Authorization` went along with a redirect"
            ));
        }
        let asset = id.parse().ok().and_then(|id| state.asset(id));
        let signed = |asset: &Asset| query == format!("sig={}", asset.sha256);
        return Ok(match asset {
            Some((_, asset)) if signed(asset) => bytes(asset),
            _ => Answer::empty(404),
        });
    }
    let path = percent_decode_str(path).decode_utf8_lossy();
    let found = path
        .strip_prefix(&format!("/{}/releases/download/", state.repository))
        .and_then(|place| place.rsplit_once('/'))
        .and_then(|(tag, name)| {
            let assets = &state.published(tag)?.assets;
            assets.iter().find(|asset| asset.name == name)
        });
    Ok(match found {
        Some(asset) if !asset.starter && !state.quirks.private => bytes(asset),
        _ => Answer::empty(404),
    })
}

fn bytes(asset: &Asset) -> Answer {
    let disposition = format!("attachment; filename={}", asset.name);
    Answer::bytes(200, &asset.content_type, asset.bytes.clone())
        .with("content-disposition", disposition)
}
