//! A clone without all of its history: the right answer or none.

use testkit::World;
use testkit::git::Git;

use super::{report, repository};
use crate::world;

/// A clone of this depth.
fn clone(of: &World, depth: &str, more: &[&str]) -> (World, Git) {
    let world = world();
    let git = Git::at(world.folder()).expect("git was there before");
    let from = format!("file://{}", of.folder().display());
    let clone = ["clone", "--quiet", "--depth", depth];
    git.run(&[&clone[..], more, &[&from, "clone"]].concat());
    let clone = Git::at(&world.path("clone")).expect("git was there before");
    std::fs::remove_file(world.path("lastmile.yml")).expect("the configuration");
    (world, clone)
}

/// Runs `tag` in the clone.
fn tag(world: &World) -> testkit::Ran {
    let config = world.path("clone");
    let script = format!(
        "cd {} && exec \"$0\" tag --dry-run --format json",
        config.display()
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &script, crate::BINARY])
        .env_clear()
        .output()
        .expect("a shell");
    testkit::Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_shallow_clone_is_refused_or_right() {
    let Some((world, git)) = repository() else {
        return;
    };
    git.commit("feat: a");
    git.tag("v1.0.0");
    git.commit("feat: b");
    git.tag("v1.1.0");
    git.commit("fix: c");
    git.commit("docs: d");
    let whole = report(&world, "--dry-run");
    assert_eq!(whole["version"], "1.1.1");
    for (depth, more) in [
        ("1", &[][..]),
        ("2", &[]),
        ("3", &["--no-tags"]),
        ("1", &["--no-single-branch"]),
    ] {
        let (clone, _) = clone(&world, depth, more);
        tag(&clone)
            .expect(3)
            .says("this clone is shallow")
            .says("fetch-depth: 0");
    }
    // The last tag's commit is the boundary: all that is newer is there.
    let (clone, git) = clone(&world, "3", &[]);
    let document: serde_json::Value =
        serde_json::from_str(&tag(&clone).expect(0).stdout).expect("JSON");
    assert_eq!(document["result"], whole);
    git.run(&["fetch", "--quiet", "--unshallow"]);
    tag(&clone).expect(0);
}

/// With every tag there, but not the commits between: what `actions/checkout` with `fetch-tags` gives.
#[test]
fn tags_without_the_commits_between_are_refused() {
    let Some((world, git)) = repository() else {
        return;
    };
    git.commit("feat: a");
    git.tag("v1.0.0");
    git.commit("feat!: b");
    git.commit("fix: c");
    let (clone, git) = clone(&world, "1", &[]);
    git.run(&[
        "fetch",
        "--quiet",
        "--depth",
        "1",
        "origin",
        "refs/tags/*:refs/tags/*",
    ]);
    assert_eq!(git.run(&["tag", "--list"]), "v1.0.0");
    tag(&clone).expect(3).says("fetch-depth: 0");
}

/// All of the history and none of the tags looks like a repository before its first release.
#[test]
fn a_clone_that_leaves_tags_out_is_refused() {
    let Some((world, git)) = repository() else {
        return;
    };
    git.commit("feat: a");
    git.tag("v1.0.0");
    git.commit("feat: b");
    let (clone, git) = clone(&world, "9", &["--no-tags"]);
    assert_eq!(git.run(&["rev-parse", "--is-shallow-repository"]), "false");
    tag(&clone).expect(3).says("git fetch --tags");
    git.run(&["fetch", "--quiet", "--tags"]);
    let document: serde_json::Value =
        serde_json::from_str(&tag(&clone).expect(0).stdout).expect("JSON");
    assert_eq!(document["result"], report(&world, "--dry-run"));
}

/// A merged branch that began before the last tag: its commits are there, where they come from is not.
#[test]
fn a_branch_behind_the_boundary_is_refused() {
    let Some((world, git)) = repository() else {
        return;
    };
    git.commit("feat: root");
    git.commit("feat: before");
    git.run(&["checkout", "--quiet", "-b", "topic"]);
    git.commit("feat!: old and breaking, and released long ago");
    git.run(&["checkout", "--quiet", "main"]);
    git.run(&["merge", "--quiet", "--no-ff", "--no-edit", "topic"]);
    git.commit("feat: x");
    git.tag("v1.0.0");
    git.run(&["checkout", "--quiet", "topic"]);
    git.commit("fix: more on the branch");
    git.run(&["checkout", "--quiet", "main"]);
    git.run(&["merge", "--quiet", "--no-ff", "--no-edit", "topic"]);
    let whole = report(&world, "--dry-run");
    assert_eq!(whole["version"], "1.0.1");
    for depth in ["2", "3", "4", "5", "6"] {
        let (clone, _) = clone(&world, depth, &[]);
        let ran = tag(&clone);
        if ran.code == Some(0) {
            let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
            assert_eq!(document["result"], whole, "depth {depth}");
        } else {
            ran.expect(3).says("shallow");
        }
    }
}
