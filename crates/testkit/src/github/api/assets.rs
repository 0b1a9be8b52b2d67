//! Assets of releases: uploads and what may become of them.

use hyper::HeaderMap;
use hyper::body::Bytes;
use sha2::Digest as _;

use super::{Done, Now};
use crate::github::answer::Answer;
use crate::github::contract::header;
use crate::github::fault::Does;
use crate::github::objects::hex;
use crate::github::page::{linked, slice};
use crate::github::state::Asset;

impl Now<'_> {
    /// Stores a file, or what a fault makes of it.
    pub(crate) fn upload(
        &mut self,
        headers: &HeaderMap,
        body: Bytes,
        fault: Option<&Does>,
    ) -> Answer {
        self.try_upload(headers, body, fault)
            .unwrap_or_else(|refusal| refusal)
    }

    fn try_upload(&mut self, headers: &HeaderMap, body: Bytes, fault: Option<&Does>) -> Done {
        let asked = self.asked;
        let release = self.release()?;
        let id = release.id;
        let name = rewritten(asked.query.get("name").map_or("", String::as_str));
        if release.immutable {
            let message = "Cannot upload assets to an immutable release.";
            return Err(Answer::message(422, message));
        }
        if body.is_empty() {
            return Err(Answer::message(400, "Bad Content-Length: 0"));
        }
        if release.assets.iter().any(|asset| asset.name == name) {
            return Err(Answer::invalid("ReleaseAsset", "already_exists", "name"));
        }
        let max = self.state.quirks.asset_bytes_max;
        if body.len() as u64 > max {
            let message = format!("size must be less than or equal to {max}");
            return Err(Answer::custom("ReleaseAsset", "size", &message));
        }
        let max = self.state.quirks.assets_max;
        if release.assets.len() >= max {
            let message = format!("file_count limited to {max} assets per release");
            return Err(Answer::custom("ReleaseAsset", "file_count", &message));
        }
        let starter = matches!(fault, Some(Does::StarterLeft));
        let stored = match fault {
            Some(Does::StarterLeft) => Bytes::new(),
            Some(Does::CorruptUpload) => {
                let mut other = body.to_vec();
                other[0] ^= 1;
                other.into()
            }
            _ => body,
        };
        let asset = Asset {
            id: self.state.next_id(),
            name,
            label: asked.query.get("label").cloned(),
            content_type: header(headers, "content-type")
                .unwrap_or("application/octet-stream")
                .to_owned(),
            starter,
            sha256: hex(&sha2::Sha256::digest(&stored)),
            bytes: stored,
            created_at: self.unix,
        };
        let Some(release) = self.state.releases.get_mut(&id) else {
            return Err(Answer::not_found());
        };
        release.assets.push(asset.clone());
        let release = &self.state.releases[&id];
        if starter {
            return Err(Answer::message(502, "Server Error"));
        }
        Ok(Answer::created(self.state.asset_json(release, &asset)))
    }

    /// With the uploads that broke off.
    pub(super) fn list_release_assets(&self) -> Done {
        let release = self.release()?;
        let page = slice(&release.assets, self.asked);
        let page = page
            .iter()
            .map(|asset| self.state.asset_json(release, asset));
        let url = format!(
            "{}/releases/{}/assets",
            self.state.repository_url(),
            release.id
        );
        let answer = Answer::ok(page.collect());
        Ok(linked(answer, &url, self.asked, release.assets.len()))
    }

    pub(super) fn get_release_asset(&self) -> Done {
        let (release, asset) = self
            .state
            .asset(self.id("asset_id")?)
            .filter(|(release, _)| !release.draft || self.caller.sees_drafts())
            .ok_or_else(Answer::not_found)?;
        if !self.asked.wants_bytes {
            return Ok(Answer::ok(self.state.asset_json(release, asset)));
        }
        if asset.starter {
            return Err(Answer::not_found());
        }
        Ok(Answer::empty(302).with("location", self.state.storage_url(asset)))
    }

    pub(super) fn delete_release_asset(&mut self) -> Done {
        let id = self.id("asset_id")?;
        let (release, _) = self.state.asset(id).ok_or_else(Answer::not_found)?;
        if release.immutable {
            let message = "Cannot delete asset from an immutable release.";
            return Err(Answer::message(422, message));
        }
        let release = release.id;
        if let Some(release) = self.state.releases.get_mut(&release) {
            release.assets.retain(|asset| asset.id != id);
        }
        Ok(Answer::empty(204))
    }
}

/// A name as GitHub keeps it: "GitHub renames asset filenames that have special characters, non-alphanumeric characters, and
/// leading or trailing periods". How is not documented. This is what users have seen (`travis-ci/dpl#821`,
/// `actions/upload-release-asset#57`): runs of other characters become one dot, dots at the end go, and a dot at the
/// beginning gets `default` before it.
fn rewritten(name: &str) -> String {
    let mut made = String::new();
    for character in name.chars() {
        let kept = character.is_ascii_alphanumeric() || "_+@-".contains(character);
        if kept {
            made.push(character);
        } else if !made.ends_with('.') {
            made.push('.');
        }
    }
    let made = made.trim_end_matches('.');
    if made.is_empty() || made.starts_with('.') {
        format!("default{made}")
    } else {
        made.to_owned()
    }
}
