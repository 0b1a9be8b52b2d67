//! Releases after one another: what installed copies accept, and each thing that they refuse.

use std::io::Cursor;

use super::*;
use crate::roots::Trust;
use crate::sparkle;
use crate::tests::day;
use crate::walk::{self, Signed};

/// The files of a folder of fixtures, as they are compiled in.
macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/", $name)).as_slice()
    };
}

mod publisher;

const OLD: &[u8] = fixture!("continuity/old.app.zip");
const IMPLICIT: &[u8] = fixture!("continuity/old-implicit.app.zip");
const AD_HOC: &[u8] = fixture!("continuity/old-ad-hoc.app.zip");
const NEW: &[u8] = fixture!("continuity/new.app.zip");

fn trust() -> Trust {
    let roots = include_str!("../../fixtures/continuity/roots.pem");
    let trust = Trust::microsoft().with_extra_roots(roots).expect("a root");
    let roots = include_str!("../../fixtures/pki/certificates.pem");
    let trust = trust.with_extra_roots(roots).expect("roots");
    let roots = include_str!("../../fixtures/zipped/certificates.pem");
    trust.with_extra_roots(roots).expect("roots")
}

fn released(platform: Platform, kind: Kind, bytes: &[u8]) -> Released {
    let trust = trust();
    let settings = Settings {
        at: day(),
        trust: &trust,
        room: walk::tests::room,
        signed: Signed::Opened,
    };
    let facts = facts(&mut Cursor::new(bytes), kind, settings).expect("memory");
    Released {
        path: format!("dist/a.{kind}"),
        platform,
        kind,
        facts,
        sparkle: InAppcasts::Unlisted,
        keyed: Vec::new(),
    }
}

fn app(bytes: &[u8]) -> Released {
    released(Platform::MacosUniversal, Kind::Zip, bytes)
}

/// What was found of two artifacts; every reason is safe to print.
fn compared(previous: &[Released], next: &[Released]) -> ContinuityReport {
    let report = compare(Comparison {
        previous,
        next,
        publishers: &[],
    });
    for check in report.checks() {
        assert!(
            !check.reason.chars().any(char::is_control),
            "{}",
            check.reason
        );
    }
    report
}

fn failed(report: &ContinuityReport) -> Vec<&'static str> {
    let failed = report.checks().filter(|check| !check.is_pass());
    let mut ids: Vec<_> = failed.map(|check| check.id.as_str()).collect();
    ids.dedup();
    ids
}

fn passed(report: &ContinuityReport) -> Vec<&'static str> {
    let passed = report.checks().filter(|check| check.is_pass());
    passed.map(|check| check.id.as_str()).collect()
}

/// The notes of all steps.
fn notes(report: &ContinuityReport) -> String {
    let steps = report.steps.iter().flat_map(|it| &it.notes);
    steps
        .chain(&report.notes)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n")
}

/// With what an appcast states, checked under every key that either app has.
fn with_appcast(old: &Released, new: &mut Released, bytes: &[u8], appcast: &[u8]) {
    let listing = sparkle::appcast::read(appcast).expect("an appcast");
    let signature = listing.files[0].signature.clone().expect("a signature");
    let keys = [old.facts.sparkle_keys(), new.facts.sparkle_keys()].concat();
    let holds = |text: &String| {
        let key = text.parse().expect("a key");
        sparkle::check(&signature, &key, &mut &bytes[..]).expect("memory")
    };
    new.sparkle = InAppcasts::Signed(keys.into_iter().filter(holds).collect());
}

#[test]
fn a_successor_is_accepted() {
    for old in [OLD, IMPLICIT] {
        let (old, mut new) = (app(old), app(NEW));
        with_appcast(&old, &mut new, NEW, fixture!("continuity/new.appcast.xml"));
        let report = compared(&[old], &[new]);
        assert_eq!(failed(&report), [""; 0]);
        assert_eq!(
            passed(&report),
            [
                "continuity.bundle-id",
                "continuity.team-id",
                "continuity.requirement",
                "continuity.sparkle-key"
            ]
        );
        assert_eq!(notes(&report), "");
    }
}

#[test]
fn each_thing_that_installed_apps_refuse_fails_its_check() {
    let cases: [(&[u8], &[&str]); 5] = [
        (
            fixture!("continuity/other-bundle.app.zip"),
            &["continuity.bundle-id", "continuity.requirement"],
        ),
        (
            fixture!("continuity/other-team.app.zip"),
            &["continuity.team-id", "continuity.requirement"],
        ),
        (
            fixture!("continuity/other-key-and-team.app.zip"),
            &[
                "continuity.team-id",
                "continuity.requirement",
                "continuity.sparkle-key",
            ],
        ),
        (fixture!("continuity/other-key.app.zip"), &[]),
        (
            fixture!("continuity/unsigned.app.zip"),
            &["continuity.team-id", "continuity.requirement"],
        ),
    ];
    for old in [OLD, IMPLICIT] {
        for (new, expected) in cases {
            let report = compared(&[app(old)], &[app(new)]);
            assert_eq!(failed(&report), expected, "{report:#?}");
        }
    }
}

