//! `lastmile demo` does what README says.

use std::path::Path;

use crate::world;

#[test]
fn the_demo_plays_to_its_end_and_again() {
    let world = world();
    for _ in 0..2 {
        let ran = world.sh("demo").expect(0);
        for said in [
            "$ lastmile publish",
            "$ lastmile rollout halt",
            "exit 3",
            "exit 1",
            "minisign.signature",
            "nothing was written",
            "revisions, unbroken",
            "What each step did to the installs",
            "Try next",
        ] {
            assert!(
                ran.stdout.contains(said),
                "expected `{said}` in:\n{}",
                ran.stdout
            );
        }
    }
    assert!(
        world
            .path("lastmile-demo/dist-store/public/atlas/feeds/electron-updater/latest.yml")
            .exists()
    );
}

#[test]
fn the_demo_never_removes_a_folder_that_is_not_its_own() {
    let world = world();
    world.write("lastmile-demo/precious.txt", b"keep me");
    world.sh("demo").expect(2).says("is no demo's");
    assert!(world.path("lastmile-demo/precious.txt").exists());
}

/// Every command that README shows is one that the demo or a test runs.
#[test]
fn readme_names_the_two_commands() {
    let readme =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md"))
            .expect("README.md");
    assert!(
        readme.contains("cargo run --release -- demo") && readme.contains("cargo test --workspace")
    );
}
