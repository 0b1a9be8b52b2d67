//! A real app, whole and spoilt in every way that a list of files can be, and what else may come in an archive.

mod snake_oil;

use std::io::Cursor;

use crate::checks::Outcome;
use crate::inspection::Inspection;
use crate::report::Verdict;
use crate::tar;
use crate::tar::tests::{archive, header, member, with_mode};
use crate::tests::{day, shared, trust};
use crate::walk::entry::EntryKind;
use crate::walk::{self, Settings};

const APP: &str = "Mitmproxy Redirector.app";
const EXTENSION: &str = "Contents/Library/SystemExtensions/org.mitmproxy.macos-redirector.network-extension.systemextension";
const NESTED: &str = "Contents/Library/SystemExtensions/org.mitmproxy.macos-redirector.network-extension.systemextension/Contents/MacOS/org.mitmproxy.macos-redirector.network-extension";

/// A file or link of an app.
#[derive(Clone)]
enum File {
    Content(Vec<u8>),
    Link(&'static str),
    /// Without the right to be executed.
    Plain(Vec<u8>),
}

/// The files of the app in the corpus, by their path in it.
fn app() -> Option<Vec<(String, File)>> {
    let path = shared()?.join("app/mitmproxy/Mitmproxy Redirector.app.tar");
    let bytes = std::fs::read(path).expect("a file of the corpus");
    let mut files = Vec::new();
    let walked = tar::walk(&mut bytes.as_slice(), &mut |entry, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        let path = entry.path.strip_prefix(APP).unwrap_or_default();
        if let EntryKind::File = entry.kind {
            files.push((path[1..].to_owned(), File::Content(bytes)));
        }
        Ok(())
    });
    walked.expect("an archive");
    Some(files)
}

/// The archive of an app.
fn packed(files: &[(String, File)]) -> Vec<u8> {
    let mut members = Vec::new();
    for (path, file) in files {
        let name = format!("{APP}/{path}\0");
        members.push(member("././@LongLink", b'L', name.as_bytes()));
        members.push(match file {
            File::Content(bytes) => member("cut", b'0', bytes),
            File::Plain(bytes) => with_mode(member("cut", b'0', bytes), 0o644),
            File::Link(target) => header("cut", b'2', 0, target),
        });
    }
    archive(&members)
}

/// The bundle in an archive, judged.
fn judged(bytes: &[u8]) -> Inspection {
    let trust = trust();
    let settings = Settings {
        at: day(),
        trust: &trust,
        room: walk::tests::room,
        signed: walk::Signed::Opened,
    };
    let contents = walk::walk(&mut Cursor::new(bytes), settings).expect("memory");
    let contents = contents.expect("a container");
    for check in &contents.checks {
        assert_eq!(check.outcome, Outcome::Pass, "{check:?}");
    }
    let mut leaves = contents.leaves.into_iter();
    let bundle = leaves.find(|leaf| leaf.path.ends_with(".app"));
    let found = bundle.expect("a bundle").signature.expect("an inspection");
    crate::tests::printable(Ok(found))
}

fn failed(found: &Inspection) -> Vec<&'static str> {
    crate::tests::failed(found)
}

type Spoil = fn(&mut Vec<(String, File)>);

fn content<'f>(files: &'f mut [(String, File)], path: &str) -> &'f mut Vec<u8> {
    let mut files = files.iter_mut();
    let found = files.find(|(it, _)| it == path);
    match &mut found.unwrap_or_else(|| panic!("{path}")).1 {
        File::Content(bytes) | File::Plain(bytes) => bytes,
        File::Link(_) => panic!("{path} is a link"),
    }
}

fn flip(files: &mut [(String, File)], path: &str) {
    let bytes = content(files, path);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
}

fn add(files: &mut Vec<(String, File)>, path: &str, file: File) {
    files.push((path.to_owned(), file));
}

fn remove(files: &mut Vec<(String, File)>, path: &str) {
    let before = files.len();
    files.retain(|(it, _)| it != path);
    assert_eq!(files.len(), before - 1, "{path}");
}

fn program(files: &mut [(String, File)]) -> Vec<u8> {
    content(files, "Contents/MacOS/Mitmproxy Redirector").clone()
}

#[test]
fn a_real_app_is_whole_and_notarized() {
    let Some(files) = app() else { return };
    let found = judged(&packed(&files));
    assert_eq!((found.verdict, failed(&found)), (Verdict::Valid, vec![]));
    for signature in &found.signatures {
        let apple = signature.apple.as_ref().expect("of Apple's");
        let notarized = apple.notarized.expect("a ticket");
        assert!(notarized < day());
    }
    assert_eq!(found.signatures.len(), 2, "slices");
    let passed = found.all_checks().map(|check| check.id.as_str());
    let passed: Vec<_> = passed.collect();
    for id in [
        "bundle.nested-code",
        "apple.provisioning",
        "ticket.coverage",
    ] {
        assert!(passed.contains(&id), "{id}: {passed:?}");
    }
}

