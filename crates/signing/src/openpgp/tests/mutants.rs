//! Signatures and certificates with one thing wrong: the check that must fail, and what GnuPG thinks of it.

use pgp::composed::KeyType;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Notation, RevocationCode, SignatureType as T, SubpacketData as S};
use pgp::types::{
    Duration, KeyDetails as _, KeyVersion::V4, Password, RevocationKey, RevocationKeyClass,
};

use super::judge::{gpgv, sqv};
use super::owner::{Certificate, MADE, Owner, SIGNED, Terms, seconds, signed};
use super::{DATA, OpenPgpKeys, failed, look};
use crate::tests::{day, time};

/// What `gpgv` 2.2 says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gpgv {
    Refuses,
    /// For that reason; the list of these is what we differ in.
    Accepts(&'static str),
}
use Gpgv::{Accepts, Refuses};

/// gpgv(1): it takes all keys in its keyring for good, and does not look for expiry or revocation.
const TRUSTS: &str = "it does not look whether keys are expired or revoked";

/// What `sqv` 1.1 accepts of it, and why. It refuses all the rest.
const SQV_ACCEPTS: [(&str, &str); 6] = [
    ("a good one and a bad one", "one that is good is enough"),
    ("over text", "text is fine to it"),
    ("two times", "it takes one of them"),
    (
        "primary key revoked by somebody appointed",
        "the appointed key is not in its keyring",
    ),
    ("name revoked", "a revoked name revokes no key"),
    ("DSA", "it takes DSA of 2048 bits"),
];

struct Case {
    what: &'static str,
    keys: Vec<u8>,
    signature: Vec<u8>,
    fails: &'static str,
    gpgv: Gpgv,
}

fn revocation(code: RevocationCode, at: &'static str) -> Terms {
    Terms::at(at).say(S::RevocationReason(code, "why".into()))
}

fn good() -> Terms {
    Terms::at(SIGNED)
}

fn bound() -> Terms {
    Terms::at(MADE).for_signing()
}

/// Each of a signature that is wrong, by a key that is good.
fn of_signatures(owner: &Owner) -> Vec<Case> {
    let keys = owner.export(&owner.certificate());
    let case = |what, signature, fails, gpgv| Case {
        what,
        keys: keys.clone(),
        signature,
        fails,
        gpgv,
    };
    let sign = |terms: Terms| owner.sign(DATA, &terms);
    let of_type = |typ| signed(&owner.primary, typ, DATA, &good());
    let notation = || Notation {
        readable: true,
        name: "policy@snake.example".into(),
        value: "yes".into(),
    };
    let expired = S::SignatureExpirationTime(Duration::from_secs(60));
    let stranger = Owner::new(99);
    let mut flipped = sign(good());
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    let both = [sign(good()), flipped.clone()].concat();
    let twice = S::SignatureCreationTime(pgp::types::Timestamp::from_secs(seconds(MADE)));
    vec![
        case(
            "other data",
            owner.sign(b"other", &good()),
            "openpgp.signature",
            Refuses,
        ),
        case("a flipped bit", flipped, "openpgp.signature", Refuses),
        case(
            "a good one and a bad one",
            both,
            "openpgp.signature",
            Refuses,
        ),
        case(
            "over text",
            of_type(T::Text),
            "openpgp.signature",
            Accepts("text is fine to it"),
        ),
        case(
            "SHA-1",
            sign(good().hash(HashAlgorithm::Sha1)),
            "openpgp.weak-digest",
            Accepts("SHA-1 is not weak to version 2.2"),
        ),
        case(
            "MD5",
            sign(good().hash(HashAlgorithm::Md5)),
            "openpgp.weak-digest",
            Refuses,
        ),
        case(
            "RIPEMD-160",
            sign(good().hash(HashAlgorithm::Ripemd160)),
            "openpgp.weak-digest",
            Accepts("RIPEMD-160 is not weak to it"),
        ),
        case(
            "expired signature",
            sign(good().say(expired)),
            "openpgp.time",
            Refuses,
        ),
        case(
            "of the future",
            sign(Terms::at("2027-01-01T00:00:00Z")),
            "openpgp.time",
            Accepts("it does not look at the clock"),
        ),
        case(
            "critical notation",
            sign(good().insist(S::Notation(notation()))),
            "openpgp.signature",
            Refuses,
        ),
        case(
            "critical private subpacket",
            sign(good().insist(S::Experimental(101, "x".into()))),
            "openpgp.signature",
            Refuses,
        ),
        case(
            "two times",
            sign(good().say(twice)),
            "openpgp.signature",
            Accepts("it takes the last one"),
        ),
        case(
            "by a stranger",
            stranger.sign(DATA, &good()),
            "openpgp.key",
            Refuses,
        ),
        case(
            "before the key",
            sign(Terms::at("2025-06-01T00:00:00Z")),
            "openpgp.key-validity",
            Refuses,
        ),
        case("nothing", Vec::new(), "openpgp.present", Refuses),
        case("keys", keys.clone(), "openpgp.present", Refuses),
        case(
            "something behind",
            [sign(good()), b"x".to_vec()].concat(),
            "openpgp.present",
            Refuses,
        ),
    ]
}

