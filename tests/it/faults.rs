//! Lost answers and bad servers: every request of every verb is disturbed once.

use testkit::s3::{At, Does, Fault, Plan, Quirks, S3};

use crate::observe::assert_nothing_dangles;
use crate::world_on;

/// A verb to be disturbed: how the world gets to just before it, the command, and the least it must have done.
struct Story {
    name: &'static str,
    prepare: fn(&testkit::World),
    command: &'static str,
}

const STORIES: [Story; 5] = [
    Story {
        name: "publish",
        prepare: |world| world.build("1.4.0"),
        command: "publish --run story --date 2026-11-23T08:00:00Z",
    },
    Story {
        name: "start",
        prepare: published,
        command: "rollout start --version 1.4.0 --run story",
    },
    Story {
        name: "advance",
        prepare: started,
        command: "rollout advance --to complete --expect 2 --run story",
    },
    Story {
        name: "halt",
        prepare: started,
        command: "rollout halt --run story",
    },
    Story {
        name: "rollback",
        prepare: started,
        command: "rollout rollback --run story",
    },
];

fn published(world: &testkit::World) {
    world.publish_in_run("1.3.0", "one");
    world.configure("");
    world
        .sh("rollout start --version 1.3.0 --run one")
        .expect(0);
    world.configure("\n      - { name: all, share: 100%, soak: 0 }");
    world.publish_in_run("1.4.0", "two");
}

fn started(world: &testkit::World) {
    published(world);
    world
        .sh("rollout start --version 1.4.0 --run two")
        .expect(0);
}

fn bytes(s3: &S3) -> std::collections::BTreeMap<String, Vec<u8>> {
    s3.objects()
        .into_iter()
        .map(|(key, object)| (key, object.bytes))
        .collect()
}

/// Runs a story once undisturbed. Gives the objects it ends with and how many requests its command took.
fn undisturbed(
    runtime: &tokio::runtime::Runtime,
    story: &Story,
    signer: &testkit::World,
) -> (std::collections::BTreeMap<String, Vec<u8>>, usize) {
    let s3 = runtime.block_on(S3::start());
    let world = signer.with_store(format!("{}&attempt-timeout=2s", s3.store_url("")), s3.env());
    (story.prepare)(&world);
    s3.clear_requests();
    world.sh(story.command).expect(0);
    (normalized(bytes(&s3)), s3.requests().len())
}

/// The note about the store names its port, which differs from run to run.
fn normalized(
    mut objects: std::collections::BTreeMap<String, Vec<u8>>,
) -> std::collections::BTreeMap<String, Vec<u8>> {
    objects.remove("state/store.json");
    objects
}

/// The answer to request k is lost, for every k: no false conflict, no duplicate, the same objects.
#[test]
fn a_lost_answer_at_any_request_changes_nothing() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for story in &STORIES {
        let signer = crate::world();
        let (expected, requests) = undisturbed(&runtime, story, &signer);
        assert!(requests > 3, "{} takes {requests} requests", story.name);
        for k in 1..=requests {
            let s3 = runtime.block_on(S3::start());
            let world =
                signer.with_store(format!("{}&attempt-timeout=2s", s3.store_url("")), s3.env());
            (story.prepare)(&world);
            s3.clear_requests();
            s3.plan(Plan::of([Fault {
                at: At::Nth(k),
                does: Does::DropAfter,
            }]));
            let ran = world.sh(story.command);
            assert_eq!(
                ran.code,
                Some(0),
                "{} with answer {k} lost: {}{}",
                story.name,
                ran.stdout,
                ran.stderr
            );
            s3.plan(Plan::default());
            assert_eq!(
                normalized(bytes(&s3)),
                expected,
                "{} with answer {k} lost",
                story.name
            );
        }
    }
}

