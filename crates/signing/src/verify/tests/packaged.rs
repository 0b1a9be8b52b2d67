//! Signatures of OpenPGP that lie in an artifact, by the key that a policy pins.

use super::*;
use crate::openpgp::tests::owner::{Owner, SIGNED, Terms};
use crate::policy::OpenPgpRule;

/// What is found of an AppImage, or of what is called one.
fn appimage(owner: &Owner, bytes: &[u8], kind: Kind, openpgp: Option<&[u8]>) -> ReleaseReport {
    let rule = OpenPgpRule {
        key: "keys.asc".to_owned(),
        fingerprint: owner.fingerprint(),
    };
    let all = Rules {
        openpgp: Some(rule),
        ..Rules::default()
    };
    let policy = Policy {
        all,
        ..Policy::default()
    };
    let keys = OpenPgpKeys::parse(&owner.export(&owner.certificate())).expect("keys");
    let documents = Documents {
        keys: BTreeMap::from([("keys.asc".to_owned(), keys)]),
        ..Documents::default()
    };
    let name: FileName = "Atlas.AppImage".parse().expect("a name");
    let candidate = Candidate {
        path: "dist/Atlas.AppImage",
        name: &name,
        platform: Platform::LinuxX64,
        kind,
        size: bytes.len() as u64,
        beside: Beside {
            openpgp,
            ..Beside::default()
        },
    };
    let context = Context {
        policy: &policy,
        version: &"1.4.0".parse().expect("a version"),
        now: day(),
        documents: &documents,
        trust: &Trust::nothing(),
        wants_sha512: false,
        room: || Ok(Box::new(Cursor::new(Vec::new()))),
    };
    let examined = examine(context, &candidate, &mut Cursor::new(bytes), &mut |_| {});
    conclude(context, vec![examined.expect("readable")])
}

#[test]
fn an_appimage_is_signed_inside_where_nothing_stands_beside_it() {
    let (owner, stranger) = (Owner::new(1), Owner::new(9));
    let signed = crate::appimage::tests::signed_by(&owner);
    let by_stranger = crate::appimage::tests::signed_by(&stranger);
    let plain = crate::appimage::tests::of_programs();
    let mut unmarked = signed.clone();
    unmarked[8] = 0;
    let beside = |owner: &Owner, bytes: &[u8]| Some(owner.sign(bytes, &Terms::at(SIGNED)));
    let absent = Verdict::Unsigned;
    for (what, bytes, openpgp, verdict, expected) in [
        ("inside", &signed, None, Verdict::Valid, None),
        (
            "by another key",
            &by_stranger,
            None,
            Verdict::Invalid,
            Some("openpgp.key"),
        ),
        ("nowhere", &plain, None, absent, Some("appimage.signed")),
        (
            "called one",
            &unmarked,
            None,
            Verdict::Invalid,
            Some("appimage.parse"),
        ),
        (
            "beside",
            &plain,
            beside(&owner, &plain),
            Verdict::Valid,
            None,
        ),
        // What stands beside it counts, whatever is inside.
        (
            "beside, of another file",
            &signed,
            beside(&owner, &plain),
            Verdict::Invalid,
            Some("openpgp.signature"),
        ),
        (
            "beside, by another key",
            &signed,
            beside(&stranger, &signed),
            Verdict::Invalid,
            Some("openpgp.key"),
        ),
    ] {
        let report = appimage(&owner, bytes, Kind::AppImage, openpgp.as_deref());
        let found = failed(&report);
        let expected: Vec<_> = expected.into_iter().collect();
        assert_eq!(found, (verdict, expected), "{what}");
    }
    // A program of no kind that has the mark is one too; one that has not is signed beside it.
    let report = appimage(&owner, &signed, Kind::File, None);
    assert_eq!(failed(&report).0, Verdict::Valid);
    let report = appimage(&owner, &unmarked, Kind::Binary, None);
    assert_eq!(failed(&report).1, ["openpgp.present"]);
}