#[test]
fn whatever_is_done_to_an_app_is_noticed() {
    let Some(files) = app() else { return };
    let cases: [(&str, Spoil, &[&str]); 20] = [
        (
            "a changed resource",
            |files| flip(files, "Contents/Resources/Assets.car"),
            &["bundle.sealed-resources"],
        ),
        (
            "an added script",
            |files| {
                add(
                    files,
                    "Contents/Resources/evil.js",
                    File::Content(b"x".to_vec()),
                )
            },
            &["bundle.unlisted"],
        ),
        (
            "a file beside what is signed",
            |files| add(files, "evil.js", File::Content(b"x".to_vec())),
            &["bundle.unlisted"],
        ),
        (
            "a program that is called as what rules leave out",
            |files| {
                let program = program(files);
                add(
                    files,
                    "Contents/Resources/.DS_Store",
                    File::Content(program),
                );
            },
            &["bundle.unlisted"],
        ),
        (
            "something more in the folder of the signature",
            |files| {
                let bytes = b"x".to_vec();
                add(files, "Contents/_CodeSignature/more", File::Content(bytes));
            },
            &["bundle.unlisted"],
        ),
        (
            "a missing resource",
            |files| remove(files, "Contents/Resources/AppIcon.icns"),
            &["bundle.missing"],
        ),
        (
            "a link instead of a resource",
            |files| {
                remove(files, "Contents/Resources/AppIcon.icns");
                add(
                    files,
                    "Contents/Resources/AppIcon.icns",
                    File::Link("Assets.car"),
                );
            },
            &["bundle.sealed-resources"],
        ),
        (
            "a link that leaves",
            |files| add(files, "Contents/Resources/link", File::Link("../../../etc")),
            &["bundle.symlink", "bundle.unlisted"],
        ),
        (
            "another Info.plist",
            |files| {
                let bytes = content(files, "Contents/Info.plist");
                bytes.extend_from_slice(b"\n");
            },
            &["bundle.info-plist"],
        ),
        (
            "another list",
            |files| {
                let bytes = content(files, "Contents/_CodeSignature/CodeResources");
                bytes.extend_from_slice(b"\n");
            },
            &["bundle.info-plist"],
        ),
        (
            "no list",
            |files| remove(files, "Contents/_CodeSignature/CodeResources"),
            &["bundle.signed"],
        ),
        (
            "a list of nothing",
            |files| *content(files, "Contents/_CodeSignature/CodeResources") = b"<plist/>".to_vec(),
            &["bundle.parse"],
        ),
        (
            "another Info.plist of nested code",
            |files| {
                let path = format!("{EXTENSION}/Contents/Info.plist");
                content(files, &path).extend_from_slice(b"\n");
            },
            &["bundle.nested-code", "bundle.sealed-resources"],
        ),
        (
            "other nested code by the same team",
            |files| {
                let program = program(files);
                *content(files, NESTED) = program;
            },
            &["bundle.nested-code", "bundle.sealed-resources"],
        ),
        (
            "changed code",
            |files| content(files, "Contents/MacOS/Mitmproxy Redirector")[0x5000] ^= 1,
            &["bundle.executable", "macho.page-hashes"],
        ),
        (
            "no program",
            |files| remove(files, "Contents/MacOS/Mitmproxy Redirector"),
            &["bundle.executable"],
        ),
        (
            "a program that lost its mode",
            |files| {
                let bytes = program(files);
                let path = "Contents/MacOS/Mitmproxy Redirector";
                remove(files, path);
                add(files, path, File::Plain(bytes));
            },
            &["bundle.executable"],
        ),
        (
            "no provisioning profile",
            |files| remove(files, "Contents/embedded.provisionprofile"),
            &["apple.provisioning", "bundle.missing"],
        ),
        (
            "a spoilt ticket",
            |files| flip(files, "Contents/CodeResources"),
            &["ticket.parse"],
        ),
        (
            "a ticket that lists nothing of it",
            |files| {
                let folder = shared().expect("the corpus is there").join("pkg");
                let mut packages = std::fs::read_dir(folder).expect("packages");
                let package = packages.next().expect("one").expect("a file").path();
                let package = std::fs::read(package).expect("a package");
                let at = crate::tests::find(&package, b"s8ch");
                // Its trailer has 16 bytes.
                let ticket = package[at..package.len() - 16].to_vec();
                *content(files, "Contents/CodeResources") = ticket;
            },
            &["ticket.coverage"],
        ),
    ];
    for (what, spoil, expected) in cases {
        let mut files = files.clone();
        spoil(&mut files);
        let found = judged(&packed(&files));
        let ids = failed(&found);
        assert_ne!(found.verdict, Verdict::Valid, "{what}");
        // A flipped bit in a ticket strikes its certificates, its entries, or its signature.
        let is_ticket = ids.iter().all(|id| id.starts_with("ticket."));
        assert!(
            ids == expected || (what == "a spoilt ticket" && is_ticket),
            "{what}: {ids:?}"
        );
    }
}

