//! Packages as they are unpacked; `dpkg-deb` is the judge.

use std::fs;
use std::io::Cursor;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;
use crate::deb::tests::{Part, ar};
use crate::openpgp::tests::judge::is_there;
use crate::report::Verdict;
use crate::tar::tests::{archive, header, member};
use crate::walk::tests::things::{self, Things};
use crate::walk::tests::{bad, leaves, look};

/// What the package is shown to hold.
fn shown(file: &[u8]) -> Result<Things, String> {
    things::shown(file, walk)
}

/// What `dpkg-deb` unpacks of a package, where it does.
fn unpacked(file: &[u8]) -> Option<Things> {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, root) = (folder.path().join("it.deb"), folder.path().join("root"));
    fs::write(&path, file).expect("a file");
    let status = Command::new("dpkg-deb")
        .arg("--raw-extract")
        .args([&path, &root])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let mut things = Things::new();
    status.expect("it starts").success().then(|| {
        things::in_folder(&root, "", &mut things);
        things
    })
}

const CONTROL: &str = "Package: atlas\nVersion: 1.4.0\nArchitecture: all\nMaintainer: Snake <oil@snake.example>\nDescription: oil\n";

/// A folder to make a package of, with what packages have.
fn tree(root: &Path) {
    let long = "a-folder-whose-name-is-long/".repeat(5);
    let write = |path: &str, content: &[u8], mode: u32| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, content).expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    write("DEBIAN/control", CONTROL.as_bytes(), 0o644);
    write("DEBIAN/postinst", b"#!/bin/sh\nexit 0\n", 0o755);
    write("usr/bin/atlas", b"\x7fELF is how programs begin", 0o755);
    write("usr/share/atlas/empty", b"", 0o644);
    write(
        "usr/share/atlas/large",
        &b"0123456789abcdef".repeat(9000),
        0o600,
    );
    write(&format!("opt/{long}file"), b"deep", 0o644);
    symlink("../../bin/atlas", root.join("usr/share/atlas/link")).expect("a link");
    fs::hard_link(root.join("usr/bin/atlas"), root.join("usr/bin/other")).expect("a link");
    fs::create_dir_all(root.join("var/lib/atlas")).expect("a folder");
}

/// The package that dpkg builds of it.
fn built(folder: &Path, compression: &str) -> Vec<u8> {
    let (root, file) = (folder.join("root"), folder.join("atlas.deb"));
    let status = Command::new("dpkg-deb")
        .arg(format!("-Z{compression}"))
        .args(["--root-owner-group", "--build"])
        .args([&root, &file])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("it starts").success(), "{compression}");
    fs::read(&file).expect("a file")
}

/// What a program gives for what it is given.
fn piped(program: &str, arguments: &[&str], bytes: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bytes");
    fs::write(&path, bytes).expect("a file");
    let output = Command::new(program)
        .args(arguments)
        .stdin(fs::File::open(path).expect("a file"))
        .output();
    output.expect("it starts").stdout
}

#[test]
fn what_dpkg_unpacks_is_what_is_shown() {
    if !is_there("dpkg-deb") || !is_there("xz") || !is_there("bzip2") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    tree(&folder.path().join("root"));
    let mut packages: Vec<_> = ["gzip", "xz", "zstd", "none"]
        .map(|it| (it, built(folder.path(), it)))
        .into();
    // What dpkg reads and builds no longer.
    let plain = packages[3].1.clone();
    let members = ar::members(&mut Cursor::new(&plain)).expect("memory");
    let members = members.expect("a package");
    let slice = |member: &Member| {
        let at = |at: u64| usize::try_from(at).expect("small");
        plain[at(member.start)..at(member.end)].to_vec()
    };
    for (name, program, arguments) in [
        ("data.tar.bz2", "bzip2", &["-c"][..]),
        ("data.tar.lzma", "xz", &["--format=lzma", "-c"][..]),
    ] {
        let data = piped(program, arguments, &slice(&members[2]));
        let parts = [
            ("debian-binary", slice(&members[0])),
            ("control.tar", slice(&members[1])),
            (name, data),
        ];
        packages.push((name, ar(&parts)));
    }
    for (what, file) in &packages {
        let found = shown(file).unwrap_or_else(|error| panic!("{what}: {error}"));
        let expected = unpacked(file).unwrap_or_else(|| panic!("dpkg-deb refuses {what}"));
        assert_eq!(found, expected, "{what}");
        let contents = look(Cursor::new(file)).expect("a package");
        assert_eq!(bad(&contents), [], "{what}");
        assert_eq!(contents.container, "deb package");
        assert_eq!(leaves(&contents), [("usr/bin/atlas", None)], "{what}");
        assert_eq!(contents.verdict(), Verdict::Valid, "{what}");
    }
}

/// What `dpkg-deb` 1.21 says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dpkg {
    Refuses,
    /// For that reason; the list of these is what we differ in.
    Accepts(&'static str),
}
use Dpkg::{Accepts, Refuses};

