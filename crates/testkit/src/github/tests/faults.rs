use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::{Got, atlas};
use crate::github::{At, Does, Fault, GitHub, Plan};

async fn strike(github: &GitHub, does: Does) -> Option<Got> {
    let at = At::NthOf("repos/create-release", 1);
    github.plan(Plan::of([Fault { at, does }]));
    let body = json!({"tag_name": "v1.0.0", "draft": true});
    github
        .try_ask(&github.token, "POST", "/releases", body)
        .await
}

#[tokio::test]
async fn each_fault_does_what_it_says() {
    let limit = |status, retry_after, remaining0_reset| Does::RateLimited {
        status,
        retry_after,
        remaining0_reset,
    };
    let killed = Arc::new(AtomicBool::new(false));
    let hook = {
        let killed = killed.clone();
        Arc::new(move || killed.store(true, Ordering::SeqCst))
    };
    let cases = [
        (Does::DropBefore, None, false),
        (Does::DropAfter, None, true),
        (Does::KillBefore(hook.clone()), None, false),
        (Does::KillAfter(hook), None, true),
        (Does::Status(500), Some(500), false),
        (Does::StatusAfter(502), Some(502), true),
        (Does::HtmlStatus(502), Some(502), false),
        (limit(403, Some(7), None), Some(403), false),
        (limit(429, None, Some(1_795_420_860)), Some(429), false),
        (Does::Garbage200, Some(200), true),
    ];
    for (does, status, applied) in cases {
        let github = GitHub::start().await;
        let got = strike(&github, does.clone()).await;
        assert_eq!(got.as_ref().map(|got| got.status), status, "{does:?}");
        assert_eq!(github.releases().len(), usize::from(applied), "{does:?}");
        assert_eq!(github.requests()[0].status, status);
        let header = |name: &str| got.as_ref().and_then(|got| got.headers.get(name).cloned());
        match does {
            Does::HtmlStatus(_) => assert_eq!(
                header("content-type").as_deref(),
                Some("text/html; charset=utf-8")
            ),
            Does::RateLimited { status: 403, .. } => {
                assert_eq!(header("retry-after").as_deref(), Some("7"))
            }
            Does::RateLimited { .. } => {
                assert_eq!(header("x-ratelimit-remaining").as_deref(), Some("0"));
                assert_eq!(header("x-ratelimit-reset").as_deref(), Some("1795420860"));
            }
            Does::Garbage200 => {
                let body = got.expect("an answer").body;
                assert!(serde_json::from_slice::<Value>(&body).is_err());
            }
            _ => {}
        }
    }
    assert!(killed.load(Ordering::SeqCst));
}

#[tokio::test]
async fn an_upload_that_breaks_off_blocks_its_name() {
    let github = GitHub::start().await;
    let id = github
        .release(json!({"tag_name": "v1.0.0", "draft": true}))
        .await;
    let at = At::KeySuffix("?name=atlas.zip", 1);
    github.plan(Plan::of([Fault {
        at,
        does: Does::StarterLeft,
    }]));
    assert_eq!(github.upload(id, "atlas.zip", b"bytes").await.status, 502);

    let release = github.get(&format!("/releases/{id}")).await.expect(200);
    assert_eq!(release["assets"], json!([]));
    let listed = github
        .get(&format!("/releases/{id}/assets"))
        .await
        .expect(200);
    assert_eq!(listed[0]["state"], "starter");
    assert_eq!(listed[0]["size"], 0);
    assert_eq!(listed[0]["digest"], Value::Null);
    github.upload(id, "atlas.zip", b"bytes").await.expect(422);
    let place = format!("/releases/assets/{}", listed[0]["id"]);
    github.ask("DELETE", &place, Value::Null).await.expect(204);
    github.upload(id, "atlas.zip", b"bytes").await.expect(201);
}

#[tokio::test]
async fn a_corrupt_upload_shows_in_its_digest() {
    let github = GitHub::start().await;
    let id = github
        .release(json!({"tag_name": "v1.0.0", "draft": true}))
        .await;
    let good = github.upload(id, "good.zip", b"bytes").await.expect(201);
    let at = At::NthOf("repos/upload-release-asset", 1);
    github.plan(Plan::of([Fault {
        at,
        does: Does::CorruptUpload,
    }]));
    let bad = github.upload(id, "bad.zip", b"bytes").await.expect(201);
    assert_ne!(good["digest"], bad["digest"]);
    assert_ne!(github.releases()[0].assets[1].bytes, "bytes");
}

#[tokio::test]
async fn a_held_request_is_applied_when_it_is_let_go() {
    let Some((github, _git, _folder)) = atlas().await else {
        return;
    };
    let github = Arc::new(github);
    let id = github
        .release(json!({"tag_name": "v1.0.0", "draft": true}))
        .await;
    let mut hold = github.hold("repos/update-release");
    let asking = {
        let github = github.clone();
        let place = format!("/releases/{id}");
        tokio::spawn(async move {
            github
                .ask("PATCH", &place, json!({"draft": false}))
                .await
                .status
        })
    };
    hold.arrived().await;
    assert!(github.releases()[0].draft);
    hold.release();
    assert_eq!(asking.await.expect("an answer"), 200);
    assert!(!github.releases()[0].draft);
}

#[tokio::test]
async fn a_request_may_wait_for_ever() {
    let github = GitHub::start().await;
    let waiting = tokio::time::timeout(
        std::time::Duration::from_millis(50),
        strike(&github, Does::Hang),
    );
    assert!(waiting.await.is_err());
    assert_eq!(github.releases(), []);
}
