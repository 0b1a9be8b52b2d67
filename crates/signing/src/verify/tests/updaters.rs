//! Rules about what the updaters of apps verify: Tauri's and Sparkle's.

use super::*;
use crate::sparkle::{self, Appcast};

const TAURI: &[u8] = include_bytes!("../../../fixtures/tauri/atlas.app.tar.gz");
const TAURI_SIGNATURE: &[u8] = include_bytes!("../../../fixtures/tauri/atlas.app.tar.gz.sig");
const ARCHIVE: &[u8] = b"not really an application\n";

fn tauri() -> Build {
    let mut build = Build::new();
    let key = include_str!("../../../fixtures/tauri/snake-oil.pub");
    build.policy.all = Rules {
        tauri: Some(key.parse().expect("a key")),
        ..Rules::default()
    };
    build
}

#[test]
fn tauri_signs_what_its_updater_takes() {
    let build = tauri();
    let of = |kind: Kind, bytes: &[u8], tauri: Option<&[u8]>| {
        let beside = Beside {
            tauri,
            ..Beside::default()
        };
        failed(&build.examine_as("atlas.bin", kind, bytes, beside, &[]))
    };
    assert_eq!(
        of(Kind::TarGz, TAURI, Some(TAURI_SIGNATURE)),
        (Verdict::Valid, vec![])
    );
    assert_eq!(
        of(Kind::TarGz, BYTES, Some(TAURI_SIGNATURE)),
        (Verdict::Invalid, vec!["tauri.signature"])
    );
    assert_eq!(
        of(Kind::TarGz, TAURI, None),
        (Verdict::Unsigned, vec!["tauri.present"])
    );
    // A signature of another tool is not an absent one.
    assert_eq!(
        of(Kind::TarGz, TAURI, Some(b"\x88\x75\x04")),
        (Verdict::Invalid, vec!["tauri.present"])
    );
    // What no updater of Tauri's takes needs none, and then no rule covers it.
    for kind in [Kind::Dmg, Kind::Pkg] {
        assert_eq!(
            of(kind, TAURI, None),
            (Verdict::Unsupported, vec!["format.unsupported"])
        );
        let wrong = of(kind, BYTES, Some(TAURI_SIGNATURE));
        assert_eq!(wrong, (Verdict::Invalid, vec!["tauri.signature"]));
    }
}

#[test]
fn the_signatures_of_tauri_and_openpgp_are_told_apart_by_what_they_are() {
    assert!(crate::tauri::is_signature(TAURI_SIGNATURE));
    let armored = include_bytes!("../../../fixtures/openpgp/atlas.tar.gz.asc");
    let minisig = include_bytes!("../../../fixtures/hello-1.4.0.txt.minisig");
    for other in [armored.as_slice(), minisig, b"\x88\x75\x04", b""] {
        assert!(!crate::tauri::is_signature(other));
    }
}

fn sparkle_rule() -> sparkle::Rule {
    let key = "ORhpwz8wTOiVPn+EMhtg7EKAUbjKGKJuCxOFqtC6FUg=";
    sparkle::Rule {
        key: key.parse().expect("a key"),
        appcast: "dist/appcast.xml".to_owned(),
    }
}

#[test]
fn an_appcast_and_a_release_name_the_same_files() {
    let mut build = Build::new();
    build.policy.all = Rules {
        sparkle: Some(sparkle_rule()),
        ..Rules::default()
    };
    let signature =
        "PDt3kp70nD9DO5LMn55CXl/7d1EQWT21EQgQ6C2aVDhny3dLiztWiSkPEToWux1JVyag0Pu7r1Fu9qVFaFCnDA==";
    let item = |file: &str| {
        format!(
            "<item><sparkle:version>1.4.0</sparkle:version><enclosure url=\"{file}\" length=\"26\" sparkle:edSignature=\"{signature}\"/></item>"
        )
    };
    let of = |items: &str, bytes: &[u8]| {
        let text = format!(
            "<rss xmlns:sparkle=\"http://www.andymatuschak.org/xml-namespaces/sparkle\"><channel>{items}</channel></rss>"
        );
        let appcast = Appcast::read(&sparkle_rule(), Some(text.as_bytes()), &build.version);
        let documents = Documents {
            appcasts: vec![appcast],
            ..Documents::default()
        };
        let name = "atlas.zip";
        let report = build.examine_with(name, Kind::File, bytes, Beside::default(), &documents);
        failed(&report)
    };
    let good = item("atlas.zip");
    assert_eq!(of(&good, ARCHIVE), (Verdict::Valid, vec![]));
    assert_eq!(
        of(&good, b"not really an Application\n"),
        (Verdict::Invalid, vec!["sparkle.signature"])
    );
    let missing = (Verdict::Unsigned, vec!["sparkle.coverage", "sparkle.extra"]);
    assert_eq!(of(&item("other.zip"), ARCHIVE), missing);
    let more = of(&(good + &item("other.zip")), ARCHIVE);
    assert_eq!(more, (Verdict::Valid, vec!["sparkle.extra"]));
    // One that nobody read proves nothing.
    let nothing = Documents::default();
    let report = build.examine_with("a.zip", Kind::File, ARCHIVE, Beside::default(), &nothing);
    assert_eq!(failed(&report), (Verdict::Invalid, vec!["sparkle.appcast"]));
}
