//! Apps under a PKI of our own, for what the real one does not have: `fixtures/apple/generate.py`.

use super::*;

/// What is done, to which file of the framework, its new content or none, and what must fail.
type Case<'a> = (&'a str, &'a str, Option<&'a [u8]>, &'a [&'a str]);

#[test]
fn frameworks_libraries_links_and_profiles_are_judged() {
    macro_rules! app {
        ($name:literal) => {
            include_bytes!(concat!("../../../fixtures/apple/", $name, ".app.zip"))
        };
    }
    let cases: [(&str, &[u8], &[&str]); 7] = [
        ("good", app!("good"), &[]),
        (
            "a library of another team",
            app!("other-team"),
            &["apple.one-team"],
        ),
        ("the same, and the program says so", app!("open"), &[]),
        ("no profile", app!("restricted"), &["apple.provisioning"]),
        ("a profile", app!("granted"), &[]),
        (
            "a profile for something else",
            app!("not-granted"),
            &["apple.provisioning"],
        ),
        (
            "a profile of another team",
            app!("other-profile"),
            &["apple.provisioning"],
        ),
    ];
    for (what, bytes, expected) in cases {
        let found = snake_oil(bytes);
        assert_eq!(failed(&found), expected, "{what}: {found:#?}");
    }
    let good = snake_oil(app!("good"));
    let apple = good.signatures[0].apple.as_ref().expect("of Apple's");
    assert!(apple.notarized.is_some(), "the ticket lists all three");
}

/// The bundle of an archive under the root of our own.
fn snake_oil(bytes: &[u8]) -> Inspection {
    let root = include_str!("../../../fixtures/apple/roots.pem");
    let trust = crate::Trust::microsoft()
        .with_extra_roots(root)
        .expect("a root");
    let settings = Settings {
        at: day(),
        trust: &trust,
        room: walk::tests::room,
        signed: walk::Signed::Opened,
    };
    let contents = walk::walk(&mut Cursor::new(bytes), settings).expect("memory");
    let contents = contents.expect("a container");
    let bad = contents
        .checks
        .iter()
        .find(|check| check.outcome != Outcome::Pass);
    assert!(bad.is_none(), "{bad:?}");
    let mut leaves = contents.leaves.into_iter();
    let bundle = leaves.find(|leaf| leaf.path.ends_with(".app"));
    bundle.expect("a bundle").signature.expect("an inspection")
}

#[test]
fn what_is_nested_is_held_to_its_list_too() {
    use crate::zip::tests::{Member, archive};
    let bytes = include_bytes!("../../../fixtures/apple/good.app.zip");
    let mut reader = Cursor::new(&bytes[..]);
    let read = crate::zip::Archive::open(&mut reader)
        .expect("memory")
        .expect("an archive");
    let mut members = Vec::new();
    for entry in &read.entries {
        let mut content = Vec::new();
        let opened = crate::zip::Archive::content(&mut reader, entry);
        std::io::Read::read_to_end(&mut opened.expect("memory"), &mut content).expect("whole");
        let mut member = Member::new(&entry.path, &content);
        if entry.kind == crate::zip::EntryKind::Link {
            member.mode = 0o120_777;
        }
        members.push(member);
    }
    assert_eq!(failed(&snake_oil(&archive(&members))), [""; 0]);
    let oil = "Snake.app/Contents/Frameworks/Oil.framework";
    let cases: [Case; 7] = [
        (
            "its data",
            "Versions/A/Resources/data",
            Some(b"other"),
            &["bundle.nested-code"],
        ),
        (
            "its Info.plist",
            "Versions/A/Resources/Info.plist",
            None,
            &["bundle.nested-code"],
        ),
        (
            "something new",
            "Versions/A/more",
            Some(b"more"),
            &["bundle.nested-code"],
        ),
        (
            "a version of nobody",
            "Versions/B/Oil",
            Some(b"more"),
            &["bundle.nested-code"],
        ),
        (
            "a file on top",
            "more",
            Some(b"more"),
            &["bundle.nested-code"],
        ),
        (
            "no list",
            "Versions/A/_CodeSignature/CodeResources",
            None,
            &["bundle.nested-code"],
        ),
        ("a library", "../library.dylib", None, &["bundle.missing"]),
    ];
    for (what, path, content, expected) in cases {
        let path = match path.strip_prefix("../") {
            Some(path) => format!("Snake.app/Contents/Frameworks/{path}"),
            None => format!("{oil}/{path}"),
        };
        let mut members = members.clone();
        members.retain(|it| it.name != path.as_bytes());
        if let Some(content) = content {
            members.push(Member::new(&path, content));
        }
        let found = snake_oil(&archive(&members));
        assert_eq!(failed(&found), expected, "{what}: {found:#?}");
    }
}
