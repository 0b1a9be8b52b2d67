//! What updaters take: signatures of Tauri, appcasts of Sparkle, repositories of The Update Framework.

use std::fs;

use super::*;

/// One artifact for macOS under a rule.
fn configure_macos(world: &World, rule: &str) {
    let config = format!(
        "app: atlas\nstore: file:./store\npublic-url: /dl\nversion: \"1.4.0\"\n\
         artifacts:\n  - {{ path: \"dist/*.{{tar.gz,zip}}\", platform: macos-universal, kind: file }}\n\
         signing:\n  macos: {rule}\n  allow-unsigned: []\n\
         feeds: [manifest]\nchannels:\n  stable: {{}}\n"
    );
    world.write("lastmile.yml", config.as_bytes());
}

/// Bytes in base64, by the program of that name.
fn base64(world: &World, bytes: &[u8]) -> String {
    world.write("plain", bytes);
    let mut command = Command::new("base64");
    let ran = command.arg("--wrap=0").arg(world.path("plain"));
    let ran = ran.output().expect("base64");
    String::from_utf8(ran.stdout).expect("ASCII")
}

#[test]
fn what_minisign_signed_for_tauri_is_verified() {
    if !testkit::judge::has_program("minisign") {
        return;
    }
    let world = world();
    let artifact = "dist/Atlas_1.4.0_universal.app.tar.gz";
    world.write(artifact, &vec![7; 300_000]);
    let minisign = |words: &[&str]| {
        let mut command = Command::new("minisign");
        let ran = command.args(words).current_dir(world.path(""));
        let ran = ran.output().expect("minisign");
        assert!(ran.status.success(), "{words:?}: {ran:?}");
    };
    minisign(&["-G", "-W", "-p", "key.pub", "-s", "key"]);
    minisign(&["-S", "-W", "-s", "key", "-m", artifact]);
    let minisig = world.path(&format!("{artifact}.minisig"));
    let signature = fs::read(&minisig).expect("a signature");
    fs::remove_file(minisig).expect("removed");
    let public = fs::read(world.path("key.pub")).expect("a key");
    configure_macos(
        &world,
        &format!("{{ tauri: {{ public-key: {} }} }}", base64(&world, &public)),
    );
    let beside = format!("{artifact}.sig");
    world
        .sh("verify")
        .expect(1)
        .says("UNSIGNED Atlas_1.4.0_universal.app.tar.gz")
        .says("tauri signer sign");
    // The signature itself, before Tauri wraps it, is none of Tauri's.
    world.write(&beside, &signature);
    world.sh("verify").expect(1).says("tauri.present");
    world.write(&beside, base64(&world, &signature).as_bytes());
    world.sh("verify").expect(0);
    // Installed apps have the key of the release before.
    let old = "old/Atlas_1.3.0_universal.app.tar.gz";
    world.write(old, &vec![6; 300_000]);
    let signed_by = |key: &str| {
        minisign(&["-S", "-W", "-s", key, "-m", old]);
        let signature = fs::read(world.path(&format!("{old}.minisig"))).expect("a signature");
        world.write(&format!("{old}.sig"), base64(&world, &signature).as_bytes());
    };
    signed_by("key");
    world.sh("verify --previous old").expect(0);
    minisign(&["-G", "-W", "-p", "other.pub", "-s", "other"]);
    signed_by("other");
    world
        .sh("verify --previous old")
        .expect(1)
        .says("continuity.key");
    world.write(artifact, &vec![8; 300_000]);
    world.sh("publish").expect(1).says("tauri.signature");
    assert!(!world.path("store").exists());
}