/// Each of a good signature by a subkey, under a certificate that does not allow it.
fn of_certificates(owner: &Owner) -> Vec<Case> {
    let signature = owner.sign_by_subkey(DATA, &good());
    let plain = owner.certificate();
    let case = |what, change: &dyn Fn(&mut Certificate), gpgv| {
        let mut certificate = plain.clone();
        change(&mut certificate);
        Case {
            what,
            keys: owner.export(&certificate),
            signature: signature.clone(),
            fails: "openpgp.key-validity",
            gpgv,
        }
    };
    let stranger = Owner::new(98);
    let at_end = "2026-03-01T00:00:00Z";
    let subkey = |terms: &Terms| owner.about_subkey(T::SubkeyBinding, terms);
    let foreign_back = stranger.back(owner.primary.public_key(), &good());
    let weak_back = owner.back(
        owner.primary.public_key(),
        &Terms::at(MADE).hash(HashAlgorithm::Sha1),
    );
    let embed = |back| S::EmbeddedSignature(Box::new(back));
    let expiry = Accepts(TRUSTS);
    let sha1 = Accepts("statements of a key about itself may rest on SHA-1");
    vec![
        case(
            "primary key expired",
            &|it| it.of_name = vec![owner.names(&bound().until(at_end))],
            expiry,
        ),
        case(
            "subkey expired",
            &|it| it.of_subkey = vec![owner.binds(&bound().until(at_end))],
            expiry,
        ),
        case(
            "primary key stolen later",
            &|it| {
                it.of_key = vec![owner.about_key(
                    T::KeyRevocation,
                    &revocation(RevocationCode::KeyCompromised, "2026-09-01T00:00:00Z"),
                )]
            },
            Accepts(TRUSTS),
        ),
        case(
            "primary key revoked without a reason",
            &|it| {
                it.of_key =
                    vec![owner.about_key(T::KeyRevocation, &Terms::at("2026-09-01T00:00:00Z"))]
            },
            Accepts(TRUSTS),
        ),
        case(
            "primary key retired before",
            &|it| {
                it.of_key = vec![owner.about_key(
                    T::KeyRevocation,
                    &revocation(RevocationCode::KeyRetired, at_end),
                )]
            },
            Accepts(TRUSTS),
        ),
        case(
            "subkey stolen later",
            &|it| {
                it.of_subkey.push(owner.about_subkey(
                    T::SubkeyRevocation,
                    &revocation(RevocationCode::KeyCompromised, "2026-09-01T00:00:00Z"),
                ))
            },
            Accepts(TRUSTS),
        ),
        case(
            "subkey replaced before",
            &|it| {
                it.of_subkey.push(owner.about_subkey(
                    T::SubkeyRevocation,
                    &revocation(RevocationCode::KeySuperseded, at_end),
                ))
            },
            Accepts(TRUSTS),
        ),
        case("subkey not bound", &|it| it.of_subkey.clear(), Refuses),
        case(
            "subkey bound by a stranger",
            &|it| it.of_subkey = vec![stranger.binds(&bound())],
            Refuses,
        ),
        case(
            "subkey does not confirm",
            &|it| it.of_subkey = vec![subkey(&bound())],
            Refuses,
        ),
        case(
            "another subkey confirms",
            &|it| it.of_subkey = vec![subkey(&bound().say(embed(foreign_back.clone())))],
            Refuses,
        ),
        case(
            "subkey confirms by SHA-1",
            &|it| it.of_subkey = vec![subkey(&bound().say(embed(weak_back.clone())))],
            sha1,
        ),
        case(
            "subkey bound by SHA-1",
            &|it| it.of_subkey = vec![owner.binds(&bound().hash(HashAlgorithm::Sha1))],
            sha1,
        ),
        case(
            "subkey not made for signing",
            &|it| it.of_subkey = vec![owner.binds(&Terms::at(MADE))],
            Accepts("it takes no flags for all flags"),
        ),
        case(
            "primary key revoked by somebody appointed",
            &|it| {
                let appointed = RevocationKey::new(
                    RevocationKeyClass::Default,
                    stranger.primary.algorithm(),
                    stranger.fingerprint().as_bytes(),
                );
                let appoints = bound().say(S::RevocationKey(appointed));
                let (by, public) = (&stranger.primary, owner.primary.public_key());
                let revokes = Owner::config(by, T::KeyRevocation, &Terms::at(at_end));
                let revokes = revokes.sign_key(by, &Password::empty(), public);
                it.of_key = vec![owner.about_key(T::Key, &appoints), revokes.expect("signed")];
            },
            Accepts(TRUSTS),
        ),
        case("no name", &|it| it.of_name.clear(), Refuses),
        case(
            "name by SHA-1",
            &|it| it.of_name = vec![owner.names(&bound().hash(HashAlgorithm::Sha1))],
            sha1,
        ),
        case(
            "name revoked",
            &|it| {
                it.of_name
                    .push(owner.about_name(T::CertRevocation, &Terms::at(at_end)))
            },
            Accepts("a revoked name revokes no key"),
        ),
    ]
}

