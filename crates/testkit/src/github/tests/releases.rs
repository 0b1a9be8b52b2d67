use serde_json::{Value, json};

use super::atlas;
use crate::github::{GitHub, Quirks};

async fn patch(github: &GitHub, id: u64, body: Value) -> super::Got {
    github.ask("PATCH", &format!("/releases/{id}"), body).await
}

/// The tags of the list of releases, for this token.
async fn listed(github: &GitHub, token: &str) -> Vec<String> {
    let got = github.try_ask(token, "GET", "/releases", Value::Null).await;
    let list = got.expect("an answer").expect(200);
    let tag = |release: &Value| release["tag_name"].as_str().expect("a tag").to_owned();
    list.as_array().expect("a list").iter().map(tag).collect()
}

#[tokio::test]
async fn a_draft_is_seen_by_few_and_never_by_its_tag() {
    let Some((github, git, _folder)) = atlas().await else {
        return;
    };
    let draft = json!({"tag_name": "v2.0.0", "draft": true, "body": "Notes", "name": "Atlas 2"});
    let id = github.release(draft.clone()).await;
    let place = format!("/releases/{id}");
    let made = github.get(&place).await.expect(200);
    assert!(
        made["html_url"]
            .as_str()
            .expect("a URL")
            .contains("/untagged-")
    );
    assert_eq!(made["target_commitish"], "main");
    assert_eq!(made["published_at"], Value::Null);
    assert!(!github.refs().contains_key("refs/tags/v2.0.0"));
    github.get("/releases/tags/v2.0.0").await.expect(404);
    github.get("/releases/latest").await.expect(404);
    let reader = github.token(&[("contents", "read")]);
    let hidden = github.try_ask(&reader, "GET", &place, Value::Null).await;
    assert_eq!(hidden.expect("an answer").status, 404);
    assert_eq!(listed(&github, &reader).await, [""; 0]);
    assert_eq!(listed(&github, &github.token).await, ["v2.0.0"]);

    // Several drafts may carry one tag, and one published release.
    let other = github.release(draft).await;
    github.clock().set(1_795_500_000);
    let published = patch(&github, id, json!({"draft": false}))
        .await
        .expect(200);
    assert_eq!(published["published_at"], "2026-11-24T06:00:00Z");
    assert_eq!(published["body"], "Notes");
    assert_eq!(github.refs()["refs/tags/v2.0.0"], git.head());
    let refused = patch(&github, other, json!({"draft": false}))
        .await
        .expect(422);
    assert_eq!(
        refused["errors"],
        json!([{"resource": "Release", "code": "already_exists", "field": "tag_name"}])
    );
    github
        .post("/releases", json!({"tag_name": "v2.0.0"}))
        .await
        .expect(422);
    let found = github.get("/releases/tags/v2.0.0").await.expect(200);
    assert_eq!(found["id"], id);
    assert_eq!(listed(&github, &reader).await, ["v2.0.0"]);

    let gone = github
        .ask("DELETE", &format!("/releases/{other}"), Value::Null)
        .await;
    assert_eq!(gone.status, 204);
    assert_eq!(github.releases().len(), 1);
    let nowhere = json!({"tag_name": "v3.0.0", "target_commitish": "nowhere"});
    let refused = github.post("/releases", nowhere).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "target_commitish");
}

#[tokio::test]
async fn the_latest_is_what_was_said_to_be() {
    let Some((github, _git, _folder)) = atlas().await else {
        return;
    };
    let first = github.release(json!({"tag_name": "v1.0.0"})).await;
    assert_eq!(github.latest().as_deref(), Some("v1.0.0"));
    github
        .release(json!({"tag_name": "v2.0.0-beta.1", "prerelease": true, "make_latest": "false"}))
        .await;
    github.release(json!({"tag_name": "v2.0.0"})).await;
    assert_eq!(github.latest().as_deref(), Some("v2.0.0"));
    github
        .release(json!({"tag_name": "v1.0.1", "make_latest": "false"}))
        .await;
    let latest = github.get("/releases/latest").await.expect(200);
    assert_eq!(latest["tag_name"], "v2.0.0");
    patch(&github, first, json!({"make_latest": "true"}))
        .await
        .expect(200);
    assert_eq!(github.latest().as_deref(), Some("v1.0.0"));
    patch(&github, first, json!({"make_latest": "legacy"}))
        .await
        .expect(200);
    assert_eq!(github.latest().as_deref(), Some("v2.0.0"));

    // What is said while it is a draft is forgotten.
    let draft = json!({"tag_name": "v1.0.2", "draft": true, "make_latest": "false"});
    let draft = github.release(draft).await;
    let refused = patch(&github, draft, json!({"make_latest": "true"}))
        .await
        .expect(422);
    assert_eq!(
        refused["errors"][0]["message"],
        "Latest release cannot be draft or prerelease"
    );
    patch(&github, draft, json!({"draft": false}))
        .await
        .expect(200);
    assert_eq!(github.latest().as_deref(), Some("v1.0.2"));
}

