//! One thing wrong.

use proptest::prelude::*;

use super::store::{Said, Store};
use super::*;
use crate::tests::find;

type Mutant = (&'static str, &'static str, fn(&mut Vec<Said>));

/// Changes a letter of the last number that a signature has; the fields before it are signed in part only.
fn flip_signature(file: &mut [u8]) {
    let at = file.len() - 40;
    file[at] = if file[at] == b'A' { b'B' } else { b'A' };
}

const KEY: usize = 0;
const REVISION: usize = 1;
const DECLARATION: usize = 2;

const MUTANTS: &[Mutant] = &[
    ("no key", "snap.key", |it| drop(it.remove(KEY))),
    ("no revision", "snap.revision", |it| {
        drop(it.remove(REVISION))
    }),
    ("no declaration", "snap.declaration", |it| {
        drop(it.remove(DECLARATION))
    }),
    ("nothing", "snap.revision", Vec::clear),
    ("two revisions of it", "snap.revision", |it| {
        let mut other = Store::new(1).says(SNAP)[REVISION].headers.clone();
        other[5].1 = "8".to_owned();
        let other = Said {
            headers: other,
            body: Vec::new(),
            behind: |_| {},
        };
        it.push(other);
    }),
    ("two declarations of it", "snap.declaration", |it| {
        let headers = it[DECLARATION].headers.clone();
        it.push(Said {
            headers,
            body: Vec::new(),
            behind: |_| {},
        });
    }),
    ("the key twice", "snap.key", |it| {
        let (headers, body) = (it[KEY].headers.clone(), it[KEY].body.clone());
        it.push(Said {
            headers,
            body,
            behind: |_| {},
        });
    }),
    ("size", "snap.revision", |it| {
        it[REVISION].set("snap-size", "4095")
    }),
    ("size that is no number", "snap.revision", |it| {
        it[REVISION].set("snap-size", "+4096")
    }),
    ("digest of another file", "snap.revision", |it| {
        it[REVISION].set("snap-sha3-384", STORE)
    }),
    ("by others than the store", "snap.revision", |it| {
        it[REVISION].add("provenance", "delegated")
    }),
    ("another snap", "snap.declaration", |it| {
        it[REVISION].set("snap-id", "other-id")
    }),
    ("no snap", "snap.declaration", |it| {
        it[REVISION].set("snap-id", "");
        it[DECLARATION].set("snap-id", "");
    }),
    ("another series", "snap.declaration", |it| {
        it[DECLARATION].set("series", "18")
    }),
    ("another name", "snap.publisher", |it| {
        it[DECLARATION].set("snap-name", "hullo")
    }),
    ("withdrawn, so without a name", "snap.publisher", |it| {
        it[DECLARATION].set("snap-name", "")
    }),
    ("another account", "snap.publisher", |it| {
        it[DECLARATION].set("publisher-id", "canonical")
    }),
    ("account of several lines", "snap.publisher", |it| {
        it[DECLARATION].set("publisher-id", "\n    snakeoil")
    }),
    ("said by another authority", "snap.key", |it| {
        it[REVISION].set("authority-id", "canonical")
    }),
    ("said by nobody", "snap.key", |it| {
        it[DECLARATION].remove("authority-id");
        it[KEY].set("account-id", "");
    }),
    ("another key", "snap.key", |it| {
        it[REVISION].add("sign-key-sha3-384", STORE)
    }),
    ("key of another name", "snap.key", |it| {
        it[KEY].set("public-key-sha3-384", STORE);
        it[REVISION].add("sign-key-sha3-384", STORE);
        it[DECLARATION].add("sign-key-sha3-384", STORE);
    }),
    ("key that is not for everything", "snap.key", |it| {
        it[KEY].add("constraints", "\n  -\n    headers:\n      type: model")
    }),
    ("revision changed after signing", "snap.signature", |it| {
        it[REVISION].behind = |file| {
            let at = find(file, b"snap-revision: 7") + 15;
            file[at] = b'8';
        };
    }),
    (
        "declaration changed after signing",
        "snap.signature",
        |it| {
            it[DECLARATION].behind = |file| {
                let at = find(file, b"allow-auto") + 5;
                file[at] = b'_';
            };
        },
    ),
    ("signature of the revision", "snap.signature", |it| {
        it[REVISION].behind = |file| flip_signature(file)
    }),
    ("signature of the declaration", "snap.signature", |it| {
        it[DECLARATION].behind = |file| flip_signature(file)
    }),
    ("said tomorrow", "snap.time", |it| {
        it[REVISION].set("timestamp", "2026-11-24T00:00:00Z")
    }),
    ("time that is none", "snap.time", |it| {
        it[REVISION].set("timestamp", "June")
    }),
    ("no time", "snap.time", |it| {
        it[DECLARATION].remove("timestamp")
    }),
    ("cut", "snap.present", |it| {
        it[DECLARATION].behind = |file| file.truncate(100)
    }),
    ("length of the body", "snap.present", |it| {
        it[KEY].add("body-length", "99")
    }),
    ("length of the body with a sign", "snap.present", |it| {
        it[KEY].add("body-length", "+392")
    }),
    ("a header twice", "snap.present", |it| {
        it[REVISION].add("series", "16\nseries: 18")
    }),
    ("a header without a value", "snap.present", |it| {
        it[REVISION].add("series", "16\nseries")
    }),
    ("a name that is none", "snap.present", |it| {
        it[REVISION].add("Series", "16")
    }),
    ("lines that belong to nothing", "snap.present", |it| {
        it[REVISION].add("series", "16\n  more")
    }),
    ("version of the form", "snap.present", |it| {
        it[REVISION].behind = |file| {
            let mut windows = file.windows(2);
            let at = windows.rposition(|it| it == b"\n\n").expect("a signature") + 3;
            file[at] = b'g';
        };
    }),
    ("text behind", "snap.present", |it| {
        it[DECLARATION].behind = |file| file.extend(b"\nPK")
    }),
];

