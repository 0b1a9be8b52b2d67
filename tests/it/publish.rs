//! `publish` and `verify`: what is published, what is refused, and with which code.

use std::fs;

use crate::{world, world_on};

#[test]
fn publish_then_publish_again() {
    let world = world();
    world.build("1.4.0");
    world.sh("verify").expect(0).says("every artifact passed");
    world
        .sh("publish")
        .expect(0)
        .says("atlas 1.4.0 is published in file:./store")
        .says("nobody gets it yet");
    let before = objects(&world);
    world
        .sh("publish")
        .expect(0)
        .says("already published")
        .says("nothing was written");
    assert_eq!(objects(&world), before);
    let record: serde_json::Value =
        serde_json::from_slice(&before["public/atlas/releases/1.4.0/release.json"])
            .expect("a record");
    assert_eq!(record["artifacts"].as_array().map(Vec::len), Some(4));
    let sums =
        String::from_utf8(before["public/atlas/releases/1.4.0/SHA256SUMS"].clone()).expect("text");
    assert_eq!(sums.lines().count(), 4, "{sums}");
    assert!(
        sums.lines().all(|line| line.as_bytes()[64..66] == *b"  "),
        "GNU text format: {sums}"
    );
}

#[test]
fn publishing_again_to_s3_sends_no_artifact_byte() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let s3 = runtime.block_on(testkit::s3::S3::start());
    let world = world_on(&s3);
    world.publish("1.4.0");
    let first = s3.requests().len();
    s3.clear_requests();
    world.sh("publish").expect(0).says("nothing was written");
    let again = s3.requests();
    assert!(
        again.iter().all(|request| request.body_bytes == 0),
        "{again:?}"
    );
    assert!(
        again.len() <= 2 * 4 + 4,
        "{} requests, at first {first}",
        again.len()
    );
    for object in s3
        .objects()
        .iter()
        .filter(|(key, _)| key.contains("/releases/"))
        .map(|(_, object)| object)
    {
        assert_eq!(
            object.cache_control.as_deref(),
            Some("public, max-age=31536000, immutable")
        );
    }
}

#[test]
fn other_bytes_under_a_published_name_are_a_conflict() {
    let world = world();
    world.publish("1.4.0");
    let before = objects(&world);
    // Changed and signed again, so that only the store can tell.
    world.artifact("Atlas-1.4.0.AppImage", b"another build");
    let ran = world
        .sh("publish")
        .expect(4)
        .says("Atlas-1.4.0.AppImage")
        .says("never changes");
    assert_eq!(ran.stderr.matches("sha256 ").count(), 1, "{}", ran.stderr);
    let there = release::Sha256::of(&before["public/atlas/releases/1.4.0/Atlas-1.4.0.AppImage"])
        .to_string();
    let here = release::Sha256::of(b"another build").to_string();
    ran.says(&there).says(&here);
    assert_eq!(objects(&world), before);
}

#[test]
fn a_byte_that_changed_in_the_store_is_found() {
    let world = world();
    world.publish("1.4.0");
    let path = world.path("store/public/atlas/releases/1.4.0/Atlas-Setup-1.4.0.exe");
    let mut bytes = fs::read(&path).expect("the artifact");
    bytes[7] ^= 1;
    fs::write(&path, &bytes).expect("the artifact");
    let there = release::Sha256::of(&bytes).to_string();
    world
        .sh("publish")
        .expect(4)
        .says("Atlas-Setup-1.4.0.exe")
        .says(&there);
}

#[test]
fn a_tampered_artifact_fails_by_name() {
    let world = world();
    world.build("1.4.0");
    let path = world.path("dist/Atlas-1.4.0.AppImage");
    let mut bytes = fs::read(&path).expect("the artifact");
    bytes[0] ^= 1;
    fs::write(&path, bytes).expect("the artifact");
    world
        .sh("verify")
        .expect(1)
        .says("minisign.signature")
        .says("Atlas-1.4.0.AppImage");
    world.sh("publish").expect(1).says("minisign.signature");
    assert!(!world.path("store").exists(), "nothing was written");
    let ran = world.sh("verify --format json").expect(1);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(document["exit"], 1);
}

