//! The law of order: in which order a release reaches the world, everywhere.
//!
//! Nothing reachable from a pointer is ever missing, because what a pointer names is written before it. Nothing after
//! a commit point is undone.

use serde::Serialize;

/// The steps of a release, in the only order in which they may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The tag at the built commit: the lock on the version.
    Tag,
    /// The claim: the lock on the objects of the version.
    Claim,
    /// The artifacts and their signatures.
    Artifacts,
    /// Checksums and attestations over the artifacts.
    Sums,
    /// The release record: "this version exists".
    Record,
    /// The GitHub release: after the record, because a published immutable release has no way back.
    GithubRelease,
    /// The channel revision: "users see this".
    Revision,
    /// Everything derived from the revision.
    Projections,
    /// Purges and announcements.
    Announcements,
}

impl Step {
    /// Every step, in order.
    pub const LAW: [Self; 9] = [
        Self::Tag,
        Self::Claim,
        Self::Artifacts,
        Self::Sums,
        Self::Record,
        Self::GithubRelease,
        Self::Revision,
        Self::Projections,
        Self::Announcements,
    ];

    /// Whether something becomes true for others by this step, so that nothing after it may be undone.
    pub fn is_commit_point(self) -> bool {
        matches!(
            self,
            Self::Tag | Self::Record | Self::GithubRelease | Self::Revision
        )
    }
}

/// The first pair of neighbours that breaks the law, if any: the earlier one happened although the later one, which
/// it depends on, had not.
pub fn violation(steps: &[Step]) -> Option<(Step, Step)> {
    steps
        .windows(2)
        .find(|pair| pair[0] > pair[1])
        .map(|pair| (pair[0], pair[1]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_sequence_obeys_the_law_iff_it_is_sorted(steps in proptest::collection::vec(proptest::sample::select(Step::LAW.to_vec()), 0..20)) {
            let mut sorted = steps.clone();
            sorted.sort();
            prop_assert_eq!(violation(&steps).is_none(), steps == sorted);
            prop_assert_eq!(violation(&sorted), None);
        }
    }

    #[test]
    fn the_law_is_strictly_increasing() {
        assert!(Step::LAW.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
