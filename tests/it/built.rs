//! Update feeds that a build left beside its artifacts: a release whose feed is stale is not let through.

use testkit::World;

use crate::world;

/// A release with the feeds that electron-builder, Squirrel, Velopack, Tauri, and Sparkle would leave.
fn release() -> World {
    let world = world();
    world.build("1.4.0");
    world
}

/// What electron-builder writes of one file.
fn latest(world: &World, file: &str, version: &str) -> String {
    let bytes = std::fs::read(world.path(&format!("dist/{file}"))).expect("an artifact");
    let digest = release::Sha512::of(&bytes);
    let size = bytes.len();
    format!(
        "version: {version}\nfiles:\n  - url: {file}\n    sha512: {digest}\n    size: {size}\npath: {file}\nsha512: {digest}\nreleaseDate: '2026-11-20T10:00:00.000Z'\n"
    )
}

#[test]
fn feeds_are_held_against_artifacts() {
    let world = release();
    let good = latest(&world, "Atlas-1.4.0-universal.zip", "1.4.0");
    world.write("dist/latest-mac.yml", good.as_bytes());
    world.write("dist/builder-debug.yml", b"x64: {}\n");
    world
        .sh("verify")
        .expect(0)
        .says("valid dist/latest-mac.yml, feed of electron-updater");
    // Signed again after the feed was written: the commonest way to ship an update that nobody can install.
    world.artifact("Atlas-1.4.0-universal.zip", b"signed, and so other bytes");
    world
        .sh("verify --explain latest-mac.yml --sarif out.sarif --junit out.xml")
        .expect(1)
        .says("INVALID dist/latest-mac.yml, feed of electron-updater")
        .says("feed.digest")
        .says("feed.size")
        .says("was the file signed after the feed was written?")
        .says("pass  feed.version");
    let read = |name: &str| std::fs::read_to_string(world.path(name)).expect("a report");
    assert!(
        read("out.sarif").contains("dist/latest-mac.yml: `Atlas-1.4.0-universal.zip`: it says")
    );
    assert!(read("out.xml").contains("<testsuite name=\"dist/latest-mac.yml\""));
    // `publish` asks the same.
    world.sh("publish").expect(1).says("feed.digest");
    let stale = latest(&world, "Atlas-1.4.0-universal.zip", "1.3.0");
    world.write("dist/latest-mac.yml", stale.as_bytes());
    world
        .sh("verify")
        .expect(1)
        .says("it shows `1.3.0`, expected 1.4.0");
    world.write("dist/latest-mac.yml", b"version: 1.4.0\nfiles: [");
    world.sh("verify").expect(1).says("feed.parse");
}

#[test]
fn every_updater_has_its_feed() {
    let world = release();
    for (name, text, wrong) in [
        (
            "RELEASES",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709 Atlas-1.4.0-full.nupkg 5\n",
            "feed.coverage",
        ),
        (
            "releases.win.json",
            "{\"Assets\":[{\"Version\":\"1.3.0\",\"FileName\":\"Atlas-1.3.0-full.nupkg\",\"SHA256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"Size\":7}]}",
            "feed.version",
        ),
        (
            "latest.json",
            "{\"version\":\"1.4.0\",\"platforms\":{\"linux-x86_64\":{\"url\":\"https://dl.example/nothing.AppImage\",\"signature\":\"c2ln\"}}}",
            "feed.coverage",
        ),
        (
            "appcast.xml",
            "<rss><channel><item><sparkle:version>1.4.0</sparkle:version><enclosure url=\"https://dl.example/Atlas-1.4.0-universal.zip\" length=\"7\"/></item></channel></rss>",
            "feed.size",
        ),
    ] {
        let path = format!("dist/{name}");
        world.write(&path, text.as_bytes());
        world
            .sh("verify")
            .expect(1)
            .says(&format!("INVALID {path}"))
            .says(wrong);
        std::fs::remove_file(world.path(&path)).expect("the feed");
    }
    world.sh("verify").expect(0);
}

/// A file that no rule calls an artifact was verified by nobody, however well its feed describes it.
#[test]
fn a_feed_offers_artifacts_alone() {
    let world = release();
    world.write("dist/evil.zip", b"evil");
    let feed = latest(&world, "evil.zip", "1.4.0");
    world.write("dist/latest-mac.yml", feed.as_bytes());
    world
        .sh("verify")
        .expect(1)
        .says("feed.coverage")
        .says("`evil.zip`, which is no artifact of this release");
}

/// A `.sig` of OpenPGP beside an archive of Sparkle's is no signature that its appcast has to repeat, and one of Tauri's
/// that is missing leaves nothing to compare.
#[test]
fn signatures_in_feeds_are_compared_with_their_own_kind() {
    let world = release();
    let file = "Atlas-1.4.0-universal.zip";
    let length = std::fs::read(world.path(&format!("dist/{file}")))
        .expect("an artifact")
        .len();
    let appcast = format!(
        "<rss><channel><item><sparkle:version>1.4.0</sparkle:version><enclosure url=\"https://dl.example/{file}\" length=\"{length}\" sparkle:edSignature=\"c2ln\"/></item></channel></rss>"
    );
    world.write("dist/appcast.xml", appcast.as_bytes());
    world.write(&format!("dist/{file}.sig"), b"\x88\x75 of OpenPGP");
    world.sh("verify").expect(0).says("valid dist/appcast.xml");
    std::fs::remove_file(world.path("dist/appcast.xml")).expect("the appcast");
    let tauri = format!(
        "{{\"version\":\"1.4.0\",\"platforms\":{{\"plan9\":{{\"url\":\"https://dl.example/{file}\",\"signature\":\"GARBAGE\"}}}}}}"
    );
    world.write("dist/latest.json", tauri.as_bytes());
    world.sh("verify").expect(1).says("feed.signature");
}

#[cfg(unix)]
#[test]
fn a_feed_is_no_link() {
    let world = release();
    let good = latest(&world, "Atlas-1.4.0-universal.zip", "1.4.0");
    world.write("elsewhere.yml", good.as_bytes());
    let link = |to: &str, name: &str| {
        let at = world.path(&format!("dist/{name}"));
        std::os::unix::fs::symlink(to, at).expect("a link");
    };
    // Neither is a feed.
    link("nowhere", "compose.yml");
    link("..", "releases-folder");
    world.sh("verify").expect(0);
    link("../elsewhere.yml", "latest-mac.yml");
    world
        .sh("verify")
        .expect(1)
        .says("INVALID dist/latest-mac.yml")
        .says("feed.parse")
        .says("it is a link");
}
