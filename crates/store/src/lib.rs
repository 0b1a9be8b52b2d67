//! The bucket: an S3 bucket or a directory, the log of each channel, and the projections derived from it.
//!
//! Nothing here decides what a channel should be; that is `release`. Nothing here knows how a feed is written; that is
//! `feed`. S3 is named in this crate alone.

mod backend;
mod crash;
mod error;
mod key;
mod location;
mod log;
mod probe;
mod projection;
mod store;

pub use backend::Object;
pub use error::{Conflict, StoreError};
pub use key::{Headers, Key};
pub use location::{Location, LocationError};
pub use log::{Appended, Log, StoredRevision, TIMES_MAX};
pub use projection::Projected;
pub use store::{Created, Progress, Source, Store};