#[test]
fn what_may_differ_does_not_matter() {
    let Some(files) = app() else { return };
    let cases: [(&str, Spoil); 3] = [
        ("what Finder leaves behind", |files| {
            add(
                files,
                "Contents/Resources/.DS_Store",
                File::Content(b"x".to_vec()),
            );
        }),
        ("a file that nothing asks for", |files| {
            flip(files, "Contents/PkgInfo")
        }),
        ("one slice of the program", |files| {
            let bytes = content(files, "Contents/MacOS/Mitmproxy Redirector");
            let number = |at: usize| {
                let field = bytes[at..at + 4].try_into().expect("four");
                u32::from_be_bytes(field) as usize
            };
            let (at, length) = (number(16), number(20));
            *bytes = bytes[at..at + length].to_vec();
        }),
    ];
    for (what, change) in cases {
        let mut files = files.clone();
        change(&mut files);
        let found = judged(&packed(&files));
        assert_eq!(
            (found.verdict, failed(&found)),
            (Verdict::Valid, vec![]),
            "{what}"
        );
    }
    // Without a ticket it is whole, and a policy says whether that is enough.
    let mut unstapled = files;
    remove(&mut unstapled, "Contents/CodeResources");
    let found = judged(&packed(&unstapled));
    assert_eq!(found.verdict, Verdict::Valid);
    let policy = crate::apple::Signer {
        team_id: "S8XHQB96PW".to_owned(),
        hardened_runtime: crate::apple::HardenedRuntime::Required,
        notarized: crate::apple::Notarized::Required,
    };
    let judged = found.judge_apple(&policy);
    let ids = judged.iter().filter(|check| check.outcome != Outcome::Pass);
    let ids: Vec<_> = ids.map(|check| check.id.as_str()).collect();
    assert_eq!(ids, ["apple.notarized"; 2]);
}

#[test]
fn a_zipped_app_is_the_same_app() {
    use crate::zip::tests::{Member, archive};
    let Some(files) = app() else { return };
    let members = files.iter().map(|(path, file)| match file {
        File::Content(bytes) => Member::deflated(&format!("{APP}/{path}"), bytes),
        File::Plain(_) | File::Link(_) => panic!("the sample has none"),
    });
    let members: Vec<_> = members.collect();
    let found = judged(&archive(&members));
    assert_eq!((found.verdict, failed(&found)), (Verdict::Valid, vec![]));
}

/// What macOS opens as an app is judged as one, however it lies.
#[test]
fn an_app_of_no_known_layout_is_no_folder() {
    let Some(files) = app() else { return };
    let moved = |to: &str| {
        let members = files.iter().flat_map(|(path, file)| {
            let name = path.replacen("Contents", to, 1);
            let name = format!("{APP}/{name}\0");
            let File::Content(bytes) = file else {
                panic!("the sample has none")
            };
            [
                member("././@LongLink", b'L', name.as_bytes()),
                member("cut", b'0', bytes),
            ]
        });
        members.collect::<Vec<_>>()
    };
    let parse = ["bundle.parse"];
    assert_eq!(failed(&judged(&archive(&moved("contents")))), parse);
    let mut linked = moved("y");
    linked.push(header(&format!("{APP}/Contents"), b'2', 0, "y"));
    assert_eq!(failed(&judged(&archive(&linked))), parse);
    let link = header("Other.app", b'2', 0, "x.bundle/p");
    assert_eq!(failed(&judged(&archive(&[link]))), parse);
    let script = member("Script.app/Contents/MacOS/Script", b'0', b"#!/bin/sh");
    assert_eq!(failed(&judged(&archive(&[script]))), ["bundle.signed"]);
    let deep = format!("{}x.app/Contents/a\0", "a.app/".repeat(20));
    let deep = [
        member("././@LongLink", b'L', deep.as_bytes()),
        member("cut", b'0', b"x"),
    ];
    assert_ne!(judged(&archive(&deep)).verdict, Verdict::Valid);
}
