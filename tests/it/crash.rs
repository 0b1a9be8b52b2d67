//! Killed after every request and at every step on the disk: readers never see a half, and one re-run converges.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use testkit::s3::{At, Does, Fault, Hook, Plan, S3};

use crate::observe::{assert_nothing_dangles, assert_same};
use crate::publish::objects;
use crate::stories::{STORIES, stored, world_on};

/// The process that a story runs, once it runs.
#[derive(Clone, Default)]
struct Victim(Arc<Mutex<Option<u32>>>);

impl Victim {
    fn is(&self, pid: u32) {
        *self.0.lock().expect("the pid") = Some(pid);
    }

    /// Kills it. Its first request may arrive a moment before its pid is known here.
    fn killer(&self) -> Hook {
        let pid = self.0.clone();
        Arc::new(move || {
            let pid = loop {
                if let Some(pid) = *pid.lock().expect("the pid") {
                    break pid;
                }
                std::thread::yield_now();
            };
            let killed = std::process::Command::new("kill")
                .args(["-9", &pid.to_string()])
                .status();
            assert!(killed.is_ok_and(|status| status.success()), "kill -9");
        })
    }
}

#[test]
fn killed_at_any_request_to_s3() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for story in &STORIES {
        let signer = crate::world();
        let words: Vec<&str> = story.command.split(' ').collect();
        let s3 = runtime.block_on(S3::start());
        let world = world_on(&signer, &s3);
        (story.prepare)(&world);
        let before = s3.objects();
        s3.clear_requests();
        world.run(&words).expect(0);
        let (expected, requests) = (stored(&s3), s3.requests().len());
        for k in 1..=requests {
            for after in [false, true] {
                let moment = if after { "after" } else { "before" };
                let when = format!("{} killed {moment} request {k}", story.name);
                s3.restore(&before);
                s3.clear_requests();
                let victim = Victim::default();
                let does = if after {
                    Does::KillAfter(victim.killer())
                } else {
                    Does::KillBefore(victim.killer())
                };
                s3.plan(Plan::of([Fault {
                    at: At::Nth(k),
                    does,
                }]));
                let running = world.spawn(&words, &[]);
                victim.is(running.id());
                let output = running.wait_with_output().expect("it ends");
                assert_eq!(
                    output.status.code(),
                    None,
                    "{when}: it was to die, {output:?}"
                );
                s3.plan(Plan::default());
                assert_nothing_dangles(&stored(&s3), &when);
                world.run(&words).expect(0);
                assert_same(&stored(&s3), &expected, &format!("{when}, and run again"));
            }
        }
    }
}

#[test]
fn killed_at_any_step_on_the_disk() {
    for story in &STORIES {
        let world = crate::world();
        let words: Vec<&str> = story.command.split(' ').collect();
        (story.prepare)(&world);
        let before = objects(&world);
        world.run(&words).expect(0);
        let expected = objects(&world);
        let mut crashes = 0;
        for k in 1.. {
            let when = format!("{} killed at step {k}", story.name);
            put_back(&world, &before);
            let ran = world.run_with(&words, &[("LASTMILE_CRASH_AT", &k.to_string())]);
            if ran.code == Some(0) {
                break;
            }
            assert_eq!(ran.code, None, "{when}: {}{}", ran.stdout, ran.stderr);
            crashes += 1;
            assert_nothing_dangles(&objects(&world), &when);
            world.run(&words).expect(0);
            assert_same(
                &objects(&world),
                &expected,
                &format!("{when}, and run again"),
            );
        }
        assert!(
            crashes > 10,
            "{} has {crashes} crash points only",
            story.name
        );
    }
}

/// The directory store as it was.
fn put_back(world: &testkit::World, objects: &BTreeMap<String, Vec<u8>>) {
    let _ = std::fs::remove_dir_all(world.path("store"));
    for (key, bytes) in objects {
        world.write(&format!("store/{key}"), bytes);
    }
}