#[test]
fn what_an_appcast_says_is_verified() {
    if !testkit::judge::has_program("openssl") {
        return;
    }
    let world = world();
    let artifact = "dist/Atlas-1.4.0.zip";
    // The end of an empty archive: nothing is asked of what is inside.
    let archive = [b"PK\x05\x06".as_slice(), &[0; 18]].concat();
    world.write(artifact, &archive);
    let openssl = |words: &[&str]| {
        let mut command = Command::new("openssl");
        let ran = command.args(words).current_dir(world.path(""));
        let ran = ran.output().expect("openssl");
        assert!(ran.status.success(), "{words:?}: {ran:?}");
    };
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "key.pem"]);
    openssl(&[
        "pkey", "-in", "key.pem", "-pubout", "-outform", "der", "-out", "key.der",
    ]);
    openssl(&[
        "pkeyutl",
        "-sign",
        "-rawin",
        "-inkey",
        "key.pem",
        "-in",
        artifact,
        "-out",
        "signature",
    ]);
    let public = fs::read(world.path("key.der")).expect("a key");
    // RFC 8410: 12 bytes of structure, then the key.
    let public = base64(&world, &public[12..]);
    let signature = fs::read(world.path("signature")).expect("a signature");
    let signature = base64(&world, &signature);
    configure_macos(
        &world,
        &format!("{{ sparkle: {{ public-key: {public}, appcast: dist/appcast.xml }} }}"),
    );
    world
        .sh("verify")
        .expect(1)
        .says("sparkle.appcast")
        .says("`dist/appcast.xml` is not there");
    let write = |file: &str| {
        let appcast = format!(
            "<?xml version=\"1.0\"?>\n<rss xmlns:sparkle=\"http://www.andymatuschak.org/xml-namespaces/sparkle\" version=\"2.0\"><channel><item>\
             <sparkle:version>14</sparkle:version><sparkle:shortVersionString>1.4.0</sparkle:shortVersionString>\
             <enclosure url=\"https://dl.example.com/{file}\" length=\"22\" sparkle:edSignature=\"{signature}\"/>\
             </item></channel></rss>"
        );
        world.write("dist/appcast.xml", appcast.as_bytes());
    };
    write("Atlas-1.4.0.zip");
    world.sh("verify").expect(0);
    write("Atlas-1.4.0-arm64.zip");
    world
        .sh("verify")
        .expect(1)
        .says("sparkle.coverage")
        .says("sparkle.extra");
    write("Atlas-1.4.0.zip");
    world.write(artifact, &[archive, b"more".to_vec()].concat());
    world
        .sh("verify")
        .expect(1)
        .says("sparkle.length")
        .says("sparkle.signature");
}

/// The repository that python-tuf made for the tests of the library: a target there consists of its own path.
#[test]
fn what_a_repository_says_is_verified() {
    let world = world();
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../signing/fixtures/tuf");
    let root = fs::read(made.join("root.json")).expect("a fixture");
    world.write("keys/root.json", &root);
    for file in fs::read_dir(made.join("metadata")).expect("a fixture") {
        let file = file.expect("a file");
        let name = file.file_name().to_string_lossy().into_owned();
        let bytes = fs::read(file.path()).expect("a fixture");
        world.write(&format!("dist/metadata/{name}"), &bytes);
    }
    world.write("dist/1.zip", b"bins/1.zip");
    world.write("dist/2.zip", b"bins/2.zip");
    let rule = "{ tuf: { root: keys/root.json, metadata: dist/metadata, targets: bins } }";
    configure_macos(&world, rule);
    world.sh("verify").expect(0);
    world.write("dist/9.zip", b"bins/9.zip");
    world
        .sh("verify")
        .expect(1)
        .says("UNSIGNED 9.zip")
        .says("tuf.coverage");
    fs::remove_file(world.path("dist/9.zip")).expect("removed");
    world.write("dist/1.zip", b"bins/1.zap");
    world.sh("verify").expect(1).says("tuf.digest");
    world.write("dist/1.zip", b"bins/1.zip");
    // The last root is what must be there, so one that is left out is found by what it signs no more.
    fs::remove_file(world.path("dist/metadata/3.root.json")).expect("removed");
    world
        .sh("verify")
        .expect(1)
        .says("tuf.root")
        .says("`2.root.json`: it expired at 2020-01-01T00:00:00Z");
    fs::remove_file(world.path("keys/root.json")).expect("removed");
    world
        .sh("verify")
        .expect(1)
        .says("`keys/root.json`: it is not there");
}