#[test]
fn unsigned_is_allowed_by_path_reason_and_date_only() {
    let world = world();
    world.build("1.4.0");
    fs::remove_file(world.path("dist/Atlas-1.4.0.AppImage.minisig")).expect("the signature");
    world.sh("verify").expect(1).says("minisign.present");
    let allow = |until: &str| {
        let rule = format!(
            "  allow-unsigned: [ {{ path: \"dist/*.AppImage\", reason: \"built by a vendor\", until: {until} }} ]\nfeeds:"
        );
        world.write(
            "lastmile.yml",
            world
                .config_text("")
                .replacen("feeds:", &rule, 1)
                .as_bytes(),
        );
    };
    allow("2020-01-01");
    world.sh("verify").expect(1).says("policy.allow-expired");
    allow("2099-01-01");
    world.sh("verify").expect(0).says("built by a vendor");
    world
        .sh("publish")
        .expect(0)
        .says("WARNING: not signed, and allowed by the policy: Atlas-1.4.0.AppImage");
}

#[test]
fn a_signed_document_of_checksums_is_published_as_it_is() {
    let world = world();
    world.build("1.4.0");
    let mut sums = String::new();
    for entry in fs::read_dir(world.path("dist")).expect("dist") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if name.ends_with(".minisig") {
            fs::remove_file(&path).expect("a signature");
        } else {
            sums.push_str(&format!(
                "{}  {name}\n",
                release::Sha256::of(&fs::read(&path).expect("bytes"))
            ));
        }
    }
    world.write("dist/SHA256SUMS", sums.as_bytes());
    let sign = |text: &str| {
        world.write(
            "dist/SHA256SUMS.minisig",
            world
                .signer()
                .sign(text.as_bytes(), "file:SHA256SUMS")
                .as_bytes(),
        )
    };
    sign(&sums);
    let key = world.signer().public_key();
    let rule = format!(
        "all: {{ sha256sums: {{ path: dist/SHA256SUMS, minisign: {{ public-key: \"{key}\" }} }} }}"
    );
    let config = world.config_text("").replacen(
        &format!("all: {{ minisign: {{ public-key: \"{key}\" }} }}"),
        &rule,
        1,
    );
    world.write("lastmile.yml", config.as_bytes());
    world.sh("verify").expect(0);
    // An artifact more than the document names, and a document that names more than there is.
    world.write(
        "dist/atlas-cli-extra-linux-x64.tar.gz",
        b"not in the document",
    );
    world.sh("verify").expect(1).says("sha256sums.coverage");
    fs::remove_file(world.path("dist/atlas-cli-extra-linux-x64.tar.gz"))
        .expect("the extra artifact");
    let more = format!("{sums}{}  gone.zip\n", "0".repeat(64));
    world.write("dist/SHA256SUMS", more.as_bytes());
    world.sh("verify").expect(1).says("sha256sums.signature");
    sign(&more);
    world.sh("verify").expect(1).says("sha256sums.extra");
    world.write("dist/SHA256SUMS", sums.as_bytes());
    sign(&sums);
    world.sh("publish").expect(0);
    let stored = objects(&world);
    assert_eq!(
        stored["public/atlas/releases/1.4.0/SHA256SUMS"],
        sums.as_bytes()
    );
    assert!(stored.contains_key("public/atlas/releases/1.4.0/SHA256SUMS.minisig"));
}

