//! What stands beside artifacts: signatures that the real `gpg` made, and attestations that GitHub did.

mod updaters;

use std::fs;
use std::path::Path;
use std::process::Command;

use testkit::World;

use crate::world;

/// One artifact for Linux under a rule.
fn configure(world: &World, rule: &str) {
    let config = format!(
        "app: atlas\nstore: file:./store\npublic-url: /dl\nversion: \"1.4.0\"\n\
         artifacts:\n  - {{ path: \"dist/*.{{whl,rpm,snap}}\", platform: linux-x64, kind: file }}\n\
         signing:\n  linux: {rule}\n  allow-unsigned: []\n\
         feeds: [manifest]\nchannels:\n  stable: {{}}\n"
    );
    world.write("lastmile.yml", config.as_bytes());
}

/// Runs `gpg` in a keyring of its own.
fn gpg(world: &World, home: &str, words: &[&str]) -> String {
    let home = world.path(home);
    fs::create_dir_all(&home).expect("a folder");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(&home, mode).expect("its mode");
    let mut command = Command::new("gpg");
    command.arg("--homedir").arg(&home);
    command.args([
        "--batch",
        "--no-tty",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "",
    ]);
    let ran = command.args(words).output().expect("gpg");
    assert!(ran.status.success(), "{words:?}: {ran:?}");
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

/// Makes a key and exports it to `<home>.asc`; gives its fingerprint.
fn key(world: &World, home: &str, kind: &str) -> String {
    gpg(
        world,
        home,
        &[
            "--quick-generate-key",
            "Snake Oil <oil@example.org>",
            kind,
            "sign",
            "never",
        ],
    );
    let listed = gpg(world, home, &["--with-colons", "--list-keys"]);
    let line = listed
        .lines()
        .find_map(|line| line.strip_prefix("fpr:::::::::"));
    let exported = gpg(world, home, &["--armor", "--export"]);
    world.write(&format!("{home}.asc"), exported.as_bytes());
    line.expect("a fingerprint")
        .trim_end_matches(':')
        .to_owned()
}

/// Signed by snapd's own `snap sign`, as the store of another key than the public one would.
#[test]
fn a_snap_is_what_its_store_says() {
    let world = world();
    let snap = include_bytes!("../../crates/signing/fixtures/snap/hello.snap");
    let said = include_bytes!("../../crates/signing/fixtures/snap/hello.assert");
    world.write("dist/hello_1.snap", snap);
    world.write("dist/hello_1.assert", said);
    let key = "pAg2ItHmkEOrc9GLcgUpSZVhX8pvYUxOQXliS0jwY5h_SZ2I516UbMmNrvwpBUsY";
    let rule = |account: &str| {
        let rule = format!("{{ snap: {{ account: {account}, name: hello, key: {key} }} }}");
        configure(&world, &rule);
    };
    rule("snakeoil");
    world
        .sh("verify")
        .expect(0)
        .says("snap `hello` of account `snakeoil`");
    rule("somebody");
    world.sh("verify").expect(1).says("snap.publisher");
    rule("snakeoil");
    world.write("dist/hello_1.snap", &[&snap[..], b"more"].concat());
    world.sh("publish").expect(1).says("snap.revision");
    world.write("dist/hello_1.snap", snap);
    fs::remove_file(world.path("dist/hello_1.assert")).expect("the assertions");
    world
        .sh("verify")
        .expect(1)
        .says("UNSIGNED hello_1.snap")
        .says("`hello_1.assert` is not there");
}

#[test]
fn what_gpg_signed_is_verified() {
    if !testkit::judge::has_program("gpg") {
        return;
    }
    let world = world();
    let artifact = "dist/atlas-1.4.0.whl";
    world.write(artifact, &vec![7; 300_000]);
    let path = world.path(artifact).to_string_lossy().into_owned();
    let sign = |home: &str, how: &[&str]| {
        for ending in ["asc", "sig"] {
            // Neither may be there.
            let _ = fs::remove_file(world.path(&format!("{artifact}.{ending}")));
        }
        gpg(&world, home, &[how, &["--detach-sign", &path]].concat());
    };
    for kind in ["ed25519", "rsa3072"] {
        let fingerprint = key(&world, kind, kind);
        let rule = format!("{{ openpgp: {{ key: {kind}.asc, fingerprint: \"{fingerprint}\" }} }}");
        configure(&world, &rule);
        sign(kind, &[]);
        world.sh("verify").expect(0);
        sign(kind, &["--armor"]);
        world
            .sh("verify")
            .expect(0)
            .says("signatures over `atlas-1.4.0.whl`: 1");
    }
    // Another key than the one that is pinned, though its file is there.
    sign("ed25519", &["--armor"]);
    world
        .sh("verify")
        .expect(1)
        .says("openpgp.key")
        .says("expected key");
    sign("rsa3072", &["--armor"]);
    world.sh("verify").expect(0);
    world.write(artifact, &vec![8; 300_000]);
    world.sh("publish").expect(1).says("openpgp.signature");
    fs::remove_file(world.path(&format!("{artifact}.asc"))).expect("the signature");
    world
        .sh("verify")
        .expect(1)
        .says("UNSIGNED atlas-1.4.0.whl")
        .says("gpg --detach-sign");
    assert!(!world.path("store").exists());
    // Keys that are none are a matter of configuration.
    world.write("rsa3072.asc", b"no key");
    world
        .sh("verify")
        .expect(2)
        .says("`rsa3072.asc` is no file of OpenPGP keys");
    fs::remove_file(world.path("rsa3072.asc")).expect("the keys");
    world
        .sh("verify")
        .expect(2)
        .says("`rsa3072.asc` is not there");
}

#[test]
fn where_an_artifact_was_built_is_verified() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/sigstore/cli");
    let name = "github_provenance_demo-0.0.12-py3-none-any";
    let next = "it is part of the shared corpus of signed files, which is optional";
    if !testkit::judge::has_path(&folder.join(format!("{name}.whl")), next) {
        return;
    }
    let read = |name: String| fs::read(folder.join(name)).expect("a sample");
    let (wheel, bundle) = (
        read(format!("{name}.whl")),
        read(format!("{name}-bundle.jsonl")),
    );
    let world = world();
    world.write("dist/demo-1.4.0.whl", &wheel);
    let rule = |more: &str| {
        format!(
            "{{ provenance: {{ repository: actions/attest-demo, workflow: .github/workflows/build-python.yml{more} }} }}"
        )
    };
    configure(&world, &rule(""));
    world
        .sh("verify")
        .expect(1)
        .says("UNSIGNED demo-1.4.0.whl")
        .says("sigstore.present");
    world.write("dist/demo-1.4.0.whl.sigstore.json", &bundle);
    world.sh("verify").expect(0);
    // One document for all artifacts.
    fs::remove_file(world.path("dist/demo-1.4.0.whl.sigstore.json")).expect("the bundle");
    world.write("dist/attestations.jsonl", &bundle);
    configure(&world, &rule(", bundle: dist/attestations.jsonl"));
    world.sh("verify").expect(0);
    configure(
        &world,
        &rule(", bundle: dist/attestations.jsonl, ref: \"refs/tags/v{version}\""),
    );
    world
        .sh("verify")
        .expect(1)
        .says("provenance.ref")
        .says("refs/tags/v1.4.0");
    let other = rule(", bundle: dist/attestations.jsonl").replace("build-python", "release");
    configure(&world, &other);
    world.sh("verify").expect(1).says("provenance.workflow");
    configure(&world, &rule(", bundle: dist/attestations.jsonl"));
    world.write("dist/demo-1.4.0.whl", &[&wheel[..], b"x"].concat());
    world.sh("publish").expect(1).says("sigstore.subject");
    configure(&world, &rule(", ref: v1"));
    world
        .sh("verify")
        .expect(2)
        .says("`provenance.ref`")
        .says("a whole ref");
    assert!(!world.path("store").exists());
}

