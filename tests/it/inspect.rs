//! `inspect`, and Authenticode as a rule of `verify` and `publish`, on real signed files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::world;

/// A signed file of the shared corpus; none where the corpus is not there.
fn corpus(name: &str) -> Option<PathBuf> {
    at(&format!("authenticode/signify/{name}"))
}

fn at(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/corpus")
        .join(path);
    let next = "it is part of the shared corpus of signed files, which is optional";
    testkit::judge::has_path(&file, next).then_some(file)
}

fn inspect(world: &testkit::World, file: &Path, more: &str) -> testkit::Ran {
    let words = more.split_whitespace().map(str::to_owned);
    let mut command = vec!["inspect".to_owned(), file.to_string_lossy().into_owned()];
    command.extend(words);
    world.run(&command)
}

#[test]
fn a_signed_program_is_shown_with_who_signed_it() {
    let (world, Some(file)) = (world(), corpus("whois.exe")) else {
        return;
    };
    inspect(&world, &file, "--at 2026-11-23T00:00:00Z")
        .expect(0)
        .says("valid")
        .says("Microsoft Corporation")
        .says("2019-12-11")
        .says("Microsoft root program");
    let ran = inspect(&world, &file, "--at 2026-11-23T00:00:00Z --format json").expect(0);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let signer = &document["result"]["files"][0]["signature"]["signatures"][0]["signer"];
    assert_eq!(signer["organization"], "Microsoft Corporation");
}

/// As it is inside an archive: its signature covers each file in it, and those need none.
#[test]
fn an_app_package_is_judged_by_its_own_signature() {
    let (world, Some(file)) = (world(), at("msix/CentennialCoffee.appx")) else {
        return;
    };
    let ran = inspect(&world, &file, "--format json").expect(1);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let found = &document["report"]["files"][0];
    assert_eq!(found["verdict"], "untrusted");
    assert_eq!(found.get("contents"), None);
}

#[test]
fn what_is_not_signed_whole_and_chained_is_no_success() {
    let (world, Some(file)) = (world(), corpus("whois.exe")) else {
        return;
    };
    let mut bytes = fs::read(file).expect("the program");
    bytes[0x400] ^= 1;
    world.write("dist/tampered.exe", &bytes);
    inspect(&world, &world.path("dist/tampered.exe"), "")
        .expect(1)
        .says("INVALID")
        .says("pe.digest");
    // A folder is as good as its worst file, and one without any proves nothing.
    inspect(&world, &world.path("dist"), "")
        .expect(1)
        .says("1 of 1 files");
    world.write("empty/readme.txt", b"nothing to see");
    inspect(&world, &world.path("empty"), "")
        .expect(2)
        .says("no file that carries a signature");
    inspect(&world, &world.path("empty/readme.txt"), "")
        .expect(1)
        .says("UNSUPPORTED");
    inspect(&world, &world.path("gone.exe"), "")
        .expect(5)
        .says("gone.exe");
    world.write("zero.exe", b"");
    inspect(&world, &world.path("zero.exe"), "").expect(1);
    world.write("short.exe", b"MZ");
    inspect(&world, &world.path("short.exe"), "")
        .expect(1)
        .says("pe.parse");
}

#[test]
fn a_private_root_is_trusted_when_given_and_shown() {
    let (world, Some(file), Some(root)) =
        (world(), corpus("kdbazis.dll"), corpus("kdbazis.dll.crt"))
    else {
        return;
    };
    let at = "--at 2024-01-01T00:00:00Z";
    inspect(&world, &file, at)
        .expect(1)
        .says("UNTRUSTED")
        .says("x509.path");
    inspect(&world, &file, &format!("{at} --trust {}", root.display()))
        .expect(0)
        .says("WARNING: trusted besides the platform's roots");
    world.write("not.pem", b"no certificate");
    inspect(
        &world,
        &file,
        &format!("{at} --trust {}", world.path("not.pem").display()),
    )
    .expect(2)
    .says("not.pem")
    .says("BEGIN CERTIFICATE");
}

/// The Windows installer of a release must be signed by the organization that the policy names.
#[test]
fn a_release_is_held_to_the_organization_that_signs_it() {
    let (world, Some(file)) = (world(), corpus("whois.exe")) else {
        return;
    };
    world.build("1.4.0");
    world.artifact(
        "Atlas-Setup-1.4.0.exe",
        &fs::read(&file).expect("the program"),
    );
    let policy = |authenticode: &str| {
        let rule =
            format!("signing:\n  windows: {{ authenticode: {authenticode}, contents: optional }}");
        let config = world.config_text("").replacen("signing:", &rule, 1);
        world.write("lastmile.yml", config.as_bytes());
    };
    policy("{ organization: Microsoft Corporation }");
    world
        .sh("verify")
        .expect(0)
        .says("signed by organization `Microsoft Corporation`");
    policy("{ organization: Acme }");
    world
        .sh("publish")
        .expect(1)
        .says("identity.organization")
        .says("expected `Acme`");
    assert!(!world.path("store").exists());
    policy("{}");
    world.sh("verify").expect(2).says("names nobody");
    policy("{ organization: Microsoft Corporation, thumbprint: abc }");
    world.sh("verify").expect(2).says("thumbprint");
    // What is not signed at all is not signed by anybody.
    policy("{ organization: Microsoft Corporation }");
    world.artifact("Atlas-Setup-1.4.0.exe", b"MZ and nothing else");
    world.sh("verify").expect(1).says("pe.parse");
    world.artifact("Atlas-Setup-1.4.0.exe", b"not even that");
    world.sh("verify").expect(1).says("format.unsupported");
}
