//! The verbs, one file each. A verb reads, lets the pure crates plan, and applies the plan.
//!
//! No policy about versions, shares, or signatures lives here, and nothing is printed: a verb gives a value or an error
//! that says by its kind how the process ends.

pub mod artifacts;
pub mod audit;
pub mod config;
mod continuity;
mod error;
mod feeds;
pub mod inspect;
pub mod learn;
pub mod online;
mod place;
mod progress;
pub mod project;
pub mod publish;
pub mod reconcile;
pub mod rollout;
pub mod status;
pub mod tag;
pub mod verify;
pub mod version;

pub use error::{Error, Exit};
pub use place::{Author, Place};
pub use progress::{Event, Reporter};
