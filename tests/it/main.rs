//! Stories at the boundary: the real binary, a real store, real consumers of what it writes.

mod actions;
mod beside;
mod built;
mod client;
mod crash;
mod demo;
mod disks;
mod faults;
mod feeds;
mod halt;
mod hostile;
mod inside;
mod inspect;
mod observe;
mod online;
mod previous;
mod publish;
mod releases;
mod reports;
mod rollout;
mod settings;
mod status;
mod stories;
mod tag;
mod tidy;
mod writers;

/// The binary under test.
const BINARY: &str = env!("CARGO_BIN_EXE_lastmile");

/// A world whose store is a directory.
fn world() -> testkit::World {
    testkit::World::on_directory(BINARY)
}

/// A world whose store is this S3 server.
fn world_on(s3: &testkit::s3::S3) -> testkit::World {
    testkit::World::on_store(
        BINARY,
        format!("{}&attempt-timeout=2s", s3.store_url("")),
        s3.env(),
    )
}
