//! Whatever fails, at any request: one release, whole, and nobody ever saw less of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use testkit::World;
use testkit::github::{At, Does, Fault, GitHub, Plan, Quirks};

use super::{ASSETS, PUBLISH, names, tagged};
use crate::publish::objects;

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

/// Somebody publishes the draft while it is filled, with a file of their own under a name of ours: theirs is not deleted.
#[test]
fn what_is_published_meanwhile_is_not_deleted() {
    let Some(there) = tagged() else { return };
    let github = there.github.clone();
    let meddle = Arc::new(move || {
        let draft = github.releases().remove(0);
        github.change_release(draft.id, |release| {
            let mut theirs = release.assets.first().cloned().expect("an asset");
            theirs.id += 1_000_000;
            theirs.name = "SHA256SUMS".to_owned();
            theirs.sha256 = "0".repeat(64);
            release.assets.push(theirs);
            release.draft = false;
        });
    });
    there.github.plan(Plan::of([Fault {
        at: At::KeySuffix("?name=SHA256SUMS", 1),
        does: Does::KillBefore(meddle),
    }]));
    there
        .publish()
        .expect(4)
        .says("version `1.4.0` is published in the store, but its GitHub release is not")
        .says("other bytes are published under that name");
    let release = there.github.releases().remove(0);
    let theirs = release
        .assets
        .iter()
        .find(|asset| asset.name == "SHA256SUMS");
    assert_eq!(theirs.expect("it is there").sha256, "0".repeat(64));
    let requests = there.github.requests();
    let deleted = |operation: &str| operation == "repos/delete-release-asset";
    assert!(
        !requests.iter().any(|one| deleted(one.operation)),
        "{requests:?}"
    );
}

/// Somebody turns the draft into one of another tag: it is not published as that.
#[test]
fn a_draft_of_another_tag_is_not_published() {
    let Some(there) = tagged() else { return };
    there.github.plan(Plan::of([Fault {
        at: At::NthOf("repos/update-release", 1),
        does: Does::Status(422),
    }]));
    there.publish().expect(3);
    let id = there.github.releases()[0].id;
    there
        .github
        .change_release(id, |release| release.tag_name = "v9.9.9".to_owned());
    there
        .publish()
        .expect(4)
        .says("was made for the tag `v1.4.0`, and is of `v9.9.9` now");
    assert!(there.github.releases()[0].draft);
    there
        .github
        .change_release(id, |release| release.tag_name = "v1.4.0".to_owned());
    there.publish().expect(0);
    there.one_whole_release("with its tag again");
}