#[tokio::test]
async fn a_list_may_lag_and_has_pages() {
    let Some((github, _git, _folder)) = atlas().await else {
        return;
    };
    github.quirks(Quirks {
        list_lag: 2,
        ..Quirks::default()
    });
    let id = github.release(json!({"tag_name": "v1.0.0"})).await;
    assert_eq!(listed(&github, &github.token).await, [""; 0]);
    assert_eq!(listed(&github, &github.token).await, [""; 0]);
    assert_eq!(listed(&github, &github.token).await, ["v1.0.0"]);
    github.get(&format!("/releases/{id}")).await.expect(200);

    github.quirks(Quirks::default());
    for patch in 1..4 {
        github
            .release(json!({"tag_name": format!("v1.0.{patch}"), "draft": true}))
            .await;
    }
    let page = github.get("/releases?per_page=2&page=2").await;
    let link = &page.headers["link"];
    assert!(
        link.contains("rel=\"prev\"") && link.contains("rel=\"first\""),
        "{link}"
    );
    assert_eq!(page.expect(200)[0]["tag_name"], "v1.0.1");
}

#[tokio::test]
async fn an_immutable_release_stays_as_it_is() {
    let Some((github, git, _folder)) = atlas().await else {
        return;
    };
    let admin = github.token(&[("administration", "read")]);
    let check = |token: String| {
        let github = &github;
        async move {
            let got = github
                .try_ask(&token, "GET", "/immutable-releases", Value::Null)
                .await;
            got.expect("an answer")
        }
    };
    // A workflow's token cannot ask: it never has the administration of a repository.
    let refused = check(github.token.clone()).await;
    assert_eq!(
        refused.headers["x-accepted-github-permissions"],
        "administration=read"
    );
    assert_eq!(refused.status, 403);
    assert_eq!(check(admin.clone()).await.status, 404);
    github.quirks(Quirks {
        immutable: true,
        ..Quirks::default()
    });
    assert_eq!(check(admin).await.expect(200)["enabled"], true);

    let id = github
        .release(json!({"tag_name": "v2.0.0", "draft": true}))
        .await;
    let asset = github.upload(id, "a.zip", b"a").await.expect(201);
    let published = patch(&github, id, json!({"draft": false}))
        .await
        .expect(200);
    assert_eq!(published["immutable"], true);
    let refused = github.upload(id, "b.zip", b"b").await.expect(422);
    assert_eq!(
        refused["message"],
        "Cannot upload assets to an immutable release."
    );
    let place = format!("/releases/assets/{}", asset["id"]);
    let refused = github.ask("DELETE", &place, Value::Null).await.expect(422);
    assert_eq!(
        refused["message"],
        "Cannot delete asset from an immutable release."
    );
    for frozen in [
        json!({"tag_name": "v3"}),
        json!({"draft": true}),
        json!({"prerelease": true}),
    ] {
        patch(&github, id, frozen).await.expect(422);
    }
    let renamed = json!({"name": "Atlas", "body": "Fixed a word.", "tag_name": "v2.0.0"});
    patch(&github, id, renamed).await.expect(200);
    let moved = json!({"sha": git.head(), "force": true});
    github
        .ask("PATCH", "/git/refs/tags/v2.0.0", moved)
        .await
        .expect(422);

    // The name is burned, even when the release is gone.
    github
        .ask("DELETE", &format!("/releases/{id}"), Value::Null)
        .await
        .expect(204);
    let draft = github
        .release(json!({"tag_name": "v2.0.0", "draft": true}))
        .await;
    let refused = patch(&github, draft, json!({"draft": false}))
        .await
        .expect(422);
    assert_eq!(
        refused["errors"][0]["message"],
        "tag_name was used by an immutable release"
    );
    github.remove_ref("refs/tags/v2.0.0");
    let tag = json!({"ref": "refs/tags/v2.0.0", "sha": git.head()});
    github.post("/git/refs", tag).await.expect(422);
}

#[tokio::test]
async fn notes_are_generated() {
    let Some((github, _git, _folder)) = atlas().await else {
        return;
    };
    let body = json!({"tag_name": "v2.0.0", "previous_tag_name": "v1.0.0"});
    let notes = github
        .post("/releases/generate-notes", body)
        .await
        .expect(200);
    assert!(
        notes["body"]
            .as_str()
            .expect("text")
            .ends_with("/compare/v1.0.0...v2.0.0")
    );
    let id = github
        .release(json!({"tag_name": "v2.0.0", "body": "Ours.", "generate_release_notes": true}))
        .await;
    let release = github.get(&format!("/releases/{id}")).await.expect(200);
    assert!(
        release["body"]
            .as_str()
            .expect("text")
            .starts_with("Ours.\n\n**Full Changelog**")
    );
}
