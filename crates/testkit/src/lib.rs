//! Tests only: a small world with a real binary in it, an S3 service with faults, signers, and judges.

pub mod cdn;
pub mod git;
pub mod judge;
pub mod s3;
pub mod signer;
pub mod world;

pub use signer::Signer;
pub use world::{Ran, TIERS, World};
