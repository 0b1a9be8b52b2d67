//! What is found inside, and what ends the walk.

mod disguises;
mod installers;
mod scripts;
pub(crate) mod things;

use std::io::{Cursor, Seek, Write as _};

use super::*;
use crate::report::Verdict;
use crate::tar::tests::{archive, header, member, with_mode};
use crate::tests::{day, sample, shared, trust};

pub(crate) fn room() -> io::Result<Box<dyn Room>> {
    Ok(Box::new(Cursor::new(Vec::new())))
}

pub(crate) fn look(bytes: impl Read + Seek) -> Option<Contents> {
    let mut bytes = bytes;
    let trust = trust();
    let settings = Settings {
        at: day(),
        trust: &trust,
        room,
        signed: Signed::Opened,
    };
    walk(&mut bytes, settings).expect("bytes in memory")
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).expect("memory");
    encoder.finish().expect("memory")
}

/// Every leaf with its verdict.
pub(crate) fn leaves(contents: &Contents) -> Vec<(&str, Option<Verdict>)> {
    let leaves = contents.leaves.iter();
    leaves
        .map(|leaf| {
            let verdict = leaf.signature.as_ref().map(|found| found.verdict);
            (leaf.path.as_str(), verdict)
        })
        .collect()
}

/// The checks that did not pass.
pub(crate) fn bad(contents: &Contents) -> Vec<(&str, Outcome, &str)> {
    let checks = contents.checks.iter();
    checks
        .filter(|check| check.outcome != Outcome::Pass)
        .map(|check| (check.id.as_str(), check.outcome, check.reason.as_str()))
        .collect()
}

const UNSIGNED: &[u8] = b"MZ is how programs begin";

#[test]
fn programs_are_found_however_deep() {
    let inner = archive(&[
        member("c.exe", b'0', UNSIGNED),
        member("d.txt", b'0', b"text"),
    ]);
    let outer = archive(&[
        member("a.exe", b'0', UNSIGNED),
        member("lib/inner.tar.gz", b'0', &gzip(&inner)),
        member("lib/elf", b'0', b"\x7fELF and so on"),
        member("only.gz", b'0', &gzip(UNSIGNED)),
    ]);
    let contents = look(Cursor::new(gzip(&outer))).expect("a container");
    assert_eq!(bad(&contents), []);
    assert_eq!(contents.files, 7);
    assert_eq!(
        leaves(&contents),
        [
            ("a.exe", Some(Verdict::Invalid)),
            ("lib/inner.tar.gz!/c.exe", Some(Verdict::Invalid)),
            ("lib/elf", None),
            ("only.gz!/only", Some(Verdict::Invalid)),
        ]
    );
    // Each has a digest, for policies that let it be unsigned.
    assert!(contents.leaves.iter().all(|leaf| leaf.sha256.is_some()));
    assert!(look(Cursor::new(UNSIGNED)).is_none());
}

#[test]
fn a_container_that_is_wrong_fails_and_one_inside_was_not_looked_at() {
    let good = archive(&[member("a.exe", b'0', UNSIGNED)]);
    let cut = &good[..good.len() - 600];
    let contents = look(Cursor::new(gzip(cut))).expect("a container");
    let [(id, outcome, reason)] = bad(&contents)[..] else {
        panic!("{:?}", contents.checks);
    };
    assert_eq!((id, outcome), ("contents.parse", Outcome::Fail));
    assert!(reason.contains("without its end mark"), "{reason}");
    let mut packed = gzip(&good);
    packed.truncate(packed.len() - 3);
    let contents = look(Cursor::new(&packed)).expect("a container");
    assert_eq!(bad(&contents).len(), 1);
    let outer = archive(&[
        member("spoilt.tgz", b'0', &packed),
        member("b.exe", b'0', UNSIGNED),
    ]);
    let contents = look(Cursor::new(outer)).expect("a container");
    assert_eq!(bad(&contents), []);
    let spoilt = contents
        .leaves
        .iter()
        .find(|leaf| leaf.path == "spoilt.tgz");
    let [check] = &spoilt.expect("said of the file").checks[..] else {
        panic!("{spoilt:?}");
    };
    let said = (check.id.as_str(), check.outcome);
    assert_eq!(said, ("contents.parse", Outcome::Unsupported));
    // What was found before the end of it, and after it, is there.
    let found = leaves(&contents);
    let paths: Vec<_> = found.iter().map(|(path, _)| *path).collect();
    assert_eq!(paths, ["spoilt.tgz!/a.exe", "spoilt.tgz", "b.exe"]);
}

