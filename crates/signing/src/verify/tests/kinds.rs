//! A kind says what opens an artifact, and as that it is judged.

use super::*;

/// Room that nobody signs can hold the end of a zip archive, and then a signed program is what unpackers find in it.
#[test]
fn a_program_is_judged_as_one_only_where_it_is_started() {
    let mut build = Build::new();
    let roots = include_str!("../../../fixtures/pki/certificates.pem");
    build.trust = Trust::microsoft().with_extra_roots(roots).expect("roots");
    build.policy.all = Rules {
        authenticode: Some(authenticode::Signer {
            organization: Some("Snake Oil Ltd".to_owned()),
            ..authenticode::Signer::default()
        }),
        ..Rules::default()
    };
    let program = include_bytes!("../../../fixtures/pki/signed.exe");
    let of = |name: &str, kind: Kind| {
        let report = build.examine_as(name, kind, program, Beside::default(), &[]);
        failed(&report).1
    };
    let as_program = of("atlas-1.4.0.exe", Kind::Nsis);
    assert!(
        !as_program.contains(&"format.unsupported"),
        "{as_program:?}"
    );
    for kind in Kind::ALL {
        let is_itself = matches!(kind, Kind::Nsis | Kind::Exe | Kind::File);
        let ids = of("atlas-1.4.0.exe", *kind);
        assert_eq!(
            ids.contains(&"format.unsupported"),
            !is_itself,
            "{kind}: {ids:?}"
        );
    }
    // An archive is what its kind or its name says, whatever can be read of it in another way.
    use crate::tar::tests::{archive, member};
    let tar = archive(&[member("a.exe", b'0', program)]);
    let of_tar = |name: &str, kind: Kind| {
        let report = build.examine_as(name, kind, &tar, Beside::default(), &[]);
        failed(&report).1
    };
    for kind in [Kind::Zip, Kind::SquirrelFull, Kind::VelopackFull] {
        assert!(of_tar("a.zip", kind).contains(&"contents.parse"), "{kind}");
    }
    for (name, is_wrong) in [
        ("a.jar", true),
        ("a.bat", true),
        ("a.iso", true),
        ("a.tar", false),
    ] {
        let ids = of_tar(name, Kind::File);
        assert_eq!(ids.contains(&"contents.parse"), is_wrong, "{name}: {ids:?}");
    }
    let image = include_bytes!("../../../fixtures/archives/gzip.squashfs");
    let report = build.examine_as("a.squashfs", Kind::File, image, Beside::default(), &[]);
    assert!(!failed(&report).1.contains(&"contents.parse"));
    // What has no kind is opened by its name.
    for (name, is_wrong) in [
        ("a.exe", false),
        ("a.zip", true),
        ("a.jar", true),
        ("a.hta", true),
        ("a.node", false),
    ] {
        let ids = of(name, Kind::File);
        assert_eq!(ids.contains(&"contents.parse"), is_wrong, "{name}: {ids:?}");
    }
}

/// A script has no magic, so its name says what its signature looks like. Which kind it has says whether that is a name at all.
#[test]
fn a_script_is_judged_by_its_name() {
    let mut build = Build::new();
    build.trust = crate::script::tests::trust();
    build.policy.all = Rules {
        authenticode: Some(authenticode::Signer {
            organization: Some("Snake Oil Ltd".to_owned()),
            ..authenticode::Signer::default()
        }),
        ..Rules::default()
    };
    let signed = include_bytes!("../../../fixtures/scripts/signed.ps1");
    let plain = include_bytes!("../../../fixtures/scripts/plain.ps1");
    let of = |name: &str, kind: Kind, bytes: &[u8]| {
        failed(&build.examine_as(name, kind, bytes, Beside::default(), &[])).1
    };
    assert_eq!(of("install.ps1", Kind::File, signed), [""; 0]);
    assert_eq!(of("install.ps1", Kind::File, plain), ["script.signed"]);
    assert_eq!(of("install.vbs", Kind::File, signed), ["script.signed"]);
    // Not a script of that language, or of any.
    for (name, kind) in [
        ("install.ps1", Kind::Exe),
        ("install.ps1", Kind::Zip),
        ("install.cmd", Kind::File),
        ("install.exe", Kind::File),
    ] {
        assert!(!of(name, kind, signed).is_empty(), "{name} as {kind}");
    }
}

/// A rule about signatures of Windows asks them of scripts, and one about Apple's does not.
#[test]
fn scripts_inside_are_asked_for_what_windows_asks() {
    use crate::tar::tests::{archive, member};
    let mut build = Build::new();
    build.trust = crate::script::tests::trust();
    let windows = Rules {
        authenticode: Some(authenticode::Signer {
            organization: Some("Snake Oil Ltd".to_owned()),
            ..authenticode::Signer::default()
        }),
        ..Rules::default()
    };
    let apple = Rules {
        apple: Some(apple::Signer {
            team_id: "SNAKEOIL01".to_owned(),
            hardened_runtime: apple::HardenedRuntime::Required,
            notarized: apple::Notarized::Required,
        }),
        ..Rules::default()
    };
    let plain = include_bytes!("../../../fixtures/scripts/plain.ps1");
    let signed = include_bytes!("../../../fixtures/scripts/signed.ps1");
    let mut of = |rules: &Rules, script: &[u8]| {
        build.policy.all = rules.clone();
        let bytes = archive(&[member("install.ps1", b'0', script)]);
        let name = "atlas.tar";
        let report = build.examine_as(name, Kind::File, &bytes, Beside::default(), &[]);
        let contents = report.artifacts[0].contents.as_ref().expect("an inside");
        let leaves = contents.leaves.iter();
        let leaves: Vec<_> = leaves
            .map(|leaf| (leaf.path.clone(), leaf.verdict))
            .collect();
        (leaves, failed(&report).1)
    };
    let path = "dist/atlas.tar!/install.ps1".to_owned();
    assert_eq!(
        of(&windows, signed),
        (vec![(path.clone(), Verdict::Valid)], vec![])
    );
    let unsigned = vec![(path, Verdict::Unsigned)];
    assert_eq!(of(&windows, plain).0, unsigned);
    assert_eq!(of(&apple, plain), (vec![], vec!["contents.signed"]));
}
