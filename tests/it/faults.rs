//! Lost answers and bad servers: every request of every verb is disturbed once.

use testkit::s3::{At, Does, Fault, Plan, Quirks, S3};

use crate::observe::{assert_nothing_dangles, assert_same};
use crate::stories::{self, STORIES, stored};
use crate::world_on;

/// Runs every verb once for each of its requests, with that request disturbed as its number gives: exit 0, the same
/// objects, and nothing that names what is not there.
fn disturb_every_request(fault_at: impl Fn(usize) -> Does) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for story in &STORIES {
        let signer = crate::world();
        let s3 = runtime.block_on(S3::start());
        let world = stories::world_on(&signer, &s3);
        (story.prepare)(&world);
        let before = s3.objects();
        s3.clear_requests();
        world.sh(story.command).expect(0);
        let (expected, requests) = (stored(&s3), s3.requests().len());
        assert!(requests > 3, "{} takes {requests} requests", story.name);
        for k in 1..=requests {
            let does = fault_at(k);
            let when = format!("{} with {does:?} at request {k}", story.name);
            s3.restore(&before);
            s3.clear_requests();
            s3.plan(Plan::of([Fault {
                at: At::Nth(k),
                does,
            }]));
            let ran = world.sh(story.command);
            assert_eq!(ran.code, Some(0), "{when}: {}{}", ran.stdout, ran.stderr);
            s3.plan(Plan::default());
            assert_same(&stored(&s3), &expected, &when);
            assert_nothing_dangles(&stored(&s3), &when);
        }
    }
}

/// No false conflict, no duplicate.
#[test]
fn a_lost_answer_at_any_request_changes_nothing() {
    disturb_every_request(|_| Does::DropAfter);
}

/// Each request meets one of the ways in which stores fail, and each way many requests.
#[test]
fn a_fault_at_any_request_is_survived() {
    let faults = [
        Does::DropBefore,
        Does::Status500,
        Does::Status500After,
        Does::SlowDown503,
        Does::Conflict409,
        Does::ErrorBody200,
        Does::Hang,
    ];
    disturb_every_request(|k| faults[k % faults.len()].clone());
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
    // Whoever can change a file can match a CRC, so it is found without the store's checksum too.
    for checksums in ["crc64nvme", "off"] {
        changes_while_read(checksums);
    }
}

fn changes_while_read(checksums: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let s3 = runtime.block_on(S3::start());
    let store = format!(
        "{}&attempt-timeout=2s&checksums={checksums}",
        s3.store_url("")
    );
    let world = testkit::World::on_store(crate::BINARY, store, s3.env());
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