#[test]
fn names_that_hide_others_are_refused() {
    for (what, members, expected) in [
        (
            "twice",
            vec![member("a", b'0', b"1"), member("./a", b'0', b"2")],
            "`a` is there twice",
        ),
        (
            "through a link",
            vec![header("a", b'2', 0, "/etc"), member("a/b", b'0', b"2")],
            "below something that is no folder",
        ),
        (
            "a file that was a folder",
            vec![member("a/b", b'0', b"2"), member("a", b'0', b"1")],
            "`a` is there twice",
        ),
        (
            "folders that differ in case",
            vec![member("App/a", b'0', b"1"), member("app/b", b'0', b"2")],
            "are one to disks",
        ),
        (
            "a link that differs in case",
            vec![header("Evil", b'2', 0, "x"), member("evil/a", b'0', b"2")],
            "are one to disks",
        ),
        (
            "a letter in two ways",
            vec![
                member("\u{e9}/a", b'0', b"1"),
                member("e\u{301}/b", b'0', b"2"),
            ],
            "are one to disks",
        ),
        (
            "another name of nothing",
            vec![header("a", b'1', 0, "b")],
            "below something that is no folder",
        ),
    ] {
        let contents = look(Cursor::new(archive(&members))).expect("a container");
        let found = bad(&contents);
        let has = |(id, _, reason): &(&str, Outcome, &str)| {
            *id == "contents.parse" && reason.contains(expected)
        };
        assert!(found.iter().any(has), "{what}: {found:?}");
    }
    let folders = archive(&[
        header("a/", b'5', 0, ""),
        member("a/b", b'0', b"1"),
        header("a/", b'5', 0, ""),
    ]);
    assert_eq!(bad(&look(Cursor::new(folders)).expect("a container")), []);
}

/// `fixtures/archives`, which Python made, hold the same files.
#[test]
fn archives_that_others_made_are_read() {
    let made: [(&str, &[u8]); 8] = [
        ("gnu.tar", include_bytes!("../../fixtures/archives/gnu.tar")),
        (
            "gnu.tar.gz",
            include_bytes!("../../fixtures/archives/gnu.tar.gz"),
        ),
        (
            "pax.tar.xz",
            include_bytes!("../../fixtures/archives/pax.tar.xz"),
        ),
        (
            "pax.tar.zst",
            include_bytes!("../../fixtures/archives/pax.tar.zst"),
        ),
        (
            "gzip.squashfs",
            include_bytes!("../../fixtures/archives/gzip.squashfs"),
        ),
        (
            "lzo.squashfs",
            include_bytes!("../../fixtures/archives/lzo.squashfs"),
        ),
        (
            "xz.squashfs",
            include_bytes!("../../fixtures/archives/xz.squashfs"),
        ),
        (
            "zstd.squashfs",
            include_bytes!("../../fixtures/archives/zstd.squashfs"),
        ),
    ];
    let long = format!("app/{}b.exe", "long/".repeat(30));
    for (name, bytes) in made {
        let contents = look(Cursor::new(bytes)).expect(name);
        assert_eq!(bad(&contents), [], "{name}");
        let found = leaves(&contents);
        let paths: Vec<_> = found.iter().map(|(path, _)| *path).collect();
        assert_eq!(paths, ["app/a.exe", &long], "{name}");
        assert_eq!(contents.files, 3, "{name}");
    }
    let zip = include_bytes!("../../fixtures/archives/nested.zip");
    let contents = look(Cursor::new(zip)).expect("a container");
    assert_eq!(bad(&contents), []);
    let found = leaves(&contents);
    let paths: Vec<_> = found.iter().map(|(path, _)| *path).collect();
    let inner = ["app/a.exe", &long].map(|path| format!("app/inner.tar.xz!/{path}"));
    assert_eq!(paths, ["app/a.exe", &long, &inner[0], &inner[1]]);
}

