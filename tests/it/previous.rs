//! `verify --previous`: a release after another, as users of the previous one will take it.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::World;

use crate::world;

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../signing/fixtures");
    fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A release of an app for macOS and an installer for Windows, after one that users have in `old`.
fn release() -> World {
    let world = world();
    let config = "app: snake\nstore: file:./store\npublic-url: /dl\nversion: \"1.4.0\"\n\
        artifacts:\n  - { path: \"dist/Snake-1.4.0.zip\", platform: macos-universal, kind: zip }\n  \
        - { path: \"dist/Snake-Setup-*.exe\", platform: windows-x64, kind: nsis }\n\
        signing:\n  roots: [roots.pem]\n  \
        macos: { apple: { team-id: SNAKE0OIL1, hardened-runtime: optional, notarized: optional } }\n  \
        windows: { authenticode: { organization: Snake Oil Ltd }, contents: optional }\n\
        feeds: [manifest]\nchannels:\n  stable: {}\n";
    world.write("lastmile.yml", config.as_bytes());
    let roots = [
        fixture("continuity/roots.pem"),
        fixture("pki/certificates.pem"),
    ];
    world.write("roots.pem", &roots.concat());
    world.write("old/Snake-1.3.0.zip", &fixture("continuity/old.app.zip"));
    world.write("old/Snake-Setup-1.3.0.exe", &fixture("pki/pages.exe"));
    world.write("dist/Snake-1.4.0.zip", &fixture("continuity/new.app.zip"));
    world.write("dist/appcast.xml", &fixture("continuity/new.appcast.xml"));
    world.write("dist/Snake-Setup-1.4.0.exe", &fixture("pki/signed.exe"));
    world
}

fn with_publisher(world: &World, names: &str) {
    let text = format!("provider: generic\nurl: https://dl.example\npublisherName: {names}\n");
    world.write("old/resources/app-update.yml", text.as_bytes());
}

#[test]
fn installed_copies_accept_what_they_ask_for() {
    let world = release();
    world
        .sh("verify --previous old --junit out.xml")
        .expect(0)
        .says("accepted dist/Snake-1.4.0.zip after Snake-1.3.0.zip")
        .says("continuity.requirement")
        .says("it meets `identifier")
        .says("continuity.sparkle-key")
        .says("accepted dist/Snake-Setup-1.4.0.exe after Snake-Setup-1.3.0.exe")
        .says("note no `app-update.yml` was found");
    let report = fs::read_to_string(world.path("out.xml")).expect("a report");
    let suite = "<testsuite name=\"dist/Snake-1.4.0.zip after Snake-1.3.0.zip\"";
    assert!(report.contains(suite), "{report}");
    with_publisher(&world, "[Snake Oil Signer, Somebody Else]");
    world
        .sh("verify --previous old/Snake-1.3.0.zip --previous old/resources")
        .expect(0)
        .says("continuity.publisher-name");
    world
        .sh("verify --previous old --format json")
        .expect(0)
        .says("\"continuity\": {")
        .says("\"from\": \"Snake-1.3.0.zip\"");
}

#[test]
fn what_installed_copies_refuse_fails() {
    let world = release();
    with_publisher(&world, "Snake Oil Ltd");
    world.write(
        "dist/Snake-1.4.0.zip",
        &fixture("continuity/other-key-and-team.app.zip"),
    );
    world.write(
        "dist/appcast.xml",
        &fixture("continuity/other-key-and-team.appcast.xml"),
    );
    let config = fs::read_to_string(world.path("lastmile.yml")).expect("the configuration");
    let config = config.replace("SNAKE0OIL1", "ANOTHER123");
    world.write("lastmile.yml", config.as_bytes());
    // By itself the release is good: nobody but installed copies knows better.
    world.sh("verify").expect(0);
    world
        .sh("verify --previous old --sarif out.sarif")
        .expect(1)
        .says("REFUSED dist/Snake-1.4.0.zip after Snake-1.3.0.zip")
        .says("FAIL continuity.team-id: `Snake.app`: signed by team `SNAKE0OIL1` before, and")
        .says("continuity.requirement")
        .says("continuity.sparkle-key")
        .says("REFUSED dist/Snake-Setup-1.4.0.exe after resources/app-update.yml")
        .says("FAIL continuity.publisher-name");
    let report = fs::read_to_string(world.path("out.sarif")).expect("a report");
    for said in [
        "\"ruleId\": \"continuity.publisher-name\"",
        "signed by team `SNAKE0OIL1` before, and by `ANOTHER123` now",
        "every installed app refuses it: they accept `Snake Oil Ltd`",
    ] {
        assert!(report.contains(said), "{said}: {report}");
    }
}

