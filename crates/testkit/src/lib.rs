//! Tests only: a small world with a real binary in it, an S3 service and a GitHub with faults, signers, and judges.

pub mod cdn;
mod clock;
mod desk;
mod fault;
pub mod git;
pub mod github;
mod hold;
pub mod judge;
pub mod pki;
pub mod s3;
pub mod signer;
pub mod web;
pub mod world;

pub use signer::Signer;
pub use world::{Ran, TIERS, World};