/// An AppImage is a program, and what is in its image; where that cannot be read, it was not looked at.
#[test]
fn programs_in_appimages_and_images_are_found() {
    let appimage = crate::appimage::tests::of_programs();
    let image = include_bytes!("../../fixtures/archives/gzip.squashfs");
    let mut spoilt = appimage.clone();
    spoilt.push(1);
    let members = [
        member("a.AppImage", b'0', &appimage),
        member("b.snap", b'0', image),
        member("c.snap", b'0', b"exports[`snapshot`] = 1;"),
        member("d.squashfs", b'0', b"no image"),
        member("e.AppImage", b'0', b"#!/bin/sh"),
        member("f.AppImage", b'0', &spoilt),
    ];
    let contents = look(Cursor::new(archive(&members))).expect("a container");
    assert_eq!(bad(&contents), []);
    let found = contents
        .leaves
        .iter()
        .filter(|leaf| !leaf.path.contains("long/"));
    let found: Vec<_> = found
        .map(|leaf| (leaf.path.as_str(), leaf.verdict()))
        .collect();
    let (invalid, unread) = (Verdict::Invalid, Verdict::Unsupported);
    assert_eq!(
        found,
        [
            ("a.AppImage", Verdict::Unsigned),
            ("a.AppImage!/a.exe", invalid),
            ("b.snap!/app/a.exe", invalid),
            ("d.squashfs", unread),
            ("e.AppImage", unread),
            ("f.AppImage", Verdict::Unsigned),
            ("f.AppImage", unread),
        ]
    );
    let contents = look(Cursor::new(&appimage)).expect("a container");
    assert_eq!((contents.container, contents.files), ("AppImage", 2));
    assert_eq!(leaves(&contents), [("a.exe", Some(invalid))]);
}

#[test]
fn programs_in_the_archive_of_an_electron_app_are_found() {
    let size = UNSIGNED.len();
    let header = serde_json::json!({"files": {
        "x.app": {"files": {"a.exe": {"size": size, "offset": "0"}}},
        "b.exe": {"size": size, "unpacked": true},
    }});
    let app = asar::tests::archive(&header, UNSIGNED);
    let outer = archive(&[
        member("resources/app.asar", b'0', &app),
        member("resources/app.asar.unpacked/b.exe", b'0', UNSIGNED),
        member("resources/spoilt.asar", b'0', &app[..30]),
    ]);
    let contents = look(Cursor::new(outer)).expect("a container");
    assert_eq!(bad(&contents), []);
    let found: Vec<_> = leaves(&contents).iter().map(|(path, _)| *path).collect();
    let expected = [
        "resources/app.asar!/x.app/a.exe",
        "resources/app.asar.unpacked/b.exe",
        "resources/spoilt.asar",
    ];
    assert_eq!(found, expected);
    // What a folder is called makes no bundle of it.
    assert!(contents.leaves.iter().all(|leaf| !leaf.is_in_bundle));
}

