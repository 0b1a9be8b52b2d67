use serde_json::{Value, json};

use super::{atlas, send};
use crate::github::GitHub;
use crate::github::contract::Contract;

#[tokio::test]
async fn what_is_not_described_is_a_violation() {
    let github = GitHub::start().await;
    let missing = github.post("/releases", json!({"name": "no tag"})).await;
    assert_eq!(missing.status, 422);
    let violations = github.take_violations();
    assert!(
        violations[0].contains("\"tag_name\" is a required property"),
        "{violations:?}"
    );

    let cases = [
        (
            "GET",
            "/releases?per_pages=2",
            Value::Null,
            200,
            "`per_pages` in the query",
        ),
        (
            "GET",
            "/releases?per_page=all",
            Value::Null,
            200,
            "parameter `per_page`",
        ),
        (
            "GET",
            "/relases",
            Value::Null,
            404,
            "no operation that is described",
        ),
        (
            "PUT",
            "/releases/1",
            Value::Null,
            404,
            "no operation that is described",
        ),
        (
            "GET",
            "/releases/first",
            Value::Null,
            404,
            "parameter `release_id`",
        ),
        (
            "POST",
            "/releases",
            json!({"tag_name": 1}),
            422,
            "`/tag_name`",
        ),
        (
            "POST",
            "/releases",
            json!({"tag_name": "v1", "darft": true}),
            422,
            "darft",
        ),
        (
            "POST",
            "/releases",
            json!({"tag_name": "v1", "make_latest": true}),
            422,
            "make_latest",
        ),
        (
            "GET",
            "/releases/1",
            json!({}),
            404,
            "a body where none is described",
        ),
    ];
    for (method, place, body, status, words) in cases {
        let got = github.ask(method, place, body).await;
        assert_eq!(got.status, status, "{method} {place}");
        let violations = github.take_violations();
        assert!(
            violations.join("").contains(words),
            "{method} {place}: {violations:?}"
        );
    }
}

#[tokio::test]
async fn headers_are_looked_at() {
    let github = GitHub::start().await;
    let url = format!("{}/rate_limit", github.api_url());
    let agent = ("user-agent", "tests");
    let cases: [(&[_], u16, &str); 4] = [
        (&[], 403, "no `User-Agent`"),
        (
            &[agent, ("x-github-api-version", "2021-01-01")],
            200,
            "no version",
        ),
        (
            &[agent, ("accept", "text/html")],
            200,
            "`Accept: text/html`",
        ),
        (&[agent, ("accept", "*/*")], 200, ""),
    ];
    for (headers, status, words) in cases {
        let got = send(&url, "GET", headers, b"").await.expect("an answer");
        assert_eq!(got.status, status);
        assert_eq!(got.headers["x-ratelimit-limit"], "5000");
        let violations = github.take_violations();
        assert_eq!(violations.is_empty(), words.is_empty(), "{violations:?}");
        assert!(violations.join("").contains(words), "{violations:?}");
    }
}

#[tokio::test]
#[should_panic(expected = "no operation that is described")]
async fn a_violation_that_nobody_takes_fails_the_test() {
    let github = GitHub::start().await;
    github.get("/pulls").await;
}

#[tokio::test]
async fn no_token_a_bad_token_and_a_weak_token_are_told_apart() {
    let Some((github, git, _folder)) = atlas().await else {
        return;
    };
    let body = json!({"ref": "refs/tags/v2.0.0", "sha": git.head()});
    let cases = [
        ("", 401, "Requires authentication"),
        ("ghs_unknown", 401, "Bad credentials"),
        (
            &github.token(&[("contents", "read")]),
            403,
            "Resource not accessible by integration",
        ),
    ];
    for (token, status, message) in cases {
        let got = github
            .try_ask(token, "POST", "/git/refs", body.clone())
            .await;
        let got = got.expect("an answer");
        if status == 403 {
            assert_eq!(
                got.headers["x-accepted-github-permissions"],
                "contents=write"
            );
        }
        assert_eq!(got.expect(status)["message"], message);
    }
    let read = github.try_ask("", "GET", "", Value::Null).await;
    assert_eq!(
        read.expect("an answer").expect(200)["full_name"],
        "acme/atlas"
    );

    github.quirks(crate::github::Quirks {
        private: true,
        ..Default::default()
    });
    let read = github.try_ask("", "GET", "", Value::Null).await;
    assert_eq!(read.expect("an answer").status, 404);
    assert_eq!(github.get("").await.status, 200);
}

#[tokio::test]
async fn an_enterprise_server_has_prefixes() {
    let github = GitHub::start().await;
    github.quirks(crate::github::Quirks {
        enterprise: true,
        ..Default::default()
    });
    assert!(github.api_url().ends_with("/api/v3"));
    let repository = github.get("").await.expect(200);
    assert!(
        repository["url"]
            .as_str()
            .expect("a URL")
            .contains("/api/v3/repos/acme/atlas")
    );
    assert_eq!(github.requests()[0].path, "/repos/acme/atlas");
    let id = github
        .release(json!({"tag_name": "v1.0.0", "draft": true}))
        .await;
    let release = github.get(&format!("/releases/{id}")).await.expect(200);
    assert!(
        release["upload_url"]
            .as_str()
            .expect("a URL")
            .contains("/api/uploads/repos/")
    );
    github.upload(id, "a.zip", b"a").await.expect(201);
}

#[tokio::test]
async fn what_has_not_changed_is_304() {
    let github = GitHub::start().await;
    let url = format!("{}/repos/acme/atlas/releases", github.api_url());
    let agent = ("user-agent", "tests");
    let first = send(&url, "GET", &[agent], b"").await.expect("an answer");
    let tag = first.headers["etag"].clone();
    let again = send(&url, "GET", &[agent, ("if-none-match", &tag)], b"").await;
    let again = again.expect("an answer");
    assert_eq!((again.status, again.body.len()), (304, 0));
    github
        .release(json!({"tag_name": "v1.0.0", "draft": true}))
        .await;
    let other = send(&url, "GET", &[agent, ("if-none-match", &tag)], b"").await;
    assert_eq!(
        other.expect("an answer").status,
        304,
        "a draft is not for everyone"
    );
    assert_eq!(github.requests()[1].status, Some(304));
}

/// An answer that is not as described is found too, and large numbers are integers here.
#[test]
fn answers_are_judged() {
    use crate::github::answer::Answer;
    let contract = Contract::github();
    let path = "/repos/acme/atlas/releases/1/assets";
    let host = crate::github::contract::Host::Api;
    let (operation, _) = contract.route(host, "GET", path).expect("described");
    assert_eq!(operation.id, "repos/list-release-assets");
    let wrong = contract.check_answer(operation, &Answer::ok(json!([{"id": 1}])));
    assert!(wrong[0].contains("required property"), "{wrong:?}");
    let wrong = contract.check_answer(operation, &Answer::ok(json!([{"id": 1.5}])));
    assert!(
        wrong.iter().any(|wrong| wrong.contains("/0/id")),
        "{wrong:?}"
    );
    let wrong = contract.check_answer(operation, &Answer::empty(204));
    assert!(wrong[0].contains("not documented"), "{wrong:?}");
}
