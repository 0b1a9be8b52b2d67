//! git-cliff reads the same commits. Where its rules are ours, so is its answer.

use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::World;

use super::{next, repository};

/// The judge; where it is not installed, none.
fn git_cliff() -> Option<PathBuf> {
    let modules =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/judges/git-cliff/node_modules");
    let next = "run `npm ci --ignore-scripts` in tests/judges/git-cliff";
    if !testkit::judge::has_path(&modules, next) {
        return None;
    }
    // The package for this machine is named after it.
    let programs = std::fs::read_dir(modules).ok()?.flatten();
    let mut programs = programs.map(|entry| entry.path().join("bin/git-cliff"));
    let found = programs.find(|path| path.is_file());
    if found.is_none() {
        testkit::judge::missing("git-cliff has no program for this machine");
    }
    found
}

/// The version that git-cliff would release. Its defaults differ from ours for 0.x, so it is told ours.
fn bumped(program: &Path, world: &World) -> String {
    let config = "[bump]\nbreaking_always_bump_major = false\n[git]\nconventional_commits = true\n";
    world.write(".git/cliff.toml", config.as_bytes());
    let output = Command::new(program)
        .current_dir(world.folder())
        .args([
            "--config",
            ".git/cliff.toml",
            "--unreleased",
            "--bumped-version",
        ])
        .output()
        .expect("git-cliff");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim().trim_start_matches('v').to_owned()
}

#[test]
fn git_cliff_comes_to_the_same_version() {
    let (Some((world, git)), Some(program)) = (repository(), git_cliff()) else {
        return;
    };
    git.commit("feat: a");
    for (at, (before, message)) in [
        ("0.3.1", "fix: a"),
        ("0.3.9", "feat: a"),
        ("0.4.9", "feat!: a"),
        ("1.2.3", "fix(x): a"),
        ("1.3.3", "feat: a\n\nbody"),
        ("1.4.3", "refactor!: a"),
        ("2.4.3", "fix: a\n\nBREAKING CHANGE: b"),
        ("3.4.3", "perf: a"),
    ]
    .into_iter()
    .enumerate()
    {
        git.tag(&format!("v{before}"));
        git.commit("fix: first");
        git.commit(message);
        git.commit("fix: last");
        if at % 2 == 0 {
            git.run(&["checkout", "--quiet", "-b", &format!("topic{at}"), "HEAD~1"]);
            git.commit("fix: on a branch");
            git.run(&["checkout", "--quiet", "main"]);
            git.run(&[
                "merge",
                "--quiet",
                "--no-ff",
                "--no-edit",
                &format!("topic{at}"),
            ]);
        }
        assert_eq!(
            next(&world, ""),
            bumped(&program, &world),
            "after {before}: {message}"
        );
    }
}