#[test]
fn what_is_opened_by_its_name_begins_as_that() {
    let fat = [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 50, 0, 0, 0, 0];
    let members = [
        member("a.jar", b'0', UNSIGNED),
        member("b.js", b'0', UNSIGNED),
        member("c.7z", b'0', b"7z\xbc\xaf\x27\x1c"),
        member("d.tar", b'0', b"no archive at all"),
        member("e.zip", b'0', b"!PK\x03\x04"),
        member("f.js", b'0', b"let text = 1;"),
        member("tool", b'0', &fat),
        member("Tool.class", b'0', &fat),
    ];
    let contents = look(Cursor::new(archive(&members))).expect("a container");
    let wrong = contents
        .leaves
        .iter()
        .filter(|leaf| !leaf.checks.is_empty());
    let wrong: Vec<_> = wrong
        .map(|leaf| (leaf.path.as_str(), leaf.checks[0].outcome))
        .collect();
    let (fail, unread) = (Outcome::Fail, Outcome::Unsupported);
    assert_eq!(
        wrong,
        [
            ("a.jar", fail),
            ("b.js", fail),
            ("c.7z", unread),
            ("d.tar", unread),
            ("e.zip", fail)
        ]
    );
    let formats: Vec<_> = contents
        .leaves
        .iter()
        .filter(|leaf| leaf.path == "tool")
        .collect();
    assert_eq!(formats.len(), 1);
    assert_eq!(formats[0].format, Format::MachO);
    assert!(contents.leaves.iter().all(|leaf| leaf.path != "Tool.class"));
}

/// What nobody here knows was not judged: a program that a system of tomorrow runs, or that an interpreter is registered for.
#[test]
fn programs_of_unknown_formats_are_told() {
    let unknown = b"\x00asm\x01\0\0\0 and so on";
    let members = [
        member("bin/tool", b'0', unknown),
        member("bin/script", b'0', b"#!/bin/sh\n"),
        member("bin/table.dat", b'0', unknown),
        with_mode(member("bin/data", b'0', unknown), 0o644),
        member("A.app/Contents/MacOS/a", b'0', unknown),
    ];
    let contents = look(Cursor::new(archive(&members))).expect("a container");
    let found = contents
        .leaves
        .iter()
        .filter(|leaf| !leaf.checks.is_empty());
    let found: Vec<_> = found
        .map(|leaf| {
            (
                leaf.path.as_str(),
                leaf.checks[0].id.as_str(),
                leaf.verdict(),
            )
        })
        .collect();
    let expected = ("bin/tool", "format.unsupported", Verdict::Unsupported);
    assert_eq!(found, [expected]);
}

/// Disks of Linux tell cases apart, and packages of Linux have names that differ in nothing else.
#[test]
fn names_in_packages_of_linux_may_differ_in_case() {
    let both = archive(&[member("usr/a", b'0', UNSIGNED), member("usr/A", b'0', b"")]);
    let outside = look(Cursor::new(&both[..])).expect("a container");
    assert_eq!(bad(&outside).len(), 1, "{outside:?}");
    let mut package = b"!<arch>\n".to_vec();
    let control = archive(&[member("./control", b'0', b"Package: a\n")]);
    for (name, bytes) in [
        ("debian-binary", &b"2.0\n"[..]),
        ("control.tar", &control),
        ("data.tar", &both),
    ] {
        let size = bytes.len();
        let header = format!(
            "{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n",
            0, 0, 0, 100_644
        );
        package.extend_from_slice(header.as_bytes());
        package.extend_from_slice(bytes);
    }
    let contents = look(Cursor::new(package)).expect("a container");
    assert_eq!(bad(&contents), []);
    assert_eq!(leaves(&contents), [("usr/a", Some(Verdict::Invalid))]);
}

