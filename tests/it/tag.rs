//! `tag` on real repositories: made by git, read without it, judged by it and by git-cliff.

use std::fs;

use serde_json::Value;
use testkit::World;
use testkit::git::Git;

use crate::world;

mod github;
mod hostile;
mod judges;
mod shallow;

/// A repository without a configuration; none where git is missing.
fn repository() -> Option<(World, Git)> {
    // Whoever administers this machine, or runs this test, may have named a user for git (git(1), environment).
    let alone = [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ];
    let alone = alone.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let world = World::on_store(crate::BINARY, "file:./store".to_owned(), alone);
    fs::remove_file(world.path("lastmile.yml")).expect("the configuration");
    let git = Git::init(world.folder())?;
    Some((world, git))
}

/// What `tag` reports as JSON.
#[track_caller]
fn report(world: &World, flags: &str) -> Value {
    let ran = world.sh(&format!("tag --format json {flags}")).expect(0);
    let document: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    document["result"].clone()
}

/// The version that would be next.
#[track_caller]
fn next(world: &World, flags: &str) -> String {
    let report = report(world, &format!("--dry-run {flags}"));
    report["version"].as_str().unwrap_or("none").to_owned()
}

fn tags(git: &Git) -> String {
    git.run(&["tag", "--list"]).replace('\n', " ")
}

#[test]
fn a_repository_gets_its_first_tag_and_the_next_and_none_twice() {
    let Some((world, git)) = repository() else {
        return;
    };
    world
        .sh("tag --local")
        .expect(2)
        .says("`HEAD` has no commit yet");
    git.commit("whatever it is");
    world
        .sh("tag --local --dry-run")
        .expect(0)
        .says("v0.1.0 would be created")
        .says("no version is tagged yet");
    assert_eq!(tags(&git), "");
    world
        .sh("tag --local")
        .expect(0)
        .says("v0.1.0 is created at");
    world.sh("tag --local").expect(0).says("is already at");
    // A worktree with changes is as good: what is tagged is the commit.
    world.write("a file.txt", b"not committed");
    git.commit("docs: say so");
    let nothing = report(&world, "--local");
    assert_eq!(nothing["outcome"], "nothing");
    assert_eq!(
        (&nothing["created"], &nothing["tag"]),
        (&Value::Bool(false), &Value::Null)
    );
    world.sh("tag --local").expect(0).says("nothing to tag");
    let commit = git.commit("feat(ui): add tabs (#12)");
    let planned = report(&world, "--local --dry-run");
    let created = report(&world, "--local --notes-file notes.md");
    let already = report(&world, "--local");
    assert_eq!(
        (&created["outcome"], &created["created"]),
        (&"created".into(), &true.into())
    );
    assert_eq!(already["outcome"], "already");
    for same in [
        "previous", "version", "tag", "commit", "bump", "reason", "commits", "notes",
    ] {
        assert_eq!(planned[same], created[same], "{same}");
        assert_eq!(created[same], already[same], "{same}");
    }
    assert_eq!(created["previous"], "0.1.0");
    assert_eq!(
        (&created["tag"], &created["bump"]),
        (&"v0.2.0".into(), &"minor".into())
    );
    assert_eq!(
        (&created["commit"], &created["commits"]),
        (&commit.as_str().into(), &2.into())
    );
    let notes = fs::read_to_string(world.path("notes.md")).expect("notes");
    assert!(notes.contains("- **ui:** add tabs (#12) ("), "{notes}");
    assert_eq!(created["notes"], notes.as_str());
    // What git says of it.
    assert_eq!(git.run(&["describe"]), "v0.2.0");
    let object = git.run(&["cat-file", "-p", "v0.2.0"]);
    assert!(
        object.starts_with(&format!(
            "object {commit}\ntype commit\ntag v0.2.0\ntagger lastmile <lastmile@lastmile.invalid> "
        )),
        "{object}"
    );
    assert!(object.contains("\n\nv0.2.0\n\n## Features\n"), "{object}");
    git.run(&["fsck", "--strict", "--full"]);
}

