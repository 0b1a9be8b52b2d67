use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;

use super::{At, BUCKET, Does, Fault, Plan, Quirks, S3};

fn client(s3: &S3, secret: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("snake-oil", secret, None, None, "tests"))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(s3.endpoint())
        .force_path_style(true);
    Client::from_conf(config.build())
}

fn put(
    client: &Client,
    key: &str,
    bytes: &str,
) -> aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder {
    let body = ByteStream::from(bytes.as_bytes().to_vec());
    client.put_object().bucket(BUCKET).key(key).body(body)
}

/// The status of an answer; none where there was no answer.
fn status<T, E: ProvideErrorMetadata>(sent: &Result<T, SdkError<E>>) -> Option<u16> {
    match sent {
        Ok(_) => Some(200),
        Err(error) => error.raw_response().map(|answer| answer.status().as_u16()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_creators_one_wins() {
    let s3 = S3::start().await;
    let client = client(&s3, "snake-oil");
    for round in 0..20 {
        let key = format!("round-{round}");
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..16 {
            let request = put(&client, &key, &format!("{writer}")).if_none_match("*");
            writers.spawn(async move { status(&request.send().await) });
        }
        let mut answers = writers.join_all().await;
        answers.sort_unstable();
        assert_eq!(answers[0], Some(200));
        assert!(
            answers[1..].iter().all(|answer| *answer == Some(412)),
            "{answers:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_replacers_one_wins() {
    let s3 = S3::start().await;
    let client = client(&s3, "snake-oil");
    let first = put(&client, "head", "first").send().await.expect("stored");
    let tag = first.e_tag.expect("a tag");
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16 {
        let request = put(&client, "head", &format!("{writer}")).if_match(&tag);
        writers.spawn(async move { status(&request.send().await) });
    }
    let answers = writers.join_all().await;
    assert_eq!(
        answers
            .iter()
            .filter(|answer| **answer == Some(200))
            .count(),
        1
    );
    let missing = put(&client, "missing", "x").if_match(&tag).send().await;
    assert_eq!(status(&missing), Some(404));
}

#[tokio::test]
async fn a_body_that_is_not_its_checksum_is_not_stored() {
    let s3 = S3::start().await;
    let client = client(&s3, "snake-oil");
    let wrong = put(&client, "key", "bytes").checksum_crc64_nvme("AAAAAAAAAAA=");
    let error = wrong.send().await.expect_err("refused");
    assert_eq!(error.code(), Some("BadDigest"));
    assert!(s3.objects().is_empty());
    let right =
        put(&client, "key", "bytes").checksum_crc64_nvme(super::checksum::crc64nvme(b"bytes"));
    right.send().await.expect("stored");
    assert_eq!(s3.objects()["key"].bytes, b"bytes");
}

#[tokio::test]
async fn a_wrong_secret_is_forbidden() {
    let s3 = S3::start().await;
    let error = put(&client(&s3, "wrong"), "key", "x")
        .send()
        .await
        .expect_err("refused");
    assert_eq!(error.code(), Some("SignatureDoesNotMatch"));
}

#[tokio::test]
async fn each_fault_does_what_it_says() {
    let s3 = S3::start().await;
    let client = client(&s3, "snake-oil");
    let cases = [
        (Does::DropBefore, None, false),
        (Does::DropAfter, None, true),
        (Does::Status500, Some(500), false),
        (Does::Status500After, Some(500), true),
        (Does::SlowDown503, Some(503), false),
        (Does::Conflict409, Some(409), false),
        (Does::ErrorBody200, Some(200), false),
    ];
    for (does, answer, applied) in cases {
        s3.remove_raw("key");
        s3.clear_requests();
        s3.plan(Plan::of([Fault {
            at: At::Nth(1),
            does: does.clone(),
        }]));
        let sent = put(&client, "key", "x").send().await;
        assert_eq!(status(&sent), answer, "{does:?}");
        assert_eq!(s3.objects().contains_key("key"), applied, "{does:?}");
        let again = put(&client, "key", "x").send().await;
        assert_eq!(status(&again), Some(200), "{does:?} strikes once");
        let log: Vec<_> = s3
            .requests()
            .iter()
            .map(|request| (request.number, request.status))
            .collect();
        assert_eq!(log, [(1, answer), (2, Some(200))], "{does:?}");
    }
    s3.plan(Plan::of([Fault {
        at: At::NthOf("HeadObject", 2),
        does: Does::Hang,
    }]));
    let head = || client.head_object().bucket(BUCKET).key("key").send();
    head().await.expect("the first");
    let hung = tokio::time::timeout(std::time::Duration::from_millis(200), head()).await;
    hung.expect_err("no answer");
}

#[tokio::test]
async fn quirks_last() {
    let s3 = S3::start().await;
    let client = client(&s3, "snake-oil");
    let tag = put(&client, "key", "x")
        .send()
        .await
        .expect("stored")
        .e_tag
        .expect("a tag");
    s3.quirks(Quirks {
        unquoted_etags_only: true,
        ..Quirks::default()
    });
    assert_eq!(
        status(&put(&client, "key", "x").if_match(&tag).send().await),
        Some(412)
    );
    let bare = tag.trim_matches('"');
    assert_eq!(
        status(&put(&client, "key", "x").if_match(bare).send().await),
        Some(200)
    );
    s3.quirks(Quirks {
        conditions_ignored: true,
        ..Quirks::default()
    });
    assert_eq!(
        status(&put(&client, "key", "y").if_none_match("*").send().await),
        Some(200)
    );
    s3.quirks(Quirks {
        deny_writes_under: Some("public/".to_owned()),
        ..Quirks::default()
    });
    assert_eq!(
        status(&put(&client, "public/key", "y").send().await),
        Some(403)
    );
    assert_eq!(
        status(&put(&client, "state/key", "y").send().await),
        Some(200)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_request_is_applied_when_it_is_let_go() {
    let s3 = S3::start().await;
    let client = client(&s3, "snake-oil");
    let mut hold = s3.hold("PutObject", "key");
    let sending = tokio::spawn(put(&client, "key", "held").send());
    hold.arrived().await;
    put(&client, "key", "meanwhile")
        .send()
        .await
        .expect("only one is held");
    assert_eq!(s3.objects()["key"].bytes, b"meanwhile");
    hold.release();
    sending.await.expect("a task").expect("stored");
    assert_eq!(s3.objects()["key"].bytes, b"held");
}

#[tokio::test]
async fn listings_have_pages_and_folders() {
    let s3 = S3::start().await;
    let client = client(&s3, "snake-oil");
    for key in ["a/1", "a/2", "b/1/x", "b/1/y", "b/2/x", "b/top", "c"] {
        s3.put_raw(key, *b"x");
    }
    let mut pages = client
        .list_objects_v2()
        .bucket(BUCKET)
        .max_keys(2)
        .start_after("a/1")
        .into_paginator()
        .send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        keys.extend(
            page.expect("a page")
                .contents
                .unwrap_or_default()
                .into_iter()
                .filter_map(|object| object.key),
        );
    }
    assert_eq!(keys, ["a/2", "b/1/x", "b/1/y", "b/2/x", "b/top", "c"]);
    let mut pages = client
        .list_objects_v2()
        .bucket(BUCKET)
        .prefix("b/")
        .delimiter("/")
        .max_keys(1)
        .into_paginator()
        .send();
    let (mut folders, mut keys) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let page = page.expect("a page");
        folders.extend(
            page.common_prefixes
                .unwrap_or_default()
                .into_iter()
                .filter_map(|folder| folder.prefix),
        );
        keys.extend(
            page.contents
                .unwrap_or_default()
                .into_iter()
                .filter_map(|object| object.key),
        );
    }
    assert_eq!(folders, ["b/1/", "b/2/"]);
    assert_eq!(keys, ["b/top"]);
}

#[tokio::test]
async fn a_range_is_a_part() {
    let s3 = S3::start().await;
    let client = client(&s3, "snake-oil");
    s3.put_raw("key", *b"0123456789");
    let part = client
        .get_object()
        .bucket(BUCKET)
        .key("key")
        .range("bytes=2-4")
        .send()
        .await
        .expect("a part");
    assert_eq!(part.content_range.as_deref(), Some("bytes 2-4/10"));
    assert_eq!(part.body.collect().await.expect("bytes").to_vec(), b"234");
}
