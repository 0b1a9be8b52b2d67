//! What is inside archives, which real tools made: `verify` and `inspect` judge each program in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::World;

use crate::world;

/// A signed file of the shared corpus; none where the corpus is not there.
fn corpus(name: &str) -> Option<Vec<u8>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/corpus/authenticode/signify")
        .join(name);
    let next = "it is part of the shared corpus of signed files, which is optional";
    testkit::judge::has_path(&file, next).then(|| fs::read(file).expect("a sample"))
}

/// What is packed: a signed program, and what is no program.
fn tree(world: &World, program: &[u8]) -> PathBuf {
    world.write("tree/app/whois.exe", program);
    world.write("tree/app/readme.txt", b"how to use it");
    // A name that does not fit into the header of any tar.
    let long = format!("tree/{}/{}/copy.exe", "long".repeat(30), "name".repeat(30));
    world.write(&long, program);
    world.path("tree")
}

fn pack(folder: &Path, archive: &Path, flags: &[&str]) {
    let mut command = Command::new("tar");
    command.args(flags).arg("-cf").arg(archive);
    let ran = command.arg("-C").arg(folder).arg(".").output();
    let ran = ran.expect("tar is there");
    assert!(ran.status.success(), "{ran:?}");
}

fn inspect(world: &World, file: &str) -> testkit::Ran {
    let file = world.path(file).to_string_lossy().into_owned();
    world.run(&["inspect", &file])
}

#[test]
fn archives_of_every_tar_and_packer_are_looked_into() {
    let (world, Some(program)) = (world(), corpus("whois.exe")) else {
        return;
    };
    let tools = ["tar", "gzip", "xz", "zstd"];
    if !tools.iter().all(|tool| testkit::judge::has_program(tool)) {
        return;
    }
    let folder = tree(&world, &program);
    for (name, flags) in [
        ("gnu.tar", &["--format=gnu"][..]),
        ("pax.tar", &["--format=pax"]),
        ("posix.tar.gz", &["--format=posix", "--gzip"]),
        ("gnu.tar.xz", &["--format=gnu", "--xz"]),
        ("gnu.tar.zst", &["--format=gnu", "--zstd"]),
    ] {
        pack(&folder, &world.path(name), flags);
        inspect(&world, name)
            .expect(0)
            .says(&format!(
                "{name}!/app/whois.exe, PE image, Microsoft Corporation"
            ))
            .says("/copy.exe, PE image")
            .says("2 of 3 files inside");
    }
    // What tar itself reads no further than to its end mark is no way to hide something.
    let mut bytes = fs::read(world.path("gnu.tar")).expect("the archive");
    bytes.extend_from_slice(b"and more");
    world.write("more.tar", &bytes);
    inspect(&world, "more.tar")
        .expect(1)
        .says("contents.parse")
        .says("behind its end mark");
}

/// A release of one archive for Windows, by a policy that demands Authenticode.
fn release(world: &World, allow: &str) {
    let config = format!(
        "app: atlas\nstore: file:./store\npublic-url: /dl\nversion: \"1.4.0\"\n\
         artifacts:\n  - {{ path: \"dist/*.tar.gz\", platform: windows-x64, kind: tar.gz }}\n\
         signing:\n  windows: {{ authenticode: {{ organization: Microsoft Corporation }} }}\n{allow}\
         feeds: [manifest]\nchannels:\n  stable: {{}}\n"
    );
    world.write("lastmile.yml", config.as_bytes());
}

