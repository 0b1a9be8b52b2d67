//! The vocabulary of releases, and every decision about them.
//!
//! Values in, values out: this crate does no I/O, starts no task, reads no clock and no environment. Whoever calls it
//! hands it bytes, documents, and `now`.

pub mod address;
pub mod artifact;
pub mod changelog;
pub mod claim;
pub mod cohort;
pub mod commit;
pub mod decide;
pub mod digest;
pub mod document;
pub mod github_note;
pub mod listing;
pub mod name;
pub mod order;
pub mod platform;
pub mod projection;
pub mod record;
pub mod refusal;
pub mod revision;
pub mod rollout;
pub mod share;
pub mod tag;
pub mod time;
pub mod version;

pub use artifact::{Artifact, Kind};
pub use claim::Claim;
pub use cohort::Cohort;
pub use decide::{Client, Decision, decide};
pub use digest::{Crc64, Sha256, Sha512};
pub use github_note::GitHubNote;
pub use listing::{Listed, ListedDigest, Listing};
pub use name::{App, Channel, CohortName, FileName, TierName};
pub use platform::{Os, Platform};
pub use projection::{Catalog, ChannelView};
pub use record::ReleaseRecord;
pub use refusal::Refusal;
pub use revision::Revision;
pub use share::BasisPoints;
pub use time::{Soak, Timestamp};
pub use version::Version;
