//! Repositories that `apt-ftparchive` and `gpg` make; `apt-get` is the judge.

mod mutants;
mod repository;

use std::cmp::Ordering;
use std::process::Command;

use super::version::compare;
use crate::openpgp::tests::judge::is_there;
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