/// Two rules that name one document and different keys are two promises.
#[test]
fn each_rule_of_checksums_is_held_to_its_own_key() {
    let world = world();
    world.build("1.4.0");
    let mut sums = String::new();
    for (name, _, _) in testkit::world::BUILD {
        let name = name.replace("{version}", "1.4.0");
        let bytes = fs::read(world.path(&format!("dist/{name}"))).expect("an artifact");
        sums.push_str(&format!("{}  {name}\n", release::Sha256::of(&bytes)));
    }
    world.write("dist/SHA256SUMS", sums.as_bytes());
    let signed = world.signer().sign(sums.as_bytes(), "file:SHA256SUMS");
    world.write("dist/SHA256SUMS.minisig", signed.as_bytes());
    let (key, other) = (
        world.signer().public_key(),
        testkit::Signer::new().public_key(),
    );
    let rule = |key: &str| {
        format!(
            "{{ sha256sums: {{ path: dist/SHA256SUMS, minisign: {{ public-key: \"{key}\" }} }} }}"
        )
    };
    let config = world.config_text("").replacen(
        &format!("all: {{ minisign: {{ public-key: \"{key}\" }} }}"),
        &format!("windows: {}\n  all: {}", rule(&key), rule(&other)),
        1,
    );
    world.write("lastmile.yml", config.as_bytes());
    world.sh("verify").expect(1).says("sha256sums.signature");
}

/// A link beside an artifact would publish whatever it points to.
#[test]
#[cfg(unix)]
fn a_signature_that_is_a_link_is_not_read() {
    let world = world();
    world.build("1.4.0");
    let signature = world.path("dist/Atlas-1.4.0.AppImage.minisig");
    fs::rename(&signature, world.path("elsewhere")).expect("the signature");
    std::os::unix::fs::symlink(world.path("elsewhere"), &signature).expect("a link");
    world.sh("publish").expect(5).says("found a link");
    assert!(!world.path("store").exists());
}

/// A job that died after some uploads runs again and signs again: other signatures over the same bytes.
#[test]
fn a_run_that_signs_again_continues() {
    let world = world();
    world.build("1.4.0");
    let signature = "public/atlas/releases/1.4.0/Atlas-1.4.0-universal.zip.minisig";
    // Uploads run side by side, so which step comes after this signature differs: it dies later and later until then.
    let before = (1..)
        .find_map(|k| {
            let _ = fs::remove_dir_all(world.path("store"));
            let at = k.to_string();
            let ran = world.run_with(&["publish", "--run", "one"], &[("LASTMILE_CRASH_AT", &at)]);
            assert_eq!(ran.code, None, "it was to die at step {k}");
            let stored = objects(&world);
            stored.contains_key(signature).then_some(stored)
        })
        .expect("a step");
    world.build("1.4.0");
    world.sh("publish --run one").expect(0);
    let after = objects(&world);
    assert_eq!(after[signature], before[signature]);
    let local = fs::read(world.path("dist/Atlas-1.4.0-universal.zip.minisig")).expect("it");
    assert_ne!(after[signature], local, "it was signed anew");
    // One that is good for nothing is a conflict all the same.
    let world = crate::world();
    world.write(&format!("store/{signature}"), b"somebody's");
    world.build("1.4.0");
    world.sh("publish").expect(4).says("universal.zip.minisig");
}

#[test]
fn an_artifact_that_was_lost_is_written_again() {
    let world = world();
    world.publish("1.4.0");
    let before = objects(&world);
    let lost = "store/public/atlas/releases/1.4.0/Atlas-1.4.0.AppImage";
    fs::remove_file(world.path(lost)).expect("the artifact");
    world.sh("publish --date 2026-11-23T08:00:00Z").expect(0);
    assert_eq!(objects(&world), before);
}

/// A directory store of the configuration lies where the configuration does, wherever one stands.
#[test]
fn a_store_is_relative_to_its_configuration() {
    let world = world();
    world.publish("1.4.0");
    fs::create_dir(world.path("elsewhere")).expect("a folder");
    fs::rename(world.path("lastmile.yml"), world.path("moved.yml")).expect("it");
    let output = std::process::Command::new(crate::BINARY)
        .args(["--config", "../moved.yml", "publish"])
        .current_dir(world.path("elsewhere"))
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("nothing was written"), "{output:?}");
    assert!(!world.path("elsewhere/store").exists());
}

