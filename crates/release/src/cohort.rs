//! Cohorts: the stable bucket of an install, salted per rollout.

use std::fmt;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::share::BasisPoints;

/// The bucket of an install, 0 to 9,999. An install is inside a share iff its cohort is below the share in basis
/// points, so raising a share only ever adds installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cohort(u16);

impl Cohort {
    /// `(u32_be(SHA-256(salt ‖ 0x00 ‖ id)[0..4]) × 10000) >> 32`, in 64 bits; the id trimmed and lower-cased.
    ///
    /// The salt belongs to the rollout, so the first tier is not always the same people. JavaScript must write
    /// `Math.floor(u * 10000 / 2 ** 32)`: its `>> 32` shifts by nothing.
    pub fn of(salt: &str, id: &str) -> Self {
        let digest = Sha256::new()
            .chain_update(salt.as_bytes())
            .chain_update([0])
            .chain_update(id.trim().to_lowercase().as_bytes())
            .finalize();
        let head = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
        // The product is below 10^4 × 2^32, so what the shift leaves is below 10^4.
        Self(u16::try_from((u64::from(head) * 10_000) >> 32).unwrap_or(9_999))
    }

    /// The number, 0 to 9,999.
    pub fn get(self) -> u16 {
        self.0
    }

    /// Whether a share covers this bucket.
    pub fn is_within(self, share: BasisPoints) -> bool {
        self.0 < share.get()
    }
}

impl fmt::Display for Cohort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_vectors() {
        for (salt, id, cohort) in [
            ("s", "a", 3007),
            ("s", "b", 4197),
            ("salt", "install-1", 1098),
            (
                "atlas-desktop/stable/1.4.0#1",
                "00000000-0000-5000-8000-000000000000",
                7479,
            ),
            (
                "atlas-desktop/stable/1.4.0#1",
                "f81d4fae-7dec-51d0-a765-00a0c91e6bf6",
                8429,
            ),
            (
                "atlas-desktop/stable/1.5.0#1",
                "f81d4fae-7dec-51d0-a765-00a0c91e6bf6",
                2406,
            ),
            ("s", "  A ", 3007),
        ] {
            assert_eq!(Cohort::of(salt, id).get(), cohort, "{salt} {id}");
        }
    }

    /// Each share covers what it says, within 3σ, and two rollouts overlap as independent draws do.
    #[test]
    fn a_million_ids_fill_the_shares_evenly() {
        const N: u32 = 1_000_000;
        let shares = [10, 100, 500, 2_000, 5_000];
        let (mut inside, mut both) = ([0_u32; 5], 0_u32);
        for id in 0..N {
            let id = format!("{id:08x}-0000-5000-8000-000000000000");
            let (one, two) = (
                Cohort::of("app/stable/1.4.0#1", &id),
                Cohort::of("app/stable/1.5.0#2", &id),
            );
            shares
                .iter()
                .zip(&mut inside)
                .for_each(|(share, n)| *n += u32::from(one.get() < *share));
            both += u32::from(one.get() < 2_000 && two.get() < 2_000);
        }
        let within = |count: u32, p: f64| {
            let (mean, sigma) = (f64::from(N) * p, (f64::from(N) * p * (1.0 - p)).sqrt());
            assert!(
                (f64::from(count) - mean).abs() <= 3.0 * sigma,
                "{count} of {N}, expected {mean} ± {sigma}"
            );
        };
        shares
            .iter()
            .zip(inside)
            .for_each(|(share, count)| within(count, f64::from(*share) / 10_000.0));
        within(both, 0.04);
    }
}