/// Every request of a verb fails once, in each way in which stores fail.
#[test]
fn a_fault_at_any_request_is_survived() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let faults = [
        Does::DropBefore,
        Does::Status500,
        Does::Status500After,
        Does::SlowDown503,
        Does::Conflict409,
    ];
    for story in &STORIES {
        let signer = crate::world();
        let (expected, requests) = undisturbed(&runtime, story, &signer);
        // Each request meets one of the faults, and each fault many requests.
        for k in 1..=requests {
            let does = faults[k % faults.len()].clone();
            let s3 = runtime.block_on(S3::start());
            let world =
                signer.with_store(format!("{}&attempt-timeout=2s", s3.store_url("")), s3.env());
            (story.prepare)(&world);
            s3.clear_requests();
            s3.plan(Plan::of([Fault {
                at: At::Nth(k),
                does: does.clone(),
            }]));
            let ran = world.sh(story.command);
            assert_eq!(
                ran.code,
                Some(0),
                "{} with {does:?} at request {k}: {}{}",
                story.name,
                ran.stdout,
                ran.stderr
            );
            s3.plan(Plan::default());
            assert_eq!(
                normalized(bytes(&s3)),
                expected,
                "{} with {does:?} at request {k}",
                story.name
            );
            assert_nothing_dangles(&bytes(&s3), story.name);
        }
    }
}

#[test]
fn a_store_that_ignores_conditions_is_refused_before_the_first_byte() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let s3 = runtime.block_on(S3::start());
    s3.quirks(Quirks {
        conditions_ignored: true,
        ..Default::default()
    });
    let world = world_on(&s3);
    world.build("1.4.0");
    world
        .sh("publish")
        .expect(3)
        .says("ignores `If-None-Match: *`")
        .says("conditional writes");
    let stored: Vec<_> = s3.objects().into_keys().collect();
    assert_eq!(stored, ["state/store.json"], "only the note of the probe");
    assert!(s3.requests().len() <= 6, "{:?}", s3.requests());
}

#[test]
fn a_store_that_wants_unquoted_tags_is_served() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let s3 = runtime.block_on(S3::start());
    s3.quirks(Quirks {
        unquoted_etags_only: true,
        ..Default::default()
    });
    let world = world_on(&s3);
    world.release_to_everyone("1.3.0");
    world.publish("1.4.0");
    world.sh("rollout start --version 1.4.0").expect(0);
    world.sh("rollout halt").expect(0);
    world.sh("audit verify").expect(0).says("3 revisions");
}

#[test]
fn wrong_credentials_and_a_network_that_is_gone_are_failures() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let s3 = runtime.block_on(S3::start());
    let wrong = s3.env().into_iter().map(|(name, value)| {
        if name == "AWS_SECRET_ACCESS_KEY" {
            (name, "wrong".to_owned())
        } else {
            (name, value)
        }
    });
    let world = testkit::World::on_store(
        crate::BINARY,
        format!("{}&attempt-timeout=1s", s3.store_url("")),
        wrong,
    );
    world.build("1.4.0");
    world.sh("publish").expect(5).says("SignatureDoesNotMatch");
    assert!(s3.objects().is_empty());
    let url = s3.store_url("");
    let env = s3.env();
    drop(s3);
    let world = testkit::World::on_store(crate::BINARY, format!("{url}&attempt-timeout=1s"), env);
    world.build("1.4.0");
    world.sh("publish").expect(5).says("s3://atlas-dist/");
}

/// A file that changes between verification and upload is found by the store, and nothing stands under its name.
#[test]
fn a_source_that_changes_while_it_is_read_is_a_failure() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let s3 = runtime.block_on(S3::start());
    let world = world_on(&s3);
    world.build("1.4.0");
    let mut held = s3.hold("PutObject", "claims/1.4.0.json");
    let publish = world.spawn(&["publish"], &[]);
    runtime.block_on(held.arrived());
    // Everything is verified; nothing is uploaded yet.
    let path = world.path("dist/Atlas-1.4.0.AppImage");
    let mut bytes = std::fs::read(&path).expect("the artifact");
    bytes[3] ^= 1;
    std::fs::write(&path, bytes).expect("the artifact");
    held.release();
    let output = publish.wait_with_output().expect("publish ends");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains("changed after it was verified"), "{stderr}");
    let stored: Vec<_> = s3.objects().into_keys().collect();
    assert!(
        !stored
            .iter()
            .any(|key| key.ends_with("1.4.0.AppImage") || key.ends_with("release.json")),
        "{stored:?}"
    );
}
