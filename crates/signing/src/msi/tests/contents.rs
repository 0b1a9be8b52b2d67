//! What is inside packages that wixl and msibuild make, as msiextract and msiinfo see it too.

use std::io::{self, Cursor};
use std::path::Path;

use proptest::prelude::*;

use crate::cab::tests::contents::{run, text, tree};
use crate::cab::tests::contents::{shown, writer};
use crate::msi::contents::{is_package, walk};
use crate::tests::{find, put, sample};

fn files(bytes: &[u8]) -> io::Result<Vec<(String, String)>> {
    shown(|each| walk(&mut Cursor::new(bytes), each))
}

/// Two folders, a file whose name Windows would shorten, one for each of two processors at the same path, and a library that
/// runs while it is installed.
const SOURCE: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="*" Name="Snake Oil" UpgradeCode="8b2c7e2e-4a3c-4a55-9c7c-3d7a7d1f0001" Language="1033"
           Version="1.2.3" Manufacturer="Snake Oil Ltd">
    <Package InstallerVersion="200" Compressed="yes"/>
    <Media Id="1" Cabinet="product.cab" EmbedCab="yes"/>
    <Binary Id="Helper" SourceFile="helper.dll"/>
    <CustomAction Id="Help" BinaryKey="Helper" DllEntry="Entry" Execute="deferred" Impersonate="no"/>
    <Directory Id="TARGETDIR" Name="SourceDir">
      <Directory Id="ProgramFilesFolder">
        <Directory Id="INSTALLDIR" Name="Snake Oil">
          <Component Id="Main" Guid="8b2c7e2e-4a3c-4a55-9c7c-3d7a7d1f0002">
            <File Id="App" Name="an application with a long name.exe" Source="app.exe"/>
          </Component>
          <Directory Id="LIBDIR" Name="lib">
            <Component Id="Lib" Guid="8b2c7e2e-4a3c-4a55-9c7c-3d7a7d1f0003">
              <File Id="Data" Name="data.bin" Source="data.bin"/>
              <File Id="Empty" Name="empty" Source="empty"/>
            </Component>
          </Directory>
        </Directory>
      </Directory>
    </Directory>
    <Feature Id="Complete" Level="1">
      <ComponentRef Id="Main"/>
      <ComponentRef Id="Lib"/>
    </Feature>
  </Product>
</Wix>
"#;

/// Builds the package in a folder. None where no judge is there.
fn build(folder: &Path) -> Option<Vec<u8>> {
    for (name, bytes) in [
        ("app.exe", [b"MZ".to_vec(), text(100_000, 1)].concat()),
        ("data.bin", text(70_000, 2)),
        ("helper.dll", [b"MZ".to_vec(), text(5_000, 3)].concat()),
        (
            "tiny.dll",
            b"MZ, and less than a sector of the mini stream".to_vec(),
        ),
        ("empty", Vec::new()),
        ("a.wxs", SOURCE.as_bytes().to_vec()),
    ] {
        std::fs::write(folder.join(name), bytes).expect("a file");
    }
    run(folder, "wixl", &["-o", "a.msi", "a.wxs"])?;
    std::fs::read(folder.join("a.msi")).ok()
}

/// The package after a change by msibuild.
fn changed(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    std::fs::copy(folder.join("a.msi"), folder.join("b.msi")).expect("a copy");
    let arguments = [&["b.msi"], arguments].concat();
    run(folder, "msibuild", &arguments).expect("of the same package as wixl");
    std::fs::read(folder.join("b.msi")).expect("a package")
}

fn agrees_with_msiextract(folder: &Path, name: &str, bytes: &[u8], others: &[&str]) {
    let out = folder.join(format!("{name}.out"));
    std::fs::create_dir(&out).expect("a folder");
    let arguments = ["-C", out.to_str().expect("UTF-8"), name];
    if run(folder, "msiextract", &arguments).is_none() {
        return;
    }
    let found = files(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let (mut ours, streams): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|(path, _)| !others.iter().any(|it| path.starts_with(it)));
    ours.sort();
    assert_eq!(ours, tree(&out), "{name}");
    assert!(!streams.is_empty(), "{name}");
}

#[test]
fn packages_are_read_as_msiextract_reads_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    if let Some(bytes) = sample("signify/putty.msi") {
        std::fs::write(folder.join("putty.msi"), &bytes).expect("a file");
        agrees_with_msiextract(folder, "putty.msi", &bytes, &["Binary/", "Icon/"]);
    }
    let Some(bytes) = build(folder) else { return };
    assert!(is_package(&mut Cursor::new(&bytes)).expect("memory"));
    agrees_with_msiextract(folder, "a.msi", &bytes, &["Binary/"]);
    let found = files(&bytes).expect("a package");
    let mut paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
    paths.sort_unstable();
    let expected = [
        "Binary/Helper",
        "Program Files/Snake Oil/an application with a long name.exe",
        "Program Files/Snake Oil/lib/data.bin",
        "Program Files/Snake Oil/lib/empty",
    ];
    assert_eq!(paths, expected);
    // What is run while it is installed, byte by byte as it came.
    let inputs = tree(folder);
    for (path, name) in [("Binary/Helper", "helper.dll"), (expected[1], "app.exe")] {
        let input = inputs
            .iter()
            .find(|(input, _)| input == name)
            .expect("an input");
        assert!(
            found.contains(&(path.to_owned(), input.1.clone())),
            "{path}"
        );
    }
}

