//! Repositories that `apt-ftparchive` and `gpg` make; `apt-get` is the judge.

mod mutants;
mod repository;

use std::cmp::Ordering;
use std::process::Command;

use release::{FileName, Kind};

use super::is_package;
use super::release_file::{Readers, ReleaseFile};
use super::version::compare;
use crate::format::Format;
use crate::openpgp::tests::judge::is_there;
use mutants::{unlisted, with_all};
use repository::{Form, Repository, has_tools};

#[test]
fn what_apt_installs_from_is_believed() {
    if !has_tools() {
        return;
    }
    for form in [Form::InPlace, Form::Beside] {
        for packings in [&["gz"][..], &["xz"], &["bz2"], &["zst"], &["gz", "xz"], &[]] {
            let mut repository = Repository::new(form);
            repository.packings = packings;
            let built = repository.built();
            assert_eq!(built.failed(), Vec::<&str>::new(), "{form:?} {packings:?}");
            let checks = built.checks();
            let ids: Vec<_> = checks.iter().map(|it| it.id.as_str()).collect();
            let expected = [
                "apt.signature",
                "apt.release",
                "apt.validity",
                "apt.index",
                "apt.digest",
            ];
            assert_eq!(ids, expected, "{form:?} {packings:?}");
            assert!(built.apt(), "apt refuses {form:?} {packings:?}");
        }
    }
}

/// A repository keeps what was released before.
#[test]
fn earlier_versions_may_stay() {
    if !has_tools() {
        return;
    }
    let mut repository = Repository::new(Form::InPlace);
    repository.others = vec![
        ("atlas", "1.3.9", "amd64"),
        ("atlas", "1.4.0~rc1", "arm64"),
        ("other", "9.0", "amd64"),
    ];
    let built = repository.built();
    assert_eq!(built.failed(), Vec::<&str>::new());
    assert!(built.apt());
}

/// What only weak digests list is nobody's: apt does not get it, and here it is not read.
#[test]
fn lists_of_weak_digests_are_passed_over() {
    if !has_tools() {
        return;
    }
    const ALL: &str = "main/binary-all/Packages";
    let mut repository = Repository::new(Form::InPlace);
    with_all(&mut repository);
    repository.text = |text| text.replacen("Architectures: amd64", "Architectures: all amd64", 1);
    let built = repository.built();
    assert_eq!(built.failed(), ["apt.extra"]);
    assert!(built.apt_gets("9.9.9"), "apt reads the index of all");
    repository.text = |text| {
        let text = text.replacen("Architectures: amd64", "Architectures: all amd64", 1);
        unlisted(&unlisted(&text, "SHA256", ALL), "SHA512", ALL)
    };
    let built = repository.built();
    assert_eq!(built.failed(), Vec::<&str>::new());
    assert!(built.apt());
    assert!(!built.apt_gets("9.9.9"), "apt believes MD5 or SHA-1");
}

/// Then apt takes what its source names.
#[test]
fn components_and_architectures_need_not_be_named() {
    if !has_tools() {
        return;
    }
    let mut repository = Repository::new(Form::InPlace);
    repository.text = |text| {
        let text = text.replacen("Architectures: amd64\n", "", 1);
        text.replacen("Components: main\n", "", 1)
    };
    let built = repository.built();
    assert_eq!(built.failed(), Vec::<&str>::new());
    assert!(built.apt());
}

#[test]
fn clients_read_what_is_named() {
    let paths = [
        ("Packages", Readers::Clients),
        ("main/binary-amd64/Packages", Readers::Clients),
        ("main/binary-all/Packages", Readers::Clients),
        ("updates/main/binary-amd64/Packages", Readers::Nobody),
        ("extra/binary-amd64/Packages", Readers::Clients),
        ("more/extra/binary-amd64/Packages", Readers::Clients),
        ("tra/binary-amd64/Packages", Readers::Nobody),
        ("main/binary-arm64/Packages", Readers::Nobody),
        (
            "main/debian-installer/binary-amd64/Packages",
            Readers::Nobody,
        ),
        ("binary-amd64/Packages", Readers::Nobody),
        ("sub/Packages", Readers::Nobody),
    ];
    let digest = "0".repeat(64);
    let lines = paths.map(|(path, _)| format!(" {digest} 1 {path}\n"));
    let text = format!(
        "Date: Wed, 25 Nov 2026 14:00:00 UTC\nComponents: main more/extra\nArchitectures: all amd64\nSHA256:\n{}",
        lines.concat()
    );
    let release = ReleaseFile::parse(&text).expect("a release file");
    for (path, expected) in paths {
        assert_eq!(release.readers(path), expected, "{path}");
    }
    assert_eq!(
        release.readers("more/binary-amd64/Packages"),
        Readers::Nobody
    );
}

#[test]
fn packages_are_told_by_kind_format_or_name() {
    let name = |name: &str| name.parse::<FileName>().expect("a name");
    let (deb, other) = (name("atlas.deb"), name("atlas"));
    assert!(is_package(Kind::Deb, Format::Other, &other));
    assert!(is_package(Kind::Binary, Format::Deb, &other));
    assert!(is_package(Kind::Binary, Format::Other, &deb));
    assert!(!is_package(Kind::Binary, Format::Other, &other));
}

#[test]
fn versions_are_compared_as_dpkg_does() {
    let versions = [
        "1.4.0",
        "1.4.0-1",
        "1.4.0~rc1",
        "1.4.0~~",
        "1.4",
        "1.10",
        "1.9",
        "1:0.1",
        "0:1.4.0",
        "1.4.0a",
        "1.4.0+b",
        "1.4.00",
        "2024.01",
        "1.4.0-1ubuntu1",
        "1.4.0-1~bpo",
        "1.4.0-10",
        "1.4.0.-1",
        "0",
        "1.4.0-0",
    ];
    let has_dpkg = is_there("dpkg");
    for left in versions {
        for right in versions {
            let found = compare(left, right);
            assert_eq!(found, compare(right, left).reverse(), "{left} {right}");
            if !has_dpkg {
                continue;
            }
            let relation = match found {
                Ordering::Less => "lt",
                Ordering::Equal => "eq",
                Ordering::Greater => "gt",
            };
            let status = Command::new("dpkg")
                .args(["--compare-versions", left, relation, right])
                .status();
            assert!(
                status.expect("it starts").success(),
                "{left} {relation} {right}"
            );
        }
    }
}
