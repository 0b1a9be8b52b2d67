//! Real file systems under a directory store: one that is full, and one that is not local.

use std::process::Command;

use testkit::judge;

use crate::publish::objects;
use crate::world;

/// Runs shell lines in the world with file systems of their own, which vanish with them. None where this machine does
/// not let its users have that.
fn with_own_mounts(world: &testkit::World, script: &str) -> Option<std::process::Output> {
    let unshared = || {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount"]);
        command
    };
    let allowed = unshared()
        .args(["sh", "-c", "mount -t tmpfs none /mnt"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !allowed {
        judge::missing("this user may not mount a file system of their own with `unshare`");
        return None;
    }
    let output = unshared()
        .args(["sh", "-euc", script])
        .current_dir(world.folder())
        .env("LASTMILE", crate::BINARY)
        // As the world has it: whoever publishes again from here is the same person.
        .env("USER", "tester")
        .output();
    Some(output.expect("unshare runs"))
}

#[test]
fn a_full_disk_is_a_failure_and_leaves_nothing_half_visible() {
    let world = world();
    world.build("1.4.0");
    // The last artifact to go up does not fit any more.
    world.artifact("atlas-cli-1.4.0-linux-x64.tar.gz", &vec![7; 2_000_000]);
    let Some(output) = with_own_mounts(
        &world,
        "mkdir store seen
         mount -t tmpfs -o size=1m none store
         code=0
         \"$LASTMILE\" publish || code=$?
         cp -r store/. seen
         exit $code",
    ) else {
        return;
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(
        stderr.contains("No space left on device")
            && stderr.contains("atlas-cli-1.4.0-linux-x64.tar.gz"),
        "{stderr}"
    );
    std::fs::rename(world.path("seen"), world.path("store.full")).expect("what was seen");
    let _ = std::fs::remove_dir(world.path("store"));
    std::fs::rename(world.path("store.full"), world.path("store")).expect("what was seen");
    let stored = objects(&world);
    assert!(
        !stored
            .keys()
            .any(|key| key.ends_with(".tar.gz") || key.ends_with("release.json")),
        "{:?}",
        stored.keys()
    );
    // With room again, the same command ends what it began.
    world.sh("publish").expect(0).says("is published");
}

#[test]
fn a_network_file_system_is_refused_before_the_first_byte() {
    let world = world();
    world.build("1.4.0");
    if !judge::has_program("bindfs") {
        return;
    }
    let Some(output) = with_own_mounts(
        &world,
        "mkdir behind store
         bindfs behind store
         \"$LASTMILE\" publish",
    ) else {
        return;
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("FUSE"), "{stderr}");
    assert_eq!(
        std::fs::read_dir(world.path("behind"))
            .expect("the folder behind it")
            .count(),
        0
    );
}