#[test]
fn an_rpm_package_is_signed_inside() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/rpm");
    let next = "it is part of the shared corpus of signed files, which is optional";
    if !testkit::judge::has_path(&folder, next) {
        return;
    }
    let package = |name: &str| fs::read(folder.join("RPMS/v4").join(name)).expect("a sample");
    let signed = package("signed/rpm-basic-with-ed25519-2.3.4-5.el9.noarch.rpm");
    let world = world();
    let mut keys = fs::read_dir(folder.join("keys/v4")).expect("keys");
    let keys = keys.find_map(|file| {
        let bytes = fs::read(file.expect("a file").path()).expect("a key");
        let parsed = signing::OpenPgpKeys::parse(&bytes).ok()?;
        let wanted = "77CEF535745D5AF04ECD115F522E846427933839";
        let mut found = parsed.fingerprints();
        found.any(|it| it.to_string() == wanted).then_some(bytes)
    });
    world.write("vendor.asc", &keys.expect("the key"));
    let rule = |fingerprint: &str| {
        configure(
            &world,
            &format!("{{ openpgp: {{ key: vendor.asc, fingerprint: {fingerprint} }} }}"),
        );
    };
    rule("77CEF535745D5AF04ECD115F522E846427933839");
    world.write("dist/basic.rpm", &signed);
    world.sh("verify").expect(0);
    let mut changed = signed.clone();
    let at = changed.len() - 9;
    changed[at] ^= 1;
    world.write("dist/basic.rpm", &changed);
    world
        .sh("verify")
        .expect(1)
        .says("INVALID")
        .says("rpm.payload-digest");
    // rpmkeys says "digests OK" of this one, and its exit status is 0.
    world.write(
        "dist/basic.rpm",
        &package("rpm-basic-2.3.4-5.el9.noarch.rpm"),
    );
    world
        .sh("verify")
        .expect(1)
        .says("UNSIGNED")
        .says("rpm.signed");
    world.write("dist/basic.rpm", &signed);
    rule("0123456789ABCDEF0123456789ABCDEF01234567");
    world
        .sh("verify")
        .expect(1)
        .says("openpgp.key")
        .says("is not in `vendor.asc`");
}

