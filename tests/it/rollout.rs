//! A rollout from start to complete and back, as the people who steer it see it.

use crate::publish::objects;
use crate::world;

fn channel(world: &testkit::World) -> serde_json::Value {
    serde_json::from_slice(&objects(world)["public/atlas/channels/stable.json"])
        .expect("the channel")
}

fn entry(world: &testkit::World, platform: &str) -> serde_json::Value {
    channel(world)["state"]["platforms"][platform].clone()
}

#[test]
fn tier_by_tier_to_everyone() {
    let world = world();
    world.release_to_everyone("1.3.0");
    world.publish("1.4.0");
    world
        .sh("rollout plan --version 1.4.0")
        .expect(0)
        .says("rollout start --channel stable --version 1.4.0 --expect 1");
    world
        .sh("rollout start --version 1.4.0 --expect 1")
        .expect(0)
        .says("tier `staff`");
    world
        .sh("rollout start --version 1.4.0")
        .expect(0)
        .says("nothing to do");
    world
        .sh("rollout plan")
        .expect(0)
        .says("advance --channel stable --to canary --expect 2");
    world.sh("rollout advance --to canary --expect 2").expect(0);
    // Already there comes before stale, stale before too early.
    world
        .sh("rollout advance --to canary --expect 2")
        .expect(0)
        .says("already at `canary`");
    world
        .sh("rollout advance --to early --expect 2")
        .expect(4)
        .says("planned on revision 2")
        .says("revision 3");
    world
        .sh("rollout advance --to early --expect 3")
        .expect(3)
        .says("soaks for 1h");
    world
        .sh("rollout advance --to all --expect 3")
        .expect(3)
        .says("the next step is `early`");
    world
        .sh("rollout status")
        .expect(0)
        .says("1.4.0 baking at tier canary")
        .says("1 %");
    assert_eq!(entry(&world, "windows-x64")["baseline"], "1.3.0");
}

#[test]
fn complete_becomes_the_baseline_here_and_on_channels_that_follow() {
    let world = world();
    world.release_to_everyone("1.3.0");
    world.configure("\n      - { name: all, share: 100%, soak: 0 }");
    world.publish("1.4.0");
    world.sh("rollout start --version 1.4.0").expect(0);
    assert_eq!(entry(&world, "windows-x64")["baseline"], "1.3.0");
    world
        .sh("rollout advance --to complete --expect 2")
        .expect(0)
        .says("channel beta follows");
    assert_eq!(entry(&world, "windows-x64")["baseline"], "1.4.0");
    assert_eq!(entry(&world, "windows-x64")["public"], "1.4.0");
    let beta: serde_json::Value =
        serde_json::from_slice(&objects(&world)["public/atlas/channels/beta.json"]).expect("beta");
    assert_eq!(
        beta["state"]["platforms"]["windows-x64"]["baseline"],
        "1.4.0"
    );
    world
        .sh("rollout advance --to complete --expect 2")
        .expect(0)
        .says("already");
}

#[test]
fn halted_on_one_platform_while_others_go_on() {
    let world = world();
    world.release_to_everyone("1.3.0");
    world.publish("1.4.0");
    world.sh("rollout start --version 1.4.0").expect(0);
    world
        .sh("rollout halt --platform macos --reason crashes")
        .expect(0);
    world.sh("rollout advance --to canary --expect 3").expect(0);
    assert_eq!(
        entry(&world, "macos-universal")["rollout"]["stage"],
        "halted"
    );
    assert_eq!(entry(&world, "windows-x64")["rollout"]["tier"], 1);
    world
        .sh("rollout explain --platform macos-universal --manual --version 1.3.0")
        .expect(0)
        .says("no update")
        .says("halted");
    world
        .sh("rollout explain --platform windows-x64 --manual --version 1.3.0")
        .expect(0)
        .says("offered 1.4.0");
    world
        .sh("rollout explain --platform windows-x64 --version 1.3.0")
        .expect(0)
        .says("no id");
}

#[test]
fn halt_resume_pause_and_back() {
    let world = world();
    world.release_to_everyone("1.3.0");
    world.publish("1.4.0");
    world.sh("rollout start --version 1.4.0").expect(0);
    world.sh("rollout pause").expect(0);
    world
        .sh("rollout advance --to canary --expect 3")
        .expect(3)
        .says("paused")
        .says("resume");
    world.sh("rollout resume --expect 2").expect(4);
    world.sh("rollout resume --expect 3").expect(0);
    world.sh("rollout halt").expect(0);
    world.sh("rollout halt").expect(0).says("nothing to do");
    world
        .sh("rollout start --version 1.4.0")
        .expect(3)
        .says("resume");
    world
        .sh("rollout resume --to all --expect 5")
        .expect(3)
        .says("never raises");
    world.sh("rollout resume --expect 5").expect(0);
    world
        .sh("rollout rollback")
        .expect(0)
        .says("`1.3.0` is the baseline again")
        .says("electron-updater:");
    world.sh("rollout rollback").expect(0).says("nothing to do");
    world
        .sh("rollout start --version 1.3.0")
        .expect(0)
        .says("nothing to do");
    world
        .sh("rollout rollback --to 1.2.0")
        .expect(3)
        .says("never the baseline");
}