/// Clients may read any appcast: one that lists the archive without a signature, or with another key's, is refused.
#[test]
fn every_appcast_signs_the_archive() {
    let world = release();
    let good = String::from_utf8(fixture("continuity/new.appcast.xml")).expect("text");
    let at = good.find("sparkle:edSignature=\"").expect("a signature");
    let value = at + "sparkle:edSignature=\"".len();
    let end = value + good[value..].find('"').expect("its end");
    let unsigned = format!("{}{}", &good[..at], &good[end + 1..]);
    let other = format!("{}AAAA{}", &good[..value], &good[value + 4..]);
    for (wrong, said) in [
        (unsigned, "without `sparkle:edSignature`"),
        (other, "not every signature"),
    ] {
        // The name sorts before that of the good one, or behind it.
        for name in ["appcast-a.xml", "appcast.zz.xml"] {
            world.write(&format!("dist/{name}"), wrong.as_bytes());
            world
                .sh("verify --previous old")
                .expect(1)
                .says("FAIL continuity.sparkle-key")
                .says(said);
            fs::remove_file(world.path(&format!("dist/{name}"))).expect("the appcast");
        }
    }
    world.sh("verify --previous old").expect(0);
}

#[test]
fn a_previous_release_is_found_by_the_rules() {
    let world = release();
    world.sh("verify --previous nowhere").expect(2);
    world.write("empty/readme.txt", b"");
    world
        .sh("verify --previous empty")
        .expect(2)
        .says("no file there fits an artifact rule");
    world.write("old/other.bin", b"x");
    let extra = PathBuf::from("old/Snake-1.3.0.zip");
    assert!(world.path(&extra.to_string_lossy()).is_file());
    world
        .sh("verify --previous old")
        .expect(0)
        .says("note `other.bin` of the previous release fits no artifact rule, and was not");
    // One file of two platforms is neither.
    let config = fs::read_to_string(world.path("lastmile.yml")).expect("the configuration");
    let config = config.replace(
        "signing:",
        "  - { path: \"arm/Snake-Setup-*.exe\", platform: windows-arm64, kind: nsis }\nsigning:",
    );
    world.write("lastmile.yml", config.as_bytes());
    world.write(
        "arm/Snake-Setup-1.4.0-arm64.exe",
        &fixture("pki/signed.exe"),
    );
    world
        .sh("verify --previous old")
        .expect(2)
        .says("fits artifact rules of two platforms or kinds");
    // In folders as this release has them, each is known again.
    fs::create_dir_all(world.path("was/dist")).expect("a folder");
    fs::rename(
        world.path("old/Snake-Setup-1.3.0.exe"),
        world.path("was/dist/Snake-Setup-1.3.0.exe"),
    )
    .expect("a move");
    world
        .sh("verify --previous was")
        .expect(0)
        .says("after dist/Snake-Setup-1.3.0.exe")
        .says("is new: not");
}

/// Users keep a key: the one that this release is signed by is the one that they have, or they are told.
#[test]
fn keys_that_users_keep_are_compared() {
    let world = world();
    world.build("1.3.0");
    fs::rename(world.path("dist"), world.path("old")).expect("a move");
    world.build("1.4.0");
    world
        .sh("verify --previous old")
        .expect(0)
        .says("accepted dist/Atlas-1.4.0.AppImage after Atlas-1.3.0.AppImage")
        .says("continuity.key");
    // By another key, whose release it was once.
    let name = "old/Atlas-1.3.0.AppImage";
    let bytes = fs::read(world.path(name)).expect("an artifact");
    let other = testkit::signer::Signer::new()
        .sign(&bytes, "timestamp:1\tfile:Atlas-1.3.0.AppImage\thashed");
    world.write(&format!("{name}.minisig"), other.as_bytes());
    world
        .sh("verify --previous old")
        .expect(1)
        .says("REFUSED dist/Atlas-1.4.0.AppImage after Atlas-1.3.0.AppImage")
        .says("FAIL continuity.key");
    fs::remove_file(world.path(&format!("{name}.minisig"))).expect("a signature");
    world
        .sh("verify --previous old")
        .expect(0)
        .says("note not applicable: the previous artifact has no signature to compare keys");
}