/// Runs a program in a folder of the world, and gives what it prints.
fn run(world: &World, folder: &str, program: &str, words: &[&str]) -> Vec<u8> {
    let mut command = Command::new(program);
    let ran = command.args(words).current_dir(world.path(folder)).output();
    let ran = ran.expect("it starts");
    assert!(ran.status.success(), "{program} {words:?}: {ran:?}");
    ran.stdout
}

/// As `apt-ftparchive` and `gpg` make it; that apt takes such repositories, and refuses others, is tested where they are read.
#[test]
fn a_debian_package_is_vouched_for_by_its_repository() {
    let programs = ["gpg", "dpkg-deb", "apt-ftparchive"];
    if !programs.iter().all(|it| testkit::judge::has_program(it)) {
        return;
    }
    let world = world();
    let package = |version: &str| {
        let control = format!(
            "Package: atlas\nVersion: {version}\nArchitecture: amd64\nMaintainer: Snake <oil@example.org>\nDescription: oil\n"
        );
        world.write("source/DEBIAN/control", control.as_bytes());
        let file = format!("atlas_{version}_amd64.deb");
        run(&world, ".", "dpkg-deb", &["-b", "source", &file]);
        fs::read(world.path(&file)).expect("a package")
    };
    let deb = package("1.4.0");
    let binary = "dist/apt/dists/stable/main/binary-amd64";
    let publish = |home: &str, packages: &[(&str, &[u8])]| {
        let _ = fs::remove_dir_all(world.path("dist"));
        world.write("dist/atlas.deb", &deb);
        for (name, bytes) in packages {
            world.write(&format!("dist/apt/pool/{name}"), bytes);
        }
        let index = run(&world, "dist/apt", "apt-ftparchive", &["packages", "pool"]);
        world.write(&format!("{binary}/Packages"), &index);
        let release = run(
            &world,
            "dist/apt/dists/stable",
            "apt-ftparchive",
            &["release", "."],
        );
        world.write("release", &release);
        let path = world.path("release").to_string_lossy().into_owned();
        let signed = gpg(&world, home, &["--clearsign", "--output", "-", &path]);
        world.write("dist/apt/dists/stable/InRelease", signed.as_bytes());
    };
    let fingerprint = key(&world, "own", "ed25519");
    key(&world, "other", "ed25519");
    let rule = format!(
        "{{ apt: {{ release: dist/apt/dists/stable/InRelease, key: own.asc, fingerprint: {fingerprint} }} }}"
    );
    configure(&world, &rule);
    let config = fs::read_to_string(world.path("lastmile.yml")).expect("it was written");
    let config = config
        .replace("*.{whl,rpm,snap}", "*.deb")
        .replace("kind: file", "kind: deb");
    world.write("lastmile.yml", config.as_bytes());
    publish("own", &[("atlas_1.4.0_amd64.deb", &deb)]);
    world.sh("verify").expect(0).says("is signed by key");
    publish("other", &[("atlas_1.4.0_amd64.deb", &deb)]);
    world.sh("verify").expect(1).says("apt.signature");
    let earlier = package("1.3.0");
    publish(
        "own",
        &[
            ("atlas_1.3.0_amd64.deb", &earlier),
            ("atlas_1.4.0_amd64.deb", &deb),
        ],
    );
    world.sh("verify").expect(0);
    publish("own", &[("atlas_1.3.0_amd64.deb", &earlier)]);
    world.sh("verify").expect(1).says("apt.coverage");
    let later = package("1.4.1");
    publish(
        "own",
        &[
            ("atlas_1.4.0_amd64.deb", &deb),
            ("atlas_1.4.1_amd64.deb", &later),
        ],
    );
    world.sh("verify").expect(1).says("apt.extra");
    publish("own", &[("atlas_1.4.0_amd64.deb", &deb)]);
    world.write(&format!("{binary}/Packages"), b"Package: atlas\n");
    world.sh("verify").expect(1).says("apt.index");
    fs::remove_file(world.path("own.asc")).expect("the keys");
    world.sh("verify").expect(2).says("`own.asc` is not there");
}

