//! Killed after every request and at every step on the disk: readers never see a half, and one re-run converges.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;

use testkit::World;
use testkit::s3::{At, Does, Fault, Plan, S3};

use crate::observe::assert_nothing_dangles;
use crate::publish::objects;

/// A verb that is killed, and how the world gets to just before it.
const STORIES: [(&str, fn(&World), &str); 5] = [
    (
        "publish",
        |world| world.build("1.4.0"),
        "publish --run story --date 2026-11-23T08:00:00Z",
    ),
    (
        "start",
        published,
        "rollout start --version 1.4.0 --run story",
    ),
    (
        "advance",
        started,
        "rollout advance --to complete --expect 2 --run story",
    ),
    ("halt", started, "rollout halt --run story"),
    ("rollback", started, "rollout rollback --run story"),
];

fn published(world: &World) {
    world.publish_in_run("1.3.0", "one");
    world.configure("");
    world
        .sh("rollout start --version 1.3.0 --run one")
        .expect(0);
    world.configure("\n      - { name: all, share: 100%, soak: 0 }");
    world.publish_in_run("1.4.0", "two");
}

fn started(world: &World) {
    published(world);
    world
        .sh("rollout start --version 1.4.0 --run two")
        .expect(0);
}

fn stored(s3: &S3) -> BTreeMap<String, Vec<u8>> {
    // The note about the store names its port, which differs from run to run.
    s3.objects()
        .into_iter()
        .filter(|(key, _)| key != "state/store.json")
        .map(|(key, object)| (key, object.bytes))
        .collect()
}

#[test]
fn killed_at_any_request_to_s3() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (name, prepare, command) in STORIES {
        let signer = crate::world();
        let words: Vec<&str> = command.split(' ').collect();
        let on = |s3: &S3| {
            signer.with_store(format!("{}&attempt-timeout=2s", s3.store_url("")), s3.env())
        };
        let s3 = runtime.block_on(S3::start());
        let world = on(&s3);
        prepare(&world);
        s3.clear_requests();
        world.run(&words).expect(0);
        let (expected, requests) = (stored(&s3), s3.requests().len());
        for k in 1..=requests {
            for after in [false, true] {
                let when = format!(
                    "{name} killed {} request {k}",
                    if after { "after" } else { "before" }
                );
                let s3 = runtime.block_on(S3::start());
                let world = on(&s3);
                prepare(&world);
                s3.clear_requests();
                let child = Arc::new(Mutex::new(None::<u32>));
                let hook: Arc<dyn Fn() + Send + Sync> = {
                    let child = child.clone();
                    Arc::new(move || {
                        // The pid is known before the first request can arrive, or the moment after.
                        let pid = loop {
                            if let Some(pid) = *child.lock().expect("the pid") {
                                break pid;
                            }
                            std::thread::yield_now();
                        };
                        let killed = std::process::Command::new("kill")
                            .args(["-9", &pid.to_string()])
                            .status();
                        assert!(killed.is_ok_and(|status| status.success()), "kill -9");
                    })
                };
                let does = if after {
                    Does::KillAfter(hook)
                } else {
                    Does::KillBefore(hook)
                };
                s3.plan(Plan::of([Fault {
                    at: At::Nth(k),
                    does,
                }]));
                let running = world.spawn(&words, &[]);
                *child.lock().expect("the pid") = Some(running.id());
                let output = running.wait_with_output().expect("it ends");
                assert_eq!(
                    output.status.code(),
                    None,
                    "{when}: it was to die, {output:?}"
                );
                s3.plan(Plan::default());
                assert_nothing_dangles(&stored(&s3), &when);
                world.run(&words).expect(0);
                assert_eq!(stored(&s3), expected, "{when}, and run again");
            }
        }
    }
}

#[test]
fn killed_at_any_step_on_the_disk() {
    for (name, prepare, command) in STORIES {
        let signer = crate::world();
        let words: Vec<&str> = command.split(' ').collect();
        let world = signer.with_store("file:./store".to_owned(), []);
        prepare(&world);
        world.run(&words).expect(0);
        let expected = objects(&world);
        let mut crashes = 0;
        for k in 1.. {
            let when = format!("{name} killed at step {k}");
            let world = signer.with_store("file:./store".to_owned(), []);
            prepare(&world);
            let ran = world.run_with(&words, &[("LASTMILE_CRASH_AT", &k.to_string())]);
            if ran.code == Some(0) {
                break;
            }
            assert_eq!(ran.code, None, "{when}: {}{}", ran.stdout, ran.stderr);
            crashes += 1;
            assert_nothing_dangles(&objects(&world), &when);
            world.run(&words).expect(0);
            assert_eq!(objects(&world), expected, "{when}, and run again");
        }
        assert!(crashes > 10, "{name} has {crashes} crash points only");
    }
}
