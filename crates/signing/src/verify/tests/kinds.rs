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