#[test]
fn a_document_of_checksums_is_signed_with_openpgp() {
    if !testkit::judge::has_program("gpg") {
        return;
    }
    let world = world();
    world.write("dist/atlas-1.4.0.whl", &vec![7; 300_000]);
    let sums = run(&world, "dist", "sha256sum", &["atlas-1.4.0.whl"]);
    world.write("dist/SHA256SUMS", &sums);
    let fingerprint = key(&world, "own", "ed25519");
    let rule = format!(
        "{{ sha256sums: {{ path: dist/SHA256SUMS, openpgp: {{ key: own.asc, fingerprint: {fingerprint} }} }} }}"
    );
    configure(&world, &rule);
    let path = world.path("dist/SHA256SUMS").to_string_lossy().into_owned();
    world.sh("verify").expect(1).says("sha256sums.signature");
    gpg(&world, "own", &["--armor", "--detach-sign", &path]);
    world.sh("verify").expect(0);
    world.sh("publish").expect(0);
    world.write("dist/SHA256SUMS", &sums.repeat(2));
    world.sh("verify").expect(1).says("sha256sums.signature");
}

/// What the public conformance suite asks of a client, as it asks: exit codes.
#[test]
fn the_conformance_protocol_is_spoken() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/sigstore");
    let next = "it is part of the shared corpus of signed files, which is optional";
    if !testkit::judge::has_path(&folder, next) {
        return;
    }
    let world = world();
    let suite = folder.join("conformance");
    let artifact = suite.join("a.txt").to_string_lossy().into_owned();
    let verify = |case: &str, more: &[&str], subject: &str| {
        let bundle = suite.join("bundle-verify").join(case);
        let bundle = bundle.join("bundle.sigstore.json");
        let mut words = vec!["sigstore", "verify-bundle", "--bundle"];
        let bundle = bundle.to_string_lossy().into_owned();
        words.push(&bundle);
        words.extend(more);
        words.push(subject);
        world.run(&words)
    };
    let identity = [
        "--certificate-identity",
        "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main",
        "--certificate-oidc-issuer",
        "https://token.actions.githubusercontent.com",
    ];
    verify("happy-path-v0.3", &identity, &artifact).expect(0);
    let bytes = fs::read(&artifact).expect("the artifact");
    let digest = format!("sha256:{}", release::Sha256::of(&bytes));
    verify("happy-path-v0.3", &identity, &digest).expect(0);
    verify("signature-mismatch_fail", &identity, &artifact)
        .expect(1)
        .says("the bundle does not hold");
    let mut other = identity;
    other[1] = "https://github.com/somebody/else/.github/workflows/x.yml@refs/heads/main";
    verify("happy-path-v0.3", &other, &artifact)
        .expect(1)
        .says("sigstore.identity");
    let key = suite.join("bundle-verify/managed-key-happy-path/key.pub");
    let key = key.to_string_lossy().into_owned();
    verify("managed-key-happy-path", &["--key", &key], &artifact).expect(0);
    verify("happy-path-v0.3", &[], &artifact).expect(2);
    verify("happy-path-v0.3", &identity, "sha256:12").expect(2);
    verify("nothing", &identity, &artifact).expect(5);
}
