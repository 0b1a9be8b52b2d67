//! A bucket as a store: aws-sdk-s3 against AWS, R2, MinIO, and others by endpoint.
//!
//! The SDK repeats conditional writes whose answer was lost, and then reports a failed condition for a write that is
//! ours. So a failed condition is never reported as a conflict here; whoever called reads back and compares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{
    ConfigBag, Intercept, Region, RequestChecksumCalculation, RuntimeComponents,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{ByteStream, DateTime, DateTimeFormat};
use aws_sdk_s3::types::ChecksumMode;
use release::name::chain;
use release::{Crc64, Sha256, Timestamp};

use super::{Body, Info, Object, Write};
use crate::error::StoreError;
use crate::key::Headers;
use crate::location::S3Location;

mod upload;

/// Attempts of one request by the SDK, the first included.
const ATTEMPTS: u32 = 5;
/// Tries of a conditional write that the store answered with 409: another request on the key was in flight.
const BUSY_TRIES: u32 = 8;
/// Why a success is not taken for one: S3 answers every read and write of an object with its ETag.
const NO_ETAG: &str = "the answer says 200 and names no ETag, so it is no store's";
/// The largest single upload that S3 takes.
pub(crate) const UPLOAD_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;

#[derive(Debug, Clone)]
pub(crate) struct S3 {
    client: Client,
    location: Arc<S3Location>,
    clock: Clock,
    /// Whether `If-Match` wants the ETag without its quotes (DigitalOcean Spaces).
    unquoted: Arc<AtomicBool>,
}

/// The store's clock: the `Date` of its last answer.
#[derive(Debug, Clone, Default)]
struct Clock(Arc<AtomicI64>);

impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "store-clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        let date = context.response().headers().get("date");
        if let Some(date) =
            date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok())
        {
            self.0.store(date.secs(), Ordering::Relaxed);
        }
        Ok(())
    }
}

