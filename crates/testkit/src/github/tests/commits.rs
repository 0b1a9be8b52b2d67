use serde_json::Value;

use super::{Got, atlas};

/// The titles of a list of commits.
fn titles(commits: &Value) -> Vec<String> {
    let title = |commit: &Value| {
        let message = commit["commit"]["message"].as_str().unwrap_or_default();
        message.trim_end().to_owned()
    };
    commits
        .as_array()
        .expect("a list")
        .iter()
        .map(title)
        .collect()
}

fn link(got: &Got) -> &str {
    got.headers.get("link").map_or("", String::as_str)
}

#[tokio::test]
async fn history_comes_in_pages() {
    let Some((github, git, _folder)) = atlas().await else {
        return;
    };
    let first = github.get("/commits?per_page=2").await;
    let url = format!("{}/repos/acme/atlas/commits", github.api_url());
    assert_eq!(
        link(&first),
        format!("<{url}?per_page=2&page=2>; rel=\"next\", <{url}?per_page=2&page=2>; rel=\"last\"")
    );
    assert_eq!(titles(&first.expect(200)), ["third", "second"]);
    let second = github.get("/commits?per_page=2&page=2").await;
    assert!(link(&second).contains("rel=\"prev\"") && !link(&second).contains("next"));
    assert_eq!(titles(&second.expect(200)), ["first"]);
    let of_tag = github.get("/commits?sha=v1.0.0").await;
    assert_eq!(link(&of_tag), "");
    assert_eq!(titles(&of_tag.expect(200)), ["first"]);
    github.get("/commits?sha=v9").await.expect(404);
    github.get("/commits?path=src").await.expect(501);
    assert!(github.take_violations()[0].contains("commits by `path` are not here"));

    let head = git.head();
    let full = github
        .get(&format!("/git/commits/{head}"))
        .await
        .expect(200);
    assert_eq!(full["tree"]["sha"], git.run(&["rev-parse", "HEAD^{tree}"]));
    assert_eq!(full["parents"][0]["sha"], git.run(&["rev-parse", "HEAD^"]));
    assert_eq!(full["author"]["name"], "An Author");
    for name in ["main", "heads/main", &head, &head[..10]] {
        let found = github.get(&format!("/commits/{name}")).await.expect(200);
        assert_eq!(found["sha"], head, "{name}");
    }
    let unknown = github.get("/commits/nothing").await.expect(422);
    assert_eq!(unknown["message"], "No commit found for SHA: nothing");
}

#[tokio::test]
async fn two_commits_stand_to_each_other_as_git_says() {
    let Some((github, git, _folder)) = atlas().await else {
        return;
    };
    git.run(&["switch", "--quiet", "--create", "release/1.0.x", "v1.0.0"]);
    git.commit("a fix\n");
    github.push(&git);
    let cases = [
        ("v1.0.0...main", "ahead", 2, 0),
        ("main...v1.0.0", "behind", 0, 2),
        ("main...main", "identical", 0, 0),
        ("main...release%2F1.0.x", "diverged", 1, 2),
        ("main...release/1.0.x", "diverged", 1, 2),
    ];
    for (names, status, ahead, behind) in cases {
        let found = github.get(&format!("/compare/{names}")).await.expect(200);
        assert_eq!(found["status"], status, "{names}");
        assert_eq!(found["ahead_by"], ahead);
        assert_eq!(found["behind_by"], behind);
        let base = git.run(&["rev-parse", "v1.0.0^{commit}"]);
        if status == "diverged" {
            assert_eq!(found["merge_base_commit"]["sha"], base);
        }
    }
    let all = github.get("/compare/v1.0.0...main").await.expect(200);
    assert_eq!(titles(&all["commits"]), ["second", "third"]);
    let page = github.get("/compare/v1.0.0...main?per_page=1").await;
    assert!(link(&page).contains("per_page=1&page=2>; rel=\"next\""));
    let page = page.expect(200);
    assert_eq!(titles(&page["commits"]), ["second"]);
    assert_eq!(page["total_commits"], 2);
    github.get("/compare/v9...main").await.expect(404);
}

#[tokio::test]
async fn an_empty_repository_says_so() {
    let github = crate::github::GitHub::start().await;
    for place in ["/commits", "/git/ref/heads/main", "/compare/a...b"] {
        let got = github.get(place).await.expect(409);
        assert_eq!(got["message"], "Git Repository is empty.");
    }
}
