//! Assets of a release: streamed from the disk, and believed only by the digest that GitHub took of them.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use release::name::{chain, printable};
use release::{FileName, Sha256};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, Url};
use serde::Deserialize;
use tokio::io::{AsyncRead as _, ReadBuf};

use crate::call::{Call, Trouble, trouble};
use crate::client::{JSON, now_unix};
use crate::error::GitHubError;
use crate::place::may_carry_a_token;
use crate::releases::Release;
use crate::retry::{Limits, Tries};
use crate::settle::{Settling, Whose};
use crate::{Read, Write};

/// How much of a file is in memory at a time, in bytes.
const CHUNK_BYTES: usize = 256 * 1024;
/// The largest answer to an upload, in bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Told how many more bytes were sent.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// An asset as GitHub has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Asset {
    /// Its number.
    pub id: u64,
    /// Its name, as GitHub made it of the one it was given.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// How far it came.
    pub state: AssetState,
    /// `sha256:…`; missing in older versions of GitHub Enterprise Server.
    #[serde(default)]
    pub digest: Option<String>,
}

/// How far an asset came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AssetState {
    /// It is there.
    Uploaded,
    /// An upload that broke off, and blocks its name.
    #[serde(alias = "open", alias = "new")]
    Starter,
}

/// A file to be uploaded.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its name.
    pub name: FileName,
    /// Its type.
    pub content_type: &'static str,
    /// Its length in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Sha256,
    /// Its bytes.
    pub body: Body,
}

/// Where bytes come from.
#[derive(Debug, Clone)]
pub enum Body {
    /// From here.
    Bytes(Vec<u8>),
    /// From a file, a piece at a time.
    File(PathBuf),
}

impl Asset {
    /// Whether these are the bytes; none where this GitHub takes no digests.
    pub(crate) fn is(&self, upload: &Upload) -> Option<bool> {
        if self.state != AssetState::Uploaded || self.size != upload.size {
            return Some(false);
        }
        let digest = self.digest.as_deref()?;
        Some(digest.strip_prefix("sha256:") == Some(upload.sha256.to_string().as_str()))
    }
}

impl Read {
    /// What an answer that is not 2xx means, of a request that went around octocrab.
    pub(crate) async fn refused(&self, call: &Call, response: reqwest::Response) -> Trouble {
        let (status, headers) = (response.status(), response.headers().clone());
        match limited(response).await {
            Ok(body) => trouble(call, self.repository(), status, &headers, &body, now_unix()),
            Err(trouble) => trouble,
        }
    }

    /// The assets of a release, unfinished ones as well: the release itself does not name those.
    ///
    /// # Errors
    /// Where GitHub does not answer.
    pub async fn assets(&self, release: &Release) -> Result<Vec<Asset>, GitHubError> {
        let path = format!("releases/{}/assets", release.id);
        let doing = format!("list the assets of `{}`", release.tag_name);
        let call = Call::get(self.repository().path(&path), doing);
        let mut assets = Vec::new();
        let page = |page: Vec<Asset>| assets.extend(page);
        self.0.pages(&call, "assets", page).await?;
        Ok(assets)
    }
}