#[test]
fn what_cannot_be_rolled_out_is_refused() {
    let world = world();
    world
        .sh("rollout status")
        .expect(3)
        .says("no revision")
        .says("rollout start");
    world.build("1.4.0");
    world
        .sh("rollout start --version 1.4.0")
        .expect(2)
        .says("publish it first");
    world.release_to_everyone("1.4.0");
    world.publish("1.3.0");
    world
        .sh("rollout start --version 1.3.0")
        .expect(3)
        .says("not newer")
        .says("rollback --to 1.3.0");
    world
        .sh("rollout start --version 1.3.0 --channel nightly")
        .expect(2)
        .says("nightly");
    world
        .sh("rollout advance --to canary")
        .expect(2)
        .says("--expect");
    world.sh("rollout start --version nonsense").expect(2);
}

fn beta(world: &testkit::World, platform: &str) -> serde_json::Value {
    let view: serde_json::Value =
        serde_json::from_slice(&objects(world)["public/atlas/channels/beta.json"]).expect("beta");
    view["state"]["platforms"][platform].clone()
}

/// What came by following is halted like anything else, and comes back by nobody's completion.
#[test]
fn what_a_follower_withdrew_stays_withdrawn() {
    let world = world();
    world.release_to_everyone("1.3.0");
    world.configure("\n      - { name: all, share: 100%, soak: 0 }");
    world.publish("1.4.0");
    world.sh("rollout start --version 1.4.0").expect(0);
    world
        .sh("rollout advance --to complete --expect 2")
        .expect(0);
    assert_eq!(beta(&world, "windows-x64")["baseline"], "1.4.0");
    world.sh("rollout halt --channel beta").expect(0);
    assert_eq!(beta(&world, "windows-x64")["baseline"], "1.3.0");
    world.sh("reconcile").expect(0);
    assert_eq!(beta(&world, "windows-x64")["baseline"], "1.3.0");
    // Something newer in between makes nobody forget.
    world.publish("1.5.0");
    world
        .sh("rollout start --version 1.5.0 --channel beta")
        .expect(0);
    world.sh("rollout rollback --channel beta").expect(0);
    world.sh("reconcile").expect(0);
    assert_eq!(beta(&world, "windows-x64")["baseline"], "1.3.0");
    world
        .sh("rollout start --version 1.4.0 --channel beta")
        .expect(0);
    assert_eq!(beta(&world, "windows-x64")["baseline"], "1.4.0");
}

/// Clients go on reading a feed that the configuration does not name any more, so a halt must reach it.
#[test]
fn a_feed_that_was_taken_out_is_still_written() {
    let world = world();
    world.release_to_everyone("1.3.0");
    world.publish("1.4.0");
    let config = world.config_text("").replacen(
        "feeds: [electron-updater, manifest]",
        "feeds: [manifest]",
        1,
    );
    world.write("lastmile.yml", config.as_bytes());
    world.sh("rollout start --version 1.4.0").expect(0);
    world.sh("rollout halt").expect(0);
    let feed = &objects(&world)["public/atlas/feeds/electron-updater/latest.yml"];
    let feed = String::from_utf8_lossy(feed);
    assert!(
        feed.contains("version: 1.3.0") && feed.contains("revision: 3"),
        "{feed}"
    );
}

#[test]
fn each_planned_command_does_what_was_planned() {
    let world = world();
    world.release_to_everyone("1.3.0");
    world.publish("1.4.0");
    world
        .sh("rollout plan --version 1.4.0 --platform macos")
        .expect(0)
        .says("--version 1.4.0 --expect 1 --platform macos\n");
    world
        .sh("rollout start --version 1.4.0 --expect 1 --platform macos")
        .expect(0);
    // The others have no rollout with tiers, and are no reason to refuse.
    world.sh("rollout advance --to canary --expect 2").expect(0);
    world.sh("rollout start --version 1.4.0").expect(0);
    world
        .sh("rollout plan")
        .expect(0)
        .says("--to canary --expect 4 --platform windows-x64 --platform linux-x64\n")
        .says("--to early --expect 4 --platform macos-universal\n");
    world
        .sh("rollout plan --store file:./store --app atlas")
        .expect(0)
        .says("--store file:./store --app atlas\n");
    world
        .sh("rollout advance --to nosuch --expect 3")
        .expect(4)
        .says("planned on revision 3");
    world
        .sh("rollout advance --to nosuch --expect 4")
        .expect(3)
        .says("no tier `nosuch`");
}

/// A platform that is new in the bad release has nothing to go back to, and keeps no other from going back.
#[test]
fn rollback_goes_back_wherever_it_can() {
    let world = world();
    world.publish("1.3.0");
    world.configure("");
    world
        .sh("rollout start --version 1.3.0 --platform macos --platform linux")
        .expect(0);
    world.publish("1.4.0");
    world.sh("rollout start --version 1.4.0").expect(0);
    world
        .sh("rollout rollback")
        .expect(0)
        .says("`1.3.0` is the baseline again")
        .says("nothing is offered, as there is no earlier baseline");
    assert_eq!(entry(&world, "macos-universal")["baseline"], "1.3.0");
    assert!(entry(&world, "windows-x64")["baseline"].is_null());
    let feed = &objects(&world)["public/atlas/feeds/electron-updater/latest.yml"];
    assert!(!String::from_utf8_lossy(feed).contains("1.4.0"));
}