/// Sparkle: one of the key and the code signature may change.
#[test]
fn keys_are_changed_one_at_a_time() {
    let cases: [(&[u8], &[u8], &[&str]); 4] = [
        (NEW, fixture!("continuity/new.appcast.xml"), &[]),
        (
            NEW,
            fixture!("continuity/wrong-key.appcast.xml"),
            &["continuity.sparkle-key"],
        ),
        (
            fixture!("continuity/other-key.app.zip"),
            fixture!("continuity/other-key.appcast.xml"),
            &[],
        ),
        (
            fixture!("continuity/other-key-and-team.app.zip"),
            fixture!("continuity/other-key-and-team.appcast.xml"),
            &[
                "continuity.team-id",
                "continuity.requirement",
                "continuity.sparkle-key",
            ],
        ),
    ];
    for (bytes, appcast, expected) in cases {
        let (old, mut new) = (app(OLD), app(bytes));
        with_appcast(&old, &mut new, bytes, appcast);
        assert_eq!(failed(&compared(&[old], &[new])), expected);
    }
    // Bytes that changed behind the appcast.
    let spoilt = [NEW, b"x"].concat();
    let (old, mut new) = (app(OLD), app(NEW));
    with_appcast(
        &old,
        &mut new,
        &spoilt,
        fixture!("continuity/new.appcast.xml"),
    );
    assert_eq!(
        failed(&compared(&[old], &[new])),
        ["continuity.sparkle-key"]
    );
}

/// Listed without a signature, an archive is one that installed apps download and refuse: not one that no appcast lists.
#[test]
fn an_archive_that_is_listed_has_a_signature() {
    let (old, mut new) = (app(OLD), app(NEW));
    assert_eq!(
        failed(&compared(
            std::slice::from_ref(&old),
            std::slice::from_ref(&new)
        )),
        [""; 0]
    );
    new.sparkle = InAppcasts::Unsigned;
    let report = compared(&[old], &[new]);
    assert_eq!(failed(&report), ["continuity.sparkle-key"]);
}

#[test]
fn what_shrinks_and_what_is_missing_is_noted() {
    let newer = app(fixture!("continuity/newer-system.app.zip"));
    let report = compared(&[app(OLD)], &[newer]);
    assert_eq!(failed(&report), [""; 0]);
    let said = notes(&report);
    assert!(
        said.contains("`LSMinimumSystemVersion` changes from `11.0` to `13.0`"),
        "{said}"
    );
    assert!(said.contains("`SUFeedURL` changes"), "{said}");
    let report = compared(&[app(AD_HOC)], &[app(NEW)]);
    assert_eq!(failed(&report), [""; 0]);
    assert!(notes(&report).contains("signed by nobody who is trusted"));
    // An archive in which there is no app any more.
    let report = compared(&[app(OLD)], &[app(fixture!("archives/gnu.tar"))]);
    assert_eq!(failed(&report), ["continuity.bundle-id"]);
    // A platform that is gone, one that is new, and an artifact with nothing to ask.
    let linux = released(Platform::LinuxX64, Kind::TarGz, b"nothing that is signed");
    let report = compared(&[app(OLD), linux.clone()], &[app(NEW)]);
    assert!(notes(&report).contains("has no successor in this release"));
    let report = compared(std::slice::from_ref(&linux), &[app(NEW), linux.clone()]);
    let said = notes(&report);
    assert!(said.contains("is new: not applicable"), "{said}");
    assert!(
        said.contains("not applicable: the previous artifact carries nothing"),
        "{said}"
    );
}

#[test]
fn keys_that_users_keep_are_compared() {
    use crate::checks::{DEB_SIGNED, MINISIGN_PRESENT, OPENPGP_KEY, OPENPGP_SIGNATURE};
    let of = |checks: &[Check]| {
        let mut old = released(Platform::LinuxX64, Kind::Deb, b"a package");
        old.keyed = checks.to_vec();
        let new = released(Platform::LinuxX64, Kind::Deb, b"a package");
        // It is no package here, and what is broken is said before.
        old.facts = Facts::default();
        compared(&[old], &[new])
    };
    let good = Check::pass(OPENPGP_SIGNATURE, "made by the key");
    let report = of(std::slice::from_ref(&good));
    assert_eq!(passed(&report), ["continuity.key"]);
    let report = of(&[good, Check::fail(OPENPGP_KEY, "made by another key")]);
    assert_eq!(failed(&report), ["continuity.key"]);
    for absent in [MINISIGN_PRESENT, DEB_SIGNED] {
        let report = of(&[Check::fail(absent, "there is none")]);
        assert_eq!((failed(&report), passed(&report)), (vec![], vec![]));
        assert!(notes(&report).contains("not applicable: the previous artifact has no signature"));
    }
}