#[test]
fn an_archive_is_as_good_as_the_programs_in_it() {
    let (world, Some(program)) = (world(), corpus("whois.exe")) else {
        return;
    };
    if !["tar", "gzip"]
        .iter()
        .all(|tool| testkit::judge::has_program(tool))
    {
        return;
    }
    release(&world, "");
    let folder = tree(&world, &program);
    fs::create_dir_all(world.path("dist")).expect("a folder");
    let archive = world.path("dist/atlas-1.4.0.tar.gz");
    let again = || pack(&folder, &archive, &["--gzip"]);
    again();
    world
        .sh("verify")
        .expect(0)
        .says("2 of 3 files inside are programs or packages");

    // An unsigned helper is named, and may be allowed by its path and digest alone.
    let spoilt_name = "tree/app/helper.dll";
    let mut unsigned = program.clone();
    // Without an entry for a certificate table in its header the program is whole and has no signature.
    let header = u32::from_le_bytes(unsigned[0x3c..0x40].try_into().expect("four")) as usize;
    let magic = u16::from_le_bytes(unsigned[header + 24..header + 26].try_into().expect("two"));
    let directories = header + 24 + if magic == 0x20b { 112 } else { 96 };
    let table = directories + 4 * 8;
    let at = u32::from_le_bytes(unsigned[table..table + 4].try_into().expect("four")) as usize;
    unsigned[table..table + 8].fill(0);
    unsigned.truncate(at);
    world.write(spoilt_name, &unsigned);
    again();
    world
        .sh("verify")
        .expect(1)
        .says("UNSIGNED dist/atlas-1.4.0.tar.gz!/app/helper.dll")
        .says("pe.signed");
    let digest = release::Sha256::of(&unsigned);
    let allow = |sha256: &str| {
        format!(
            "  allow-unsigned:\n    - {{ path: \"dist/*!/app/helper.dll\", reason: vendor, until: 2099-12-31, sha256: {sha256} }}\n"
        )
    };
    release(&world, &allow(&digest.to_string()));
    world.sh("verify").expect(0);
    release(&world, &allow(&"0".repeat(64)));
    world.sh("verify").expect(1).says("policy.allow-digest");

    // What was changed after it was signed is never allowed.
    let mut changed = program.clone();
    changed[0x400] ^= 1;
    world.write(spoilt_name, &changed);
    again();
    release(
        &world,
        "  allow-unsigned:\n    - { path: \"dist/**\", reason: all, until: 2099-12-31 }\n",
    );
    world
        .sh("verify")
        .expect(1)
        .says("INVALID dist/atlas-1.4.0.tar.gz!/app/helper.dll")
        .says("pe.digest");
    release(&world, "");

    // A program of another system is covered by no rule, and an archive without programs proves nothing.
    world.write(spoilt_name, b"\x7fELF and so on");
    again();
    world
        .sh("verify")
        .expect(1)
        .says("format.unsupported")
        .says("ELF image");
    fs::remove_dir_all(&folder).expect("the tree");
    world.write("tree/readme.txt", b"nothing to run");
    again();
    world.sh("verify").expect(1).says("contents.signed");
    let whole = fs::read(&archive).expect("the archive");
    fs::write(&archive, &whole[..whole.len() - 4]).expect("the archive, cut");
    world.sh("publish").expect(1).says("contents.parse");
    assert!(!world.path("store").exists());
}

/// An app in a folder, as a build leaves it.
#[test]
fn a_folder_is_looked_into_like_an_archive() {
    let world = world();
    let python = [
        "-c",
        "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])",
    ];
    let archive =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../signing/fixtures/apple/good.app.zip");
    let ran = Command::new("python3")
        .args(python)
        .arg(&archive)
        .arg(world.path(""))
        .status();
    if !ran.is_ok_and(|status| status.success()) {
        testkit::judge::missing("python3 is not installed");
        return;
    }
    // Python loses modes and writes links as files, so they are made again here.
    let contents = world.path("Snake.app/Contents");
    let oil = "Frameworks/Oil.framework";
    for link in ["Resources/link", "Versions/Current", "Oil", "Resources"] {
        let link = match link {
            "Resources/link" => contents.join(link),
            link => contents.join(oil).join(link),
        };
        let target = fs::read_to_string(&link).expect("what it points to");
        fs::remove_file(&link).expect("a file");
        std::os::unix::fs::symlink(target, link).expect("a link");
    }
    let root = world.path("root.pem");
    fs::copy(archive.with_file_name("roots.pem"), &root).expect("the root");
    let run = |more: &[&str]| {
        let mut command = vec!["inspect".to_owned()];
        command.push(world.path("Snake.app").to_string_lossy().into_owned());
        command.extend(["--trust".to_owned(), root.to_string_lossy().into_owned()]);
        command.extend(more.iter().map(|word| (*word).to_owned()));
        world.run(&command)
    };
    run(&[]).expect(1).says("may not be executed");
    let program = contents.join("MacOS/Snake");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, mode).expect("its mode");
    run(&[]).expect(0).says("Snake.app, bundle");
    // What `allow-unsigned` would call it is what a person can make of its files.
    let listed = "find . \\( -type f -o -type l \\) -printf '%P\\n' | LC_ALL=C sort | while read -r path; do \
        if [ -L \"$path\" ]; then echo \"-> $(readlink \"$path\")  $path\"; else sha256sum \"$path\"; fi; done | sha256sum";
    let ran = Command::new("sh")
        .args(["-c", listed])
        .current_dir(world.path("Snake.app"))
        .output();
    let digest = String::from_utf8(ran.expect("a shell").stdout).expect("text");
    let document = run(&["--format", "json"]).expect(0).stdout;
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    let leaves = &document["result"]["files"][0]["contents"]["leaves"];
    let mut leaves = leaves.as_array().expect("a list").iter();
    let bundle = leaves
        .find(|leaf| leaf["path"] == "Snake.app")
        .expect("the bundle");
    assert_eq!(bundle["sha256"], digest[..64]);
    fs::write(contents.join("Resources/evil.js"), "x").expect("a file");
    run(&[])
        .expect(1)
        .says("bundle.unlisted")
        .says("`Resources/evil.js`");
}

