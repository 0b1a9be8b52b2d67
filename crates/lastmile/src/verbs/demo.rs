//! `lastmile demo`: the whole way of a release on this machine, with the real verbs and no special path.
//!
//! Every step runs this very binary with the arguments that are printed, in a folder that stays, so that each can be
//! repeated by hand. The installs are simulated; what they read is not.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::failure::Failure;
use crate::output::plain;

mod fixtures;
mod installs;
mod stage;

use installs::Installs;
use stage::Stage;

/// How long the tier `canary` soaks in the demo.
const SOAK: Duration = Duration::from_secs(2);

/// Show the whole way of a release, on this machine, in seconds
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where it happens; an earlier demo there is removed
    #[arg(long, value_name = "FOLDER", default_value = "lastmile-demo")]
    dir: PathBuf,
}

pub(crate) async fn run(args: &Demo) -> Result<(), Failure> {
    // The steps wait for processes and read files, one after the other; nothing else runs meanwhile.
    tokio::task::block_in_place(|| play(&args.dir))
}

/// The steps, in the order in which a release meets its users.
fn play(dir: &std::path::Path) -> Result<(), Failure> {
    let stage = Stage::set(dir)?;
    let mut installs = Installs::new();

    stage.title(
        "1",
        "A first release. Each artifact is checked against its signature, then stored once.",
    );
    stage.build("1.3.0", "")?;
    stage.run("verify", 0)?;
    stage.run("publish", 0)?;
    stage.title(
        "2",
        "Published is not released. Without tiers, `start` gives it to everyone.",
    );
    stage.run("rollout start --version 1.3.0", 0)?;
    installs.check(&stage, "1.3.0 for everyone")?;

    stage.title(
        "3",
        "What comes next is in the commits since v1.3.0. Its tag is the lock on the version.",
    );
    stage.repository()?;
    stage.run("tag --local", 0)?;

    stage.title(
        "4",
        "1.4.0 is built, and goes tier by tier: staff, 1 %, 10 %, everyone.",
    );
    stage.build("1.4.0", fixtures::TIERS)?;
    stage.run("publish", 0)?;
    stage.run("rollout start --version 1.4.0", 0)?;
    installs.check(&stage, "tier staff")?;
    stage.advance("canary")?;
    installs.check(&stage, "tier canary, 1 %")?;

    stage.title(
        "5",
        "A tier has to soak before the next. Too early is refused (3); nothing changes.",
    );
    stage.refuse_early("early")?;
    std::thread::sleep(SOAK + Duration::from_secs(1));
    stage.advance("early")?;
    installs.check(&stage, "tier early, 10 %")?;

    stage.title(
        "6",
        "Halt: nobody else gets it. Who has it keeps it. Resume: the same installs, no others.",
    );
    stage.run("rollout halt --reason crashes", 0)?;
    installs.newcomers(500);
    installs.check(&stage, "halted, and 500 new installs")?;
    stage.resume()?;
    installs.check(&stage, "resumed at 10 %")?;
    stage.advance("all")?;
    stage.advance("complete")?;
    installs.check(&stage, "complete")?;

    stage.title(
        "7",
        "Rollback: 1.3.0 is what everyone gets again. Not every updater can go down.",
    );
    stage.run("rollout rollback --reason regression", 0)?;
    installs.newcomers(500);
    installs.check(&stage, "rolled back, 500 new installs")?;

    stage.title(
        "8",
        "One byte of an artifact is changed on disk. It fails its check (1); nothing is written.",
    );
    stage.flip_one_byte()?;
    stage.run("publish", 1)?;
    stage.title(
        "9",
        "The byte is put back. Publishing again finds everything there and sends nothing.",
    );
    stage.flip_one_byte()?;
    stage.run("publish", 0)?;

    stage.title(
        "10",
        "Who did what: the log of the channel is the audit trail, and its hashes chain.",
    );
    stage.run("audit show", 0)?;
    stage.run("audit verify", 0)?;

    plain(&installs.table());
    plain(&stage.farewell());
    Ok(())
}