/// A previous release that is not what users have proves nothing.
#[test]
fn a_previous_release_that_is_spoilt_is_refused() {
    let mut spoilt = OLD.to_vec();
    let middle = spoilt.len() / 2;
    spoilt[middle] ^= 1;
    let report = compared(&[app(&spoilt)], &[app(NEW)]);
    assert_eq!(failed(&report), ["continuity.readable"], "{report:#?}");
    // The same of a new one, of which nothing would be known.
    let report = compared(&[app(OLD)], &[app(&spoilt)]);
    assert_eq!(failed(&report), ["continuity.readable"], "{report:#?}");
}

#[test]
fn windows_knows_programs_by_their_signers_and_packages_by_their_names() {
    let exe = |bytes| released(Platform::WindowsX64, Kind::Nsis, bytes);
    let signed = fixture!("pki/signed.exe");
    let late = fixture!("pki/pages.exe");
    let report = compared(&[exe(signed)], &[exe(late)]);
    assert_eq!(
        (passed(&report), failed(&report)),
        (vec!["continuity.identity"], vec![])
    );
    let mut spoilt = signed.to_vec();
    spoilt[0x300] ^= 1;
    let report = compared(&[exe(signed)], &[exe(&spoilt)]);
    assert_eq!(failed(&report), ["continuity.identity"]);
    let report = compared(&[exe(&spoilt)], &[exe(signed)]);
    assert_eq!(failed(&report), ["continuity.readable"]);
    // Azure's durable identity is the same after each renewal, whatever the organization.
    let report = compared(&[exe(fixture!("pki/azure.exe"))], &[exe(signed)]);
    assert_eq!(failed(&report), [""; 0], "the organization is the same");
    let package = |bytes| released(Platform::WindowsX64, Kind::Msix, bytes);
    let msix = fixture!("zipped/signed.msix");
    let report = compared(&[package(msix)], &[package(msix)]);
    assert_eq!(failed(&report), ["continuity.package"], "the same version");
    let other = package(fixture!("zipped/other-publisher.msix"));
    let report = compared(&[package(msix)], &[other]);
    assert!(failed(&report).contains(&"continuity.package"));
    let newer = |change: fn(&mut msix::Identity)| {
        let mut next = package(msix);
        let identity = next.facts.package.as_mut().expect("an identity");
        identity.version[0] += 1;
        change(identity);
        failed(&compared(&[package(msix)], &[next]))
    };
    assert_eq!(newer(|_| {}), [""; 0]);
    assert_eq!(newer(|it| it.name.push('x')), ["continuity.package"]);
    assert_eq!(newer(|it| it.publisher.push('x')), ["continuity.package"]);
    let mut next = package(msix);
    next.facts.package = None;
    assert_eq!(
        failed(&compared(&[package(msix)], &[next])),
        ["continuity.package"]
    );
}

/// A real app demands what its vendor stated: its own next version has it, and an app of somebody else has not.
#[test]
fn a_real_app_refuses_what_somebody_else_signed() {
    let Some(corpus) = crate::tests::shared() else {
        return;
    };
    let path = corpus.join("app/mitmproxy/Mitmproxy Redirector.app.tar");
    let bytes = std::fs::read(path).expect("a file of the corpus");
    let report = compared(&[app(&bytes)], &[app(&bytes)]);
    assert_eq!(failed(&report), [""; 0], "{report:#?}");
    assert!(passed(&report).contains(&"continuity.requirement"));
    let report = compared(&[app(&bytes)], &[app(NEW)]);
    let all = [
        "continuity.bundle-id",
        "continuity.team-id",
        "continuity.requirement",
    ];
    assert_eq!(failed(&report), all);
    let mut checks = report.checks();
    let said = checks.find(|it| it.id.as_str() == "continuity.requirement");
    let said = &said.expect("a check").reason;
    assert!(
        said.contains("demand `anchor apple generic and identifier \"org.mitmproxy"),
        "{said}"
    );
    assert!(said.contains("the code is `org.example.snake`"), "{said}");
    assert_eq!(
        failed(&compared(&[app(OLD)], &[app(&bytes)])),
        all_and_key(&all)
    );
}

/// What has no key cannot be believed by who has one.
fn all_and_key<'a>(all: &[&'a str]) -> Vec<&'a str> {
    [all, &["continuity.sparkle-key"]].concat()
}
