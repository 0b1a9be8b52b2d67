//! GitHub releases of a version: never seen before they are whole, made once, finished by running again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use testkit::git::Git;
use testkit::github::{At, Does, Fault, GitHub, Plan, Quirks, Release};
use testkit::{Ran, TIERS, World};
use tokio::runtime::Runtime;

use crate::publish::objects;

const PUBLISH: &str = "publish --run story --date 2026-11-23T08:00:00Z --github-timeout 2";
/// Four artifacts, their signatures, and SHA256SUMS.
const ASSETS: usize = 9;

/// A client repository whose version is tagged on GitHub, and built.
struct Tagged {
    runtime: Runtime,
    github: Arc<GitHub>,
    world: World,
    git: Git,
}

fn tagged() -> Option<Tagged> {
    let runtime = Runtime::new().expect("a runtime");
    let github = Arc::new(runtime.block_on(GitHub::start()));
    let world = World::on_store(crate::BINARY, "file:./store".to_owned(), github.env());
    let git = Git::init(world.folder())?;
    git.commit("feat: a");
    git.run(&[
        "tag",
        "--annotate",
        "--cleanup=verbatim",
        "--message",
        "v1.4.0\n\n## Features\n\n- a & `b`",
        "v1.4.0",
    ]);
    github.push(&git);
    world.build("1.4.0");
    let config = world.config_text(TIERS) + "github-release: { assets: all }\n";
    world.write("lastmile.yml", config.as_bytes());
    Some(Tagged {
        runtime,
        github,
        world,
        git,
    })
}

impl Tagged {
    fn publish(&self) -> Ran {
        self.publish_with(&[])
    }

    fn publish_with(&self, variables: &[(&str, &str)]) -> Ran {
        let sha = self.git.head();
        let mut all = vec![("GITHUB_SHA", sha.as_str())];
        all.extend_from_slice(variables);
        let words: Vec<_> = PUBLISH.split_whitespace().collect();
        self.world.run_with(&words, &all)
    }

    /// Nothing written, on neither side.
    #[track_caller]
    fn nothing_is_there(&self) {
        assert!(
            self.github.releases().is_empty(),
            "{:?}",
            self.github.releases()
        );
        let written: Vec<_> = objects_if_any(&self.world);
        assert!(written.is_empty(), "{written:?}");
    }

    /// One release, published, with every asset as it was built.
    #[track_caller]
    fn one_whole_release(&self, when: &str) -> Release {
        let releases = self.github.releases();
        assert_eq!(releases.len(), 1, "{when}: {releases:?}");
        assert_whole(&self.world, &releases[0], when);
        releases[0].clone()
    }
}

fn objects_if_any(world: &World) -> Vec<String> {
    if world.path("store").exists() {
        objects(world).into_keys().collect()
    } else {
        Vec::new()
    }
}

#[track_caller]
fn assert_whole(world: &World, release: &Release, when: &str) {
    assert!(!release.draft, "{when}: a draft");
    assert_eq!(release.tag_name, "v1.4.0", "{when}");
    assert_eq!(release.assets.len(), ASSETS, "{when}: {:?}", names(release));
    for asset in &release.assets {
        assert!(!asset.starter, "{when}: {}", asset.name);
        let local = world.path("dist").join(&asset.name);
        if let Ok(expected) = std::fs::read(local) {
            assert_eq!(asset.bytes, expected, "{when}: {}", asset.name);
        } else {
            assert_eq!(asset.name, "SHA256SUMS", "{when}");
        }
    }
}

fn names(release: &Release) -> Vec<&str> {
    release
        .assets
        .iter()
        .map(|asset| asset.name.as_str())
        .collect()
}