/// Keys that are too weak.
fn of_keys() -> Vec<Case> {
    [
        ("RSA of 1024 bits", KeyType::Rsa(1024), "it takes 1024 bits"),
        (
            "DSA",
            KeyType::Dsa(pgp::composed::DsaKeySize::B2048),
            "it takes DSA",
        ),
    ]
    .into_iter()
    .map(|(what, kind, why)| {
        let owner = Owner::with(5, V4, &kind, MADE);
        Case {
            what,
            keys: owner.export(&owner.certificate()),
            signature: owner.sign(DATA, &good()),
            fails: "openpgp.key-validity",
            gpgv: Accepts(why),
        }
    })
    .collect()
}

#[test]
fn each_mutant_fails_its_check_and_is_judged() {
    // Not over Ed25519, which signs no weak digest.
    let owner = Owner::with(1, V4, &KeyType::Rsa(2048), MADE);
    let mut wrong = Vec::new();
    let cases = of_signatures(&owner).into_iter();
    let cases = cases.chain(of_certificates(&owner)).chain(of_keys());
    for case in cases {
        let Case {
            what,
            keys,
            signature,
            fails,
            gpgv: expected,
        } = case;
        let parsed = OpenPgpKeys::parse(&keys).expect(what);
        let by = parsed.fingerprints().next().expect("one");
        let found = failed(&look(&keys, &signature, DATA, by, day()));
        if found != [fails] {
            wrong.push(format!("{what}: expected {fails}, found {found:?}"));
        }
        let is_lenient = SQV_ACCEPTS.iter().any(|(name, _)| *name == what);
        let said = sqv(&keys, &signature, DATA);
        if said.is_some_and(|accepts| accepts != is_lenient) {
            wrong.push(format!("{what}: sqv accepts: {said:?}"));
        }
        let said = gpgv(&keys, &signature, DATA);
        if said.is_some_and(|accepts| accepts != matches!(expected, Accepts(_))) {
            wrong.push(format!(
                "{what}: gpgv accepts: {said:?}, expected {expected:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_happened_to_a_key_afterwards_leaves_earlier_signatures() {
    let owner = Owner::new(1);
    let signature = owner.sign_by_subkey(DATA, &good());
    let later = "2026-09-01T00:00:00Z";
    let looked = |change: &dyn Fn(&mut Certificate)| {
        let mut certificate = owner.certificate();
        change(&mut certificate);
        let keys = owner.export(&certificate);
        failed(&look(&keys, &signature, DATA, owner.fingerprint(), day()))
    };
    let retired = revocation(RevocationCode::KeyRetired, later);
    assert_eq!(
        looked(&|it| it.of_key = vec![owner.about_key(T::KeyRevocation, &retired)]),
        [""; 0]
    );
    assert_eq!(
        looked(&|it| it
            .of_subkey
            .push(owner.about_subkey(T::SubkeyRevocation, &retired))),
        [""; 0]
    );
    assert_eq!(
        looked(&|it| it.of_name = vec![owner.names(&bound().until(later))]),
        [""; 0]
    );
    // Prolonged after the signature, and the older statement dropped, as keyservers and `export-clean` do.
    let prolonged = Terms::at(later).for_signing().until("2027-01-01T00:00:00Z");
    assert_eq!(
        looked(&|it| it.of_name = vec![owner.names(&prolonged)]),
        [""; 0]
    );
    // Expired by its last statement before the signature, whatever an older one said.
    let shortened = Terms::at("2026-02-01T00:00:00Z")
        .for_signing()
        .until("2026-03-01T00:00:00Z");
    assert_eq!(
        looked(&|it| it.of_name.push(owner.names(&shortened))),
        ["openpgp.key-validity"]
    );
}

#[test]
fn signatures_of_others_do_not_count_and_do_not_hurt() {
    let (owner, other) = (Owner::new(1), Owner::new(2));
    let keys = owner.export(&owner.certificate());
    let (good_one, foreign) = (owner.sign(DATA, &good()), other.sign(DATA, &good()));
    let both = [foreign.clone(), good_one.clone()].concat();
    let by = owner.fingerprint();
    assert_eq!(failed(&look(&keys, &both, DATA, by, day())), [""; 0]);
    // In the file of keys but not pinned: the same, as long as it is right.
    let all = [keys.clone(), other.export(&other.certificate())].concat();
    assert_eq!(failed(&look(&all, &both, DATA, by, day())), [""; 0]);
    assert_eq!(
        failed(&look(&all, &foreign, DATA, by, day())),
        ["openpgp.key"]
    );
    let wrong = [good_one, other.sign(b"other", &good())].concat();
    assert_eq!(
        failed(&look(&all, &wrong, DATA, by, day())),
        ["openpgp.signature"]
    );
    assert_eq!(
        failed(&look(&keys, &both, DATA, other.fingerprint(), day())),
        ["openpgp.key"]
    );
    let many = owner.sign(DATA, &good()).repeat(17);
    assert_eq!(
        failed(&look(&keys, &many, DATA, by, day())),
        ["openpgp.present"]
    );
    assert_eq!(
        failed(&look(&keys, &both, DATA, by, time("2026-05-01T00:00:00Z"))),
        ["openpgp.time", "openpgp.key"]
    );
}