/// Libraries for linkers begin as packages of Debian do, and what macOS zips beside an app is no second app.
#[test]
fn what_only_looks_like_something_signed_is_not_judged_as_it() {
    let library = b"!<arch>\n/               0           0     0     0       4         `\n\0\0\0\0";
    let package = b"!<arch>\ndebian-binary   0           0     0     100644  4         `\n2.0\n";
    let members = [member("a.lib", b'0', library), member("b", b'0', package)];
    let contents = look(Cursor::new(archive(&members))).expect("a container");
    let mut paths: Vec<_> = contents
        .leaves
        .iter()
        .map(|leaf| leaf.path.as_str())
        .collect();
    // Once for its signature, and once as its inside cannot be read.
    paths.dedup();
    assert_eq!(paths, ["b"]);
    let double = [0, 5, 0x16, 7, 0, 2, 0, 0];
    let of = |members: &[Vec<u8>]| {
        let contents = look(Cursor::new(archive(members))).expect("a container");
        let bundles = contents
            .leaves
            .iter()
            .filter(|it| it.format == Format::Bundle);
        bundles.map(|it| it.path.clone()).collect::<Vec<_>>()
    };
    let beside = member("__MACOSX/A.app/Contents/._Info.plist", b'0', &double);
    assert_eq!(of(std::slice::from_ref(&beside)), [""; 0]);
    // Nothing else is excused by where it lies.
    for more in [
        member("__MACOSX/A.app/Contents/MacOS/a", b'0', b"#!/bin/sh"),
        header("__MACOSX/A.app/Contents/._link", b'2', 0, "/bin/sh"),
        member("__MACOSX/A.app/Contents/._a", b'0', UNSIGNED),
    ] {
        assert_eq!(of(&[beside.clone(), more]), ["__MACOSX/A.app"]);
    }
    let elsewhere = member("A.app/Contents/._Info.plist", b'0', &double);
    assert_eq!(of(&[elsewhere]), ["A.app"]);
}

/// What unpacks `x.zip` reads what the link leads to, wherever it stands and however it is reached.
#[test]
fn links_are_opened_by_their_own_names() {
    let link = |path: &str, target: &str| header(path, b'2', 0, target);
    let hard = |path: &str, target: &str| header(path, b'1', 0, target);
    let members = [
        link("a.zip", "tools/../tools/setup.exe"),
        link("circle.zip", "circle.zip"),
        link("current", "tools"),
        link("d.tar", "/outside.tar"),
        link("good.exe", "tools/setup.exe"),
        link("good.js", "elsewhere.js"),
        link("folder.zip", "tools"),
        member("tools/setup.exe", b'0', UNSIGNED),
        member("tools/text", b'0', b"PK at its end"),
        hard("b.jar", "tools/setup.exe"),
        hard("c.exe", "tools/setup.exe"),
        link("tools/e.whl", "../current/SETUP.EXE"),
        link("f.py", "current/setup.exe"),
        link("g.zip", "a.zip"),
        link("h.zip", "current/text"),
        hard("i.zip", "b.jar"),
    ];
    let contents = look(Cursor::new(archive(&members))).expect("a container");
    let (fail, unread) = (Outcome::Fail, Outcome::Unsupported);
    let wrong = contents
        .leaves
        .iter()
        .filter(|leaf| !leaf.checks.is_empty());
    let mut wrong: Vec<_> = wrong
        .map(|leaf| (leaf.path.as_str(), leaf.checks[0].outcome))
        .collect();
    wrong.sort_by_key(|(path, _)| *path);
    assert_eq!(
        wrong,
        [
            ("a.zip", fail),
            ("b.jar", fail),
            ("circle.zip", unread),
            ("d.tar", unread),
            ("f.py", fail),
            ("g.zip", fail),
            ("h.zip", fail),
            ("i.zip", fail),
            ("tools/e.whl", fail),
        ]
    );
}

/// However few bytes they take, links are not followed without end.
#[test]
fn links_are_followed_to_a_limit() {
    let target = "a/".repeat(30) + "l.zip";
    let mut members = vec![header("a", b'2', 0, ".")];
    members.extend((0..40_000).map(|at| header(&format!("{at}.zip"), b'2', 0, &target)));
    let contents = look(Cursor::new(archive(&members))).expect("a container");
    assert_eq!(contents.checks[0].id, CONTENTS_LIMITS, "{contents:?}");
}

