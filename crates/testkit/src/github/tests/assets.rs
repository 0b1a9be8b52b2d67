use serde_json::{Value, json};

use super::{atlas, send};
use crate::github::{GitHub, Quirks};

/// A GitHub with one draft, and its number.
async fn draft() -> (GitHub, u64) {
    let github = GitHub::start().await;
    let id = github
        .release(json!({"tag_name": "v1.0.0", "draft": true}))
        .await;
    (github, id)
}

#[tokio::test]
async fn an_asset_has_a_digest_and_one_name() {
    let (github, id) = draft().await;
    let made = github.upload(id, "atlas.zip", b"bytes").await.expect(201);
    assert_eq!(made["state"], "uploaded");
    assert_eq!(made["size"], 5);
    assert_eq!(made["content_type"], "application/zip");
    let sha256 = "277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9";
    assert_eq!(made["digest"], format!("sha256:{sha256}"));
    let release = &github.releases()[0];
    assert_eq!(release.assets[0].bytes, "bytes");
    assert_eq!(release.assets[0].sha256, sha256);

    let again = github.upload(id, "atlas.zip", b"bytes").await.expect(422);
    assert_eq!(
        again["errors"],
        json!([{"resource": "ReleaseAsset", "code": "already_exists", "field": "name"}])
    );
    github.upload(id, "empty", b"").await.expect(400);
    let place = format!("/releases/assets/{}", made["id"]);
    assert_eq!(github.get(&place).await.expect(200)["name"], "atlas.zip");
    github.ask("DELETE", &place, Value::Null).await.expect(204);
    github.upload(id, "atlas.zip", b"other").await.expect(201);
}

#[tokio::test]
async fn names_are_rewritten() {
    let (github, id) = draft().await;
    let cases = [
        ("atlas_1.0.0-rc%2B1@x64.zip", "atlas_1.0.0-rc+1@x64.zip"),
        // A plus in a query is a space, and a space is no part of a name.
        ("atlas+1.0.0.zip", "atlas.1.0.0.zip"),
        ("Atlas%20(1).zip", "Atlas.1.zip"),
        (".atlas", "default.atlas"),
        ("atlas.", "atlas"),
        ("gr%C3%BC%C3%9Fe.zip", "gr.e.zip"),
    ];
    for (sent, kept) in cases {
        let made = github.upload(id, sent, b"x").await.expect(201);
        assert_eq!(made["name"], kept, "{sent}");
    }
}

#[tokio::test]
async fn limits_hold() {
    let (github, id) = draft().await;
    github.quirks(Quirks {
        asset_bytes_max: 4,
        assets_max: 1,
        ..Quirks::default()
    });
    let large = github.upload(id, "a", b"12345").await.expect(422);
    assert_eq!(large["errors"][0]["field"], "size");
    github.upload(id, "a", b"1234").await.expect(201);
    let many = github.upload(id, "b", b"1").await.expect(422);
    assert_eq!(many["errors"][0]["field"], "file_count");

    github.quirks(Quirks {
        no_digests: true,
        ..Quirks::default()
    });
    let listed = github
        .get(&format!("/releases/{id}/assets"))
        .await
        .expect(200);
    assert_eq!(listed[0]["digest"], Value::Null);
}

#[tokio::test]
async fn an_upload_says_its_length_and_goes_to_its_own_host() {
    let (github, id) = draft().await;
    let uploads = github.shared.state().places.uploads.clone();
    let place = format!("/repos/acme/atlas/releases/{id}/assets?name=a");
    let authorization = format!("Bearer {}", github.token);
    let headers = [
        ("user-agent", "tests"),
        ("authorization", authorization.as_str()),
        ("content-type", "text/plain"),
        ("transfer-encoding", "chunked"),
    ];
    let got = send(
        &format!("{uploads}{place}"),
        "POST",
        &headers,
        b"1\r\nx\r\n0\r\n\r\n",
    )
    .await;
    assert_eq!(got.expect("an answer").status, 411);
    github
        .ask("POST", &format!("/releases/{id}/assets?name=a"), json!({}))
        .await
        .expect(404);
    assert!(github.take_violations()[0].contains("no operation that is described"));
}

#[tokio::test]
async fn bytes_come_from_elsewhere_and_without_the_token() {
    let Some((github, _git, _folder)) = atlas().await else {
        return;
    };
    let id = github.release(json!({"tag_name": "v1.0.0"})).await;
    let made = github.upload(id, "atlas.zip", b"bytes").await.expect(201);
    let url = made["url"].as_str().expect("a URL");
    let authorization = format!("Bearer {}", github.token);
    let wanted = [
        ("user-agent", "tests"),
        ("authorization", authorization.as_str()),
        ("accept", "application/octet-stream"),
    ];
    let redirect = send(url, "GET", &wanted, b"").await.expect("an answer");
    assert_eq!(redirect.status, 302);
    let place = &redirect.headers["location"];
    let got = send(place, "GET", &[], b"").await.expect("an answer");
    assert_eq!((got.status, got.body.as_slice()), (200, &b"bytes"[..]));
    let signature = place.find('?').expect("a signature");
    let unsigned = send(&place[..signature], "GET", &[], b"").await;
    assert_eq!(unsigned.expect("an answer").status, 404);

    let leaked = send(place, "GET", &wanted, b"").await.expect("an answer");
    assert_eq!(leaked.status, 400);
    assert!(github.take_violations()[0].contains("went along with a redirect"));

    let page = made["browser_download_url"].as_str().expect("a URL");
    let latest = page.replace("/download/v1.0.0/", "/latest/download/");
    let redirect = send(&latest, "GET", &[], b"").await.expect("an answer");
    assert_eq!(redirect.headers["location"], page);
    let redirect = send(page, "GET", &[], b"").await.expect("an answer");
    assert_eq!(&redirect.headers["location"], place);
    let operations: Vec<_> = github
        .requests()
        .iter()
        .map(|request| request.operation)
        .collect();
    assert_eq!(
        operations[2..],
        [
            "repos/upload-release-asset",
            "repos/get-release-asset",
            "storage/download",
            "storage/download",
            "storage/download",
            "web/download",
            "web/download",
        ]
    );
}
