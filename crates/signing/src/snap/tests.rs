//! Snaps with assertions that snapd's own `snap sign` 2.57.6 made, and with those of a store of our own.

mod mutants;
mod store;

use super::*;
use crate::tests::{day, time};

const SNAP: &[u8] = include_bytes!("../../fixtures/snap/hello.snap");
const SIGNED: &[u8] = include_bytes!("../../fixtures/snap/hello.assert");
/// The key of the store that signed those.
const STORE: &str = "pAg2ItHmkEOrc9GLcgUpSZVhX8pvYUxOQXliS0jwY5h_SZ2I516UbMmNrvwpBUsY";

fn hello(key: Option<&str>) -> SnapRule {
    SnapRule {
        account: "snakeoil".to_owned(),
        name: "hello".to_owned(),
        key: key.map(|key| key.parse().expect("a key")),
    }
}

fn subject(snap: &[u8]) -> Subject {
    let mut hasher = Hasher::default();
    snap.chunks(1000).for_each(|piece| hasher.update(piece));
    hasher.finish()
}

/// The ids of what did not pass.
fn failed(checks: &[Check]) -> Vec<&'static str> {
    for check in checks {
        assert!(!check.reason.chars().any(char::is_control), "{check:?}");
    }
    let failed = checks.iter().filter(|check| !check.is_pass());
    failed.map(|check| check.id.as_str()).collect()
}

fn look(snap: &[u8], assertions: Option<&[u8]>, rule: &SnapRule) -> Vec<Check> {
    judge(assertions, rule, &subject(snap), "hello.snap", day())
}

#[test]
fn what_snapd_signed_is_good_where_its_key_is_pinned() {
    let checks = look(SNAP, Some(SIGNED), &hello(Some(STORE)));
    assert_eq!(failed(&checks), [""; 0], "{checks:#?}");
    let ids: Vec<_> = checks.iter().map(|check| check.id.as_str()).collect();
    let twice = ["snap.key", "snap.signature", "snap.time"];
    let expected = [
        &["snap.publisher", "snap.present"][..],
        &["snap.revision", "snap.declaration"],
        &twice,
        &twice,
    ];
    assert_eq!(ids, expected.concat());
    // Nobody whom the root key knows signed it.
    assert_eq!(
        failed(&look(SNAP, Some(SIGNED), &hello(None))),
        ["snap.key"]
    );
    let other = "-CvQKAwRQ5h3Ffn10FILJoEZUXOv6km9FwA80-Rcj-f-6jadQ89VRswHNiEB9Lxk";
    assert_eq!(
        failed(&look(SNAP, Some(SIGNED), &hello(Some(other)))),
        ["snap.key"]
    );
    for (account, name) in [("snakeoil", "hullo"), ("SnakeOil", "hello"), ("", "hello")] {
        let rule = SnapRule {
            account: account.to_owned(),
            name: name.to_owned(),
            ..hello(Some(STORE))
        };
        assert_eq!(failed(&look(SNAP, Some(SIGNED), &rule)), ["snap.publisher"]);
    }
    let mut spoilt = SNAP.to_vec();
    spoilt[200] ^= 1;
    assert_eq!(
        failed(&look(&spoilt, Some(SIGNED), &hello(Some(STORE)))),
        ["snap.revision"]
    );
    assert_eq!(
        failed(&look(SNAP, None, &hello(Some(STORE)))),
        ["snap.present"]
    );
    // Of a day before it was said.
    let early = judge(
        Some(SIGNED),
        &hello(Some(STORE)),
        &subject(SNAP),
        "hello.snap",
        time("2026-05-01T00:00:00Z"),
    );
    assert_eq!(failed(&early), ["snap.time"]);
}

/// No assertion of the public store is at hand, but Canonical signed its root key with itself, as it signs the others.
#[test]
fn the_root_key_is_what_it_is_called_and_signed_itself() {
    let found = assertions(ROOT).expect("an assertion");
    let [root] = &found[..] else {
        panic!("{found:#?}");
    };
    assert_eq!(root.header("public-key-sha3-384"), Some(ROOT_KEY));
    vouched_for(root).expect("signed by itself");
    good_at(root, [day(), day()]).expect("good");
    let text = String::from_utf8(ROOT.to_vec()).expect("text");
    for (from, to) in [
        ("name: root", "name: toor"),
        ("since: 2016", "since: 2015"),
        ("account-id: canonical", "account-id: canonicaI"),
        ("revision: 2", "revision: 3"),
        // A byte of the key, and one of the signature.
        ("\n\nAcbDTQRWhcGAASAA4Z", "\n\nAcbDTQRWhcGAASAA4Y"),
        ("IA9hIADAkn4V", "IA9hIADAkn4W"),
    ] {
        assert!(text.contains(from), "{from}");
        let copy = text.replace(from, to).into_bytes();
        let found = assertions(&copy).expect("an assertion");
        assert!(vouched_for(&found[0]).is_err(), "{from}");
    }
}

#[test]
fn keys_have_names_of_64_letters() {
    let key: KeyId = STORE.parse().expect("a key");
    assert_eq!(key.to_string(), STORE);
    assert_eq!(format!("{key:?}"), STORE);
    for wrong in [
        "",
        "store",
        &STORE[1..],
        &format!("{STORE}="),
        &STORE.replace('_', "/"),
    ] {
        let error = wrong.parse::<KeyId>().expect_err(wrong);
        assert!(error.to_string().contains("`snap keys`"), "{error}");
    }
}