#[test]
fn bombs_end_at_the_limits() {
    let mut deep = archive(&[member("a.exe", b'0', UNSIGNED)]);
    for _ in 0..=Limits::DEPTH {
        deep = archive(&[member("inner.tar", b'0', &deep)]);
    }
    let contents = look(Cursor::new(deep)).expect("a container");
    let [(id, Outcome::Fail, reason)] = bad(&contents)[..] else {
        panic!("{:?}", contents.checks);
    };
    assert_eq!(id, "contents.limits");
    assert!(reason.contains("more than 8 deep"), "{reason}");
    let budget = Budget::new(2, 10);
    budget.entry().expect("the first");
    budget.entry().expect("the second");
    budget.entry().expect_err("the third");
    budget.keep(64 * 1024 * 1024).expect("what is kept");
    budget.keep(1).expect_err("a byte too many to keep");
    (0..Limits::LEAVES).for_each(|_| budget.leaf().expect("a leaf"));
    budget.leaf().expect_err("a leaf too many");
    let deep = "a/".repeat(200) + "b";
    names::relative(deep.as_bytes()).expect_err("too many parts");
    let mut plain = budget.metered(&[0; 11][..]);
    io::copy(&mut plain, &mut io::sink()).expect_err("a byte too many");
}

#[test]
fn what_the_world_does_is_no_fault_of_the_container() {
    struct Torn(Cursor<Vec<u8>>);
    impl Read for Torn {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.position() > 600 {
                return Err(io::Error::other("the disk is gone"));
            }
            self.0.read(buffer)
        }
    }
    impl Seek for Torn {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }
    let trust = trust();
    let settings = Settings {
        at: day(),
        trust: &trust,
        room: || Err(io::Error::other("the disk is full")),
        signed: Signed::Opened,
    };
    // What does not compress is longer than what is read at once.
    let noise: Vec<u8> = (0..20_000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let plain = archive(&[member("a.exe", b'0', &noise)]);
    for bytes in [plain.clone(), gzip(&plain)] {
        let mut torn = Torn(Cursor::new(bytes));
        let error = walk(&mut torn, settings).expect_err("no disk");
        assert_eq!(error.to_string(), "the disk is gone");
    }
    let mut large = UNSIGNED.to_vec();
    large.resize(5 * 1024 * 1024, 0);
    let mut bytes = Cursor::new(archive(&[member("a.exe", b'0', &large)]));
    let error = walk(&mut bytes, settings).expect_err("no room");
    assert_eq!(error.to_string(), "the disk is full");
}

#[test]
fn real_programs_keep_their_verdicts_inside() {
    let Some(folder) = shared() else { return };
    let app = std::fs::File::open(folder.join("app/mitmproxy/Mitmproxy Redirector.app.tar"));
    let contents = look(app.expect("the sample")).expect("a container");
    assert_eq!(bad(&contents), []);
    let found = leaves(&contents);
    assert_eq!(found.len(), 3, "{found:?}");
    for (path, verdict) in found {
        assert_eq!(verdict, Some(Verdict::Valid), "{path}");
    }
    let Some(program) = sample("signify/pciide.sys") else {
        return;
    };
    let package = sample("signify/putty.msi").expect("beside the other");
    let bytes = archive(&[
        member("pciide.sys", b'0', &program),
        member("putty.msi", b'0', &package),
    ]);
    let contents = look(Cursor::new(gzip(&bytes))).expect("a container");
    let expected = [&program, &package].map(|bytes| {
        let alone = inspection::inspect(&mut Cursor::new(bytes), day(), &trust());
        alone.expect("memory").map(|found| found.verdict)
    });
    let outer = |(path, _): &(&str, _)| !path.contains("!/");
    let found = leaves(&contents).into_iter().filter(outer);
    let found: Vec<_> = found.map(|(_, verdict)| verdict).collect();
    assert_eq!(found, expected);
    // What the package installs, and what it runs while it does.
    let paths: Vec<_> = leaves(&contents)
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    for inside in ["Program Files/PuTTY/putty.exe", "Binary/WixCA"] {
        assert!(
            paths.contains(&format!("putty.msi!/{inside}").as_str()),
            "{paths:?}"
        );
    }
}
