//! Halt: the verb that must work when nothing else does.

use std::fs;

use testkit::s3::S3;

use crate::publish::objects;
use crate::{world, world_on};

#[test]
fn halt_needs_no_configuration() {
    let world = world();
    world.release_to_everyone("1.3.0");
    world.publish("1.4.0");
    world.sh("rollout start --version 1.4.0").expect(0);
    world.write("lastmile.yml", b"{{{ broken");
    world
        .sh("rollout halt --store file:./store --app atlas --channel stable")
        .expect(0);
    fs::remove_file(world.path("lastmile.yml")).expect("the configuration");
    world
        .sh("rollout halt --store file:./store --app atlas --channel stable")
        .expect(0)
        .says("nothing to do");
}

#[test]
fn halt_works_on_a_document_of_a_newer_lastmile() {
    let world = world();
    world.release_to_everyone("1.3.0");
    world.publish("1.4.0");
    world.sh("rollout start --version 1.4.0").expect(0);
    let path = world.path("store/state/atlas/channels/stable/log/0000000002.json");
    let text = fs::read_to_string(&path).expect("the revision");
    let mut document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    document["schema"] = 7.into();
    document["min-writer"] = 9.into();
    document["new-field"] = serde_json::json!({ "exact": 1.10, "list": [1, 2, 3] });
    document["state"]["weather"] = "sunny".into();
    document["state"]["platforms"]["windows-x64"]["mood"] = "good".into();
    document["state"]["platforms"]["plan9-x64"] =
        serde_json::json!({ "rollout": { "id": "x", "stage": "baking" } });
    fs::write(&path, serde_json::to_vec_pretty(&document).expect("JSON")).expect("the revision");
    // What a newer binary would have written, so that the digest is no reason to complain.
    fs::remove_file(world.path("store/public/atlas/channels/stable.json")).expect("the projection");

    world.sh("rollout pause").expect(3).says("writer 9");
    world
        .sh("rollout advance --to canary --expect 2")
        .expect(3)
        .says("newer lastmile");
    world.sh("rollout halt").expect(0);
    let head: serde_json::Value =
        serde_json::from_slice(&objects(&world)["state/atlas/channels/stable/log/0000000003.json"])
            .expect("JSON");
    assert_eq!(
        (&head["schema"], &head["min-writer"]),
        (&7.into(), &9.into())
    );
    assert_eq!(head["new-field"], document["new-field"]);
    assert_eq!(head["state"]["weather"], "sunny");
    assert_eq!(head["state"]["platforms"]["windows-x64"]["mood"], "good");
    assert_eq!(
        head["state"]["platforms"]["plan9-x64"]["rollout"]["stage"],
        "halted"
    );
    assert_eq!(
        head["state"]["platforms"]["windows-x64"]["rollout"]["stage"],
        "halted"
    );
}

fn latest(world: &testkit::World) -> String {
    let path = world.path("store/public/atlas/feeds/electron-updater/latest.yml");
    fs::read_to_string(path).expect("the feed")
}

/// 1.4.0 is offered to 10 % on top of 1.3.0.
fn offering() -> testkit::World {
    let world = world();
    world.release_to_everyone("1.3.0");
    world.configure(
        "\n      - { name: early, share: 10%, soak: 0 }\n      - { name: all, share: 100%, soak: 0 }",
    );
    world.publish("1.4.0");
    world.sh("rollout start --version 1.4.0").expect(0);
    assert!(
        latest(&world).contains("version: 1.4.0"),
        "{}",
        latest(&world)
    );
    world
}

#[test]
fn halt_gets_past_a_note_about_the_store_that_it_cannot_read() {
    for note in [
        r#"{"schema":1,"min-writer":9,"layout":1,"store":"directory","conditions":"hold"}"#,
        r#"{"schema":1,"min-writer":1,"layout":1,"store":"directory","conditions":"so-so"}"#,
        "not even JSON",
    ] {
        let world = offering();
        world.write("store/state/store.json", note.as_bytes());
        world.sh("rollout status").expect(0);
        world.sh("rollout halt").expect(0);
        assert!(latest(&world).contains("version: 1.3.0"), "{note}");
    }
}

#[test]
fn halt_gets_past_a_record_that_is_lost_or_changed() {
    let record = "store/public/atlas/releases/1.3.0/release.json";
    let world = offering();
    let text = fs::read_to_string(world.path(record)).expect("the record");
    world.write(record, text.replacen("\"size\"", "\"size\" ", 1).as_bytes());
    world
        .sh("rollout halt")
        .expect(6)
        .says("1.3.0/release.json")
        .says("was changed");
    assert!(!latest(&world).contains("1.4.0"), "{}", latest(&world));
    let world = offering();
    fs::remove_file(world.path(record)).expect("the record");
    let ran = world.sh("rollout halt --format json").expect(6);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(document["report"]["revision"], 3);
    assert_eq!(
        document["report"]["lagging"][0]["what"],
        "public/atlas/releases/1.3.0/release.json"
    );
    assert!(!latest(&world).contains("1.4.0"), "{}", latest(&world));
}