#[test]
fn a_release_is_made_once_and_last() {
    let Some(there) = tagged() else { return };
    there
        .publish()
        .expect(0)
        .says("GitHub release v1.4.0 with 9 assets: http")
        .says("nobody gets it yet");
    let release = there.one_whole_release("at first");
    let body = release.body.clone().unwrap_or_default();
    assert!(
        body.starts_with("## Features\n\n- a & `b`\n\n<!-- lastmile:op="),
        "{body}"
    );
    assert_eq!(there.github.latest().as_deref(), Some("v1.4.0"));
    let requests = there.github.requests();
    let at = |operation: &str| {
        let found = requests.iter().rposition(|one| one.operation == operation);
        found.unwrap_or_else(|| panic!("{operation} in {requests:?}"))
    };
    let is_ordered = at("repos/create-release") < at("repos/upload-release-asset")
        && at("repos/upload-release-asset") < at("repos/update-release");
    assert!(is_ordered, "{requests:?}");
    // Again: read, and nothing else, even by a token that may not write.
    there.github.clear_requests();
    let read = there.github.token(&[("contents", "read")]);
    there
        .publish_with(&[("GITHUB_TOKEN", &read)])
        .expect(0)
        .says("is already published")
        .says("nothing was written");
    let again = there.github.requests();
    assert!(
        again.len() <= 5 && again.iter().all(|one| one.body_bytes == 0),
        "{again:?}"
    );
    assert_eq!(there.one_whole_release("again"), release);
    // Another run of the same bytes compares too.
    there
        .world
        .run_with(
            &["publish", "--run", "other", "--wait", "0"],
            &[("GITHUB_SHA", &there.git.head())],
        )
        .expect(0)
        .says("already published");
}

#[test]
fn what_a_rule_forbids_is_refused_before_the_first_byte() {
    let Some(there) = tagged() else { return };
    let read = there.github.token(&[("contents", "read")]);
    there
        .publish_with(&[("GITHUB_TOKEN", &read)])
        .expect(3)
        .says("cannot create the release of `v1.4.0` in `acme/atlas`")
        .says("`permissions: { contents: write }`");
    there.nothing_is_there();
    there
        .publish_with(&[("GITHUB_TOKEN", "")])
        .expect(2)
        .says("`GITHUB_TOKEN` is missing")
        .says("`token: ${{ github.token }}`");
    let elsewhere = "0123456789012345678901234567890123456789";
    there
        .publish_with(&[("GITHUB_SHA", elsewhere)])
        .expect(3)
        .says("tag `v1.4.0` is at")
        .says(elsewhere);
    there
        .publish_with(&[("GITHUB_SHA", "")])
        .expect(2)
        .says("`commit` is missing");
    there.nothing_is_there();
    there.github.remove_ref("refs/tags/v1.4.0");
    there
        .publish()
        .expect(3)
        .says("tag `v1.4.0` is not there")
        .says("`lastmile tag`");
    there.nothing_is_there();
    there.github.push(&there.git);
    // A name that GitHub would change without a word.
    there
        .world
        .artifact("atlas-cli-1.4.0~rc-linux-x64.tar.gz", b"x");
    there.publish().expect(3).says("has a `~`");
    there.nothing_is_there();
}

/// Looks at every published release at every request.
fn watch(github: &Arc<GitHub>, world: &World, seen: &Arc<Mutex<Vec<String>>>) {
    for release in github.releases().iter().filter(|release| !release.draft) {
        let starters = release.assets.iter().filter(|asset| asset.starter).count();
        if release.assets.len() != ASSETS || starters > 0 {
            let folder = world.folder().display();
            let text = format!("{folder}: published with {:?}", names(release));
            seen.lock().expect("a list").push(text);
        }
    }
}

/// Every request meets every fault: one release, whole, and never seen before it is.
#[test]
fn whatever_fails_once_there_is_one_whole_release() {
    let Some(there) = tagged() else { return };
    there.publish().expect(0);
    let requests = there.github.requests();
    let faults = [
        Does::DropBefore,
        Does::DropAfter,
        Does::Status(502),
        Does::StatusAfter(502),
        Does::HtmlStatus(503),
        Does::Garbage200,
        Does::RateLimited {
            status: 403,
            retry_after: Some(1),
            remaining0_reset: None,
        },
        Does::Hang,
    ];
    let mut cases = Vec::new();
    for (k, request) in requests.iter().enumerate() {
        let upload = request.operation == "repos/upload-release-asset";
        let more = [Does::StarterLeft, Does::CorruptUpload];
        let mine = if upload { &more[..] } else { &[] };
        // Uploads are many and alike; of all requests each meets some, of each kind all.
        let chosen = faults.iter().skip(k % 2).step_by(2).chain(mine);
        cases.extend(chosen.map(|does| (k + 1, request.operation, does.clone())));
    }
    side_by_side(&cases, |(k, operation, does)| {
        let Some(there) = tagged() else { return };
        let when = format!("{does:?} at request {k} ({operation})");
        there.github.plan(Plan::of([Fault {
            at: At::Nth(*k),
            does: does.clone(),
        }]));
        let ran = there.publish();
        assert_eq!(ran.code, Some(0), "{when}: {}", ran.stderr);
        there.one_whole_release(&when);
    });
}

