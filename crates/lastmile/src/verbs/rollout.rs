//! `lastmile rollout …`.

use clap::{Args, Subcommand};
use ops::rollout as verbs;
use release::name::TierName;
use release::platform::PlatformPattern;
use release::rollout::Step;
use release::{Version, revision};

use crate::cli::{AuthorArgs, Global, PlaceArgs};
use crate::context;
use crate::failure::Failure;
use crate::output;

mod explain;
mod show;

/// Let a published release out, tier by tier; stop; go back
#[derive(Debug, Subcommand)]
pub(crate) enum Rollout {
    /// Show what comes next, and the command that does it; writes nothing
    Plan(PlanArgs),
    /// Begin to let a published release out
    Start(StartArgs),
    /// Take the next tier, or complete, as planned on a revision
    Advance(AdvanceArgs),
    /// Freeze the share: who has it offered keeps it, nobody else gets it
    Pause(StopArgs),
    /// Offer again what was paused or halted
    Resume(ResumeArgs),
    /// Stop offering, now; needs no configuration and no GitHub
    Halt(StopArgs),
    /// Make an earlier release what everyone gets again
    Rollback(RollbackArgs),
    /// Show where the channel is
    Status(PlaceArgs),
    /// Show what one client is offered, and why
    Explain(explain::ExplainArgs),
}

/// Flags of `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Plan the start of this version; else the next steps
    #[arg(long)]
    version: Option<Version>,
    /// Only these platforms, `windows-x64` or a whole `macos`
    #[arg(long)]
    platform: Vec<PlatformPattern>,
}

/// Flags of `start`.
#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    author: AuthorArgs,
    /// The published version; else where the configuration says it stands
    #[arg(long)]
    version: Option<Version>,
    /// Only these platforms, `windows-x64` or a whole `macos`
    #[arg(long)]
    platform: Vec<PlatformPattern>,
    /// The revision that `plan` was made on
    #[arg(long, value_name = "REVISION")]
    expect: Option<u64>,
}

/// Flags of `advance`.
#[derive(Debug, Args)]
pub(crate) struct AdvanceArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    author: AuthorArgs,
    /// The tier, or `complete`
    #[arg(long, value_name = "TIER")]
    to: Step,
    /// The revision that `plan` was made on
    #[arg(long, value_name = "REVISION")]
    expect: u64,
    /// Only these platforms, `windows-x64` or a whole `macos`
    #[arg(long)]
    platform: Vec<PlatformPattern>,
}

/// Flags of `pause` and `halt`.
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    author: AuthorArgs,
    /// Only these platforms, `windows-x64` or a whole `macos`
    #[arg(long)]
    platform: Vec<PlatformPattern>,
}

/// Flags of `resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    author: AuthorArgs,
    /// A lower tier; else the one it was at
    #[arg(long, value_name = "TIER")]
    to: Option<TierName>,
    /// The revision that `plan` was made on
    #[arg(long, value_name = "REVISION")]
    expect: u64,
    /// Only these platforms, `windows-x64` or a whole `macos`
    #[arg(long)]
    platform: Vec<PlatformPattern>,
}

/// Flags of `rollback`.
#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    author: AuthorArgs,
    /// The release to go back to; else the one before
    #[arg(long, value_name = "VERSION")]
    to: Option<Version>,
    /// The revision that `plan` was made on
    #[arg(long, value_name = "REVISION")]
    expect: Option<u64>,
    /// Only these platforms, `windows-x64` or a whole `macos`
    #[arg(long)]
    platform: Vec<PlatformPattern>,
}

