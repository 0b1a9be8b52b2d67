//! Many at once: nothing is lost, nothing is written twice.

use std::collections::BTreeMap;
use std::process::Command;

use ops::{Author, Place};
use release::revision::Actor;
use store::Store;
use testkit::s3::S3;

use crate::publish::objects;
use crate::{world, world_on};

const WRITERS: usize = 32;
const CHANGES: usize = 1_000;
/// The variables that make this test binary a writer in a process of its own.
const WORKER: &str = "LASTMILE_TEST_WORKER";

/// Each change is a real verb: a pause by one, a resume by another, a new start. What counts is that every change that
/// was reported as written stands in the log once.
async fn write(place: &Place, writer: usize, changes: usize) -> Vec<u64> {
    let mut written = Vec::new();
    for change in 0..changes {
        let author = Author {
            actor: Actor::asserted(format!("writer-{writer}")),
            reason: None,
            run: format!("{writer}-{change}"),
        };
        loop {
            let status = ops::rollout::status(place).await.expect("a status");
            let paused = status
                .platforms
                .values()
                .any(|entry| entry.stage.as_deref() == Some("paused"));
            let done = if paused {
                let request = ops::rollout::Resume {
                    to: None,
                    expect: status.revision,
                    platforms: Vec::new(),
                };
                ops::rollout::resume(place, &author, &request).await
            } else {
                ops::rollout::pause(place, &author, &[]).await
            };
            match done {
                Ok(changed) if changed.already.is_none() => {
                    written.push(changed.revision);
                    break;
                }
                // Somebody else did the same thing first, or moved the head: look again.
                Ok(_) => {}
                Err(error) if error.exit() == ops::Exit::Conflict => {}
                Err(error) => panic!("writer {writer}: {error}"),
            }
        }
    }
    written
}

fn prepared(world: &testkit::World) {
    world.publish("1.4.0");
    world.sh("rollout start --version 1.4.0").expect(0);
}

fn assert_all_there(mut written: Vec<u64>, audit: &ops::audit::Audit) {
    written.sort_unstable();
    let mut once = written.clone();
    once.dedup();
    assert_eq!(
        once.len(),
        written.len(),
        "two writers were told that they wrote the same revision"
    );
    assert_eq!(
        audit.entries.len(),
        written.len() + 1,
        "every change that was reported stands in the log, and no other"
    );
    assert_eq!(
        audit.entries.last().map(|entry| entry.revision),
        written.last().copied()
    );
}

async fn place(store: &str, folder: &std::path::Path) -> Place {
    let location = match store.strip_prefix("file:./") {
        Some(relative) => format!("file:{}", folder.join(relative).display()),
        None => store.to_owned(),
    };
    let store = Store::open(location.parse().expect("a store")).await;
    Place {
        store,
        app: "atlas".parse().expect("an app"),
        channel: "stable".parse().expect("a channel"),
    }
}

#[test]
fn thirty_two_writers_on_s3() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let s3 = runtime.block_on(S3::start());
    let world = world_on(&s3);
    prepared(&world);
    let workers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            worker(&world, world.store(), writer)
                .envs(s3.env())
                .spawn()
                .expect("a worker")
        })
        .collect();
    let written = collect(workers);
    let audit = audit_of(&world);
    assert_all_there(written, &audit);
}

#[test]
fn thirty_two_writers_on_a_directory_across_processes() {
    let world = world();
    prepared(&world);
    let workers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            worker(&world, world.store(), writer)
                .spawn()
                .expect("a worker")
        })
        .collect();
    let written = collect(workers);
    let audit = audit_of(&world);
    assert_all_there(written, &audit);
}

fn audit_of(world: &testkit::World) -> ops::audit::Audit {
    let ran = world.sh("audit verify --format json").expect(0);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    serde_json::from_value(document["result"].clone()).expect("an audit")
}

/// A writer in a process of its own: this test binary, running only the test `a_worker`.
fn worker(world: &testkit::World, store: &str, writer: usize) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args([
        "writers::a_worker",
        "--exact",
        "--nocapture",
        "--test-threads=1",
    ]);
    command
        .env(WORKER, format!("{writer}"))
        .env("LASTMILE_TEST_STORE", store)
        .env("LASTMILE_TEST_FOLDER", world.folder());
    command.stdout(std::process::Stdio::piped());
    command
}

