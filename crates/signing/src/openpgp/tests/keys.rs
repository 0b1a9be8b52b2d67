//! Files of keys, and fingerprints.

use super::owner::Owner;
use super::{OpenPgpKeys, armoured};
use crate::openpgp::{Fingerprint, OpenPgpError};

#[test]
fn fingerprints_are_whole_and_key_ids_are_none() {
    let text = "560F3EDD5D483FCF2E206993105C3DB6D139A931";
    let found: Fingerprint = text.parse().expect("40 digits");
    assert_eq!(found.to_string(), text);
    assert_eq!(text.to_lowercase().parse(), Ok(found));
    let grouped = "560F 3EDD 5D48 3FCF 2E20  6993 105C 3DB6 D139 A931";
    assert_eq!(grouped.parse(), Ok(found));
    assert!("ab".repeat(32).parse::<Fingerprint>().is_ok());
    for wrong in [
        "",
        "D139A931",
        "105C3DB6D139A931",
        "0x105C3DB6D139A931",
        &text[1..],
    ] {
        let error = wrong.parse::<Fingerprint>().expect_err(wrong).to_string();
        assert!(error.contains("40 hexadecimal digits"), "{error}");
    }
    assert!("zz".repeat(20).parse::<Fingerprint>().is_err());
}

#[test]
fn files_that_are_no_keys_say_why() {
    let owner = Owner::new(1);
    let keys = owner.export(&owner.certificate());
    let secret = armoured("PGP PRIVATE KEY BLOCK", &keys);
    assert_eq!(
        OpenPgpKeys::parse(secret.as_bytes()).err(),
        Some(OpenPgpError::Secret)
    );
    let error = |bytes: &[u8]| OpenPgpKeys::parse(bytes).expect_err("no keys");
    assert!(matches!(error(b""), OpenPgpError::NoKeys));
    assert!(matches!(error(b"keys"), OpenPgpError::Begin(_)));
    assert!(matches!(
        error(&keys[..keys.len() - 1]),
        OpenPgpError::Packet
    ));
    let twice = [keys.clone(), keys.clone()].concat();
    assert_eq!(
        error(&twice),
        OpenPgpError::Twice(Some(owner.fingerprint()))
    );
    let signature = armoured("PGP SIGNATURE", &keys);
    assert!(matches!(
        error(signature.as_bytes()),
        OpenPgpError::Begin(_)
    ));
    let text = armoured("PGP PUBLIC KEY BLOCK", &keys);
    assert!(matches!(
        error(format!("{text}more").as_bytes()),
        OpenPgpError::Begin(_)
    ));
    assert!(matches!(
        error(&text.as_bytes()[..text.len() / 2]),
        OpenPgpError::Armour(_)
    ));
    let two = [keys, Owner::new(2).export(&Owner::new(2).certificate())].concat();
    let found = OpenPgpKeys::parse(&two).expect("two");
    assert_eq!(found.fingerprints().count(), 2);
    let only = found.only(owner.fingerprint()).expect("there");
    assert!(only.fingerprints().eq([owner.fingerprint()]));
    let missing = Owner::new(3).fingerprint();
    assert_eq!(
        found.only(missing).err(),
        Some(OpenPgpError::Missing(missing))
    );
    assert!(matches!(
        error(&vec![0x99; 5 << 20]),
        OpenPgpError::TooLarge(_)
    ));
}