/// The bad inputs of the command line: each exits 2 and leaves no store behind.
#[test]
fn bad_input_is_named_and_nothing_is_written() {
    type Spoil = fn(&testkit::World);
    let cases: [(&str, Spoil, &str); 11] = [
        (
            "unknown key",
            |world| rewrite(world, "feeds:", "feed:"),
            "did you mean `feeds`",
        ),
        (
            "not yet supported",
            |world| rewrite(world, "feeds:", "gates: {}\nfeeds:"),
            "not yet supported",
        ),
        (
            "not semver",
            |world| world.write("package.json", b"{\"version\": \"1.4\"}"),
            "not a semantic version",
        ),
        (
            "a glob without a match",
            |world| rewrite(world, "dist/Atlas-Setup-*.exe", "dist/Nothing-*.exe"),
            "matches no file",
        ),
        (
            "two globs on one file",
            |world| rewrite(world, "dist/Atlas-*-universal.zip", "dist/Atlas-1*"),
            "matches two artifact rules",
        ),
        (
            "a reserved name",
            |world| {
                rewrite(world, "dist/Atlas-Setup-*.exe", "dist/release.*");
                world.artifact("release.json", b"{}");
            },
            "lastmile itself writes",
        ),
        (
            "the other reserved name",
            |world| {
                rewrite(world, "dist/Atlas-Setup-*.exe", "dist/SHA*");
                world.artifact("SHA256SUMS", b"mine");
            },
            "lastmile itself writes",
        ),
        (
            "two globs onto one name",
            |world| {
                world.write("dist/x/Atlas-1.4.0.AppImage", b"x");
                rewrite(world, "dist/Atlas-Setup-*.exe", "dist/x/*.AppImage");
            },
            "would both be published as",
        ),
        (
            "names that differ in case only",
            |world| {
                world.write("dist/x/ATLAS-1.4.0.appimage", b"x");
                rewrite(world, "dist/Atlas-*.AppImage", "dist/**/*pp?mage");
            },
            "where case does not count",
        ),
        (
            "a leftover",
            |world| world.artifact("Atlas-Setup-1.3.0.exe", b"old"),
            "leftover of version `1.3.0`",
        ),
        (
            "no configuration",
            |world| fs::remove_file(world.path("lastmile.yml")).expect("the configuration"),
            "lastmile.yml",
        ),
    ];
    for (name, spoil, says) in cases {
        let world = world();
        world.build("1.4.0");
        spoil(&world);
        let ran = world.sh("publish");
        assert_eq!(ran.code, Some(2), "{name}: {}{}", ran.stdout, ran.stderr);
        ran.says(says);
        assert!(
            !world.path("store").exists(),
            "{name}: something was written"
        );
    }
}

fn rewrite(world: &testkit::World, from: &str, to: &str) {
    let text = fs::read_to_string(world.path("lastmile.yml")).expect("the configuration");
    assert!(text.contains(from), "{text}");
    world.write("lastmile.yml", text.replacen(from, to, 1).as_bytes());
}

/// Everything in a directory store, by path.
pub(crate) fn objects(world: &testkit::World) -> std::collections::BTreeMap<String, Vec<u8>> {
    let root = world.path("store");
    let mut found = std::collections::BTreeMap::new();
    for top in ["public", "state"] {
        collect(&root.join(top), top, &mut found);
    }
    found
}

fn collect(
    folder: &std::path::Path,
    prefix: &str,
    found: &mut std::collections::BTreeMap<String, Vec<u8>>,
) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let entry = entry.expect("an entry");
        let path = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("a type").is_dir() {
            collect(&entry.path(), &path, found);
        } else {
            found.insert(path, fs::read(entry.path()).expect("bytes"));
        }
    }
}
