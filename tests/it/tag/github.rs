//! Tags through GitHub: from clones that know little, by tokens that may little, over a network that fails.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;
use testkit::git::Git;
use testkit::github::{At, Does, Fault, GitHub, Plan};
use testkit::{Ran, World};
use tokio::runtime::Runtime;

use super::repository;

/// A repository that is pushed, and a GitHub that has it.
struct Pushed {
    _runtime: Runtime,
    github: GitHub,
    world: World,
    git: Git,
}

fn pushed(commits: impl FnOnce(&Git)) -> Option<Pushed> {
    let (world, git) = repository()?;
    commits(&git);
    let runtime = Runtime::new().expect("a runtime");
    let github = runtime.block_on(GitHub::start());
    github.push(&git);
    Some(Pushed {
        _runtime: runtime,
        github,
        world,
        git,
    })
}

impl Pushed {
    fn tag(&self, flags: &str) -> Ran {
        self.tag_in(self.world.folder(), flags, &self.github.env())
    }

    fn tag_in(&self, folder: &Path, flags: &str, env: &[(String, String)]) -> Ran {
        let output = command(folder, flags, env).output().expect("it runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// The variables with another token.
    fn env_with(&self, token: &str) -> Vec<(String, String)> {
        let other = |(name, value): (String, String)| match name.as_str() {
            "GITHUB_TOKEN" => (name, token.to_owned()),
            _ => (name, value),
        };
        self.github.env().into_iter().map(other).collect()
    }

    /// The commit that a tag on GitHub leads to, and that it is an object with this name.
    #[track_caller]
    fn tagged(&self, name: &str) -> String {
        let refs = self.github.refs();
        let id = &refs[&format!("refs/tags/{name}")];
        let object = &self.github.tag_objects()[id];
        assert_eq!(object.tag, name);
        object.object.clone()
    }
}

fn command(folder: &Path, flags: &str, env: &[(String, String)]) -> Command {
    let mut command = Command::new(crate::BINARY);
    command
        .current_dir(folder)
        .env_clear()
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs(env.iter().map(|(name, value)| (name, value)))
        .arg("tag")
        .args(flags.split_whitespace())
        .stdin(Stdio::null());
    command
}

#[track_caller]
fn result(ran: Ran) -> Value {
    let document: Value = serde_json::from_str(&ran.expect(0).stdout).expect("JSON");
    document["result"].clone()
}

#[test]
fn the_tag_is_made_once_and_never_moves() {
    let Some(there) = pushed(|git| drop(git.commit("feat: a"))) else {
        return;
    };
    let first = there.git.head();
    there
        .tag("--dry-run")
        .expect(0)
        .says("v0.1.0 would be created");
    assert_eq!(there.github.refs().len(), 1, "a plan creates nothing");
    there.tag("").expect(0).says("v0.1.0 is created at");
    assert_eq!(there.tagged("v0.1.0"), first);
    // The clone does not know the tag; GitHub does, and that is what counts.
    assert_eq!(there.git.run(&["tag", "--list"]), "");
    there.tag("").expect(0).says("v0.1.0 is already at");
    there
        .tag("--dry-run")
        .expect(0)
        .says("v0.1.0 is already at");
    there.git.commit("fix: b");
    there
        .tag("")
        .expect(3)
        .says("is not in `acme/atlas`")
        .says("push it first");
    there.github.push(&there.git);
    for flags in ["--version 0.1.0", "--version 0.1.0 --dry-run"] {
        there.tag(flags).expect(3).says("tag `v0.1.0` exists at");
    }
    there.tag("").expect(0).says("v0.1.1 is created at");
    // A version that somebody tagged on another branch.
    there
        .git
        .run(&["checkout", "--quiet", "-b", "side", "HEAD~1"]);
    there.git.commit("fix: c");
    there.github.push(&there.git);
    there
        .tag("")
        .expect(3)
        .says("tag `v0.1.1` exists at")
        .says("a tag never moves");
    assert_eq!(there.github.tag_objects().len(), 2);
    // What git makes of it, from the objects that GitHub has.
    assert!(!there.github.requests().is_empty());
}

/// Depth 1 and no tags is what `actions/checkout` gives. The answer is that of a whole clone.
#[test]
fn a_shallow_clone_is_as_good_as_a_whole_one() {
    let history = |git: &Git| {
        git.commit("feat: a");
        git.tag("v1.0.0");
        git.commit("feat: b");
        git.run(&["tag", "v1.1.0"]);
        git.run(&["checkout", "--quiet", "-b", "side"]);
        git.commit("feat!: c");
        git.tag("v2.0.0");
        git.run(&["checkout", "--quiet", "main"]);
        git.commit("fix: d");
        git.tag("v1.1.1-beta.1");
        for n in 0..120 {
            git.commit(&format!("fix: number {n}"));
        }
        git.run(&["checkout", "--quiet", "-b", "topic", "HEAD~3"]);
        git.commit("perf: on a branch");
        git.run(&["checkout", "--quiet", "main"]);
        git.run(&["merge", "--quiet", "--no-ff", "--no-edit", "topic"]);
    };
    let Some(there) = pushed(history) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let clone = shallow(&there, folder.path());
    let env = there.github.env();
    for flags in [
        "--dry-run",
        "--dry-run --pre beta",
        "--dry-run --version 3.0.0",
        "--dry-run --version 1.2.0-rc.1",
    ] {
        let flags = format!("{flags} --format json");
        let whole = result(there.tag_in(there.world.folder(), &flags, &[]));
        assert_eq!(result(there.tag(&flags)), whole, "{flags}");
        let shallow = result(there.tag_in(&clone, &flags, &env));
        let (mut shallow_notes, mut whole_notes) = (lines(&shallow), lines(&whole));
        // Commits of one second have no order of their own.
        shallow_notes.sort_unstable();
        whole_notes.sort_unstable();
        assert_eq!(shallow_notes, whole_notes, "{flags}");
        for field in ["version", "previous", "bump", "commits", "commit", "tag"] {
            assert_eq!(shallow[field], whole[field], "{flags}: {field}");
        }
    }
    // Without GitHub it is refused, as before.
    there
        .tag_in(&clone, "--dry-run", &[])
        .expect(3)
        .says("this clone is shallow");
    let created = result(there.tag_in(&clone, "--format json", &env));
    assert_eq!(created["tag"], "v1.1.1");
    assert_eq!(there.tagged("v1.1.1"), there.git.head());
    let again = result(there.tag_in(&clone, "--format json", &env));
    assert_eq!(
        (&again["version"], &again["outcome"]),
        (&created["version"], &"already".into())
    );
}

/// Two tags at the head, and one above it at an ancestor: which of them a run has made is told as from a whole clone.
#[test]
fn what_is_at_a_shallow_head_is_known() {
    let Some(there) = pushed(|git| {
        git.commit("feat: a");
        git.tag("v1.0.0");
        git.commit("feat: b");
        git.tag("v1.1.0-beta.1");
        git.tag("v1.1.0");
    }) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let clone = shallow(&there, folder.path());
    let env = there.github.env();
    let same = |flags: &str| {
        let flags = format!("--dry-run --format json {flags}");
        let whole = result(there.tag_in(there.world.folder(), &flags, &[]));
        assert_eq!(result(there.tag_in(&clone, &flags, &env)), whole, "{flags}");
        whole
    };
    let beta = same("--pre beta");
    assert_eq!(beta["version"], "1.1.0-beta.1");
    assert_eq!(beta["outcome"], "already");
    assert_eq!(same("")["version"], "1.1.0");
    there
        .git
        .run(&["tag", "--annotate", "--message", "x", "v2.0.0", "HEAD~1"]);
    there.github.push(&there.git);
    same("");
    same("--pre beta");
}

/// What an input holds reaches its flag and nothing else.
#[test]
fn hostile_inputs_are_values_of_their_flags() {
    let Some(there) = pushed(|git| drop(git.commit("feat: a"))) else {
        return;
    };
    for (name, value) in [
        ("LASTMILE_REPOSITORY", "acme/atlas\n--local"),
        ("LASTMILE_REPOSITORY", "--local"),
        ("LASTMILE_REPOSITORY", "../../user"),
        ("LASTMILE_PRE", "$(id)"),
        ("LASTMILE_PRE", "beta\n::error::x"),
        ("LASTMILE_VERSION", "--dry-run"),
        ("LASTMILE_GITHUB_TIMEOUT", "18446744073709551615"),
        ("LASTMILE_GITHUB_TIMEOUT", "0"),
    ] {
        let mut env = there.github.env();
        env.push((name.to_owned(), value.to_owned()));
        let ran = there.tag_in(there.world.folder(), "", &env).expect(2);
        assert!(!ran.stderr.contains("\n::"), "{}", ran.stderr);
    }
    assert_eq!(there.github.refs().len(), 1);
    assert_eq!(there.git.run(&["tag", "--list"]), "");
}

/// A clone of depth 1 without tags, as `actions/checkout` makes it.
fn shallow(there: &Pushed, folder: &Path) -> PathBuf {
    let from = format!("file://{}", there.world.folder().display());
    let clone = folder.join("clone");
    let to = clone.display().to_string();
    let depth = ["clone", "--quiet", "--depth", "1", "--no-tags"];
    there.git.run(&[&depth[..], &[&from, &to]].concat());
    clone
}

fn lines(report: &Value) -> Vec<&str> {
    report["notes"]
        .as_str()
        .unwrap_or_default()
        .lines()
        .collect()
}

#[test]
fn a_repository_without_tags_begins_from_a_shallow_clone_too() {
    let Some(there) = pushed(|git| {
        for n in 0..130 {
            git.commit(&format!("feat: number {n}"));
        }
    }) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let clone = shallow(&there, folder.path());
    let env = there.github.env();
    let planned = result(there.tag_in(&clone, "--dry-run --format json", &env));
    assert_eq!(planned["version"], "0.1.0");
    assert_eq!(planned["commits"], 130);
    there.tag_in(&clone, "", &env).expect(0).says("created");
}

#[test]
fn a_token_that_may_not_is_told_what_it_needs() {
    let Some(there) = pushed(|git| drop(git.commit("feat: a"))) else {
        return;
    };
    let read = there.github.token(&[("contents", "read")]);
    let folder = there.world.folder();
    there
        .tag_in(folder, "--dry-run", &there.env_with(&read))
        .expect(0)
        .says("would be created");
    there
        .tag_in(folder, "", &there.env_with(&read))
        .expect(3)
        .says("cannot create the tag `v0.1.0` in `acme/atlas`")
        .says("`permissions: { contents: write }`");
    there
        .tag_in(folder, "", &there.env_with("ghs_unknown"))
        .expect(3)
        .says("Bad credentials")
        .says("GITHUB_TOKEN");
    there
        .tag_in(folder, "", &there.env_with("two\nlines"))
        .expect(2)
        .says("is no token");
    let mut nowhere = there.github.env();
    for (name, value) in &mut nowhere {
        match name.as_str() {
            "GITHUB_API_URL" => *value = "http://api.example.com".to_owned(),
            _ => continue,
        }
    }
    there
        .tag_in(folder, "", &nowhere)
        .expect(2)
        .says("is no address of GitHub's API");
    assert_eq!(there.github.refs().len(), 1);
    let said = there
        .tag_in(folder, "--repository acme/other", &there.github.env())
        .expect(3);
    assert!(said.stderr.contains("acme/other"), "{}", said.stderr);
}

/// Each request meets each way in which a network and GitHub fail; one tag comes of it, and the run that made it says so.
#[test]
fn whatever_fails_once_there_is_one_tag() {
    let Some(there) = pushed(|git| drop(git.commit("feat: a"))) else {
        return;
    };
    there.tag("").expect(0);
    let requests = there.github.requests().len();
    assert!(requests >= 4, "{:?}", there.github.requests());
    let limited = |status, retry_after| Does::RateLimited {
        status,
        retry_after,
        remaining0_reset: None,
    };
    let faults = [
        Does::DropBefore,
        Does::DropAfter,
        Does::Status(500),
        Does::StatusAfter(502),
        Does::HtmlStatus(502),
        limited(403, Some(1)),
        limited(429, Some(0)),
        Does::Garbage200,
        Does::Hang,
    ];
    let mut objects = there.github.tag_objects().len();
    for k in 1..=requests {
        for does in &faults {
            let when = format!("{does:?} at request {k}");
            there.github.remove_ref("refs/tags/v0.1.0");
            there.github.clear_requests();
            there.github.plan(Plan::of([Fault {
                at: At::Nth(k),
                does: does.clone(),
            }]));
            let ran = there.tag("--github-timeout 1");
            assert_eq!(ran.code, Some(0), "{when}: {}", ran.stderr);
            assert!(
                ran.stdout.contains("is created at"),
                "{when}: {}",
                ran.stdout
            );
            assert_eq!(there.tagged("v0.1.0"), there.git.head(), "{when}");
            // Whatever was repeated made the same object again.
            let now = there.github.tag_objects().len();
            assert!(
                now <= objects + 1,
                "{when}: {objects} tag objects, then {now}"
            );
            objects = now;
        }
    }
}

#[test]
fn what_fails_for_good_is_said_and_leaves_nothing() {
    let Some(there) = pushed(|git| drop(git.commit("feat: a"))) else {
        return;
    };
    let every = |does: Does| {
        Plan::of((1..200).map(|n| Fault {
            at: At::Nth(n),
            does: does.clone(),
        }))
    };
    there.github.plan(every(Does::Status(502)));
    there
        .tag("")
        .expect(5)
        .says("GitHub answers 502")
        .says("githubstatus.com");
    // A rule of the repository, say: nothing is asked twice, and there is no tag.
    there.github.plan(Plan::of([Fault {
        at: At::NthOf("git/create-ref", 1),
        does: Does::Status(422),
    }]));
    there
        .tag("")
        .expect(3)
        .says("cannot create the tag `v0.1.0` in `acme/atlas`: GitHub answers 422");
    assert_eq!(there.github.refs().len(), 1);
    there.github.clear_requests();
    there.github.plan(every(Does::RateLimited {
        status: 403,
        retry_after: Some(3_600),
        remaining0_reset: None,
    }));
    there
        .tag("")
        .expect(5)
        .says("limits requests for another 3600s");
    assert_eq!(there.github.requests().len(), 1, "it does not press on");
    there.github.plan(Plan::default());
    let env = there.github.env();
    let Pushed { github, .. } = &there;
    assert_eq!(github.refs().len(), 1);
    // Nobody listens there any more.
    let gone: Vec<_> = env
        .into_iter()
        .map(|(name, value)| match name.as_str() {
            "GITHUB_API_URL" => (name, "http://127.0.0.1:9".to_owned()),
            _ => (name, value),
        })
        .collect();
    there
        .tag_in(there.world.folder(), "", &gone)
        .expect(5)
        .says("(tried 6 times)");
}

#[test]
fn eight_runs_at_once_make_one_tag() {
    let Some(there) = pushed(|git| drop(git.commit("feat: a"))) else {
        return;
    };
    let env = there.github.env();
    let outputs: Vec<String> = thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|n| {
                let mut env = env.clone();
                env.push(("GITHUB_ACTOR".to_owned(), format!("actor-{n}")));
                let folder = there.world.folder();
                scope.spawn(move || {
                    let output = command(folder, "", &env).output().expect("it runs");
                    assert!(output.status.success(), "{output:?}");
                    String::from_utf8_lossy(&output.stdout).into_owned()
                })
            })
            .collect();
        runs.into_iter()
            .map(|run| run.join().expect("a run"))
            .collect()
    });
    let created = outputs
        .iter()
        .filter(|output| output.contains("is created at"));
    assert_eq!(created.count(), 1, "{outputs:?}");
    assert_eq!(there.tagged("v0.1.0"), there.git.head());
}