fn rule(store: &Store) -> SnapRule {
    hello(Some(&store.id()))
}

#[test]
fn each_mutant_fails_its_check() {
    let store = Store::new(1);
    let plain = store.file(&store.says(SNAP));
    let checks = look(SNAP, Some(&plain), &rule(&store));
    assert_eq!(failed(&checks), [""; 0], "{checks:#?}");
    let mut wrong = Vec::new();
    for (what, check, spoil) in MUTANTS {
        let mut said = Vec::from(store.says(SNAP));
        spoil(&mut said);
        let found = failed(&look(SNAP, Some(&store.file(&said)), &rule(&store)));
        if found != [*check] {
            wrong.push(format!("{what}: expected {check}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Where no key is pinned, only the root key says whose one is.
#[test]
fn a_key_that_calls_itself_the_stores_is_not() {
    let store = Store::new(1);
    for (what, spoil, why) in [
        (
            "signed by itself",
            (|_| {}) as fn(&mut Said),
            "the root key did not sign it",
        ),
        (
            "said to be signed by the root key",
            |it| it.add("sign-key-sha3-384", ROOT_KEY),
            "the signature of the root key does not hold",
        ),
        (
            "of somebody whom the root key could know",
            |it| {
                it.add("sign-key-sha3-384", ROOT_KEY);
                it.set("account-id", "snakeoil");
            },
            "`account-id` is `snakeoil`",
        ),
        (
            "said by somebody else",
            |it| it.set("authority-id", "snakeoil"),
            "`authority-id` is `snakeoil`",
        ),
    ] {
        let mut said = store.says(SNAP);
        said.iter_mut()
            .for_each(|it| it.set("authority-id", "canonical"));
        said[KEY].set("account-id", "canonical");
        spoil(&mut said[KEY]);
        let checks = look(SNAP, Some(&store.file(&said)), &hello(None));
        assert_eq!(failed(&checks), ["snap.key"], "{what}");
        let reason = &checks.last().expect("a check").reason;
        assert!(reason.contains(why), "{what}: {reason}");
    }
}

/// The times of a key count where somebody vouches for them.
#[test]
fn keys_are_good_for_a_time() {
    let store = Store::new(1);
    for (since, until, is_good) in [
        ("2026-01-01T00:00:00Z", None, true),
        (
            "2026-01-01T02:00:00+02:00",
            Some("2027-01-01T00:00:00Z"),
            true,
        ),
        ("2026-06-02T00:00:00Z", None, false),
        ("2026-01-01T00:00:00Z", Some("2026-06-01T00:00:00Z"), false),
        ("2026-01-01T00:00:00Z", Some("2026-11-23T00:00:00Z"), false),
        ("2026-01-01T00:00:00Z", Some("never"), false),
        ("", None, false),
    ] {
        let [mut key, ..] = store.says(SNAP);
        key.set("since", since);
        until.into_iter().for_each(|until| key.add("until", until));
        let file = store.sign(&key);
        let found = assertions(&file).expect("an assertion");
        let said = time("2026-06-01T00:00:00Z");
        assert_eq!(
            good_at(&found[0], [said, day()]).is_ok(),
            is_good,
            "{since} {until:?}"
        );
    }
}

#[test]
fn files_are_read_to_a_limit() {
    let store = Store::new(1);
    let [_, revision, _] = store.says(SNAP);
    let one = [store.sign(&revision), b"\n".to_vec()].concat();
    assert_eq!(assertions(&one.repeat(64)).expect("assertions").len(), 64);
    assert!(assertions(&one.repeat(65)).is_err());
    assert!(assertions(&vec![b'a'; 5 * 1024 * 1024]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Anything may be written anywhere; the answer may be anything but a panic, and good only where nothing that is needed
    /// was changed.
    #[test]
    fn random_changes_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut copy = SIGNED.to_vec();
        for (at, byte) in changes {
            copy[at.index(SIGNED.len())] = byte;
        }
        if let Some(cut) = cut {
            copy.truncate(cut.index(SIGNED.len()));
        }
        if failed(&look(SNAP, Some(&copy), &hello(Some(STORE)))).is_empty() {
            // Of the key and the account nobody looks at the signature.
            let signed = |file: &[u8]| {
                let found = assertions(file).expect("assertions");
                let found = found.iter().filter(|it| it.text("type").starts_with("snap-"));
                found.map(|it| it.content.to_vec()).collect::<Vec<_>>()
            };
            prop_assert_eq!(signed(&copy), signed(SIGNED));
        }
    }
}
