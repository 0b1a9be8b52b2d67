//! The verbs that write, each with the world it starts from: for tests that disturb them at every step.

use std::collections::BTreeMap;

use testkit::World;
use testkit::s3::S3;

/// One verb to be disturbed.
pub(crate) struct Story {
    pub(crate) name: &'static str,
    /// Brings the world to just before the command.
    pub(crate) prepare: fn(&World),
    pub(crate) command: &'static str,
}

/// Every verb that writes.
pub(crate) const STORIES: [Story; 5] = [
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

/// A world on this server whose client gives an attempt up early.
pub(crate) fn world_on(signer: &World, s3: &S3) -> World {
    signer.with_store(format!("{}&attempt-timeout=1s", s3.store_url("")), s3.env())
}

/// The bytes that the server holds, by key.
pub(crate) fn stored(s3: &S3) -> BTreeMap<String, Vec<u8>> {
    s3.objects()
        .into_iter()
        .map(|(key, object)| (key, object.bytes))
        .collect()
}
