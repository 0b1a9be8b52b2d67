//! Uploading a file: one request, streamed from the disk, checked by the store against what was verified.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use http_body::{Frame, SizeHint};
use release::name::{chain, printable};
use release::{Crc64, Sha256};
use sha2::Digest as _;

use super::{BUSY_TRIES, S3, Write, pause, status};
use crate::error::StoreError;
use crate::key::Headers;
use crate::store::Progress;

/// The slowest upload that is worth waiting for, in bytes per second.
const BYTES_PER_SECOND_MIN: u64 = 256 * 1024;

/// A file, and what was verified of it.
pub(super) struct File<'a> {
    pub(super) source: &'a Path,
    pub(super) size: u64,
    pub(super) sha256: Sha256,
    pub(super) crc64nvme: Crc64,
    pub(super) progress: &'a Progress,
}

impl S3 {
    /// Creates the object from the file. The store refuses bytes that are not those that were verified.
    pub(super) async fn upload(
        &self,
        path: &str,
        file: &File<'_>,
        headers: &Headers,
    ) -> Result<Write, StoreError> {
        let attempt = Duration::from_secs((file.size / BYTES_PER_SECOND_MIN).max(60))
            .max(self.location.attempt_timeout);
        for busy in 0..BUSY_TRIES {
            let body = ByteStream::read_from()
                .path(file.source)
                .length(aws_sdk_s3::primitives::Length::Exact(file.size))
                .build()
                .await;
            let body = body.map_err(|error| self.problem("create", path, chain(&error)))?;
            let changed = Arc::new(AtomicBool::new(false));
            let watched = {
                let (progress, changed) = (file.progress.clone(), changed.clone());
                let (size, sha256) = (file.size, file.sha256);
                body.into_inner().map_preserve_contents(move |inner| {
                    SdkBody::from_body_1_x(Watched {
                        inner,
                        progress: progress.clone(),
                        hasher: sha2::Sha256::new(),
                        left: size,
                        expected: sha256,
                        changed: changed.clone(),
                    })
                })
            };
            let request = self
                .client
                .put_object()
                .bucket(&self.location.bucket)
                .key(self.key(path))
                .set_expected_bucket_owner(self.location.owner.clone())
                .content_type(headers.content_type)
                .cache_control(headers.cache_control)
                .set_content_disposition(headers.content_disposition.clone())
                .metadata("sha256", file.sha256.to_string())
                .set_checksum_crc64_nvme(
                    self.location.checksums.then(|| file.crc64nvme.to_string()),
                )
                .content_length(i64::try_from(file.size).unwrap_or(i64::MAX))
                .if_none_match("*")
                .body(ByteStream::new(watched));
            let timeouts = TimeoutConfig::builder()
                .operation_attempt_timeout(attempt)
                .operation_timeout(attempt * 3)
                .build();
            let sent = request
                .customize()
                .config_override(aws_sdk_s3::config::Config::builder().timeout_config(timeouts))
                .send()
                .await;
            match sent {
                Ok(answer) if answer.e_tag.is_some() => return Ok(Write::Done),
                Ok(_) => return Err(self.problem("create", path, super::NO_ETAG.to_owned())),
                Err(error) if status(&error) == Some(412) => return Ok(Write::ConditionFailed),
                Err(error) if status(&error) == Some(409) && busy + 1 < BUSY_TRIES => {
                    pause(busy).await
                }
                Err(_) if changed.load(Ordering::Relaxed) => {
                    return Err(StoreError::SourceChanged {
                        path: printable(&file.source.to_string_lossy()),
                        expected: format!("sha256 {}", file.sha256),
                        found: "other bytes while it was sent".to_owned(),
                    });
                }
                Err(error)
                    if matches!(
                        error.code(),
                        Some("BadDigest" | "InvalidDigest" | "XAmzContentChecksumMismatch")
                    ) =>
                {
                    return Err(StoreError::SourceChanged {
                        path: printable(&file.source.to_string_lossy()),
                        expected: format!("crc64nvme {} (sha256 {})", file.crc64nvme, file.sha256),
                        found: "other bytes, as the store says".to_owned(),
                    });
                }
                Err(error) => return Err(self.failed("create", path, &error)),
            }
        }
        Ok(Write::ConditionFailed)
    }
}

/// A body that says how much of it was sent, and withholds its last bytes unless all are those that were verified: the
/// store's own checksum keeps accidents out, but whoever can change the file can also match a CRC. A retry begins anew.
struct Watched {
    inner: SdkBody,
    progress: Progress,
    hasher: sha2::Sha256,
    left: u64,
    expected: Sha256,
    changed: Arc<AtomicBool>,
}

impl http_body::Body for Watched {
    type Data = <SdkBody as http_body::Body>::Data;
    type Error = <SdkBody as http_body::Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            (self.progress)(data.len() as u64);
            self.hasher.update(data);
            self.left = self.left.saturating_sub(data.len() as u64);
            if self.left == 0 {
                let found = Sha256::from_bytes(self.hasher.clone().finalize().into());
                if found != self.expected {
                    self.changed.store(true, Ordering::Relaxed);
                    let error = std::io::Error::other(format!("found sha256 {found}"));
                    return Poll::Ready(Some(Err(error.into())));
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.inner)
    }
}
