//! Files that are one thing to whoever opens them, and another by their first bytes.

use super::*;
use crate::walk::names::{IsFolder, Names, Spelling, unpacked};

/// What is compressed is opened by the name that is left of it.
#[test]
fn what_is_unpacked_is_judged_by_the_name_that_is_left() {
    for (packed, plain) in [
        ("a.tgz", "a.tar"),
        ("a.tar.xz", "a.tar"),
        ("tool.PS1.GZ", "tool.PS1"),
        ("only.gz", "only"),
        ("none", "none"),
        ("", "content"),
    ] {
        assert_eq!(unpacked(packed), plain);
    }
    let tar = archive(&[member("a.txt", b'0', b"text")]);
    let members = [
        member("tool.ps1.gz", b'0', &gzip(b"Write-Host 1")),
        member("image.iso.gz", b'0', &gzip(b"whatever")),
        member("old.tar.gz", b'0', &gzip(b"an archive without a mark")),
        member("b.zip.gz", b'0', &gzip(&tar)),
        member("c.tar.gz", b'0', &gzip(&tar)),
        member("d.txt.gz", b'0', &gzip(b"text")),
    ];
    let contents = look(Cursor::new(archive(&members))).expect("a container");
    let found: Vec<_> = contents
        .leaves
        .iter()
        .map(|leaf| (leaf.path.as_str(), leaf.verdict()))
        .collect();
    let unread = Verdict::Unsupported;
    assert_eq!(
        found,
        [
            ("tool.ps1.gz!/tool.ps1", Verdict::Unsigned),
            ("image.iso.gz!/image.iso", unread),
            ("old.tar.gz!/old.tar", unread),
            ("b.zip.gz!/b.zip", unread),
        ]
    );
}

/// A program whose first 512 bytes are those of a tar archive too is started as a program.
#[test]
fn programs_are_no_archives() {
    let both = archive(&[member("MZ", b'0', b"x")]);
    assert!(crate::tar::is_tar(&both[..512]));
    assert!(look(Cursor::new(both)).is_none());
    let other = archive(&[member("NZ", b'0', b"x")]);
    assert!(look(Cursor::new(other)).is_some());
}

/// Windows leaves out what stands at the end of such names, and opens another file than is named.
#[test]
fn names_that_windows_rewrites_are_refused() {
    for name in [
        "a/tool.ps1.",
        "tool.ps1 ",
        "a./b",
        "a/b:c",
        "app/tool.ps1::$DATA",
    ] {
        let folder = IsFolder::No;
        assert!(Names::default().add(name, folder).is_err(), "{name}");
        let mut of_linux = Names::new(Spelling::Exact);
        of_linux.add(name, folder).expect(name);
    }
}
