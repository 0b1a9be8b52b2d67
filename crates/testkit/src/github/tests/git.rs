use serde_json::{Value, json};

use super::atlas;

#[tokio::test]
async fn refs_are_found_exactly_or_by_their_beginning() {
    let Some((github, git, _folder)) = atlas().await else {
        return;
    };
    let main = github.get("/git/ref/heads/main").await.expect(200);
    assert_eq!(main["object"]["sha"], git.head());
    assert_eq!(main["object"]["type"], "commit");
    let tag = github.get("/git/ref/tags%2Fv1.0.0").await.expect(200);
    assert_eq!(tag["object"]["sha"], git.run(&["rev-parse", "v1.0.0"]));
    assert_eq!(tag["object"]["type"], "tag");
    github.get("/git/ref/tags/v1").await.expect(404);

    git.tag("v1.0.1");
    git.tag("app/v1.0.0");
    github.push(&git);
    let found = github.get("/git/matching-refs/tags/v1").await.expect(200);
    let names: Vec<_> = found
        .as_array()
        .expect("a list")
        .iter()
        .map(|found| &found["ref"])
        .collect();
    assert_eq!(names, ["refs/tags/v1.0.0", "refs/tags/v1.0.1"]);
    let none = github.get("/git/matching-refs/tags/x").await.expect(200);
    assert_eq!(none, json!([]));
}

#[tokio::test]
async fn refs_are_created_once_and_moved_forward() {
    let Some((github, git, _folder)) = atlas().await else {
        return;
    };
    let first = git.run(&["rev-parse", "HEAD~2"]);
    let create = |name: &str, sha: &str| {
        let body = json!({"ref": name, "sha": sha});
        github.post("/git/refs", body)
    };
    let made = create("refs/tags/v2.0.0", &git.head()).await;
    assert!(made.headers["location"].ends_with("/git/refs/tags/v2.0.0"));
    assert_eq!(made.expect(201)["object"]["sha"], git.head());
    let cases = [
        (
            "refs/tags/v2.0.0",
            first.as_str(),
            "Reference already exists",
        ),
        (
            "refs/tags/v2.0.1",
            "0123456789012345678901234567890123456789",
            "Object does not exist",
        ),
        (
            "refs/tags/v2..1",
            &first,
            "refs/tags/v2..1 is not a valid ref name.",
        ),
        (
            "tags/v2.0.1",
            &first,
            "Reference name must start with 'refs/' and have at least two slashes",
        ),
        ("refs/tags/v2.0.0/x", &first, "Reference update failed"),
    ];
    for (name, sha, message) in cases {
        assert_eq!(create(name, sha).await.expect(422)["message"], message);
    }

    create("refs/tags/v1", &first).await.expect(201);
    let update = |name: &str, body: Value| {
        let place = format!("/git/refs/{name}");
        let github = &github;
        async move { github.ask("PATCH", &place, body).await }
    };
    update("tags/v1", json!({"sha": git.head()}))
        .await
        .expect(200);
    let back = update("tags/v1", json!({"sha": first})).await.expect(422);
    assert_eq!(back["message"], "Update is not a fast forward");
    update("tags/v1", json!({"sha": first, "force": true}))
        .await
        .expect(200);
    assert_eq!(github.refs()["refs/tags/v1"], first);
    let missing = update("tags/v9", json!({"sha": first})).await.expect(422);
    assert_eq!(missing["message"], "Reference does not exist");
}

#[tokio::test]
async fn a_tag_object_has_the_name_that_git_gives_it() {
    let Some((github, git, _folder)) = atlas().await else {
        return;
    };
    let body = json!({
        "tag": "v2.0.0",
        "message": "Atlas 2.0.0\n\nGrüße.\n",
        "object": git.head(),
        "type": "commit",
        "tagger": {"name": "Mona", "email": "mona@example.com", "date": "2026-11-23T10:00:00+02:00"},
    });
    let made = github.post("/git/tags", body.clone()).await.expect(201);
    let text = format!(
        "object {}\ntype commit\ntag v2.0.0\ntagger Mona <mona@example.com> 1795420800 +0200\n\nAtlas 2.0.0\n\nGrüße.\n",
        git.head()
    );
    assert_eq!(made["sha"], git.run_with(&["mktag"], text.as_bytes()));
    let again = github.post("/git/tags", body).await.expect(201);
    assert_eq!(again["sha"], made["sha"]);

    let sha = made["sha"].as_str().expect("a name");
    let read = github.get(&format!("/git/tags/{sha}")).await.expect(200);
    assert_eq!(read["object"]["sha"], git.head());
    assert_eq!(read["tagger"]["date"], "2026-11-23T08:00:00Z");
    assert_eq!(github.tag_objects()[sha].tag, "v2.0.0");
    github
        .get(&format!("/git/tags/{}", git.head()))
        .await
        .expect(404);
    let unknown = json!({"tag": "v3", "message": "", "object": "0".repeat(40), "type": "commit"});
    github.post("/git/tags", unknown).await.expect(422);

    // What came in by a push has the same names.
    for (sha, tag) in github.tag_objects() {
        assert_eq!(tag.sha(), sha);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_who_create_a_ref_one_wins() {
    let Some((github, git, _folder)) = atlas().await else {
        return;
    };
    let github = std::sync::Arc::new(github);
    let mut creators = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let github = github.clone();
        let body = json!({"ref": "refs/tags/v2.0.0", "sha": git.head()});
        creators.spawn(async move { github.post("/git/refs", body).await.status });
    }
    let mut answers = creators.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers[0], 201);
    assert!(
        answers[1..].iter().all(|answer| *answer == 422),
        "{answers:?}"
    );
}