impl S3 {
    pub(crate) async fn connect(location: S3Location) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5).min(location.attempt_timeout))
            .operation_attempt_timeout(location.attempt_timeout)
            .operation_timeout(location.attempt_timeout * ATTEMPTS + Duration::from_secs(10))
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(Duration::from_millis(100))
            .with_max_backoff(Duration::from_secs(5));
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .timeout_config(timeouts)
            .retry_config(retries);
        if let Some(region) = &location.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let shared = loader.load().await;
        let clock = Clock::default();
        let mut config = aws_sdk_s3::config::Builder::from(&shared)
            // Ours is computed before the upload and travels as a header; the default is a trailer, which costs a
            // second pass and which some stores do not take.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .interceptor(clock.clone());
        if let Some(endpoint) = &location.endpoint {
            config = config.endpoint_url(endpoint).force_path_style(true);
        }
        if shared.region().is_none() {
            config = config.region(Region::from_static("us-east-1"));
        }
        let client = Client::from_conf(config.build());
        Self {
            client,
            location: Arc::new(location),
            clock,
            unquoted: Arc::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.0.load(Ordering::Relaxed)).unwrap_or(Timestamp::EPOCH)
    }

    /// From here on, `If-Match` is sent without quotes.
    pub(crate) fn send_unquoted_tags(&self) {
        self.unquoted.store(true, Ordering::Relaxed);
    }

    pub(crate) async fn get(
        &self,
        path: &str,
        bytes_max: u64,
    ) -> Result<Option<Object>, StoreError> {
        for attempt in 0..ATTEMPTS {
            match self.get_once(path, bytes_max).await? {
                Answer::Of(found) => return Ok(found),
                Answer::NoStores => pause(attempt).await,
            }
        }
        Err(self.problem("read", path, NO_ETAG.to_owned()))
    }

    pub(crate) async fn head(&self, path: &str) -> Result<Option<Info>, StoreError> {
        for attempt in 0..ATTEMPTS {
            match self.head_once(path).await? {
                Answer::Of(found) => return Ok(found),
                Answer::NoStores => pause(attempt).await,
            }
        }
        Err(self.problem("look at", path, NO_ETAG.to_owned()))
    }

    async fn get_once(
        &self,
        path: &str,
        bytes_max: u64,
    ) -> Result<Answer<Option<Object>>, StoreError> {
        let request = self
            .client
            .get_object()
            .bucket(&self.location.bucket)
            .key(self.key(path));
        let answer = match request
            .set_expected_bucket_owner(self.location.owner.clone())
            .send()
            .await
        {
            Ok(answer) => answer,
            Err(error) if status(&error) == Some(404) => return Ok(Answer::Of(None)),
            Err(error) => return Err(self.failed("read", path, &error)),
        };
        let modified = timestamp(answer.last_modified);
        let Some(tag) = answer.e_tag else {
            return Ok(Answer::NoStores);
        };
        let mut body = answer.body;
        let mut bytes = Vec::new();
        loop {
            match body.try_next().await {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => {
                    return Ok(Answer::Of(Some(Object {
                        bytes,
                        tag,
                        modified,
                    })));
                }
                Err(error) => return Err(self.problem("read", path, chain(&error))),
            }
            if bytes.len() as u64 > bytes_max {
                return Err(self.problem("read", path, format!("larger than {bytes_max} bytes")));
            }
        }
    }

    async fn head_once(&self, path: &str) -> Result<Answer<Option<Info>>, StoreError> {
        let request = self
            .client
            .head_object()
            .bucket(&self.location.bucket)
            .key(self.key(path));
        let request = request
            .set_expected_bucket_owner(self.location.owner.clone())
            .checksum_mode(ChecksumMode::Enabled);
        match request.send().await {
            Ok(answer) if answer.e_tag.is_none() => Ok(Answer::NoStores),
            Ok(answer) => {
                let said = answer
                    .metadata
                    .as_ref()
                    .and_then(|metadata| metadata.get("sha256"));
                Ok(Answer::Of(Some(Info {
                    size: answer
                        .content_length
                        .and_then(|size| u64::try_from(size).ok())
                        .unwrap_or(0),
                    sha256: said.and_then(|text| text.parse::<Sha256>().ok()),
                    crc64nvme: answer
                        .checksum_crc64_nvme
                        .and_then(|text| text.parse::<Crc64>().ok()),
                })))
            }
            Err(error) if status(&error) == Some(404) => Ok(Answer::Of(None)),
            Err(error) => Err(self.failed("look at", path, &error)),
        }
    }

    pub(crate) async fn create(
        &self,
        path: &str,
        body: Body<'_>,
        headers: &Headers,
    ) -> Result<Write, StoreError> {
        match body {
            Body::Bytes(bytes) => self.put(path, bytes, headers, Condition::Absent).await,
            Body::File {
                path: source,
                size,
                sha256,
                crc64nvme,
                progress,
            } => {
                if size > UPLOAD_BYTES_MAX {
                    let reason = format!(
                        "it has {size} bytes, a single upload takes at most {UPLOAD_BYTES_MAX}"
                    );
                    return Err(self.problem("create", path, reason));
                }
                let file = upload::File {
                    source,
                    size,
                    sha256,
                    crc64nvme,
                    progress,
                };
                self.upload(path, &file, headers).await
            }
        }
    }

    pub(crate) async fn replace(
        &self,
        path: &str,
        bytes: &[u8],
        headers: &Headers,
        tag: &str,
    ) -> Result<Write, StoreError> {
        self.put(path, bytes, headers, Condition::Tag(tag)).await
    }

    /// One document, under a condition.
    pub(crate) async fn put(
        &self,
        path: &str,
        bytes: &[u8],
        headers: &Headers,
        condition: Condition<'_>,
    ) -> Result<Write, StoreError> {
        let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes);
        for attempt in 0..BUSY_TRIES {
            let request = self
                .client
                .put_object()
                .bucket(&self.location.bucket)
                .key(self.key(path))
                .set_expected_bucket_owner(self.location.owner.clone())
                .content_type(headers.content_type)
                .cache_control(headers.cache_control)
                .set_content_disposition(headers.content_disposition.clone())
                .set_checksum_crc64_nvme(
                    self.location
                        .checksums
                        .then(|| Crc64::from_value(crc).to_string()),
                )
                .body(ByteStream::from(bytes.to_vec()));
            let request = match condition {
                Condition::Absent => request.if_none_match("*"),
                Condition::Tag(tag) if self.unquoted.load(Ordering::Relaxed) => {
                    request.if_match(tag.trim_matches('"'))
                }
                Condition::Tag(tag) => request.if_match(tag),
            };
            match request.send().await {
                Ok(answer) if answer.e_tag.is_some() => return Ok(Write::Done),
                // Whatever answered, it was not a store that has written: whoever asked reads back.
                Ok(_) => return Err(self.problem("write", path, NO_ETAG.to_owned())),
                // 404 answers `If-Match` on a key that is not there.
                Err(error) if matches!(status(&error), Some(412 | 404)) => {
                    return Ok(Write::ConditionFailed);
                }
                Err(error) if status(&error) == Some(409) && attempt + 1 < BUSY_TRIES => {
                    pause(attempt).await
                }
                Err(error) => return Err(self.failed("write", path, &error)),
            }
        }
        Ok(Write::ConditionFailed)
    }

    pub(crate) async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<String>, StoreError> {
        let request = self
            .client
            .list_objects_v2()
            .bucket(&self.location.bucket)
            .prefix(self.key(prefix));
        let request = request.set_expected_bucket_owner(self.location.owner.clone());
        let mut pages = request
            .set_start_after(after.map(|after| self.key(after)))
            .into_paginator()
            .send();
        let mut paths = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("list", prefix, &error))?;
            let keys = page
                .contents
                .unwrap_or_default()
                .into_iter()
                .filter_map(|object| object.key);
            paths.extend(
                keys.filter_map(|key| key.strip_prefix(&self.location.prefix).map(str::to_owned)),
            );
        }
        paths.sort_unstable();
        Ok(paths)
    }

    pub(crate) async fn folders(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let request = self
            .client
            .list_objects_v2()
            .bucket(&self.location.bucket)
            .prefix(self.key(prefix))
            .delimiter("/");
        let mut pages = request
            .set_expected_bucket_owner(self.location.owner.clone())
            .into_paginator()
            .send();
        let full = self.key(prefix);
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("list", prefix, &error))?;
            let folders = page
                .common_prefixes
                .unwrap_or_default()
                .into_iter()
                .filter_map(|folder| folder.prefix);
            names.extend(folders.filter_map(|path| {
                path.strip_prefix(&full)
                    .map(|name| name.trim_end_matches('/').to_owned())
            }));
        }
        names.sort_unstable();
        Ok(names)
    }

    fn key(&self, path: &str) -> String {
        format!("{}{path}", self.location.prefix)
    }

    fn failed<E>(&self, action: &'static str, path: &str, error: &SdkError<E>) -> StoreError
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let hint = match status(error) {
            Some(403) => {
                " (403 also answers for a missing object where listing the bucket is not allowed; check the credentials and the role)"
            }
            Some(301 | 400) if self.location.region.is_none() => {
                " (is the region right? give `?region=…`)"
            }
            _ => "",
        };
        let code = error
            .code()
            .map(|code| format!("{}: ", release::name::printable(code)))
            .unwrap_or_default();
        let reason = error
            .message()
            .map_or_else(|| chain(error), release::name::printable);
        self.problem(action, path, format!("{code}{reason}{hint}"))
    }

    fn problem(&self, action: &'static str, path: &str, reason: String) -> StoreError {
        let store = format!("s3://{}/{}", self.location.bucket, self.location.prefix);
        StoreError::Failed {
            action,
            key: path.to_owned(),
            store,
            reason,
        }
    }
}

/// What came back with a 200.
enum Answer<T> {
    /// An answer.
    Of(T),
    /// Something that no store says of an object, such as an error for a body.
    NoStores,
}

/// What must hold for a write to happen.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Condition<'a> {
    /// Nothing is there (`If-None-Match: *`).
    Absent,
    /// What is there has this ETag (`If-Match`).
    Tag(&'a str),
}

/// The answer's status; none where there was no answer, or where it says that there is no such bucket, which must
/// never read as "no such object".
fn status<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<u16> {
    let answered = error
        .raw_response()
        .filter(|_| error.code() != Some("NoSuchBucket"));
    answered.map(|response| response.status().as_u16())
}

fn timestamp(time: Option<DateTime>) -> Timestamp {
    time.and_then(|time| Timestamp::from_unix(time.secs()).ok())
        .unwrap_or(Timestamp::EPOCH)
}

/// A growing wait, different for each process, so that writers that met once do not meet again.
async fn pause(attempt: u32) {
    tokio::time::sleep(crate::store::jittered(attempt)).await;
}