pub(crate) async fn run(global: &Global, args: &Rollout) -> Result<(), Failure> {
    match args {
        Rollout::Plan(args) => {
            let place = context::place(global, &args.place).await?;
            let start = args
                .version
                .as_ref()
                .map(|version| start_request(global, &args.place, version, &args.platform, None));
            let mut plan = verbs::plan(&place, start.transpose()?.as_ref()).await?;
            // The command repeats how this one found the place.
            let place = context::place_flags(global, &args.place);
            for step in &mut plan.steps {
                step.command.push_str(&place);
            }
            output::result(global.format, "rollout plan", &plan, &show::plan(&plan));
        }
        Rollout::Start(args) => start(global, args).await?,
        Rollout::Advance(args) => {
            let place = context::place(global, &args.place).await?;
            let request = verbs::Advance {
                to: args.to.clone(),
                expect: args.expect,
                platforms: args.platform.clone(),
            };
            let changed = verbs::advance(&place, &context::author(&args.author), &request).await?;
            output::result(
                global.format,
                "rollout advance",
                &changed,
                &show::changed(&place, &changed),
            );
        }
        Rollout::Pause(args) => {
            let place = context::place(global, &args.place).await?;
            let changed =
                verbs::pause(&place, &context::author(&args.author), &args.platform).await?;
            output::result(
                global.format,
                "rollout pause",
                &changed,
                &show::changed(&place, &changed),
            );
        }
        Rollout::Resume(args) => {
            let place = context::place(global, &args.place).await?;
            let request = verbs::Resume {
                to: args.to.clone(),
                expect: args.expect,
                platforms: args.platform.clone(),
            };
            let changed = verbs::resume(&place, &context::author(&args.author), &request).await?;
            output::result(
                global.format,
                "rollout resume",
                &changed,
                &show::changed(&place, &changed),
            );
        }
        Rollout::Halt(args) => {
            let place = context::place(global, &args.place).await;
            let place = place.inspect_err(|_| {
                output::note("`halt` needs no configuration: give `--store` and `--app`");
            })?;
            let changed =
                verbs::halt(&place, &context::author(&args.author), &args.platform).await?;
            output::result(
                global.format,
                "rollout halt",
                &changed,
                &show::changed(&place, &changed),
            );
        }
        Rollout::Rollback(args) => {
            let place = context::place(global, &args.place).await?;
            let request = verbs::Rollback {
                to: args.to.clone(),
                platforms: args.platform.clone(),
                expect: args.expect,
            };
            let changed = verbs::rollback(&place, &context::author(&args.author), &request).await?;
            output::result(
                global.format,
                "rollout rollback",
                &changed,
                &show::changed(&place, &changed),
            );
        }
        Rollout::Status(args) => {
            let place = context::place(global, args).await?;
            let status = verbs::status(&place).await?;
            output::result(
                global.format,
                "rollout status",
                &status,
                &show::status(&place, &status),
            );
        }
        Rollout::Explain(args) => explain::run(global, args).await?,
    }
    Ok(())
}

async fn start(global: &Global, args: &StartArgs) -> Result<(), Failure> {
    let version = match &args.version {
        Some(version) => version.clone(),
        None => context::version(&context::load(global, args.place.app.as_ref())?, None)?,
    };
    let request = start_request(global, &args.place, &version, &args.platform, args.expect)?;
    let place = context::place(global, &args.place).await?;
    let changed = verbs::start(&place, &context::author(&args.author), &request).await?;
    output::result(
        global.format,
        "rollout start",
        &changed,
        &show::changed(&place, &changed),
    );
    Ok(())
}

/// The release and its tiers, as the configuration has them now; `start` freezes them.
fn start_request(
    global: &Global,
    place: &PlaceArgs,
    version: &Version,
    platforms: &[PlatformPattern],
    expect: Option<u64>,
) -> Result<verbs::Start, Failure> {
    let app = context::load(global, place.app.as_ref())?.app;
    let channel = app.channel(&place.channel)?;
    let tiers: Vec<revision::Tier> = channel.tiers.clone();
    Ok(verbs::Start {
        version: version.clone(),
        platforms: platforms.to_vec(),
        tiers,
        feeds: app.feeds.iter().map(ToString::to_string).collect(),
        public_url: app.public_url.to_string(),
        followers: app.followers(&place.channel),
        expect,
    })
}
