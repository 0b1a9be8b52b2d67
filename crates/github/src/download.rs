//! The digest of an asset from its bytes: for a GitHub that takes none itself.

use std::time::Duration;

use release::Sha256;
use release::name::chain;
use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, LOCATION};
use sha2::Digest as _;

use crate::Read;
use crate::assets::{Asset, Upload};
use crate::call::{Call, Trouble};
use crate::error::GitHubError;
use crate::place::may_carry_a_token;

/// How often an answer may lead elsewhere.
const REDIRECTS_MAX: usize = 3;

impl Read {
    /// Whether the asset is this file, by the digest that GitHub took of it, or else by all of its bytes.
    ///
    /// # Errors
    /// Where GitHub does not answer.
    pub async fn holds(&self, asset: &Asset, upload: &Upload) -> Result<bool, GitHubError> {
        match asset.is(upload) {
            Some(is) => Ok(is),
            None => Ok(self.digest(asset, upload).await? == upload.sha256),
        }
    }

    async fn digest(&self, asset: &Asset, upload: &Upload) -> Result<Sha256, GitHubError> {
        let path = self
            .repository()
            .path(&format!("releases/assets/{}", asset.id));
        let call = Call::get(path, format!("read the asset `{}` back", upload.name));
        let mut tries = self.0.tries();
        loop {
            let (why, wait) = match self.digest_once(&call, upload.size).await {
                Ok(digest) => return Ok(digest),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::NotDone { why, wait }) => (why, wait),
                Err(Trouble::Unknown { why }) => (why, None),
            };
            tries.pause(&call, self.repository(), why, wait).await?;
        }
    }

    async fn digest_once(&self, call: &Call, bytes_max: u64) -> Result<Sha256, Trouble> {
        let limit = self.0.place.slowest(bytes_max);
        let mut response = self.bytes(call, limit).await?;
        if !response.status().is_success() {
            return Err(self.refused(call, response).await);
        }
        let mut hasher = sha2::Sha256::new();
        let mut read = 0_u64;
        loop {
            let piece = response.chunk().await;
            let piece = piece.map_err(|error| Trouble::Unknown { why: chain(&error) })?;
            let Some(piece) = piece else { break };
            read += piece.len() as u64;
            hasher.update(&piece);
            if read > bytes_max {
                // Longer than what it was to be: whatever its digest is, it is another.
                break;
            }
        }
        Ok(Sha256::from_bytes(hasher.finalize().into()))
    }

    /// The bytes, from where GitHub says they are. The token stays with GitHub's API.
    async fn bytes(&self, call: &Call, limit: Duration) -> Result<reqwest::Response, Trouble> {
        let api = self.0.place.api.as_str().trim_end_matches('/');
        let mut url = format!("{api}{}", call.path);
        for _ in 0..=REDIRECTS_MAX {
            let mut request = self
                .0
                .http
                .get(&url)
                .timeout(limit)
                .header(ACCEPT, "application/octet-stream");
            // A repository that was renamed is at another path of the same place.
            if Url::parse(&url).is_ok_and(|url| self.0.place.api.is_host_of(&url))
                && let Some(token) = &self.0.place.token
            {
                request = request.header(AUTHORIZATION, format!("Bearer {}", token.reveal()));
            }
            let response = request
                .send()
                .await
                .map_err(|error| Trouble::Unknown { why: chain(&error) })?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            let to = response.headers().get(LOCATION);
            let to = to.and_then(|to| to.to_str().ok()).unwrap_or_default();
            // Not that the token went along; but what is read there should be what GitHub sent us to.
            let is_safe = Url::parse(to).is_ok_and(|mut url| {
                url.set_query(None);
                may_carry_a_token(&url)
            });
            if !is_safe {
                break;
            }
            to.clone_into(&mut url);
        }
        Err(Trouble::Unknown {
            why: "GitHub leads from one address to the next".to_owned(),
        })
    }
}
