//! The operations, between the wire types of `s3s` and what is stored.

use std::sync::Arc;

use http_body_util::BodyExt as _;
use s3s::dto::{
    CommonPrefix, DeleteObjectInput, DeleteObjectOutput, ETag, GetObjectInput, GetObjectOutput,
    HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object as Listed, PutObjectInput, PutObjectOutput, StreamingBlob,
};
use s3s::{Body, S3Request, S3Response, S3Result, s3_error};

use super::BUCKET;
use super::checksum::Said;
use super::service::Shared;
use super::state::{Conditions, Object};

/// As many keys as one page of a listing has at most.
const PAGE_MAX: i32 = 1000;

/// The operations on what a server keeps.
pub(crate) struct Api(pub(crate) Arc<Shared>);

impl Api {
    fn find(&self, bucket: &str, key: &str) -> S3Result<Object> {
        in_bucket(bucket)?;
        let found = self.0.state().objects.get(key).cloned();
        found.ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))
    }
}

fn in_bucket(bucket: &str) -> S3Result<()> {
    if bucket == BUCKET {
        return Ok(());
    }
    Err(s3_error!(
        NoSuchBucket,
        "The specified bucket does not exist"
    ))
}

fn conditions<T>(request: &S3Request<T>) -> Conditions {
    request
        .extensions
        .get::<Conditions>()
        .cloned()
        .unwrap_or_default()
}

#[async_trait::async_trait]
impl s3s::S3 for Api {
    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        in_bucket(&request.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let conditions = conditions(&request);
        let trailers = request.trailing_headers.clone();
        let input = request.input;
        in_bucket(&input.bucket)?;
        let body = input.body.map(Body::from).unwrap_or_else(Body::empty);
        let collected = body.collect().await;
        let collected =
            collected.map_err(|error| s3_error!(IncompleteBody, "the body broke off: {error}"))?;
        let bytes = collected.to_bytes().to_vec();
        let trailer = |name: &str| {
            let trailers = trailers.as_ref()?;
            trailers
                .read(|headers| Some(headers.get(name)?.to_str().ok()?.to_owned()))
                .flatten()
        };
        let said = Said {
            crc64nvme: input
                .checksum_crc64nvme
                .or_else(|| trailer("x-amz-checksum-crc64nvme")),
            crc32: input
                .checksum_crc32
                .or_else(|| trailer("x-amz-checksum-crc32")),
            crc32c: input
                .checksum_crc32c
                .or_else(|| trailer("x-amz-checksum-crc32c")),
            sha256: input
                .checksum_sha256
                .or_else(|| trailer("x-amz-checksum-sha256")),
        };
        said.check(&bytes)?;
        let object = Object {
            content_type: input.content_type,
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            metadata: input.metadata.unwrap_or_default().into_iter().collect(),
            ..Object::new(bytes, self.0.clock.now())
        };
        let output = PutObjectOutput {
            e_tag: Some(ETag::Strong(object.etag.clone())),
            checksum_crc64nvme: Some(object.crc64nvme.clone()),
            ..Default::default()
        };
        self.0.state().put(&input.key, object, &conditions)?;
        Ok(S3Response::new(output))
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let object = self.find(&input.bucket, &input.key)?;
        let size = object.bytes.len() as u64;
        let (bytes, range) = match input.range {
            None => (object.bytes, None),
            Some(range) => {
                let range = range.check(size).map_err(|_| {
                    s3_error!(InvalidRange, "The requested range is not satisfiable")
                })?;
                let said = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                let part = usize::try_from(range.start)
                    .ok()
                    .zip(usize::try_from(range.end).ok())
                    .and_then(|(start, end)| object.bytes.get(start..end));
                (part.unwrap_or_default().to_vec(), Some(said))
            }
        };
        let checksum = input
            .checksum_mode
            .filter(|_| range.is_none())
            .map(|_| object.crc64nvme);
        Ok(S3Response::new(GetObjectOutput {
            content_length: i64::try_from(bytes.len()).ok(),
            body: Some(StreamingBlob::from(Body::from(bytes))),
            content_range: range,
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(object.last_modified.into()),
            content_type: object.content_type,
            cache_control: object.cache_control,
            content_disposition: object.content_disposition,
            metadata: Some(object.metadata.into_iter().collect()),
            checksum_crc64nvme: checksum,
            ..Default::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let object = self.find(&input.bucket, &input.key)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: i64::try_from(object.bytes.len()).ok(),
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(object.last_modified.into()),
            content_type: object.content_type,
            cache_control: object.cache_control,
            content_disposition: object.content_disposition,
            metadata: Some(object.metadata.into_iter().collect()),
            checksum_crc64nvme: input.checksum_mode.map(|_| object.crc64nvme),
            ..Default::default()
        }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let conditions = conditions(&request);
        in_bucket(&request.input.bucket)?;
        self.0.state().delete(&request.input.key, &conditions)?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        in_bucket(&input.bucket)?;
        let prefix = input.prefix.clone().unwrap_or_default();
        let after = input
            .continuation_token
            .clone()
            .or(input.start_after.clone())
            .unwrap_or_default();
        let page = input.max_keys.unwrap_or(PAGE_MAX).clamp(0, PAGE_MAX);
        let state = self.0.state();
        let mut contents = Vec::new();
        let mut folders: Vec<String> = Vec::new();
        let (mut last, mut truncated) = (String::new(), false);
        for (key, object) in state.objects.range(prefix.clone()..) {
            let Some(rest) = key.strip_prefix(&prefix) else {
                break;
            };
            let folder = input.delimiter.as_deref().and_then(|delimiter| {
                let end = rest.find(delimiter)? + delimiter.len();
                Some(format!("{prefix}{}", &rest[..end]))
            });
            // A folder that an earlier page named is over, however many keys it has.
            let passed = folder.as_ref().unwrap_or(key) <= &after;
            if passed || folder.is_some() && folders.last() == folder.as_ref() {
                continue;
            }
            if contents.len() + folders.len() == usize::try_from(page).unwrap_or_default() {
                truncated = true;
                break;
            }
            last = folder.clone().unwrap_or_else(|| key.clone());
            match folder {
                Some(folder) => folders.push(folder),
                None => contents.push(Listed {
                    key: Some(key.clone()),
                    size: i64::try_from(object.bytes.len()).ok(),
                    e_tag: Some(ETag::Strong(object.etag.clone())),
                    last_modified: Some(object.last_modified.into()),
                    ..Default::default()
                }),
            }
        }
        let folders: Vec<_> = folders
            .into_iter()
            .map(|prefix| CommonPrefix {
                prefix: Some(prefix),
            })
            .collect();
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            key_count: i32::try_from(contents.len() + folders.len()).ok(),
            contents: Some(contents),
            common_prefixes: Some(folders),
            is_truncated: Some(truncated),
            next_continuation_token: truncated.then_some(last),
            prefix: input.prefix,
            delimiter: input.delimiter,
            max_keys: Some(page),
            continuation_token: input.continuation_token,
            start_after: input.start_after,
            ..Default::default()
        }))
    }
}
