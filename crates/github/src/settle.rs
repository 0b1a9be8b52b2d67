//! What stands under the name of an asset, and whether it may go. A `starter` is what a broken upload leaves, and what an
//! upload looks like that is under way.

use std::time::{Duration, Instant};

use release::name::printable;
use reqwest::Method;

use crate::Write;
use crate::assets::{Asset, AssetState, Upload};
use crate::call::Call;
use crate::error::GitHubError;
use crate::releases::Release;

/// How often an upload under way is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Whose the leftover under a name may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// One of our own requests may have left it.
    Ours,
    /// Another process may be about to finish it.
    Anybodys,
}

/// One upload, to be settled.
pub(crate) struct Settling<'a> {
    pub(crate) write: &'a Write,
    pub(crate) call: &'a Call,
    pub(crate) draft: &'a Release,
    pub(crate) upload: &'a Upload,
}

impl Settling<'_> {
    /// What stands under the name: the file, or nothing any more.
    pub(crate) async fn look(&self, whose: Whose) -> Result<Option<Asset>, GitHubError> {
        let began = Instant::now();
        let read = self.write.read();
        loop {
            let assets = read.assets(self.draft).await?;
            let found = assets
                .into_iter()
                .find(|asset| asset.name == self.upload.name.as_str());
            let Some(asset) = found else {
                return Ok(None);
            };
            if read.holds(&asset, self.upload).await? {
                return Ok(Some(asset));
            }
            let is_under_way = asset.state == AssetState::Starter && whose == Whose::Anybodys;
            if is_under_way && began.elapsed() < self.write.client().place.attempt_timeout {
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            // Right before it goes: somebody may have published the draft since it was found.
            let now = read.release(self.draft.id).await?;
            if now.is_none_or(|now| !now.draft) {
                return Err(self.taken(&asset));
            }
            self.delete(&asset).await?;
            return Ok(None);
        }
    }

    fn taken(&self, asset: &Asset) -> GitHubError {
        GitHubError::Taken {
            doing: self.call.doing.clone(),
            repository: self.write.read().repository().to_string(),
            expected: self.upload.sha256.to_string(),
            found: match &asset.digest {
                Some(digest) => printable(digest),
                None => format!("{} bytes", asset.size),
            },
        }
    }

    /// One that is gone is as good as deleted.
    async fn delete(&self, asset: &Asset) -> Result<(), GitHubError> {
        let path = format!("releases/assets/{}", asset.id);
        let path = self.write.read().repository().path(&path);
        let name = printable(&asset.name);
        let doing = format!("delete what is left of the asset `{name}`");
        let call = Call::change(Method::DELETE, path, None, doing);
        self.write.client().find(&call).await.map(drop)
    }
}