/// What everybody else refuses to build on, a halt builds on and says so.
#[test]
fn halt_builds_on_a_head_that_was_tampered_with() {
    let world = offering();
    let head = "store/state/atlas/channels/stable/log/0000000002.json";
    let text = fs::read_to_string(world.path(head)).expect("the head");
    world.write(head, text.replacen("tester", "nobody", 1).as_bytes());
    for other in ["reconcile", "rollout pause", "rollout rollback"] {
        world.sh(other).expect(5).says("it was changed");
    }
    world.sh("rollout halt").expect(0).says("it was changed");
    assert!(latest(&world).contains("version: 1.3.0"));
}

/// A channel that follows and cannot be written to is named, and holds nothing up.
#[test]
fn a_follower_that_lags_holds_nothing_up() {
    let world = offering();
    world
        .sh("rollout start --version 1.4.0 --channel beta")
        .expect(0);
    let head = "store/state/atlas/channels/beta/log/0000000002.json";
    let text = fs::read_to_string(world.path(head)).expect("the head");
    world.write(
        head,
        text.replacen("\"min-writer\": 1", "\"min-writer\": 9", 1)
            .as_bytes(),
    );
    fs::remove_file(world.path("store/public/atlas/channels/beta.json")).expect("the projection");
    world.sh("rollout advance --to all --expect 2").expect(0);
    world
        .sh("rollout advance --to complete --expect 3 --platform macos")
        .expect(6)
        .says("channel beta")
        .says("writer 9");
    world.sh("rollout halt --platform windows-x64").expect(0);
    assert!(latest(&world).contains("version: 1.3.0"));
}

#[test]
fn a_feed_that_does_not_converge_is_named() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let s3 = runtime.block_on(S3::start());
    let world = world_on(&s3);
    world.release_to_everyone("1.3.0");
    world.publish("1.4.0");
    world.configure("\n      - { name: all, share: 100%, soak: 0 }");
    world.sh("rollout start --version 1.4.0").expect(0);
    let latest = "public/atlas/feeds/electron-updater/latest.yml";
    s3.quirks(testkit::s3::Quirks {
        deny_writes_under: Some(latest.to_owned()),
        ..Default::default()
    });
    world
        .sh("rollout halt --reason crashes")
        .expect(6)
        .says(latest)
        .says("reconcile");
    let text = |key: &str| String::from_utf8_lossy(&s3.objects()[key].bytes).into_owned();
    assert!(
        text(latest).contains("1.4.0"),
        "the lagging feed is what it was"
    );
    assert!(!text("public/atlas/feeds/electron-updater/latest-mac.yml").contains("1.4.0"));
    s3.quirks(Default::default());
    world.sh("rollout halt --reason crashes").expect(0);
    assert!(!text(latest).contains("1.4.0"));
}

/// `start` writes its revision, and its write of a feed is stalled. Somebody halts. The stalled write is let go.
#[test]
fn a_stalled_start_never_brings_a_halted_release_back() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let s3 = runtime.block_on(S3::start());
    let world = world_on(&s3);
    world.release_to_everyone("1.3.0");
    world.publish("1.4.0");
    world.configure("\n      - { name: all, share: 100%, soak: 0 }");
    for suffix in [
        "latest.yml",
        "latest-mac.yml",
        "latest-linux.yml",
        "channels/stable.json",
    ] {
        let mut held = s3.hold("PutObject", suffix);
        let start = world.spawn(&["rollout", "start", "--version", "1.4.0"], &[]);
        runtime.block_on(held.arrived());
        world.sh("rollout halt --reason crashes").expect(0);
        let halted = s3.objects();
        held.release();
        let start = start.wait_with_output().expect("start ends");
        assert!(matches!(start.status.code(), Some(0)), "{start:?}");
        for (key, object) in s3
            .objects()
            .iter()
            .filter(|(key, _)| key.contains("/feeds/") || key.contains("/channels/stable.json"))
        {
            assert_eq!(
                object.bytes, halted[key].bytes,
                "{suffix}: {key} changed after the halt"
            );
        }
        assert!(
            !String::from_utf8_lossy(
                &s3.objects()["public/atlas/feeds/electron-updater/latest.yml"].bytes
            )
            .contains("1.4.0")
        );
        // Back to where it can be started again, as a new rollout.
        world.sh("rollout rollback").expect(0);
    }
}
