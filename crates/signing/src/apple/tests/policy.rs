//! A policy over whole artifacts: what an `apple` rule lets through.

use release::{FileName, Kind as ArtifactKind, Os, Platform};

use super::corpus::signer;
use super::*;
use crate::policy::{ContentsRule, Policy, Rules};
use crate::report::ArtifactReport;
use crate::verify::{Beside, Candidate, Context, Documents, conclude, examine};

fn examined(
    bytes: &[u8],
    rules: Rules,
    kind: ArtifactKind,
    allowed: bool,
) -> (Verdict, Vec<&'static str>, bool) {
    examined_with(bytes, rules, kind, allowed, None)
}

/// The same with a digest for what is allowed.
fn examined_with(
    bytes: &[u8],
    rules: Rules,
    kind: ArtifactKind,
    allowed: bool,
    sha256: Option<release::Sha256>,
) -> (Verdict, Vec<&'static str>, bool) {
    let artifact = report(bytes, rules, kind, allowed, sha256);
    let bad = artifact
        .checks
        .iter()
        .filter(|it| it.outcome == Outcome::Fail || it.outcome == Outcome::Unsupported);
    let bad = bad.map(|it| it.id.as_str()).collect();
    (artifact.verdict, bad, artifact.signature.is_some())
}

fn report(
    bytes: &[u8],
    rules: Rules,
    kind: ArtifactKind,
    allowed: bool,
    sha256: Option<release::Sha256>,
) -> ArtifactReport {
    let images = include_str!("../../../fixtures/apple/disk-images.pem");
    let trust = pki::trust().with_extra_roots(images).expect("a root");
    let mut policy = Policy {
        all: rules,
        ..Policy::default()
    };
    if allowed {
        policy.allow_unsigned.push(crate::Allowance {
            path: "dist/*".parse().expect("a glob"),
            reason: "made by others".to_owned(),
            until: "2027-01-01".parse().expect("a date"),
            sha256,
        });
    }
    let context = Context {
        policy: &policy,
        version: &"1.4.0".parse().expect("a version"),
        now: day(),
        documents: &Documents::default(),
        trust: &trust,
        wants_sha512: false,
        room: crate::walk::tests::room,
    };
    let name: FileName = "atlas".parse().expect("a name");
    let candidate = Candidate {
        path: "dist/atlas",
        name: &name,
        platform: Platform::MacosArm64,
        kind,
        size: bytes.len() as u64,
        beside: Beside::default(),
    };
    let found = examine(context, &candidate, &mut Cursor::new(bytes), &mut |_| {});
    let mut report = conclude(context, vec![found.expect("bytes in memory")]);
    report.artifacts.remove(0)
}

fn rules(team: &str) -> Rules {
    Rules {
        apple: Some(signer(team)),
        ..Rules::default()
    }
}

#[test]
fn only_what_the_team_signed_passes() {
    let run = |bytes: &[u8], team: &str| examined(bytes, rules(team), ArtifactKind::Binary, false);
    let good = pki::good();
    assert_eq!(run(good, pki::TEAM), (Verdict::Valid, vec![], true));
    let other = run(good, "G43BCU2T37");
    assert_eq!(other, (Verdict::Invalid, vec!["identity.team-id"], true));
    let mut changed = good.to_vec();
    changed[2000] ^= 1;
    let changed = run(&changed, pki::TEAM);
    assert_eq!(changed, (Verdict::Invalid, vec!["macho.page-hashes"], true));
}

#[test]
fn what_nobody_signed_passes_only_where_that_is_allowed() {
    // The load command of the signature becomes another one: no signature is left.
    let mut bare = pki::good().to_vec();
    bare[32 + 72] = 0x1e;
    let run = |allowed| examined(&bare, rules(pki::TEAM), ArtifactKind::Binary, allowed);
    assert_eq!(run(false), (Verdict::Unsigned, vec!["macho.signed"], true));
    assert_eq!(run(true).0, Verdict::Allowed);
    // Ad hoc is a signature that nobody can be held to, and not the absence of one.
    let ad_hoc = examined(&noise::tiny(), rules(pki::TEAM), ArtifactKind::Binary, true);
    assert_eq!(ad_hoc.0, Verdict::Invalid);
    assert!(ad_hoc.1.contains(&"apple.ad-hoc"), "{ad_hoc:?}");
    // Linkers sign every program for arm64 like that, so that very file may be allowed, by its digest.
    let only = |digest| {
        let tiny = noise::tiny();
        let rules = rules(pki::TEAM);
        examined_with(&tiny, rules, ArtifactKind::Binary, true, Some(digest)).0
    };
    let digest = release::Sha256::of(&noise::tiny());
    assert_eq!(only(digest), Verdict::Allowed);
    assert_ne!(only(release::Sha256::of(b"another")), Verdict::Allowed);
}

#[test]
fn rules_of_both_kinds_over_one_file_cannot_both_hold() {
    let both = Rules {
        authenticode: Some(crate::authenticode::Signer::default()),
        ..rules(pki::TEAM)
    };
    let found = examined(pki::good(), both, ArtifactKind::Binary, false);
    assert_eq!(
        found,
        (Verdict::Unsupported, vec!["format.unsupported"], true)
    );
}

