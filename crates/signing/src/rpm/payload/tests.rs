//! Packages as they are installed; `rpm` is the judge, which compares digests of files as it installs them.

mod build;
mod mutants;

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Stdio};

use super::walk;
use crate::openpgp::tests::judge::is_there;
use crate::report::Verdict;
use crate::tests::shared;
use crate::walk::tests::things::{self, Things};
use crate::walk::tests::{bad, leaves, look};

fn shown(file: &[u8]) -> Result<Things, String> {
    things::shown(file, walk)
}

/// What `rpm` installs of a package, where it does.
fn installed(file: &[u8]) -> Option<Things> {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, root) = (folder.path().join("it.rpm"), folder.path().join("root"));
    fs::write(&path, file).expect("a file");
    fs::create_dir(&root).expect("a folder");
    let status = Command::new("rpm")
        .arg("--root")
        .arg(&root)
        .args([
            "--dbpath",
            "/db",
            "--install",
            "--nosignature",
            "--nodeps",
            "--noscripts",
        ])
        .arg("--ignorearch")
        .arg(&path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let mut things = Things::new();
    status.expect("it starts").success().then(|| {
        things::in_folder(&root, "", &mut things);
        things.retain(|path, _| path.split('/').next() != Some("db"));
        things
    })
}

/// What both know: folders that a package does not own are there all the same.
fn owned(mut installed: Things, shown: &Things) -> Things {
    installed.retain(|path, thing| *thing != things::Thing::Folder || shown.contains_key(path));
    installed
}

const SPEC: &str = "Name: atlas
Version: 1.4.0
Release: 1
Summary: A package
License: MIT
BuildArch: noarch
%description
A package.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/share/atlas %{buildroot}/var/lib/atlas
printf '\\177ELF is how programs begin' > %{buildroot}/usr/bin/atlas
chmod 755 %{buildroot}/usr/bin/atlas
ln %{buildroot}/usr/bin/atlas %{buildroot}/usr/bin/other
ln %{buildroot}/usr/bin/atlas %{buildroot}/usr/bin/a-third
ln -s ../../bin/atlas %{buildroot}/usr/share/atlas/link
touch %{buildroot}/usr/share/atlas/empty %{buildroot}/usr/share/atlas/ghost
seq 1 20000 > %{buildroot}/usr/share/atlas/large
%files
/usr/bin/*
%dir /usr/share/atlas
/usr/share/atlas/link
/usr/share/atlas/empty
/usr/share/atlas/large
%ghost /usr/share/atlas/ghost
%dir /var/lib/atlas
";

/// The package that rpm builds, packed in a way.
fn built(folder: &Path, payload: &str) -> Vec<u8> {
    let spec = folder.join("atlas.spec");
    fs::write(&spec, SPEC).expect("a file");
    let define = |name: &str, value: &str| format!("{name} {value}");
    let folder = folder.to_str().expect("text");
    let output = Command::new("rpmbuild")
        .args(["-bb", "--target", "noarch"])
        .args(["--define", &define("_topdir", folder)])
        .args(["--define", &define("_rpmdir", folder)])
        .args(["--define", &define("_binary_payload", payload)])
        .args(["--define", "_build_id_links none"])
        .args(["--define", "__os_install_post %{nil}"])
        .arg(&spec)
        .output();
    let output = output.expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{payload}: {said}");
    fs::read(format!("{folder}/noarch/atlas-1.4.0-1.noarch.rpm")).expect("a package")
}

#[test]
fn what_rpm_installs_is_what_is_shown() {
    if !is_there("rpmbuild") || !is_there("rpm") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for payload in [
        "w9.gzdio",
        "w9.bzdio",
        "w7.xzdio",
        "w7.lzdio",
        "w19.zstdio",
        "w.ufdio",
    ] {
        let file = built(folder.path(), payload);
        let found = shown(&file).unwrap_or_else(|error| panic!("{payload}: {error}"));
        let expected = installed(&file).unwrap_or_else(|| panic!("rpm refuses {payload}"));
        assert_eq!(found, owned(expected, &found), "{payload}");
        assert_eq!(found.len(), 8, "{payload}: {found:?}");
        let contents = look(Cursor::new(&file)).expect("a package");
        assert_eq!(bad(&contents), [], "{payload}");
        let ids: Vec<_> = contents.checks.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, ["contents.parse", "rpm.file-digests"]);
        assert_eq!(leaves(&contents), [("usr/bin/other", None)], "{payload}");
        assert_eq!(contents.verdict(), Verdict::Valid, "{payload}");
    }
}

#[test]
fn packages_of_the_corpus_are_read_to_their_end() {
    let Some(corpus) = shared() else { return };
    let labels = fs::read_to_string(corpus.join("labels.tsv")).expect("text");
    let paths = labels.lines().filter_map(|row| row.split('\t').next());
    let paths: Vec<_> = paths.filter(|it| it.starts_with("rpm/")).collect();
    assert_eq!(paths.len(), 8);
    for path in paths {
        let file = fs::read(corpus.join(path)).expect("a file of the corpus");
        let contents = look(Cursor::new(&file)).expect("a package");
        assert_eq!(bad(&contents), [], "{path}");
        if is_there("rpm") && !path.contains("SRPMS") {
            let found = shown(&file).expect("it was read");
            let expected = installed(&file).unwrap_or_else(|| panic!("rpm refuses {path}"));
            assert_eq!(found, owned(expected, &found), "{path}");
        }
    }
}

/// Packages with large files, and all of version 6, name files in the payload by their numbers.
#[test]
fn payloads_that_name_files_by_numbers_are_read() {
    let plain = build::Filled::new();
    let numbered = build::Filled::numbered();
    let file = numbered.file();
    let found = shown(&file).expect("a package");
    assert_eq!(Ok(&found), shown(&plain.file()).as_ref());
    if is_there("rpm") {
        for file in [file, plain.file()] {
            let expected = installed(&file).expect("rpm installs it");
            assert_eq!(found, owned(expected, &found));
        }
    }
}
