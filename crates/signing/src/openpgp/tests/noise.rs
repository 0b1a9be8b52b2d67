//! Signatures and keys in which anything is written anywhere.

use proptest::prelude::*;

use super::owner::{Owner, SIGNED, Terms};
use super::{DATA, OpenPgpKeys, failed, look};
use crate::tests::{day, find};

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    /// Anything may be written anywhere into a signature or a certificate; the answer may be anything but a panic. A
    /// signature with another byte among those that it covers, or in its number, is not good.
    #[test]
    fn random_changes_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
        in_keys in any::<bool>(),
    ) {
        let owner = Owner::new(1);
        let keys = owner.export(&owner.certificate());
        let signature = owner.sign_by_subkey(DATA, &Terms::at(SIGNED));
        let mut copy = if in_keys { keys.clone() } else { signature.clone() };
        let length = copy.len();
        for (at, byte) in changes {
            copy[at.index(length)] = byte;
        }
        if let Some(cut) = cut {
            copy.truncate(cut.index(length));
        }
        if in_keys {
            if OpenPgpKeys::parse(&copy).is_ok() {
                look(&copy, &signature, DATA, owner.fingerprint(), day());
            }
        } else if copy != signature {
            // The id of the key is a hint and not signed; lengths in bits of the two numbers may be off by some.
            let hint = find(&signature, &[0, 10, 9, 16]);
            let numbers = [hint + 14..hint + 16, hint + 48..hint + 50];
            let is_free = |at: &usize| (hint..hint + 12).contains(at) || numbers.iter().any(|it| it.contains(at));
            let is_spoilt = copy.len() < length || (0..length).any(|at| copy[at] != signature[at] && !is_free(&at));
            if is_spoilt {
                prop_assert_ne!(failed(&look(&keys, &copy, DATA, owner.fingerprint(), day())), [""; 0]);
            }
        }
    }
}