fn collect(workers: Vec<std::process::Child>) -> Vec<u64> {
    let mut written = Vec::new();
    for worker in workers {
        let output = worker.wait_with_output().expect("a worker ends");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        written.extend(
            text.lines()
                .filter_map(|line| line.strip_prefix("wrote ")?.parse::<u64>().ok()),
        );
    }
    written
}

/// Does nothing unless it was started by [`worker`].
#[test]
#[expect(
    clippy::print_stdout,
    reason = "a worker tells its parent what it wrote"
)]
fn a_worker() {
    let Ok(writer) = std::env::var(WORKER) else {
        return;
    };
    let writer: usize = writer.parse().expect("a number");
    let share = CHANGES / WRITERS + usize::from(writer < CHANGES % WRITERS);
    let store = std::env::var("LASTMILE_TEST_STORE").expect("a store");
    let folder = std::env::var_os("LASTMILE_TEST_FOLDER").expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let written = runtime
        .block_on(async { write(&place(&store, folder.as_ref()).await, writer, share).await });
    println!();
    written
        .iter()
        .for_each(|revision| println!("wrote {revision}"));
}

#[test]
fn two_publishers_with_the_same_bytes() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let s3 = runtime.block_on(S3::start());
    let world = world_on(&s3);
    world.build("1.4.0");
    let both: Vec<_> = ["one", "two"]
        .map(|run| world.spawn(&["publish", "--run", run], &[]))
        .into_iter()
        .collect();
    for publisher in both {
        let output = publisher.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    let mut puts: BTreeMap<String, usize> = BTreeMap::new();
    for request in s3
        .requests()
        .iter()
        .filter(|request| request.operation == "PutObject" && request.status == Some(200))
    {
        *puts.entry(request.key.clone()).or_default() += 1;
    }
    let twice: Vec<_> = puts
        .iter()
        .filter(|(key, count)| **count > 1 && *key != "state/store.json")
        .collect();
    assert!(twice.is_empty(), "one set of writes: {twice:?}");
}

/// Publishes a build and another one of the same version at once: one wins, and one is told so.
fn publish_against(world: &testkit::World, other: &testkit::World) {
    world.build("1.4.0");
    other.build("1.4.0");
    other.artifact("Atlas-1.4.0.AppImage", b"another build");
    let both = [
        world.spawn(&["publish", "--run", "one"], &[]),
        other.spawn(&["publish", "--run", "two"], &[]),
    ];
    let mut codes: Vec<_> = both
        .into_iter()
        .map(|publisher| publisher.wait_with_output().expect("it ends").status.code())
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(4)]);
}

#[test]
fn two_publishers_with_different_bytes() {
    let world = world();
    let other = world.with_store(format!("file:{}", world.path("store").display()), []);
    publish_against(&world, &other);
    // The loser wrote nothing: every artifact is what the record says.
    let stored = objects(&world);
    let record: serde_json::Value =
        serde_json::from_slice(&stored["public/atlas/releases/1.4.0/release.json"])
            .expect("a record");
    for artifact in record["artifacts"].as_array().expect("artifacts") {
        let name = artifact["name"].as_str().expect("a name");
        let digest = release::Sha256::of(&stored[&format!("public/atlas/releases/1.4.0/{name}")]);
        assert_eq!(
            artifact["sha256"].as_str(),
            Some(digest.to_string().as_str())
        );
    }
}

/// The loser is told before its first byte: every write but the store's note and the claims is the winner's.
#[test]
fn two_publishers_with_different_bytes_on_s3() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let s3 = runtime.block_on(S3::start());
    let world = world_on(&s3);
    let other = world.with_store(world.store().to_owned(), s3.env());
    publish_against(&world, &other);
    let requests = s3.requests();
    let attempts = requests
        .iter()
        .filter(|request| request.operation == "PutObject" && request.key.starts_with("public/"));
    let mut keys: Vec<_> = attempts.map(|request| request.key.as_str()).collect();
    keys.sort_unstable();
    let before = keys.len();
    keys.dedup();
    assert_eq!(
        keys.len(),
        before,
        "no key was written, or tried, twice: {keys:?}"
    );
}