impl Write {
    /// Uploads a file to a draft, and gives the asset that GitHub says has its digest. What stands under its name and is
    /// not this file is deleted if it is the leftover of an upload that broke off; of anything that is published nothing is.
    ///
    /// # Errors
    /// Where GitHub does not answer or takes other bytes than it was sent, the token may not, the file cannot be read, or
    /// other bytes are published under its name.
    pub async fn upload(
        &self,
        draft: &Release,
        upload: &Upload,
        there: Option<&Asset>,
        progress: &Progress,
    ) -> Result<Asset, GitHubError> {
        let call = self.upload_call(draft, upload)?;
        let slowest = self.client().place.slowest(upload.size);
        let limits = self.client().limits;
        let mut tries = Tries::new(Limits {
            total: limits.total.saturating_add(slowest.saturating_mul(2)),
            ..limits
        });
        let settling = Settling {
            write: self,
            call: &call,
            draft,
            upload,
        };
        if there.is_some()
            && let Some(asset) = settling.look(Whose::Anybodys).await?
        {
            return Ok(asset);
        }
        let mut whose = Whose::Anybodys;
        loop {
            let (why, wait) = match self.send(&call, upload, slowest, progress).await {
                Ok(asset) if self.read().holds(&asset, upload).await? => return Ok(asset),
                Ok(asset) => {
                    whose = Whose::Ours;
                    (differs(&asset, upload), None)
                }
                // A name that is taken, by ourselves or by a leftover: the look below tells.
                Err(Trouble::Final(GitHubError::Invalid {
                    status: 422, said, ..
                })) if said.contains("already_exists") => ("its name is taken".to_owned(), None),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::NotDone { why, wait }) => (why, wait),
                Err(Trouble::Unknown { why }) => {
                    whose = Whose::Ours;
                    (why, None)
                }
            };
            tries
                .pause(&call, self.read().repository(), why, wait)
                .await?;
            if let Some(asset) = settling.look(whose).await? {
                return Ok(asset);
            }
        }
    }

    /// The request, without its body. The address is a template of which only the query is ours.
    fn upload_call(&self, draft: &Release, upload: &Upload) -> Result<Call, GitHubError> {
        let doing = format!("upload `{}`", upload.name);
        let template = draft.upload_url.split('{').next().unwrap_or_default();
        let url = Url::parse(template).ok().filter(may_carry_a_token);
        let Some(mut url) = url else {
            return Err(GitHubError::Unreadable {
                doing,
                repository: self.read().repository().to_string(),
                why: format!("`{}` is no address to upload to", printable(template)),
            });
        };
        url.query_pairs_mut()
            .append_pair("name", upload.name.as_str());
        let path = url.to_string();
        Ok(Call::change(Method::POST, path, None, doing))
    }

    async fn send(
        &self,
        call: &Call,
        upload: &Upload,
        limit: Duration,
        progress: &Progress,
    ) -> Result<Asset, Trouble> {
        let client = self.client();
        let repository = self.read().repository();
        let source = |error: io::Error| {
            Trouble::Final(GitHubError::Source {
                doing: call.doing.clone(),
                repository: repository.to_string(),
                why: printable(&error.to_string()),
            })
        };
        let body = match &upload.body {
            Body::Bytes(bytes) => reqwest::Body::from(bytes.clone()),
            Body::File(path) => {
                let file = tokio::fs::File::open(path).await.map_err(source)?;
                reqwest::Body::wrap(Pieces {
                    file,
                    left: upload.size,
                    progress: progress.clone(),
                })
            }
        };
        let mut request = client
            .http
            .post(&call.path)
            .header(ACCEPT, JSON)
            .header(CONTENT_TYPE, upload.content_type)
            .timeout(limit)
            .body(body);
        if let Some(token) = &client.place.token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.reveal()));
        }
        let response = request.send().await.map_err(|error| {
            let why = chain(&error);
            if error.is_connect() {
                Trouble::NotDone { why, wait: None }
            } else {
                Trouble::Unknown { why }
            }
        })?;
        if !response.status().is_success() {
            return Err(self.read().refused(call, response).await);
        }
        let body = limited(response).await?;
        serde_json::from_slice(&body).map_err(|error| Trouble::Unknown {
            why: printable(&error.to_string()),
        })
    }
}

async fn limited(mut response: reqwest::Response) -> Result<Vec<u8>, Trouble> {
    let unknown = |why: String| Trouble::Unknown { why };
    let mut body = Vec::new();
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|error| unknown(chain(&error)))?
    {
        body.extend_from_slice(&piece);
        if body.len() > ANSWER_BYTES_MAX {
            return Err(unknown("GitHub's answer is too long".to_owned()));
        }
    }
    Ok(body)
}

fn differs(asset: &Asset, upload: &Upload) -> String {
    let found = match &asset.digest {
        Some(digest) => printable(digest),
        None => format!("{} bytes", asset.size),
    };
    format!(
        "GitHub has other bytes than were sent: expected sha256:{} ({} bytes), found {found}",
        upload.sha256, upload.size
    )
}

/// A file as a body, a piece at a time and exactly as long as it was.
struct Pieces {
    file: tokio::fs::File,
    left: u64,
    progress: Progress,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let length = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(CHUNK_BYTES);
        let mut piece = vec![0; length];
        let mut buffer = ReadBuf::new(&mut piece);
        ready!(Pin::new(&mut self.file).poll_read(context, &mut buffer))?;
        let read = buffer.filled().len();
        if read == 0 {
            let error = io::Error::other("the file is shorter than when it was verified");
            return Poll::Ready(Some(Err(error)));
        }
        piece.truncate(read);
        self.left -= read as u64;
        (self.progress)(read as u64);
        Poll::Ready(Some(Ok(http_body::Frame::data(piece.into()))))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.left)
    }
}
