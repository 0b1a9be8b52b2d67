//! git says which tags and commits a commit contains, git-cliff which version is next where its rules are ours.

use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::World;

use super::{next, report, repository};

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

/// A history of this many commits with merges, tags of any version anywhere, and times that lie.
fn any_history(seed: u64, commits: u64) -> String {
    // Numerical Recipes' generator: the same history every time.
    let mut state = seed;
    let mut below = |end: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % end
    };
    let mut stream = String::new();
    for at in 1..=commits {
        let time = if below(10) == 0 {
            below(2_000)
        } else {
            1_000_000 + at * 60
        };
        stream.push_str(&format!(
            "commit refs/heads/c{at}\nmark :{at}\ncommitter A <a@example.com> {time} +0000\ndata 7\nfeat: x\n"
        ));
        // Mostly on top of a recent commit, sometimes of any; the first has nothing below it.
        let mut earlier = |reach: u64| at - 1 - below(reach.min(at - 1));
        if at > 1 {
            stream.push_str(&format!("from :{}\n", earlier(3)));
            if at % 4 == 0 {
                stream.push_str(&format!("merge :{}\n", earlier(40)));
            }
        }
        stream.push('\n');
        if below(4) == 0 {
            let pre = if below(3) == 0 { "-beta.1" } else { "" };
            let name = format!("v{}.{}.{}{pre}", below(3), below(4), below(4));
            stream.push_str(&format!("reset refs/tags/{name}\nfrom :{at}\n\n"));
        }
    }
    stream.push_str(&format!("reset refs/heads/main\nfrom :{commits}\n\n"));
    stream
}

/// Whatever the history looks like, the last tag and the commits since are those that git names.
#[test]
fn git_contains_the_same_commits() {
    for seed in 0..12 {
        let Some((world, git)) = repository() else {
            return;
        };
        git.run_with(
            &["fast-import", "--quiet"],
            any_history(seed, 40 + seed * 20).as_bytes(),
        );
        git.commit("feat: on top, where no tag is");
        let merged = git.run(&["tag", "--merged", "HEAD"]);
        let versions = merged
            .lines()
            .filter_map(|tag| tag.strip_prefix('v')?.parse().ok());
        let last = versions
            .filter(|version: &release::Version| !version.is_prerelease())
            .max();
        let range = last
            .as_ref()
            .map_or("HEAD".to_owned(), |version| format!("v{version}..HEAD"));
        let count = git.run(&["rev-list", "--count", &range]);
        let found = report(&world, "--dry-run --version 99.0.0");
        let expected = last.map_or(serde_json::Value::Null, |version| {
            version.to_string().into()
        });
        assert_eq!(found["previous"], expected, "seed {seed}");
        assert_eq!(found["commits"].to_string(), count, "seed {seed}, {range}");
    }
}