#[test]
fn whoever_tags_is_named() {
    let Some((world, git)) = repository() else {
        return;
    };
    let tagger = |name: &str| {
        let object = git.run(&["cat-file", "-p", name]);
        let line = object.lines().find(|line| line.starts_with("tagger "));
        line.and_then(|line| line.rsplitn(3, ' ').last().map(str::to_owned))
            .unwrap_or_default()
    };
    git.commit("feat: a");
    let actor = [("GITHUB_ACTOR", "octo<x>\nbot[bot]")];
    world.run_with(&["tag", "--local"], &actor).expect(0);
    assert_eq!(
        tagger("v0.1.0"),
        "tagger octoxbot[bot] <octoxbot[bot]@users.noreply.github.com>"
    );
    git.commit("feat: b");
    git.run(&["config", "user.name", "Ann Example"]);
    git.run(&["config", "user.email", "ann@example.com"]);
    world.run_with(&["tag", "--local"], &actor).expect(0);
    assert_eq!(tagger("v0.2.0"), "tagger Ann Example <ann@example.com>");
    git.run(&["fsck", "--strict", "--full"]);
}

#[test]
fn the_configuration_names_tags_and_the_first_version() {
    let world = world();
    let Some(git) = Git::init(world.folder()) else {
        return;
    };
    git.commit("feat: a");
    // The configuration says `package.json`, which is not there; then it is.
    assert_eq!(next(&world, ""), "0.1.0");
    world.write("package.json", br#"{"version": "0.0.0"}"#);
    assert_eq!(next(&world, ""), "0.1.0");
    world.write("package.json", br#"{"version": "1.2.0"}"#);
    assert_eq!(next(&world, ""), "1.2.0");
    assert_eq!(next(&world, "--pre beta"), "1.2.0-beta.1");
    world.write("package.json", br#"{"version": "one"}"#);
    world.sh("tag --dry-run").expect(2).says("package.json");
    let config = world.config_text("").replacen(
        "feeds:",
        "tag: { format: \"atlas/v{version}\" }\nfeeds:",
        1,
    );
    world.write("lastmile.yml", config.as_bytes());
    world.sh("tag --local --version 2.0.0").expect(0);
    git.commit("fix: b");
    // Another app's tags are another app's.
    git.tag("v9.0.0");
    git.tag("other/v9.0.0");
    assert_eq!(next(&world, ""), "2.0.1");
    world.sh("tag --local --app atlas").expect(0);
    assert_eq!(git.run(&["describe", "--match", "atlas/*"]), "atlas/v2.0.1");
    world.sh("tag --local --config gone.yml").expect(2);
}

#[test]
fn a_release_can_take_its_version_from_the_tag() {
    let world = world();
    let Some(git) = Git::init(world.folder()) else {
        return;
    };
    world.build("1.4.0");
    let config = world
        .config_text("")
        .replacen("from: package.json", "from: tag", 1);
    world.write("lastmile.yml", config.as_bytes());
    git.commit("feat: a");
    world
        .sh("verify")
        .expect(2)
        .says("no tag `v{version}` is at the commit");
    assert_eq!(next(&world, ""), "0.1.0");
    world.sh("tag --local --version 1.4.0").expect(0);
    world.sh("publish").expect(0).says("atlas 1.4.0");
    git.commit("fix: b");
    world.sh("verify").expect(2).says("lastmile tag");
}

#[test]
fn only_what_the_commit_contains_counts() {
    let Some((world, git)) = repository() else {
        return;
    };
    git.commit("feat: a");
    git.run(&["tag", "v1.0.0"]);
    git.commit("feat: b");
    git.tag("v1.1.0");
    git.run(&["checkout", "--quiet", "-b", "release/1.1.x"]);
    git.commit("fix: only there");
    git.tag("v1.1.1");
    git.tag("v7.0.0");
    git.run(&["checkout", "--quiet", "main"]);
    git.commit("docs: c");
    git.run(&["checkout", "--quiet", "-b", "topic", "HEAD~1"]);
    git.commit("feat: on a branch that began before the tag's child");
    git.run(&["checkout", "--quiet", "main"]);
    git.run(&["merge", "--quiet", "--no-ff", "--no-edit", "topic"]);
    let planned = report(&world, "--dry-run");
    assert_eq!(
        (&planned["previous"], &planned["version"]),
        (&"1.1.0".into(), &"1.2.0".into())
    );
    let count = git.run(&["rev-list", "--count", "v1.1.0..HEAD"]);
    assert_eq!(planned["commits"].to_string(), count);
    // Merged, its tags are this commit's too.
    git.run(&["merge", "--quiet", "--no-edit", "release/1.1.x"]);
    assert_eq!(report(&world, "--dry-run")["previous"], "7.0.0");
    let count = git.run(&["rev-list", "--count", "v7.0.0..HEAD"]);
    assert_eq!(report(&world, "--dry-run")["commits"].to_string(), count);
}

#[test]
fn a_tag_elsewhere_and_a_version_that_falls_are_refused() {
    let Some((world, git)) = repository() else {
        return;
    };
    let first = git.commit("feat: a");
    world.sh("tag --local --version 1.0.0").expect(0);
    let second = git.commit("fix: b");
    for flags in ["--local", "--local --dry-run", "--dry-run"] {
        world
            .sh(&format!("tag --version 1.0.0 {flags}"))
            .expect(3)
            .says(&first)
            .says(&second);
    }
    world
        .sh("tag --local --version 0.9.0")
        .expect(2)
        .says("`0.9.0` is not above `1.0.0`");
    // The next version is taken by a branch.
    git.run(&["tag", "v1.0.1", "HEAD~1"]);
    world.sh("tag --local").expect(0).says("v1.0.2");
    git.run(&["checkout", "--quiet", "-b", "side", "HEAD~1"]);
    git.commit("fix: c");
    world
        .sh("tag --local")
        .expect(3)
        .says("v1.0.2")
        .says(&second);
    world
        .sh("tag --local --version 1.0.3")
        .expect(0)
        .says("created");
    world
        .sh("tag --local --version 1.0.3")
        .expect(0)
        .says("already");
    git.commit("fix: d");
    world
        .sh("tag")
        .expect(2)
        .says("`GITHUB_TOKEN` is missing: tags are created through GitHub");
    world.sh("tag --dry-run").expect(0).says("v1.0.4 would be");
    world.sh("tag --pre 1 --dry-run").expect(2);
    world.sh("tag --pre a --version 2.0.0 --dry-run").expect(2);
}

#[test]
fn pre_releases_are_counted_by_the_tags() {
    let Some((world, git)) = repository() else {
        return;
    };
    git.commit("feat: a");
    world.sh("tag --local --version 1.3.0").expect(0);
    git.commit("feat: b");
    for expected in ["1.4.0-beta.1", "1.4.0-beta.2", "1.4.0-beta.3"] {
        git.commit("fix: c");
        let created = report(&world, "--local --pre beta");
        assert_eq!(created["version"], expected);
        assert_eq!(report(&world, "--local --pre beta")["outcome"], "already");
    }
    let last = report(&world, "--local --pre beta");
    assert_eq!(
        (&last["previous"], &last["commits"]),
        (&"1.4.0-beta.2".into(), &1.into())
    );
    git.commit("fix: d");
    world
        .sh("tag --local --pre alpha")
        .expect(3)
        .says("not above `1.4.0-beta.3`");
    let full = report(&world, "--local");
    assert_eq!(
        (&full["version"], &full["commits"]),
        (&"1.4.0".into(), &5.into())
    );
}

#[test]
fn of_eight_at_once_one_creates() {
    let Some((world, git)) = repository() else {
        return;
    };
    for round in 0..4 {
        git.commit("feat: a");
        let expected = format!("v0.{}.0", round + 1);
        assert_eq!(created_by_eight(&world, &expected), 1, "{expected}");
    }
    assert_eq!(tags(&git), "v0.1.0 v0.2.0 v0.3.0 v0.4.0");
    git.run(&["fsck", "--strict", "--full"]);
}

fn created_by_eight(world: &World, tag: &str) -> usize {
    let run = || world.spawn(&["tag", "--local", "--format", "json"], &[]);
    let running: Vec<_> = (0..8).map(|_| run()).collect();
    let mut created = 0;
    for child in running {
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let result = &document["result"];
        assert_eq!(result["tag"], tag);
        let expected = if result["created"] == true {
            "created"
        } else {
            "already"
        };
        assert_eq!(result["outcome"], expected);
        created += usize::from(result["created"] == true);
    }
    created
}

#[test]
fn no_git_is_needed() {
    let Some((world, git)) = repository() else {
        return;
    };
    git.commit("feat: a");
    git.run(&["pack-refs", "--all"]);
    git.run(&["gc", "--quiet"]);
    world
        .run_with(&["tag", "--local"], &[("PATH", "/nowhere")])
        .expect(0)
        .says("v0.1.0 is created");
    assert_eq!(git.run(&["describe"]), "v0.1.0");
    crate::world()
        .sh("tag --local --dry-run")
        .expect(2)
        .says("no git repository");
}