/// The rules that a release meets are learned from it, and then it meets them.
#[test]
fn a_policy_is_learned_from_a_good_release() {
    let (world, Some(program)) = (world(), corpus("whois.exe")) else {
        return;
    };
    if !["tar", "gzip"]
        .iter()
        .all(|tool| testkit::judge::has_program(tool))
    {
        return;
    }
    let folder = tree(&world, &program);
    world.write("tree/app/[un]signed.exe", b"MZ and nothing else");
    fs::create_dir_all(world.path("dist")).expect("a folder");
    pack(&folder, &world.path("dist/atlas-1.4.0.tar.gz"), &["--gzip"]);
    release(&world, "");
    let config = fs::read_to_string(world.path("lastmile.yml")).expect("the configuration");
    let (before, rest) = config.split_once("signing:").expect("signing");
    let after = &rest[rest.find("feeds:").expect("feeds")..];
    world.write("lastmile.yml", format!("{before}{after}").as_bytes());
    world
        .sh("verify")
        .expect(1)
        .says("no rule of `signing` covers it");
    // What is wrong is not what may be absent: a broken program is allowed by no path.
    let ran = world
        .sh("verify --learn")
        .expect(0)
        .says("2 signed, 0 to allow")
        .says("1 files are wrong");
    assert!(
        ran.stdout
            .contains("windows: { authenticode: { organization: \"Microsoft Corporation\" } }"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("FIXME"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("[un]signed.exe: pe.parse"),
        "{}",
        ran.stdout
    );
    world.write(
        "lastmile.yml",
        format!("{before}{}{after}", ran.stdout).as_bytes(),
    );
    world
        .sh("verify")
        .expect(1)
        .says("INVALID")
        .says("[un]signed.exe");
    world.write("tree/app/[un]signed.exe", b"\x7fELF and so on");
    pack(&folder, &world.path("dist/atlas-1.4.0.tar.gz"), &["--gzip"]);
    world.write("lastmile.yml", format!("{before}{after}").as_bytes());
    let ran = world
        .sh("verify --learn")
        .expect(0)
        .says("2 signed, 1 to allow");
    assert!(ran.stdout.contains("FIXME"), "{}", ran.stdout);
    world.write(
        "lastmile.yml",
        format!("{before}{}{after}", ran.stdout).as_bytes(),
    );
    // A reason is a person's to give.
    world.sh("verify").expect(2).says("has no `reason`");
    let reasoned = ran.stdout.replace("FIXME: say why", "made by a vendor");
    world.write(
        "lastmile.yml",
        format!("{before}{reasoned}{after}").as_bytes(),
    );
    world.sh("verify").expect(0);
    // Another file of that name was not learned.
    world.write("tree/app/[un]signed.exe", b"\x7fELF and more");
    pack(&folder, &world.path("dist/atlas-1.4.0.tar.gz"), &["--gzip"]);
    world.sh("verify").expect(1).says("policy.allow-digest");
}

/// Apps ship libraries that others signed: allowed by path and digest, and by nothing less.
#[test]
fn what_another_vendor_signed_is_allowed_by_its_digest() {
    let (world, Some(program), Some(package)) = (world(), corpus("whois.exe"), corpus("putty.msi"))
    else {
        return;
    };
    if !["tar", "gzip"]
        .iter()
        .all(|tool| testkit::judge::has_program(tool))
    {
        return;
    }
    let folder = tree(&world, &program);
    world.write("tree/app/putty.msi", &package);
    fs::create_dir_all(world.path("dist")).expect("a folder");
    pack(&folder, &world.path("dist/atlas-1.4.0.tar.gz"), &["--gzip"]);
    release(&world, "");
    world
        .sh("verify")
        .expect(1)
        .says("INVALID dist/atlas-1.4.0.tar.gz!/app/putty.msi")
        .says("identity.organization");
    let allow = |digest: &str| {
        format!(
            "  allow-unsigned:\n    - {{ path: \"dist/*!/app/putty.msi\", reason: vendor, until: 2099-12-31{digest} }}\n"
        )
    };
    release(&world, &allow(""));
    world.sh("verify").expect(1).says("identity.organization");
    let digest = release::Sha256::of(&package);
    release(&world, &allow(&format!(", sha256: {digest}")));
    world.sh("verify").expect(0);
    // The same by what is learned, where most is signed by whom it should be.
    for at in 0..12 {
        world.write(&format!("tree/app/{at}.exe"), &program);
    }
    pack(&folder, &world.path("dist/atlas-1.4.0.tar.gz"), &["--gzip"]);
    let ran = world
        .sh("verify --learn")
        .expect(0)
        .says("14 signed, 1 to allow");
    assert!(ran.stdout.contains(&digest.to_string()), "{}", ran.stdout);
    // A vendor's signature that does not hold is allowed by nothing.
    let mut changed = package.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    world.write("tree/app/putty.msi", &changed);
    pack(&folder, &world.path("dist/atlas-1.4.0.tar.gz"), &["--gzip"]);
    let digest = release::Sha256::of(&changed);
    release(&world, &allow(&format!(", sha256: {digest}")));
    world.sh("verify").expect(1).says("msi.digest");
}