/// A package of which the mutants are made.
fn parts() -> Vec<Part> {
    let control = archive(&[member("./control", b'0', CONTROL.as_bytes())]);
    let data = archive(&data());
    vec![
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar", control),
        ("data.tar", data),
    ]
}

fn data() -> Vec<Vec<u8>> {
    vec![
        member("./usr/", b'5', b""),
        member("./usr/atlas", b'0', b"\x7fELF is how programs begin"),
    ]
}

fn with(more: Vec<Vec<u8>>) -> Vec<u8> {
    archive(&[data(), more].concat())
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).expect("memory");
    encoder.finish().expect("memory")
}

type Mutant = (&'static str, Dpkg, fn(&mut Vec<Part>));

const MUTANTS: &[Mutant] = &[
    ("data that are cut", Refuses, |it| {
        let half = it[2].1.len() / 2;
        it[2].1.truncate(half);
    }),
    (
        "data without an end",
        Accepts("it does not ask for the end"),
        |it| {
            let length = it[2].1.len();
            it[2].1.truncate(length - 1024);
        },
    ),
    ("packed data that are spoilt", Refuses, |it| {
        let mut data = gzip(&archive(&data()));
        let last = data.len() - 6;
        data[last] ^= 1;
        it[2] = ("data.tar.gz", data);
    }),
    (
        "packed data with more behind",
        Accepts("it does not read what stands behind the end of the archive"),
        |it| {
            it[2] = (
                "data.tar.gz",
                [gzip(&archive(&data())), gzip(b"more")].concat(),
            )
        },
    ),
    (
        "data with more behind",
        Accepts("it does not read what stands behind the end of the archive"),
        |it| it[2].1.extend(archive(&[member("./evil", b'0', b"more")])),
    ),
    ("control that bzip2 packed", Refuses, |it| {
        let packed = piped("bzip2", &["-c"], &it[1].1);
        it[1] = ("control.tar.bz2", packed);
    }),
    ("data packed in another way than they say", Refuses, |it| {
        it[2] = ("data.tar.xz", gzip(&archive(&data())));
    }),
    ("data before the control", Refuses, |it| it.swap(1, 2)),
    (
        "two data",
        Accepts("it takes the first and looks no further"),
        |it| it.push(it[2].clone()),
    ),
    ("no data", Refuses, |it| drop(it.pop())),
    ("a path that leaves the folder", Refuses, |it| {
        it[2].1 = with(vec![member("./../evil", b'0', b"evil")])
    }),
    (
        "a path that is absolute",
        Accepts("tar takes the slash off"),
        |it| it[2].1 = with(vec![member("/evil", b'0', b"evil")]),
    ),
    (
        "a file that is there twice",
        Accepts("the second overwrites the first"),
        |it| it[2].1 = with(vec![member("./usr/atlas", b'0', b"evil")]),
    ),
    ("a hard link to what comes later", Refuses, |it| {
        it[2].1 = with(vec![
            header("./usr/a", b'1', 0, "./usr/b"),
            member("./usr/b", b'0', b"b"),
        ])
    }),
    ("data with control files", Refuses, |it| {
        it[2].1 = with(vec![member("./DEBIAN/postrm", b'0', b"evil")])
    }),
    ("a file below a file", Refuses, |it| {
        it[2].1 = with(vec![member("./usr/atlas/evil", b'0', b"evil")]);
    }),
    ("a pipe", Accepts("it makes one"), |it| {
        it[2].1 = with(vec![member("./usr/pipe", b'6', b"")]);
    }),
];

#[test]
fn each_mutant_is_refused_and_judged() {
    let judge = is_there("dpkg-deb") && is_there("bzip2");
    if !judge {
        return;
    }
    let plain = ar(&parts());
    let expected = unpacked(&plain).expect("dpkg-deb takes it");
    assert_eq!(shown(&plain), Ok(expected));
    let mut wrong = Vec::new();
    for (what, dpkg, spoil) in MUTANTS {
        let mut copy = parts();
        spoil(&mut copy);
        let file = ar(&copy);
        let contents = look(Cursor::new(&file)).expect("a package");
        let bad = bad(&contents);
        if !matches!(bad[..], [("contents.parse", _, _)]) {
            wrong.push(format!("{what}: found {bad:?}"));
        }
        let accepts = unpacked(&file).is_some();
        if accepts != matches!(dpkg, Accepts(_)) {
            wrong.push(format!("{what}: dpkg-deb accepts: {accepts}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Records that no entry follows are shown to nobody, so no budget counts them.
#[test]
fn what_unpacks_to_far_more_is_not_read_to_its_end() {
    let plain = room::bounded(io::repeat(0), 1);
    let copied = io::copy(&mut plain.take(3 << 30), &mut io::sink());
    let error = copied.expect_err("a limit");
    assert!(error.to_string().contains("far more bytes"), "{error}");
}