#[test]
fn what_the_tables_do_not_name_is_shown_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let Some(_) = build(folder) else { return };
    let stray = writer::cabinet(
        &[writer::stored(b"MZ")],
        &[writer::file(0, 0, 2, b"evil.dll")],
    );
    std::fs::write(folder.join("stray.cab"), &stray).expect("a file");
    let paths = |arguments: &[&str]| {
        let found = files(&changed(folder, arguments)).expect("a package");
        found.into_iter().map(|(path, _)| path).collect::<Vec<_>>()
    };
    let has =
        |paths: &[String], path: &str| assert!(paths.iter().any(|it| it == path), "{paths:?}");
    // A stream that nothing names, one that a table could name, and one that lies in the mini stream.
    has(&paths(&["-a", "stray.cab", "stray.cab"]), "stray.cab");
    has(&paths(&["-a", "Binary.Other", "tiny.dll"]), "Binary/Other");
    // Another cabinet that is named, with a file that is not.
    let row =
        "INSERT INTO `Media` (`DiskId`, `LastSequence`, `Cabinet`) VALUES (2, 9, '#more.cab')";
    has(
        &paths(&["-a", "more.cab", "stray.cab", "-q", row]),
        "more.cab/evil.dll",
    );
    // A second file at the path of the first, as packages for two processors have it.
    let row = "INSERT INTO `File` (`File`, `Component_`, `FileName`, `FileSize`, `Attributes`, `Sequence`) \
               VALUES ('evil.dll', 'Lib', 'X|DATA.bin', 2, 512, 4)";
    let media =
        "INSERT INTO `Media` (`DiskId`, `LastSequence`, `Cabinet`) VALUES (2, 9, '#more.cab')";
    let found = paths(&["-a", "more.cab", "stray.cab", "-q", row, media]);
    has(&found, "Program Files/Snake Oil/lib/data.bin");
    has(&found, "(evil.dll)/Program Files/Snake Oil/lib/DATA.bin");
    for (what, arguments, expected) in [
        (
            "a cabinet beside",
            &["-q", "UPDATE `Media` SET `Cabinet` = 'product.cab'"][..],
            "beside the package",
        ),
        (
            "no cabinet",
            &["-q", "UPDATE `Media` SET `Cabinet` = '#other.cab'"],
            "`other.cab` is not in",
        ),
        (
            "no medium",
            &["-q", "DELETE FROM `Media`"],
            "no cabinet in the package holds it",
        ),
        (
            "a file beside",
            &["-q", row],
            "`Program Files/Snake Oil/lib/DATA.bin` is listed",
        ),
        (
            "no component",
            &["-q", "DELETE FROM `Component` WHERE `Component` = 'Lib'"],
            "`Component`",
        ),
        (
            "no folder",
            &["-q", "DELETE FROM `Directory` WHERE `Directory` = 'LIBDIR'"],
            "`Directory`",
        ),
        (
            "a folder in itself",
            &[
                "-q",
                "UPDATE `Directory` SET `Directory_Parent` = 'LIBDIR' WHERE `Directory` = 'INSTALLDIR'",
            ],
            "`Directory`",
        ),
        (
            "a file twice",
            &["-a", "more.cab", "product.cab", "-q", media],
            "in two cabinets",
        ),
        (
            "leaving",
            &[
                "-q",
                "UPDATE `File` SET `FileName` = '../evil.dll' WHERE `File` = 'Data'",
            ],
            "leaves its folder",
        ),
    ] {
        if what == "a file twice" {
            run(
                folder,
                "sh",
                &["-c", "msiinfo extract a.msi product.cab > product.cab"],
            );
        }
        let error = files(&changed(folder, arguments)).expect_err(what);
        assert!(error.to_string().contains(expected), "{what}: {error}");
    }
}

#[test]
fn files_that_are_no_packages_are_told() {
    let package = include_bytes!("../../../fixtures/packages/plain.msi");
    assert!(is_package(&mut Cursor::new(package)).expect("memory"));
    let mut other = package.to_vec();
    let class = find(&other, &[0x84, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0]);
    put(&mut other, class, &[0; 16]);
    assert!(!is_package(&mut Cursor::new(&other)).expect("memory"));
    assert!(!is_package(&mut Cursor::new(b"MZ")).expect("memory"));
    // What cannot be read is not passed over.
    assert!(is_package(&mut Cursor::new(&other[..600])).expect("memory"));
    files(&other[..600]).expect_err("cut short");
}

proptest! {
    #[test]
    fn spoilt_packages_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = include_bytes!("../../../fixtures/installers/tiny.msi").to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        drop(is_package(&mut Cursor::new(&bytes)));
        drop(files(&bytes));
    }
}