#[test]
fn what_is_opened_as_something_else_is_not_judged_as_a_program() {
    let bare_package = b"xar! and no package";
    for kind in ArtifactKind::ALL {
        let run = |bytes: &[u8]| examined(bytes, rules(pki::TEAM), *kind, false);
        let unsupported = (Verdict::Unsupported, vec!["format.unsupported"], false);
        match kind {
            ArtifactKind::Binary | ArtifactKind::File => {
                assert_eq!(run(pki::good()).0, Verdict::Valid, "{kind}");
            }
            _ => assert_eq!(run(pki::good()), unsupported, "{kind}"),
        }
        match kind {
            ArtifactKind::Pkg | ArtifactKind::File => {
                let failed = vec!["pkg.parse", "contents.parse"];
                let invalid = (Verdict::Invalid, failed, true);
                assert_eq!(run(bare_package), invalid, "{kind}");
            }
            _ => assert_eq!(run(bare_package), unsupported, "{kind}"),
        }
    }
}

#[test]
fn a_disk_image_is_judged_as_one_only_where_it_is_opened_as_one() {
    let image = include_bytes!("../../../fixtures/apple/good.dmg");
    let run = |bytes: &[u8], kind| examined(bytes, rules(pki::TEAM), kind, false);
    for kind in ArtifactKind::ALL {
        let found = run(image, *kind);
        match kind {
            ArtifactKind::Dmg | ArtifactKind::File => {
                assert_eq!(found, (Verdict::Valid, vec![], true), "{kind}");
            }
            _ => assert_eq!(found.0, Verdict::Unsupported, "{kind}"),
        }
    }
    let other = examined(image, rules("G43BCU2T37"), ArtifactKind::Dmg, false);
    assert_eq!(other, (Verdict::Invalid, vec!["identity.team-id"], true));
    let mut changed = image.to_vec();
    changed[9] ^= 1;
    let found = run(&changed, ArtifactKind::File);
    let expected = vec!["dmg.data-checksum", "macho.page-hashes", "contents.parse"];
    assert_eq!(found, (Verdict::Invalid, expected, true));
    // Neither unsigned nor unsupported: nobody can say what is in it.
    let found = run(&image[..image.len() - 1], ArtifactKind::Dmg);
    assert_eq!(
        found,
        (Verdict::Invalid, vec!["dmg.parse", "contents.parse"], true)
    );
}

#[test]
fn a_package_is_held_to_the_rules_with_all_that_is_inside() {
    let Some(bytes) = package("3.2.0") else {
        return;
    };
    let run = |rules, kind| examined(&bytes, rules, kind, false);
    let team = "G43BCU2T37";
    for kind in [ArtifactKind::Pkg, ArtifactKind::File] {
        let found = run(rules(team), kind);
        assert_eq!(found, (Verdict::Valid, vec![], true), "{kind}");
        let other = run(rules(pki::TEAM), kind);
        assert_eq!(other, (Verdict::Invalid, vec!["identity.team-id"], true));
        // No archive, whose own signature nobody needs to ask for.
        let windows = Rules {
            authenticode: Some(crate::authenticode::Signer::default()),
            ..Rules::default()
        };
        let both = Rules {
            apple: Some(signer(team)),
            ..windows.clone()
        };
        let found = run(windows, kind);
        assert_eq!(found.0, Verdict::Unsupported, "{kind}");
        let found = run(both, kind);
        assert_eq!(found.0, Verdict::Unsupported, "{kind}");
    }
    for kind in [ArtifactKind::Zip, ArtifactKind::TarGz, ArtifactKind::Dmg] {
        let found = run(rules(team), kind);
        let expected = (Verdict::Unsupported, vec!["format.unsupported"], false);
        assert_eq!(found, expected, "{kind}");
    }
    // An archive is no package, whatever it is called.
    let tar = crate::tar::tests::archive(&[crate::tar::tests::member("a", b'0', pki::good())]);
    let found = examined(&tar, rules(pki::TEAM), ArtifactKind::Pkg, false);
    assert_eq!(found.0, Verdict::Unsupported);
}

/// Where the rules say that the signature of the whole is enough, nobody looks inside. The rules for a system come first.
#[test]
fn what_is_inside_need_not_be_signed_where_the_rules_say_so() {
    let Some(bytes) = package("3.2.0") else {
        return;
    };
    let inside = |contents| {
        let rules = Rules {
            contents,
            ..rules("G43BCU2T37")
        };
        let report = report(&bytes, rules, ArtifactKind::Pkg, false, None);
        assert_eq!(report.verdict, Verdict::Valid, "{contents:?}");
        report.contents.map_or(0, |contents| contents.leaves.len())
    };
    assert!(inside(None) > 0);
    assert!(inside(Some(ContentsRule::Required)) > 0);
    assert_eq!(inside(Some(ContentsRule::Optional)), 0);
    let mut policy = Policy::default();
    policy.all.contents = Some(ContentsRule::Required);
    assert_eq!(policy.contents(Os::Macos), ContentsRule::Required);
    let macos = policy.by_os.entry(Os::Macos).or_default();
    macos.contents = Some(ContentsRule::Optional);
    assert_eq!(policy.contents(Os::Macos), ContentsRule::Optional);
    assert_eq!(policy.contents(Os::Windows), ContentsRule::Required);
}

/// Without a ticket the notary says nothing of the programs in a package, but they were looked at here.
#[test]
fn the_runtime_of_a_package_is_that_of_the_programs_in_it() {
    let Some(mut bytes) = package("3.2.0") else {
        return;
    };
    bytes.truncate(find(&bytes, b"t8lr"));
    let team = "G43BCU2T37";
    let run = |rules| examined(&bytes, rules, ArtifactKind::Pkg, false);
    let found = run(rules(team));
    assert_eq!(found, (Verdict::Invalid, vec!["apple.notarized"], true));
    let mut unnotarized = signer(team);
    unnotarized.notarized = Notarized::MayBeMissing;
    let found = run(Rules {
        apple: Some(unnotarized),
        ..Rules::default()
    });
    assert_eq!(found, (Verdict::Valid, vec![], true));
}