/// Plays many cases at once: each waits most of its time, as a client does whose server fails.
fn side_by_side<T: Sync>(cases: &[T], play: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    play(case);
                }
            });
        }
    });
}

/// Killed at any request, the same command ends it, and nobody ever saw half of it.
#[test]
fn killed_anywhere_the_same_command_ends_it() {
    let Some(there) = tagged() else { return };
    there.publish().expect(0);
    let requests = there.github.requests().len();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let cases: Vec<_> = (1..=requests)
        .flat_map(|k| [(k, false), (k, true)])
        .collect();
    side_by_side(&cases, |(k, after)| kill_at(*k, *after, &seen));
    let seen = seen.lock().expect("a list");
    assert!(seen.is_empty(), "{seen:?}");
}

fn kill_at(k: usize, after: bool, seen: &Arc<Mutex<Vec<String>>>) {
    let Some(there) = tagged() else { return };
    let sha = there.git.head();
    let words: Vec<_> = PUBLISH.split_whitespace().collect();
    let child = Arc::new(Mutex::new(None::<std::process::Child>));
    let victim = child.clone();
    let kill = Arc::new(move || {
        // The child is put there right after it is started.
        loop {
            if let Some(child) = victim.lock().expect("a child").as_mut() {
                let _ = child.kill();
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let does = if after {
        Does::KillAfter(kill)
    } else {
        Does::KillBefore(kill)
    };
    there.github.plan(Plan::of([Fault {
        at: At::Nth(k),
        does,
    }]));
    let started = there.world.spawn(&words, &[("GITHUB_SHA", &sha)]);
    *child.lock().expect("a child") = Some(started);
    let ended = loop {
        watch(&there.github, &there.world, seen);
        let status = {
            let mut child = child.lock().expect("a child");
            child.as_mut().and_then(|child| child.try_wait().ok()?)
        };
        if let Some(status) = status {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let when = format!("killed at {k}, after: {after}");
    assert!(!ended.success(), "{when}");
    watch(&there.github, &there.world, seen);
    there.github.plan(Plan::default());
    let ran = there.publish();
    assert_eq!(ran.code, Some(0), "{when}: {}", ran.stderr);
    there.one_whole_release(&when);
}

#[test]
fn lists_that_lag_make_no_second_release() {
    let Some(there) = tagged() else { return };
    there.github.quirks(Quirks {
        list_lag: 3,
        ..Quirks::default()
    });
    there.github.plan(Plan::of([Fault {
        at: At::NthOf("repos/create-release", 1),
        does: Does::DropAfter,
    }]));
    there.publish().expect(0);
    there.one_whole_release("a lost answer and a list that lags");
    // One that lags for longer than anybody looks: the second draft is found by the time the first is published.
    let Some(there) = tagged() else { return };
    there.github.quirks(Quirks {
        list_lag: 4,
        ..Quirks::default()
    });
    there.github.plan(Plan::of([Fault {
        at: At::NthOf("repos/create-release", 1),
        does: Does::DropAfter,
    }]));
    there.publish().expect(0);
    there.one_whole_release("two drafts of one run");
}

/// What GitHub does not do for a reason is not asked again, and it is said that the store has the version.
#[test]
fn what_github_refuses_after_the_record_is_said() {
    let Some(there) = tagged() else { return };
    there.github.plan(Plan::of([Fault {
        at: At::NthOf("repos/create-release", 1),
        does: Does::Status(422),
    }]));
    there
        .publish()
        .expect(3)
        .says("version `1.4.0` is published in the store, but its GitHub release is not")
        .says("GitHub answers 422");
    let requests = there.github.requests();
    let posts = requests
        .iter()
        .filter(|one| one.operation == "repos/create-release");
    assert_eq!(posts.count(), 1, "{requests:?}");
    there.publish().expect(0);
    there.one_whole_release("after a refusal");
}

#[test]
fn immutable_releases_are_whole_when_they_freeze() {
    let Some(there) = tagged() else { return };
    there.github.quirks(Quirks {
        immutable: true,
        ..Quirks::default()
    });
    there.publish().expect(0).says("(immutable)");
    let release = there.one_whole_release("immutable");
    assert!(release.immutable);
    there.publish().expect(0).says("nothing was written");
    // Somebody at GitHub took an asset away: nothing can be added, and that is said.
    there
        .github
        .change_release(release.id, |release| drop(release.assets.pop()));
    there
        .publish()
        .expect(4)
        .says("is published and immutable")
        .says("publish a new version");
}

#[test]
fn what_somebody_did_by_hand_is_not_undone() {
    let Some(there) = tagged() else { return };
    there.publish().expect(0);
    let id = there.one_whole_release("at first").id;
    // Other bytes under a name of ours: a conflict, with both digests.
    let mut before = None;
    there.github.change_release(id, |release| {
        before = Some(release.assets[0].clone());
        release.assets[0].sha256 = "0".repeat(64);
    });
    there
        .publish()
        .expect(4)
        .says("is published with other bytes")
        .says(&format!("found sha256:{}", "0".repeat(64)));
    // A release that was deleted stays deleted until a person says otherwise.
    there.github.remove_release(id);
    there
        .publish()
        .expect(3)
        .says(&format!(
            "the GitHub release {id} of this version was deleted"
        ))
        .says("remove `state/atlas/github/1.4.0.json`");
    assert!(there.github.releases().is_empty());
    std::fs::remove_file(there.world.path("store/state/atlas/github/1.4.0.json"))
        .expect("the note");
    there.publish().expect(0);
    there.one_whole_release("after the note was removed");
}

#[test]
fn github_that_is_down_leaves_a_version_that_the_same_command_finishes() {
    let Some(there) = tagged() else { return };
    there.github.plan(Plan::of((1..200).map(|n| Fault {
        at: At::NthOf("repos/upload-release-asset", n),
        does: Does::Status(503),
    })));
    there
        .publish()
        .expect(6)
        .says("version `1.4.0` is published in the store, but its GitHub release is not")
        .says("Run the same command again");
    let releases = there.github.releases();
    assert!(releases.iter().all(|release| release.draft), "{releases:?}");
    assert!(objects(&there.world).contains_key("public/atlas/releases/1.4.0/release.json"));
    // Another run does not touch it, and says whose it is.
    there
        .world
        .run_with(
            &["publish", "--run", "other", "--wait", "0"],
            &[("GITHUB_SHA", &there.git.head())],
        )
        .expect(4)
        .says("go on in its name with `--run story`");
    there.github.plan(Plan::default());
    there.publish().expect(0);
    there.one_whole_release("after GitHub came back");
}

#[test]
fn enterprise_servers_and_those_without_digests_are_served() {
    let Some(there) = tagged() else { return };
    there.github.quirks(Quirks {
        enterprise: true,
        no_digests: true,
        private: true,
        ..Quirks::default()
    });
    let api = there.github.api_url();
    assert!(api.ends_with("/api/v3"));
    there.publish_with(&[("GITHUB_API_URL", &api)]).expect(0);
    there.one_whole_release("enterprise");
    let downloads = |github: &GitHub| {
        let requests = github.requests();
        let reads = requests
            .iter()
            .filter(|one| one.operation == "storage/download");
        reads.count()
    };
    assert!(
        downloads(&there.github) >= ASSETS,
        "every byte is read back"
    );
    there
        .publish_with(&[("GITHUB_API_URL", &api)])
        .expect(0)
        .says("nothing was written");
}

#[test]
fn two_runs_at_once_make_one_release() {
    let Some(there) = tagged() else { return };
    let sha = there.git.head();
    let ends: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|n| {
                let (world, sha) = (&there.world, &sha);
                scope.spawn(move || {
                    let run = format!("run-{n}");
                    let words = ["publish", "--run", &run, "--date", "2026-11-23T08:00:00Z"];
                    world.run_with(&words, &[("GITHUB_SHA", sha)])
                })
            })
            .collect();
        runs.into_iter()
            .map(|run| run.join().expect("a run"))
            .collect()
    });
    for ran in &ends {
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
    there.one_whole_release("four runs");
    drop(there.runtime);
}

#[test]
fn a_lower_version_is_not_the_latest() {
    let Some(there) = tagged() else { return };
    there
        .git
        .run(&["tag", "--annotate", "--message", "v2.0.0", "v2.0.0"]);
    there.git.run(&[
        "tag",
        "--annotate",
        "--message",
        "v2.1.0-beta.1",
        "v2.1.0-beta.1",
    ]);
    there.github.push(&there.git);
    for (version, latest) in [
        ("2.0.0", "v2.0.0"),
        ("1.4.0", "v2.0.0"),
        ("2.1.0-beta.1", "v2.0.0"),
    ] {
        there.world.build(version);
        there.publish().expect(0);
        assert_eq!(there.github.latest().as_deref(), Some(latest), "{version}");
    }
    let releases = there.github.releases();
    assert_eq!(releases.len(), 3);
    assert!(releases[2].prerelease && !releases[1].prerelease);
}
