use serde_json::json;

use super::atlas;
use crate::github::{Dispatch, Quirks};

#[tokio::test]
async fn statuses_are_listed_the_newest_first() {
    let Some((github, git, _folder)) = atlas().await else {
        return;
    };
    let head = git.head();
    let place = format!("/statuses/{head}");
    github
        .post(
            &place,
            json!({"state": "pending", "context": "lastmile / ready"}),
        )
        .await
        .expect(201);
    let body = json!({
        "state": "success",
        "context": "lastmile / ready",
        "description": "é".repeat(140),
        "target_url": "https://example.com/run",
    });
    github.post(&place, body).await.expect(201);
    let listed = github.get("/commits/main/statuses").await.expect(200);
    assert_eq!(listed[0]["state"], "success");
    assert_eq!(listed[1]["state"], "pending");
    assert_eq!(github.statuses(&head)[0].context, "lastmile / ready");

    let long = json!({"state": "success", "description": "é".repeat(141)});
    let refused = github.post(&place, long).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "description");
    let nowhere = format!("/statuses/{}", "0".repeat(40));
    github
        .post(&nowhere, json!({"state": "success"}))
        .await
        .expect(422);
    github
        .post(&place, json!({"state": "great"}))
        .await
        .expect(422);
    assert!(github.take_violations()[0].contains("great"));
}

#[tokio::test]
async fn workflows_start_on_refs() {
    let Some((github, _git, _folder)) = atlas().await else {
        return;
    };
    let place = "/actions/workflows/build.yml/dispatches";
    let body = json!({"ref": "main", "inputs": {"version": "1.0.0"}});
    github.post(place, body).await.expect(204);
    let started = Dispatch {
        workflow: "build.yml".to_owned(),
        git_ref: "main".to_owned(),
        inputs: json!({"version": "1.0.0"}),
    };
    assert_eq!(github.dispatches(), [started]);
    let details = json!({"ref": "v1.0.0", "return_run_details": true});
    let details = github.post(place, details).await.expect(200);
    assert!(details["workflow_run_id"].is_u64());
    let url = format!("{}/repos/acme/atlas{place}", github.api_url());
    let authorization = format!("Bearer {}", github.token);
    let headers = [
        ("user-agent", "tests"),
        ("authorization", authorization.as_str()),
        ("x-github-api-version", "2026-03-10"),
        ("content-type", "application/json"),
        ("content-length", "14"),
    ];
    let newer = super::send(&url, "POST", &headers, br#"{"ref":"main"}"#).await;
    assert_eq!(newer.expect("an answer").status, 200);
    let refused = github.post(place, json!({"ref": "v9"})).await.expect(422);
    assert_eq!(refused["message"], "No ref found for: v9");
    github
        .post(
            "/actions/workflows/build/dispatches",
            json!({"ref": "main"}),
        )
        .await
        .expect(404);
    github.quirks(Quirks {
        enterprise: true,
        ..Quirks::default()
    });
    let unknown = json!({"ref": "main", "return_run_details": true});
    let refused = github.post(place, unknown).await.expect(422);
    assert!(
        refused["message"]
            .as_str()
            .expect("text")
            .contains("not a permitted key")
    );
}
