//! What is in cabinets, packages of Windows Installer, and installers of Inno Setup, and what of them was not looked at.

use super::*;
use crate::cab::tests::contents::writer::{cabinet, file, stored};

const PACKAGE: &[u8] = include_bytes!("../../../fixtures/installers/tiny.msi");
const INSTALLER: &[u8] = include_bytes!("../../../fixtures/installers/inno/setup.exe");

fn small_cabinet(content: &[u8], name: &[u8]) -> Vec<u8> {
    let files = [file(0, 0, content.len() as u32, name)];
    cabinet(&[stored(content)], &files)
}

fn paths(contents: &Contents) -> Vec<&str> {
    leaves(contents).into_iter().map(|(path, _)| path).collect()
}

#[test]
fn programs_in_installers_are_found() {
    let inner = small_cabinet(UNSIGNED, b"lib\\a.exe");
    let outer = archive(&[
        member("data1.cab", b'0', b"ISc( of InstallShield"),
        member("data.cab", b'0', &small_cabinet(&inner, b"inner.cab")),
        member("tiny.msi", b'0', PACKAGE),
        member("setup.exe", b'0', INSTALLER),
    ]);
    let contents = look(Cursor::new(outer)).expect("a container");
    assert_eq!(bad(&contents), []);
    let application = "tiny.msi!/Program Files/Snake Oil/an application with a long name.exe";
    let expected = [
        "data1.cab",
        "data.cab",
        "data.cab!/inner.cab",
        "data.cab!/inner.cab!/lib/a.exe",
        "tiny.msi",
        "tiny.msi!/Binary/Helper",
        application,
        "setup.exe",
        "setup.exe!/{app}/lib/Helper Two.dll",
    ];
    assert_eq!(paths(&contents), expected);
    // Each of them on its own, and what is inside counts as files.
    for (bytes, container, files) in [
        (&inner[..], "cabinet", 1),
        (PACKAGE, "Windows Installer package", 4),
        (INSTALLER, "Inno Setup installer", 3),
    ] {
        let contents = look(Cursor::new(bytes)).expect("a container");
        assert_eq!(bad(&contents), [], "{container}");
        assert_eq!((contents.container, contents.files), (container, files));
    }
    assert!(
        look(Cursor::new(include_bytes!(
            "../../../fixtures/pki/signed.exe"
        )))
        .is_none()
    );
}

#[test]
fn what_cannot_be_read_of_an_installer_is_said() {
    let mut cabinet = small_cabinet(UNSIGNED, b"a.exe");
    let last = cabinet.len() - 1;
    cabinet[last] ^= 1;
    let mut installer = INSTALLER.to_vec();
    let helper = crate::tests::find(&installer, b"zlb\x1a");
    installer[helper + 40] ^= 1;
    let mut package = PACKAGE.to_vec();
    let data = crate::tests::find(&package, b"MSCF\0\0\0\0");
    package[data + 8] ^= 1;
    let members = [
        ("data.cab", &cabinet[..]),
        ("tiny.msi", &package),
        ("setup.exe", &installer),
    ];
    for (name, bytes) in members {
        let contents = look(Cursor::new(bytes)).expect("a container");
        let [(id, outcome, _)] = bad(&contents)[..] else {
            panic!("{name}: {:?}", contents.checks);
        };
        assert_eq!((id, outcome), ("contents.parse", Outcome::Fail), "{name}");
    }
    let outer = archive(&members.map(|(name, bytes)| member(name, b'0', bytes)));
    let contents = look(Cursor::new(outer)).expect("a container");
    assert_eq!(bad(&contents), []);
    for (name, _) in members {
        let mut checks = contents.leaves.iter().filter(|leaf| leaf.path == name);
        let unread = checks.any(|leaf| match &leaf.checks[..] {
            [check] => {
                (check.id.as_str(), check.outcome) == ("contents.parse", Outcome::Unsupported)
            }
            _ => false,
        });
        assert!(unread, "{name}: {:?}", contents.leaves);
    }
}
